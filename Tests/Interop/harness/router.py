"""The router under test: the `plugboard` daemon, and its command line as a home user's client."""

import asyncio
import json

from harness.peers import COMPONENT_PORT, COMPONENT_SECRET, SERVER_PORT, SERVER_TLS_PORT, Mode
from harness.processes import Daemon, output_of
from harness.waiting import Failure, Mailbox, check

USERS = ("alice", "dave")


class Router(Daemon):
    name, domain, address = "plugboard", "home.test", "127.0.0.10"

    def __init__(self, folder, build, authority, peers, partners, is_component=False):
        super().__init__(folder)
        self.build = build
        self.program = build / "plugboard"
        self.configuration = self.folder / "plugboard.yaml"
        self.ports = () if is_component else (SERVER_PORT, SERVER_TLS_PORT)
        self.configuration.write_text(
            self._component_configuration(peers) if is_component else self._configuration(authority, peers, partners)
        )
        self.inboxes = {}

    async def start(self):
        check(self.program.exists(), f"{self.program} is missing: build it with swift build")
        await self.launch(self.program, "run", "--config", self.configuration)
        await self.until_listening(self.address, *self.ports)
        await self.until_ready((self.folder / "control.sock").exists, "having a control socket")
        json.loads(await self.command("status", "--json"))
        for user in USERS:
            self.inboxes[user] = Inbox(self, user)
            await self.inboxes[user].follow()

    async def stop(self):
        for inbox in self.inboxes.values():
            await inbox.close()
        return await super().stop()

    async def restart(self):
        """Ends the router, which must take it well, and starts it again."""
        status = await self.stop()
        check(status == 0, f"plugboard ended with status {status} after SIGTERM")
        await self.start()

    def address_of(self, user):
        return f"{user}@{self.domain}"

    async def send(self, user, to, text):
        """Sends a message as a home user and returns its id."""
        sent = json.loads(await self.command("send", self.address_of(user), to, text, "--json"))
        return sent["id"]

    async def send_typing(self, user, to, state):
        """Tells `to` that a home user is typing (`composing`) or has stopped (`paused`)."""
        await self.command("send", self.address_of(user), to, "--typing", state)

    async def link_details(self, domain):
        """How each link with a partner domain stands, as the operator sees it."""
        status = json.loads(await self.command("status", "--json"))
        links = [link for instance in status["instances"] for link in instance["links"]]
        return [link["detail"] for link in links if link["peer"] == domain]

    async def lines_of(self, *arguments):
        """The lines of JSON that a command prints."""
        return [json.loads(line) for line in (await self.command(*arguments, "--json")).splitlines()]

    async def partner(self, domain):
        """What the operator sees of a partner domain."""
        return next(report for report in await self.lines_of("partners") if report["domain"] == domain)

    async def contact(self, user, address):
        """A contact as the home user's list has it; None if it is not there."""
        contacts = await self.lines_of("contacts", "list", self.address_of(user))
        return next((contact for contact in contacts if contact["address"] == address), None)

    async def change_contact(self, change, user, address, *options):
        """Adds, approves, denies or removes a contact of a home user."""
        return await self.command("contacts", change, self.address_of(user), address, *options)

    async def set_presence(self, user, availability, status=""):
        await self.command("users", "set-presence", self.address_of(user), availability, "--status", status)

    async def command(self, name, *arguments):
        return await output_of(self.program, name, *arguments, "--config", self.configuration)

    def _configuration(self, authority, peers, partners):
        certificate, key = authority.pair(self.domain)
        hosts = {peer.domain: peer.address for peer in peers} | partners
        rules = [self._partner(peer.domain, peer.mode) for peer in peers]
        rules += [self._partner(domain, Mode.EXTERNAL) for domain in partners]
        rules = "\n".join(f"        - {rule}" for rule in rules)
        return f"""
router: {{ id: home, state: {self.folder}/state, control: {self.folder}/control.sock, log: debug }}
home: {{ domains: {{ {self.domain}: {{ users: [{", ".join(USERS)}] }} }} }}
tls:
  trust: [{authority.certificate}]
  identities: {{ {self.domain}: {{ certificate: {certificate}, key: "file:{key}" }} }}
dns:
  hosts: {{ {", ".join(f"{domain}: [{address}]" for domain, address in hosts.items())} }}
plugin_path: [{self.build}]
providers:
  xmpp:
    plugin: XMPP
    settings:
      listen: ["{self.address}:{SERVER_PORT}"]
      listen_tls: ["{self.address}:{SERVER_TLS_PORT}"]
      partners:
{rules}
"""

    def _component_configuration(self, peers):
        """A component of each server: one gateway for the network of the echo provider, one for all others."""
        domains = "\n".join(f"    {peer.domain}: {{ served_by: {peer.name.lower()} }}" for peer in peers)
        providers = "\n".join(self._component(peer) for peer in peers)
        return f"""
router: {{ id: home, state: {self.folder}/state, control: {self.folder}/control.sock, log: debug }}
home:
  domains:
    {self.domain}: {{ users: [{", ".join(USERS)}] }}
{domains}
plugin_path: [{self.build}]
providers:
  echo: {{ plugin: EchoProvider, settings: {{ address: echo@net.test }} }}
{providers}
"""

    def _component(self, peer):
        secret = self.folder / f"{peer.name}.secret"
        secret.write_text(COMPONENT_SECRET)
        secret.chmod(0o600)
        return f"""
  {peer.name.lower()}:
    plugin: XMPP
    settings:
      component:
        server: "{peer.address}:{COMPONENT_PORT}"
        gateways:
          - {{ domain: aim.{peer.domain}, secret: "file:{secret}", network: net.test, type: aim, name: Echo net }}
          - {{ domain: im.{peer.domain}, secret: "file:{secret}" }}
"""

    def _partner(self, domain, mode):
        if mode is Mode.EXTERNAL:
            return f"{{ domain: {domain}, tls: required, sasl: required, dialback: false }}"
        sasl = "optional" if mode is Mode.FALLBACK else "not-supported"
        return f"{{ domain: {domain}, tls: required, sasl: {sasl}, dialback: true }}"


