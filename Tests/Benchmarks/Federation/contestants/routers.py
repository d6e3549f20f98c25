"""Two routers with the XMPP plugin, driven by the load plugin."""

import asyncio
import json

from harness.peers import SERVER_PORT, SERVER_TLS_PORT
from harness.processes import Daemon, output_of
from harness.waiting import check

from contestants.pair import DOMAINS, TEXT_BYTES, Lines, Outcome, Pair

CONTROL_PORT = 7450
PARTNER_QUEUE_MAX = 10_000
"""More than any window: what the link cannot take at once waits in memory, as it does in the other servers."""


class LoadRouter(Daemon):
    """One router: its home user `load` is the load plugin's."""

    name = "plugboard"

    def __init__(self, folder, build, authority, side, addresses, is_durable):
        super().__init__(folder)
        self.domain, self.address = DOMAINS[side], addresses[side]
        self.peer, self.peer_address = DOMAINS[1 - side], addresses[1 - side]
        self.program = build / "plugboard"
        check(self.program.exists(), f"{self.program} is missing: make bench-federation builds it")
        self.configuration = self.folder / "plugboard.yaml"
        self.configuration.write_text(self._configuration(build, authority, is_durable))

    async def start(self):
        await self.launch(self.program, "run", "--config", self.configuration)
        await self.until_listening(self.address, SERVER_PORT, SERVER_TLS_PORT, CONTROL_PORT)

    async def connect(self):
        """A connection that takes orders."""
        reader, writer = await asyncio.open_connection(self.address, CONTROL_PORT)
        return Lines(reader, writer, f"{self.name} {self.domain}")

    async def links(self):
        """What the router says of its links."""
        status = json.loads(await output_of(self.program, "status", "--json", "--config", self.configuration))
        return [link for instance in status["instances"] for link in instance["links"]]

    def _configuration(self, build, authority, is_durable):
        certificate, key = authority.pair(f"router-{self.domain}")
        return f"""
router: {{ id: {self.domain}, state: {self.folder}/state, control: {self.folder}/control.sock }}
home: {{ domains: {{ {self.domain}: {{ users: [load] }} }} }}
spool: {{ durable: {"true" if is_durable else "false"} }}
tls:
  trust: [{authority.certificate}]
  identities: {{ {self.domain}: {{ certificate: {certificate}, key: "file:{key}" }} }}
dns: {{ hosts: {{ {self.peer}: [{self.peer_address}] }} }}
plugin_path: [{build}]
providers:
  xmpp:
    plugin: XMPP
    settings:
      listen: ["{self.address}:{SERVER_PORT}"]
      listen_tls: ["{self.address}:{SERVER_TLS_PORT}"]
      partner_queue_max: {PARTNER_QUEUE_MAX}
      partners: [{{ domain: {self.peer}, tls: required, sasl: required, dialback: false }}]
  load:
    plugin: LoadProvider
    settings:
      address: load@{self.domain}
      peer: load@{self.peer}
      control: {self.address}:{CONTROL_PORT}
      text_bytes: {TEXT_BYTES}
"""


class RouterPair(Pair):
    """Two routers, which keep messages on disk or in memory."""

    def __init__(self, folder, build, authority, *, is_durable):
        self.name = "plugboard" if is_durable else "plugboard-memory"
        addresses = ("127.0.0.41", "127.0.0.42") if is_durable else ("127.0.0.51", "127.0.0.52")
        super().__init__(
            [LoadRouter(folder / DOMAINS[side], build, authority, side, addresses, is_durable) for side in (0, 1)]
        )

    async def start(self):
        await super().start()
        self._sender, self._receiver = [await server.connect() for server in self.servers]

    async def obey(self, order):
        count, seconds = await self._sender.ask(order, "done")
        received, misplaced, *latencies = await self._receiver.ask("report", "received")
        check(
            (received, misplaced) == (count, 0),
            f"{self.name}: {count:.0f} were sent, {received:.0f} received, {misplaced:.0f} of them out of order",
        )
        return Outcome(int(count), seconds, *map(int, latencies))

    async def check_links(self):
        """Fails unless messages travel as they should: TLS 1.3, and certificates on both sides."""
        for server in self.servers:
            links = await server.links()
            details = [link.get("detail") or "" for link in links]
            check(
                details and all("TLSv1.3" in detail and "EXTERNAL" in detail for detail in details),
                f"{self.name}: the links of {server.domain} are not as they should be: {links}",
            )
