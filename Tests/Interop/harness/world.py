"""One scenario's servers, users and router, from first start to last stop."""

from dataclasses import dataclass, field

from harness import wire
from harness.certificates import Authority
from harness.client import Client
from harness.peers import SERVER_PORT, SERVER_TLS_PORT, Ejabberd, Mode, Prosody
from harness.processes import ESTABLISHED, sockets
from harness.router import Router
from harness.suites import Suite
from harness.waiting import check

LOG_LINES_SHOWN = 60
"""How many of each server's last log lines a failed case shows."""

USER, HOME_USER = "bob", "alice"


@dataclass(frozen=True)
class Scenario:
    """How the servers prove themselves, and what is tried then."""

    title: str
    prosody: Mode
    ejabberd: Mode
    suites: dict[str, Suite]
    partners: dict[str, str] = field(default_factory=dict)
    """Partner domains beside the two servers: their domain and address; each must prove itself by certificate."""
    is_component: bool = False
    """The router is a component of both servers, and federates with nobody."""


class World:
    """Everything of one scenario, in one folder."""

    def __init__(self, folder, scenario, build):
        self.folder = folder
        self.authority = Authority(folder / "certificates")
        hosts = folder / "hosts"
        modes = {Prosody: scenario.prosody, Ejabberd: scenario.ejabberd}
        for kind in modes:
            self.authority.issue(kind.domain)
            self.authority.self_sign(kind.domain, name=f"self-signed-{kind.domain}")
        self.peers = {
            kind.name: kind(folder / kind.name.lower(), mode, self.authority, hosts) for kind, mode in modes.items()
        }
        self.router = None
        for peer in self.peers.values():
            if scenario.is_component:
                peer.components = (f"aim.{peer.domain}", f"im.{peer.domain}")
        if build is not None:
            self.authority.issue(Router.domain)
            self.router = Router(
                folder / "router", build, self.authority, self.peers.values(), scenario.partners, scenario.is_component
            )
        hosts.write_text(
            "127.0.0.1 localhost\n"
            + f"{Router.address} {Router.domain}\n"
            + "".join(f"{peer.address} {peer.domain}\n" for peer in self.peers.values())
            + "".join(f"{address} {domain}\n" for domain, address in scenario.partners.items())
        )
        self.users = {}
        """The signed-in client of `USER` on each peer, by the peer's name."""

    @property
    def daemons(self):
        return [*self.peers.values(), *([self.router] if self.router else [])]

    async def start(self):
        for peer in self.peers.values():
            await peer.start([USER])
        if self.router:
            await self.router.start()
        for peer in self.peers.values():
            self.users[peer.name] = Client(peer, USER)
            await self.users[peer.name].sign_in()

    async def stop(self):
        """Stops everything, also if some of it fails to stop in order; the first such failure is raised at the end."""
        endings = [client.sign_out() for client in self.users.values()]
        endings += [daemon.stop() for daemon in reversed(self.daemons)]
        failures = []
        for ending in endings:
            try:
                await ending
            except Exception as error:  # the rest must be stopped all the same
                failures.append(error)
        if failures:
            raise failures[0]

    def check_all_run(self):
        """Fails at once when a server has died, so that its other cases do not each wait for it in vain."""
        for daemon in self.daemons:
            status = daemon.process.returncode
            check(status is None, f"{daemon.name} has ended with status {status}")

    def address_on(self, peer):
        """The address of `USER` on the named peer."""
        return self.peers[peer].address_of(USER)

    def links(self):
        """The established server-to-server connections of the real servers and the router, each as its two ends.

        Both ends are sockets of this machine, and a client's end has no address of its own: the server's end tells.
        """
        servers = {(daemon.address, port) for daemon in self.daemons for port in (SERVER_PORT, SERVER_TLS_PORT)}
        return {
            frozenset(ends) for ends in sockets(ESTABLISHED)
            if servers.intersection(ends) and wire.ADDRESS not in (ends[0][0], ends[1][0])
        }

    def log_marks(self):
        return {daemon: daemon.log_marks() for daemon in self.daemons}

    def logs_since(self, marks):
        """What each server has logged since `marks`, cut to its last `LOG_LINES_SHOWN` lines."""
        parts = []
        for daemon in self.daemons:
            lines = daemon.log_since(marks.get(daemon, {})).splitlines()
            cut = f" (the last {LOG_LINES_SHOWN} of {len(lines)} lines)" if len(lines) > LOG_LINES_SHOWN else ""
            parts.append(f"      --- {daemon.name} logged{cut}:")
            parts += [f"      | {line}" for line in lines[-LOG_LINES_SHOWN:]]
        return "\n".join(parts)
