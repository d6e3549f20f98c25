"""A certificate authority for one run, its certificates, and certificates nobody should trust."""

import ssl
import subprocess
from pathlib import Path

VALID_DAYS = 60


class Authority:
    """Makes certificates in `folder`: `ca.pem`, and `NAME.pem` with `NAME.key` for each name issued."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.certificate = self.folder / "ca.pem"
        self._openssl(
            "req", "-x509", *self._new_key("ca"), "-out", self.certificate, "-days", VALID_DAYS,
            "-subj", "/CN=Plugboard interoperability tests",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )

    def issue(self, domain, *, name=None, days=VALID_DAYS, purposes="serverAuth,clientAuth"):
        """A certificate for `domain` that the authority vouches for; with negative `days` it has expired."""
        name = name or domain
        extensions = self.folder / f"{name}.extensions"
        extensions.write_text(
            f"subjectAltName=DNS:{domain}\nbasicConstraints=CA:FALSE\n"
            f"keyUsage=digitalSignature\nextendedKeyUsage={purposes}\n"
        )
        request = self.folder / f"{name}.request"
        self._openssl("req", "-new", *self._new_key(name), "-out", request, "-subj", f"/CN={domain}")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key",
            "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", self.folder / f"{name}.pem",
        )
        return name

    def self_sign(self, domain, *, name):
        """A certificate for `domain` that nobody vouches for."""
        self._openssl(
            "req", "-x509", *self._new_key(name), "-out", self.folder / f"{name}.pem", "-days", VALID_DAYS,
            "-subj", f"/CN={domain}", "-addext", f"subjectAltName=DNS:{domain}",
        )
        return name

    def pair(self, name):
        """The paths of a name's certificate and key."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def client_context(self, name=None):
        """TLS settings for a connecting peer: it shows the certificate of `name`, and trusts only the authority."""
        context = ssl.create_default_context(cafile=self.certificate)
        if name is not None:
            context.load_cert_chain(*self.pair(name))
        return context

    def _new_key(self, name):
        key = self.folder / f"{name}.key"
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)
