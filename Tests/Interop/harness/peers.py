"""The real servers: Prosody and ejabberd, each on a loopback address of its own with the standard ports."""

import asyncio
import enum
import json
import os
import shutil
import urllib.request
from pathlib import Path

from harness.processes import Daemon, output_of
from harness.waiting import check

CLIENT_PORT, SERVER_PORT, SERVER_TLS_PORT, HTTP_PORT = 5222, 5269, 5270, 5280
COMPONENT_PORT = 5347
PASSWORD = "correct horse"
COMPONENT_SECRET = "battery & <staple>"


class Mode(enum.Enum):
    """How servers prove to each other who they are. TLS is required in all."""

    EXTERNAL = "EXTERNAL"
    """By certificates of the test authority (SASL EXTERNAL, XEP-0178)."""

    DIALBACK = "dialback"
    """By dialback (XEP-0220): certificates are self-signed, the peer trusts no authority, and EXTERNAL is not tried."""

    FALLBACK = "dialback after EXTERNAL"
    """The same, but EXTERNAL is tried first, and fails."""

    @property
    def proof(self):
        """The mechanism that lets a server in, as ejabberd's log names it."""
        return "EXTERNAL" if self is Mode.EXTERNAL else "dialback"


class Peer(Daemon):
    """What the two servers have in common: a domain, an address, a mode and users."""

    def __init__(self, folder, mode, authority, hosts):
        super().__init__(folder)
        self.mode = mode
        self.hosts = hosts
        self.authority = authority
        self.trusted = authority.certificate if mode is Mode.EXTERNAL else None
        name = self.domain if mode is Mode.EXTERNAL else f"self-signed-{self.domain}"
        self.certificate, self.key = authority.pair(name)

        self.components = ()
        """Domains of components that the server takes; none unless the scenario has some."""

    def address_of(self, user):
        return f"{user}@{self.domain}"

    def ports(self):
        return CLIENT_PORT, SERVER_PORT, SERVER_TLS_PORT, *((COMPONENT_PORT,) if self.components else ())


class Prosody(Peer):
    name, domain, address = "Prosody", "prosody.test", "127.0.0.2"

    async def start(self, users):
        certificates = self.folder / "certificates"
        certificates.mkdir()
        shutil.copy(self.certificate, certificates / f"{self.domain}.crt")
        shutil.copy(self.key, certificates / f"{self.domain}.key")
        (self.folder / "data").mkdir()
        configuration = self.folder / "prosody.cfg.lua"
        configuration.write_text(self._configuration(certificates))
        for user in users:
            await output_of("prosodyctl", "--config", configuration, "register", user, self.domain, PASSWORD)
        await self.launch("prosody", "--config", configuration, "-F")
        await self.until_listening(self.address, *self.ports())

    def _configuration(self, certificates):
        external = self.mode is Mode.EXTERNAL
        components = "\n".join(
            f'Component "{domain}"\n component_secret = "{COMPONENT_SECRET}"' for domain in self.components
        )
        return f"""
            run_as_root = true
            pidfile = "{self.folder}/prosody.pid"
            data_path = "{self.folder}/data"
            log = {{ info = "*console" }}
            -- libunbound answers names from the file; SRV lookups below "test." fail at once, without a name server.
            unbound = {{ resolvconf = false; hoststxt = "{self.hosts}" }}
            use_ipv6 = false
            interfaces = {{ "{self.address}" }}
            c2s_ports = {{ {CLIENT_PORT} }}
            s2s_ports = {{ {SERVER_PORT} }}
            s2s_direct_tls_ports = {{ {SERVER_TLS_PORT} }}
            modules_enabled = {{
                "roster"; "saslauth"; "tls"; "disco"; "presence"; "message"; "iq"; "ping"; "s2s"; "s2s_bidi"; "smacks";
                {'' if external else '"dialback";'}
            }}
            modules_disabled = {{ {'"dialback";' if external else ''} }}
            c2s_require_encryption = true
            s2s_require_encryption = true
            s2s_secure_auth = {'true' if external else 'false'}
            authentication = "internal_plain"
            storage = "internal"
            certificates = "{certificates}"
            {f'ssl = {{ cafile = "{self.trusted}" }}' if self.trusted else ''}
            limits = {{ }}
            component_interfaces = {{ "{self.address}" }}
            VirtualHost "{self.domain}"
            {components}
        """


