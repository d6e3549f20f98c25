"""An XMPP server-to-server stream driven by hand, for peers that do what no library would."""

import asyncio
import base64
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from harness.waiting import DEADLINE, Failure, check

ADDRESS = "127.0.0.66"
"""Where hand-driven peers connect from, so that their connections can be told from those of the real servers."""

STREAM = "{http://etherx.jabber.org/streams}"
TLS = "{urn:ietf:params:xml:ns:xmpp-tls}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
STREAM_ERROR = "{urn:ietf:params:xml:ns:xmpp-streams}"
DIALBACK = "{jabber:server:dialback}"
SERVER = "{jabber:server}"
DIALBACK_FEATURE = "{urn:xmpp:features:dialback}dialback"

STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
READ_SIZE = 65536


class Closed(Failure):
    """The other side ended the connection."""


class Refused(Failure):
    """The other side ended the stream with an error."""

    def __init__(self, condition, during):
        super().__init__(f"the stream was ended with {condition} {during}")
        self.condition = condition


class Rejected(Failure):
    """The other side did not accept who we said we are (a SASL failure)."""

    def __init__(self, conditions):
        super().__init__(f"the SASL exchange failed with {conditions}")
        self.conditions = conditions


class Stream:
    """One connection to the server under test, as the domain `sender`, opened to the domain `receiver`."""

    def __init__(self, reader, writer, sender, receiver):
        self._reader, self._writer = reader, writer
        self.sender, self.receiver = sender, receiver
        self.is_encrypted = writer.get_extra_info("ssl_object") is not None
        self._restart()

    @classmethod
    async def connect(cls, address, port, sender, receiver, context=None):
        """Connects; with `context`, by direct TLS (XEP-0368)."""
        name = receiver if context else None
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(address, port, local_addr=(ADDRESS, 0), ssl=context, server_hostname=name), DEADLINE
        )
        return cls(reader, writer, sender, receiver)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self._writer.transport.abort()

    def _restart(self):
        self._parser = XMLPullParser(("start", "end"))
        self._depth = 0
        self._elements = []
        self.header = None

    def header_text(self, **changes):
        """A stream header; `changes` replace its attributes, None leaves one out."""
        attributes = {
            "xmlns": "jabber:server", "xmlns:stream": STREAM[1:-1], "xmlns:db": DIALBACK[1:-1],
            "from": self.sender, "to": self.receiver, "version": "1.0",
        } | changes
        text = " ".join(f"{name}='{value}'" for name, value in attributes.items() if value is not None)
        return f"<?xml version='1.0'?><stream:stream {text}>"

    def write(self, text):
        """Sends text, or bytes that are no text."""
        self._writer.write(text if isinstance(text, bytes) else text.encode())

    async def write_while_open(self, chunks):
        """Writes `chunks` one by one until the other side has answered or closed, or they run out."""
        try:
            for chunk in chunks:
                if self._elements or self._reader.at_eof():
                    return
                self._writer.write(chunk.encode())
                await asyncio.wait_for(self._writer.drain(), DEADLINE)
                await self._read_what_is_there()
        except (OSError, Closed):
            pass  # it closed while we wrote; what it said before that is read later

    async def _read_what_is_there(self):
        """Takes what has arrived already, without waiting for more."""
        try:
            await asyncio.wait_for(self._read_more(), 0.001)
        except asyncio.TimeoutError:
            pass

    async def _read_more(self):
        try:
            data = await self._reader.read(READ_SIZE)
        except OSError as error:
            raise Closed(f"the connection was broken: {error}") from None
        if not data:
            raise Closed("the connection was closed without a stream error")
        self._parser.feed(data)
        try:
            for kind, element in self._parser.read_events():
                self._note(kind, element)
        except ParseError as error:
            raise Failure(f"the server sent XML that is not well-formed: {error}: {data!r}") from None

    def _note(self, kind, element):
        if kind == "start":
            self._depth += 1
            if self._depth == 1:
                check(element.tag == f"{STREAM}stream", f"the server's root element is {element.tag}")
                self.header = dict(element.attrib)
        else:
            self._depth -= 1
            if self._depth == 1:
                self._elements.append(element)

    async def _wait_for(self, condition, what):
        async def read_until_it_holds():
            while not condition():
                await self._read_more()

        try:
            await asyncio.wait_for(read_until_it_holds(), DEADLINE)
        except asyncio.TimeoutError:
            raise Failure(f"waited {DEADLINE:g} s in vain for {what}") from None

    async def next(self, what) -> Element:
        """The next child of the stream; raises `Refused` if it is a stream error, `Closed` if there is none."""
        await self._wait_for(lambda: self._elements, what)
        element = self._elements.pop(0)
        if element.tag == f"{STREAM}error":
            names = [child.tag.removeprefix(STREAM_ERROR) for child in element if child.tag.startswith(STREAM_ERROR)]
            conditions = [name for name in names if name != "text"]
            check(len(conditions) == 1, f"a stream error has one condition, this one has {conditions}")
            raise Refused(conditions[0], f"instead of {what}")
        return element

    async def expect(self, tag, what) -> Element:
        element = await self.next(what)
        check(element.tag == tag, f"instead of {what} came {element.tag} {element.attrib}")
        return element

    async def open(self, **changes) -> Element:
        """Sends a stream header and returns the features offered in answer."""
        self._restart()
        self.write(self.header_text(**changes))
        return await self.expect(f"{STREAM}features", "stream features")

    async def start_tls(self, context, also=""):
        """Asks for TLS, with `also` behind the request in the same segment, and does the handshake."""
        self.write(STARTTLS + also)
        await self.expect(f"{TLS}proceed", "<proceed/>")
        await self.handshake(context)

    async def handshake(self, context):
        try:
            await asyncio.wait_for(self._writer.start_tls(context, server_hostname=self.receiver), DEADLINE)
        except (OSError, EOFError) as error:
            raise Closed(f"the TLS handshake failed: {error}") from None
        self.is_encrypted = True

    async def open_encrypted(self, context, **changes) -> Element:
        """Opens the stream, starts TLS unless the connection has it, and returns the features offered under TLS."""
        if not self.is_encrypted:
            await self.open()
            await self.start_tls(context)
        return await self.open(**changes)

    async def authenticate(self) -> Element:
        """Proves by SASL EXTERNAL to be `sender`, and returns the features offered after that.

        Raises `Rejected` when the proof is not good enough; the stream is then still open.
        """
        identity = base64.b64encode(self.sender.encode()).decode()
        self.write(f"<auth xmlns='{SASL[1:-1]}' mechanism='EXTERNAL'>{identity}</auth>")
        answer = await self.next("<success/>")
        if answer.tag == f"{SASL}failure":
            raise Rejected([child.tag.removeprefix(SASL) for child in answer])
        check(answer.tag == f"{SASL}success", f"instead of <success/> came {answer.tag}")
        return await self.open()

    async def until_refused(self) -> str:
        """Waits for the stream error, whatever comes before it, and returns its condition.

        After the error the server must close the stream and the connection (RFC 6120 section 4.9.1.1).
        """
        try:
            while True:
                await self.next("a stream error")
        except Refused as refusal:
            await self.until_closed()
            return refusal.condition

    async def until_closed(self):
        try:
            await self._wait_for(lambda: False, "the end of the connection")
        except Closed:
            pass


def mechanisms(features):
    """The SASL mechanisms that stream features offer."""
    return [element.text for element in features.iter(f"{SASL}mechanism")]
