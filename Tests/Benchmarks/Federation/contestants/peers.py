"""Two Prosodys or two ejabberds, driven through components."""

import asyncio
import hashlib
import re
import socket

from harness.peers import Ejabberd, Mode, Prosody
from harness.waiting import DEADLINE, check

from contestants.pair import DOMAINS, TEXT_BYTES, Lines, Outcome, Pair

COMPONENT_PORT = 5347
SECRET = "correct horse"


class LoadProsody(Prosody):
    """Prosody with a component, and without Nagle's algorithm, which would hold small writes back for 40 ms."""

    def __init__(self, folder, authority, hosts, domain, address):
        self.domain, self.address = domain, address
        super().__init__(folder, Mode.EXTERNAL, authority, hosts)

    async def start(self):
        await super().start(users=[])
        await self.until_listening(self.address, COMPONENT_PORT)

    def _configuration(self, certificates):
        return f"""
            network_settings = {{ nagle = false }}
            component_ports = {{ {COMPONENT_PORT} }}
            component_interfaces = {{ "{self.address}" }}
            {super()._configuration(certificates)}
            Component "{component_of(self)}"
                component_secret = "{SECRET}"
        """


class LoadEjabberd(Ejabberd):
    """ejabberd with a component."""

    def __init__(self, folder, authority, hosts, domain, address):
        self.domain, self.address = domain, address
        super().__init__(folder, Mode.EXTERNAL, authority, hosts)

    async def start(self):
        await super().start(users=[])
        await self.until_listening(self.address, COMPONENT_PORT)

    def _configuration(self, bundle):
        before, listeners, after = super()._configuration(bundle).partition("\nlisten:\n")
        check(listeners, "the interoperability tests' configuration of ejabberd has no line 'listen:' any more")
        hosts = f'{{ "{component_of(self)}": {{ password: "{SECRET}" }} }}'
        component = (
            f"  - {{ port: {COMPONENT_PORT}, module: ejabberd_service, access: all, hosts: {hosts}, "
            f'ip: "{self.address}", shaper: none }}\n'
        )
        return before + listeners + component + after


def component_of(server):
    return f"load.{server.domain}"


class PeerPair(Pair):
    """Two servers of one kind; the load tool is the component of both."""

    def __init__(self, folder, kind, authority, load_tool, addresses):
        self.name = kind.name.lower()
        hosts = folder / "hosts"
        super().__init__([
            kind(folder / domain, authority, hosts, domain, address)
            for domain, address in zip(DOMAINS, addresses, strict=True)
        ])
        hosts.write_text("127.0.0.1 localhost\n" + "".join(
            f"{server.address} {server.domain} {component_of(server)}\n" for server in self.servers
        ))
        self._load_tool = load_tool
        self._process = None

    async def start(self):
        await super().start()
        sockets = [await asyncio.to_thread(join, server) for server in self.servers]
        descriptors = [each.fileno() for each in sockets]
        self._process = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "KILL", str(self._load_tool), *map(str, descriptors),
            *(f"load@{component_of(server)}" for server in self.servers), str(TEXT_BYTES),
            pass_fds=descriptors, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for each in sockets:
            each.close()
        self._lines = Lines(self._process.stdout, self._process.stdin, self.name)

    async def stop(self):
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await super().stop()

    async def obey(self, order):
        count, seconds, *latencies = await self._lines.ask(order, "done")
        return Outcome(int(count), seconds, *map(int, latencies))


def join(server):
    """Becomes the server's component (XEP-0114 section 3) and returns the socket."""
    connection = socket.create_connection((server.address, COMPONENT_PORT), timeout=DEADLINE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
        b"xmlns:stream='http://etherx.jabber.org/streams' to='%s'>" % component_of(server).encode()
    )
    header = read_until(connection, rb"<stream:stream[^>]*\sid=[\"']([^\"']+)[\"'][^>]*>", server)
    proof = hashlib.sha1(header[1] + SECRET.encode()).hexdigest()
    connection.sendall(f"<handshake>{proof}</handshake>".encode())
    read_until(connection, rb"<handshake\s*(/>|>\s*</handshake>)", server)
    return connection


def read_until(connection, pattern, server):
    """Reads until `pattern` was read, and returns the match."""
    received = b""
    while not (match := re.search(pattern, received)):
        data = connection.recv(4096)
        received += data
        check(data, f"{server.name} refused the component {component_of(server)}: {received.decode(errors='replace')}")
    return match
