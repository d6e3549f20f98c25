"""What was sent, what was accepted and what was delivered, and whether that fits together."""

import hashlib
import random

REDELIVERED = 1
"""PLUGBOARD_ENVELOPE_REDELIVERED: the delivery may not be the first."""

TEXT_BYTES_MAX = 600
"""The longest text that is sent."""


class Message:
    """One message, known by its number: 1, 2, 3, … in the order in which the messages were made."""

    def __init__(self, number, conversation, text):
        self.number, self.conversation, self.text = number, conversation, text
        self.is_accepted = False
        self.deliveries = 0
        self.is_completed = False
        """The router was told that it is delivered."""


class Ledger:
    """The test's own record of every message; nothing of it is in the router's process."""

    def __init__(self, seed, senders, recipients, file):
        self.random = random.Random(f"{seed} messages")
        self.conversations = [(sender, recipient) for sender in senders for recipient in recipients]
        self.messages = {}
        self.unanswered = {}
        """Sent in this run of the router and not answered, in order."""
        self.last_delivered = {}
        """The greatest number of each conversation that was delivered."""
        self.accepted = self.delivered = self.duplicates = self.forgotten = self.unmarked = 0
        self.refusals = {}
        self.problems = []
        self.file = file

    # --- The source's side ---

    def new_message(self):
        number = len(self.messages) + 1
        words = hashlib.sha256(f"{number} {self.random.random()}".encode()).hexdigest()
        text = (f"{number} {words} " + "x" * TEXT_BYTES_MAX)[: self.random.randint(80, TEXT_BYTES_MAX)].strip()
        message = Message(number, self.random.randrange(len(self.conversations)), text)
        self.messages[number] = message
        return message

    def line(self, message):
        """The order to submit a message."""
        sender, recipient = self.conversations[message.conversation]
        return f"S {message.number} {sender} {recipient} {message.text}\n"

    def is_accepted(self, number):
        message = self.unanswered.pop(number, None)
        if message is None:
            return self.problems.append(f"message {number} was accepted, but nobody waited for that")
        if not message.is_accepted:
            message.is_accepted = True
            self.accepted += 1
            self.file.write(f"A {number}\n")

    def is_refused(self, number, code):
        """Gives the message back, for another try."""
        self.refusals[code] = self.refusals.get(code, 0) + 1
        return self.unanswered.pop(number, None)

    # --- The sink's side ---

    def find(self, number, sender, recipient, text):
        """The message that a delivery says it is; None, and a problem, if nobody sent it so."""
        message = self.messages.get(number)
        if message is None or self.conversations[message.conversation] != (sender, recipient) or message.text != text:
            self.problems.append(f"something was delivered that was never sent: {number} {sender} {recipient} {text[:80]}")
            return None
        return message

    def is_delivered(self, message, flags):
        """Records a delivery, for good."""
        message.deliveries += 1
        self.file.write(f"D {message.number} {flags}\n")
        if message.deliveries > 1:
            self.duplicates += 1
            self.forgotten += message.is_completed
            if not flags & REDELIVERED:
                self.unmarked += 1
                self.problems.append(f"message {message.number} was delivered again and not marked as that")
            return
        self.delivered += 1
        last = self.last_delivered.get(message.conversation, 0)
        if message.number < last:
            self.problems.append(f"message {message.number} was delivered after {last}, which was sent later")
        self.last_delivered[message.conversation] = max(last, message.number)

    # --- The end ---

    @property
    def backlog(self):
        """Messages on their way: accepted and not delivered, as far as is known."""
        return self.accepted - self.delivered

    def lost(self):
        return [message for message in self.messages.values() if message.is_accepted and message.deliveries == 0]

    def summary(self):
        """The last line of a run."""
        arrived = sum(1 for message in self.messages.values() if message.is_accepted and message.deliveries > 0)
        return (f"accepted {self.accepted} delivered {arrived} lost {len(self.lost())} "
                f"duplicates {self.duplicates} forgotten {self.forgotten}")
