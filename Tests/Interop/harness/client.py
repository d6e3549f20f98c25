"""An XMPP user's client, for the far end of the tests."""

import asyncio
import logging
import ssl

# While it is imported, slixmpp warns that this Debian package has no compiled stringprep: true, and of no concern here.
logging.getLogger("slixmpp.stringprep").setLevel(logging.ERROR)

import slixmpp  # noqa: E402
import slixmpp.exceptions  # noqa: E402

from harness.peers import CLIENT_PORT, PASSWORD
from harness.waiting import Mailbox, until

SIGN_OUT_DEADLINE = 5.0
"""Seconds that the end of a client's stream may take."""


class Client(slixmpp.ClientXMPP):
    """A signed-in user that keeps each message stanza it gets in `messages`."""

    def __init__(self, peer, user):
        super().__init__(f"{peer.address_of(user)}/interop", PASSWORD)
        self.peer = peer
        self.messages = Mailbox(f"{user} on {peer.name}")
        self.presences = Mailbox(f"{user} on {peer.name}, for presence,")
        self.roster_pushes = Mailbox(f"{user} on {peer.name}, for roster pushes,")
        # Cases answer requests themselves.
        self.auto_authorize = self.auto_subscribe = None
        self._signed_in = False
        for plugin in ("xep_0030", "xep_0085", "xep_0184", "xep_0199"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self._became_ready)
        # A stanza handler sees every message, also those that slixmpp has no event for.
        self.register_handler(slixmpp.Callback("messages", slixmpp.StanzaPath("message"), self.messages.put))
        self.register_handler(
            slixmpp.Callback("presences", slixmpp.StanzaPath("presence"), self.presences.put)
        )
        self.register_handler(
            slixmpp.Callback("roster pushes", slixmpp.StanzaPath("iq@type=set/roster"), self._roster_pushed)
        )

    def get_ssl_context(self):
        """The client's own link is not under test, and in dialback mode its server has a self-signed certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    async def sign_in(self):
        self.connect((self.peer.address, CLIENT_PORT))
        await until(lambda: self._signed_in, f"{self.boundjid.bare} signed in")

    async def sign_out(self):
        await asyncio.wait_for(self.disconnect(wait=2.0), SIGN_OUT_DEADLINE)
        # slixmpp leaves this task of its own running.
        if self._run_out_filters is not None:
            self._run_out_filters.cancel()

    async def _became_ready(self, _event):
        await self.get_roster()
        self.send_presence()
        self._signed_in = True

    def _roster_pushed(self, iq):
        for jid, item in iq["roster"]["items"].items():
            self.roster_pushes.put({"jid": jid.bare, "subscription": item["subscription"], "ask": item["ask"] or ""})

    def forget(self):
        """Forgets what has arrived of presence and roster pushes."""
        self.presences.items.clear()
        self.roster_pushes.items.clear()

    def presence_to(self, to, kind):
        """Sends a step of the subscription handshake."""
        self.make_presence(pto=to, ptype=kind, pfrom=self.boundjid.bare).send()

    async def presence_from(self, sender, kind, status=None):
        """Waits for presence of this type from this bare address; of those who are there, `kind` is what they show."""
        return await self.presences.first(
            lambda presence: presence["from"].bare == sender and presence["type"] == kind
            and (status is None or presence["status"] == status),
            f"presence {kind} {status or ''} from {sender}",
        )

    async def pushed(self, jid, subscription, ask=""):
        """Waits until the server says that the contact is in this state."""
        wanted = {"jid": jid, "subscription": subscription, "ask": ask}
        return await self.roster_pushes.first(lambda item: item == wanted, f"the roster item {wanted}")

    async def roster_item(self, jid):
        """The contact as the server's roster has it; None if it is not there."""
        answer = await self.get_roster()
        return next((item for key, item in answer["roster"]["items"].items() if key.bare == jid), None)

    async def remove_contact(self, jid):
        iq = self.make_iq_set()
        iq["roster"]["items"] = {jid: {"subscription": "remove"}}
        await self.answer_to(iq)

    def chat(self, to, text, *, receipt=False):
        """Sends a chat message and returns its id."""
        message = self.make_message(mto=to, mbody=text, mtype="chat")
        message["id"] = self.new_id()
        message["request_receipt"] = receipt
        message.send()
        return message["id"]

    def chat_state(self, to, state):
        message = self.make_message(mto=to, mtype="chat")
        message["chat_state"] = state
        message.send()

    async def answer_to(self, request):
        """Sends an iq and returns its answer, whether result or error."""
        try:
            return await request.send(timeout=10)
        except slixmpp.exceptions.IqError as error:
            return error.iq

    async def text_from(self, sender, text):
        """Waits for a message with exactly this text from this bare address."""
        return await self.messages.first(
            lambda message: message["body"] == text and message["from"].bare == sender and message["type"] != "error",
            f"the text {text!r} from {sender}",
        )

    async def error_about(self, message_id):
        """Waits for the error that answers one of our messages and returns its condition."""
        error = await self.messages.first(
            lambda message: message["type"] == "error" and message["id"] == message_id,
            f"an error that answers message {message_id}",
        )
        return error["error"]["condition"]
