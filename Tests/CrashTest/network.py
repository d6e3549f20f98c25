"""The two networks of the crash test: the ends of the plugin's connections, one that sends and one that receives."""

import random
import selectors
import socket

UNANSWERED_MAX = 256
"""Messages that are on their way to the router at once."""

BACKLOG_MAX = 3000
"""Accepted messages that wait for delivery at once; the source pauses then."""

HELD_MAX = 24
"""Deliveries that the sink has recorded and not yet answered: they are in flight when the router is killed."""

DEFERRED_SHARE = 0.02
"""Deliveries that the sink puts off, to be tried again."""


class Connection:
    """A stream of lines to one instance of the plugin."""

    def __init__(self, sock):
        self.sock = sock
        self.input = b""
        self.output = bytearray()

    def lines(self):
        """What has come; None at the end of the stream."""
        try:
            chunk = self.sock.recv(1 << 16)
        except BlockingIOError:
            return []
        except ConnectionError:
            return None
        if not chunk:
            return None
        *lines, self.input = (self.input + chunk).split(b"\n")
        return [line.decode() for line in lines]

    def flush(self):
        """Writes what the kernel takes; true if that is all."""
        try:
            while self.output:
                del self.output[: self.sock.send(self.output)]
        except (BlockingIOError, ConnectionError):
            return False
        return True


class Network:
    """Listens for the plugin, submits messages, and records deliveries."""

    def __init__(self, ledger, seed, far_domain):
        self.ledger, self.far_domain = ledger, far_domain
        self.random = random.Random(f"{seed} sink")
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.port = self.listener.getsockname()[1]
        self.source = self.sink = None
        self.is_sending = False
        self.unsent = []
        """Messages to be submitted again, from the last, before new ones are made."""
        self.is_deaf = False
        """The sink does not listen, so that what is accepted is not delivered."""
        self.held = []
        self.tokens = {}
        """The messages that the sink has recorded and the router was not told of yet, by the delivery's token."""
        self.deferred = {}
        """The first message of each conversation that was put off: what follows it must wait, too."""
        self.accepted_in_run = self.delivered_in_run = 0

    @property
    def is_connected(self):
        return self.source is not None and self.sink is not None

    def router_is_gone(self):
        """Forgets the connections. What was not answered is sent again to the next one, in the same order."""
        for connection in (self.source, self.sink):
            self._close(connection)
        for key in list(self.selector.get_map().values()):
            if key.data is not None:
                self._close(key.data)
        self.source = self.sink = None
        self.unsent = sorted([*self.unsent, *self.ledger.unanswered.values()], key=lambda it: it.number, reverse=True)
        self.ledger.unanswered.clear()
        self.held.clear()
        self.tokens.clear()
        self.deferred.clear()
        self.accepted_in_run = self.delivered_in_run = 0

    def _close(self, connection):
        if connection is not None and connection.sock.fileno() >= 0:
            self.selector.unregister(connection.sock)
            connection.sock.close()

    # --- Work ---

    def turn(self, seconds):
        """Does what there is to do, and waits at most so long for something."""
        if self.source is not None:
            self._send()
        events = self.selector.select(seconds)
        for key, _ in events:
            if key.data is None:
                self._accept()
            else:
                self._read(key.data)
        if not events:
            self._answer(0)
        for connection in (self.source, self.sink):
            if connection is not None:
                self._flush(connection)

    def _flush(self, connection):
        wanted = selectors.EVENT_READ | (0 if connection.flush() else selectors.EVENT_WRITE)
        if self.selector.get_key(connection.sock).events != wanted:
            self.selector.modify(connection.sock, wanted, connection)

    def _accept(self):
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(sock, selectors.EVENT_READ, Connection(sock))

    def _read(self, connection):
        lines = connection.lines()
        if lines is None:
            self._close(connection)
            if connection is self.source:
                self.source = None
            if connection is self.sink:
                self.sink = None
            return
        if self.is_deaf and connection is self.sink:
            return
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "H" and rest == self.far_domain:
                self.sink = connection
            elif word == "H":
                self.source = connection
            elif word == "A":
                self.ledger.is_accepted(int(rest))
                self.accepted_in_run += 1
            elif word == "R":
                number, _, code = rest.partition(" ")
                message = self.ledger.is_refused(int(number), code)
                if message is not None:
                    self.unsent.append(message)
            elif word == "C":
                self.tokens.pop(rest).is_completed = True
            elif word == "D":
                self._delivery(*rest.split(" ", 5))
            else:
                self.ledger.problems.append(f"the plugin said: {line}")

    def _send(self):
        while self.is_sending and len(self.ledger.unanswered) < UNANSWERED_MAX:
            if not self.unsent and self.ledger.backlog > BACKLOG_MAX:
                return
            message = self.unsent.pop() if self.unsent else self.ledger.new_message()
            self.ledger.unanswered[message.number] = message
            self.source.output += self.ledger.line(message).encode()

    def _delivery(self, token, flags, number, sender, recipient, text):
        message = self.ledger.find(int(number), sender, recipient, text)
        if message is None:
            return
        first = self.deferred.get(message.conversation)
        is_later = first is not None and message.number > first
        if is_later or self.random.random() < DEFERRED_SHARE:
            self.deferred[message.conversation] = first if is_later else message.number
            self.held.append(f"L {token}\n")
        else:
            if first == message.number:
                del self.deferred[message.conversation]
            self.ledger.is_delivered(message, int(flags))
            self.delivered_in_run += 1
            self.tokens[token] = message
            self.held.append(f"K {token}\n")
        self._answer(self.random.randint(0, HELD_MAX))

    def _answer(self, kept):
        """Answers the oldest deliveries, but for so many."""
        if self.sink is None:
            return
        while len(self.held) > kept:
            self.sink.output += self.held.pop(0).encode()

    @property
    def has_answered(self):
        return not self.held and (self.sink is None or not self.sink.output)