class Inbox:
    """What a home user has received, read from `plugboard inbox --follow` as it arrives."""

    def __init__(self, router, user):
        self._router = router
        self._user = router.address_of(user)
        self._process = self._reader = None
        self.entries = Mailbox(f"the inbox of {self._user}")

    async def follow(self):
        self._process = await asyncio.create_subprocess_exec(
            str(self._router.program), "inbox", self._user, "--config", str(self._router.configuration),
            "--follow", "--json", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read())

    async def close(self):
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()
        await self._reader

    async def _read(self):
        while line := await self._process.stdout.readline():
            self.entries.put(json.loads(line))

    async def text_from(self, sender, text):
        """Waits for a message with exactly this text from this address."""
        return await self.entries.first(
            lambda entry: (entry["kind"], entry["from"], entry["text"]) == ("message", sender, text),
            f"the text {text!r} from {sender}",
        )

    async def about(self, kind, message_id):
        """Waits for the receipt or failure of one of the user's own messages."""
        return await self.entries.first(
            lambda entry: entry["kind"] == kind and entry["id"] == message_id, f"a {kind} of message {message_id}"
        )

    async def typing_from(self, sender, state):
        return await self.entries.first(
            lambda entry: (entry["kind"], entry["from"], entry["text"]) == ("typing", sender, state),
            f"typing, {state}, from {sender}",
        )

    def texts(self):
        """The texts of all messages so far, in order."""
        return [entry["text"] for entry in self.entries.items if entry["kind"] == "message"]

    def check_never_got(self, text):
        if text in self.texts():
            raise Failure(f"{self.entries.owner} holds {text!r}, which must never arrive")