class Ejabberd(Peer):
    name, domain, address = "ejabberd", "ejabberd.test", "127.0.0.3"

    async def start(self, users):
        bundle = self.folder / "certificate.pem"
        bundle.write_text(self.certificate.read_text() + self.key.read_text())
        (self.folder / "ejabberd.yml").write_text(self._configuration(bundle))
        # No name server is asked: SRV lookups fail at once. Addresses come from the C library, thus from /etc/hosts.
        (self.folder / "inetrc").write_text('{resolv_conf, ""}.\n{lookup, [file, native]}.\n')
        await self.launch(*self._command(), environment={
            "EJABBERD_CONFIG_PATH": f"{self.folder}/ejabberd.yml",
            "EJABBERD_LOG_PATH": f"{self.folder}/ejabberd.log",
            "ERL_CRASH_DUMP": f"{self.folder}/crash.dump",
            "ERL_INETRC": f"{self.folder}/inetrc",
            "ERL_LIBS": self._libraries(),
            "HOME": f"{self.folder}",
        })
        await self.until_listening(self.address, *self.ports(), HTTP_PORT)
        for user in users:
            await asyncio.to_thread(self._register, user)

    def _command(self):
        """ejabberd as one plain process, without Erlang's distribution, seeing `hosts` as its /etc/hosts."""
        namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        return [
            *namespace, "sh", "-c", 'mount --bind "$0" /etc/hosts && exec erl "$@"', self.hosts,
            "-noinput", "+K", "true", "-mnesia", "dir", f'"{self.folder}/database"', "-s", "ejabberd",
        ]

    def _libraries(self):
        found = list(Path("/usr/lib").glob("*/ejabberd-*/ebin/ejabberd.app"))
        check(found, "no ejabberd-*/ebin/ejabberd.app below /usr/lib: is Debian's package ejabberd installed?")
        return str(found[0].parents[2])

    def _register(self, user):
        body = json.dumps({"user": user, "host": self.domain, "password": PASSWORD}).encode()
        urllib.request.urlopen(f"http://{self.address}:{HTTP_PORT}/api/register", data=body, timeout=10).close()

    def _configuration(self, bundle):
        trust = f'ca_file: "{self.trusted}"\ns2s_cafile: "{self.trusted}"' if self.trusted else ""
        dialback = "mod_s2s_dialback: {}" if self.mode is not Mode.EXTERNAL else ""
        listener = f'ip: "{self.address}", shaper: none'
        hosts = ", ".join(f'"{domain}": {{ password: "{COMPONENT_SECRET}" }}' for domain in self.components)
        components = (
            f"  - {{ port: {COMPONENT_PORT}, module: ejabberd_service, access: all, "
            f"global_routes: false, hosts: {{ {hosts} }}, {listener} }}"
            if self.components else ""
        )
        return f"""
loglevel: info
hosts: [ {self.domain} ]
certfiles: [ "{bundle}" ]
{trust}
s2s_use_starttls: required
s2s_timeout: 600
outgoing_s2s_families: [ ipv4 ]
auth_password_format: plain
listen:
  - {{ port: {CLIENT_PORT}, module: ejabberd_c2s, starttls: true, access: all, {listener} }}
  - {{ port: {SERVER_PORT}, module: ejabberd_s2s_in, {listener} }}
  - {{ port: {SERVER_TLS_PORT}, module: ejabberd_s2s_in, tls: true, {listener} }}
  - {{ port: {HTTP_PORT}, module: ejabberd_http, request_handlers: {{ /api: mod_http_api }}, ip: "{self.address}" }}
{components}
api_permissions:
  "the tests make the users":
    who: {{ ip: 127.0.0.0/8 }}
    what: [ register ]
modules:
  mod_admin_extra: {{}}
  mod_caps: {{}}
  mod_disco: {{}}
  mod_http_api: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  {dialback}
"""
