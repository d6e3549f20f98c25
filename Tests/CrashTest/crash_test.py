"""Kills the router again and again under load, and looks whether anything that it had accepted is lost.

README.md beside this file says what is tried. Settings come from the environment: CRASHES, SEED, BUILD.
"""

import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from ledger import Ledger
from network import Network
from router import FAR, HOME, Router, START_SECONDS, STOP_SECONDS, Trouble, program_of

SENDERS = [f"sender{number}@{HOME}" for number in range(4)]
RECIPIENTS = [f"recipient{number}@{FAR}" for number in range(5)]
DRAIN_SECONDS = 120
"""The longest that the last run may take to deliver what is left."""

FORGOTTEN_SHARE_MAX = 0.01
"""Messages that may come again though the router was told that they were delivered."""

KILLS = {
    "load": 45,
    "delivery": 25,
    "start": 15,
    "recovery": 15,
}
"""When the router is killed, and how often so in a hundred."""


class CrashTest:
    def __init__(self, program, folder, plugins, crashes, seed):
        self.random = random.Random(f"{seed} kills")
        self.ledger = Ledger(seed, SENDERS, RECIPIENTS, open(Path(folder) / "record", "w", buffering=1))
        self.network = Network(self.ledger, seed, FAR)
        self.router = Router(program, folder, plugins, self.network.port, SENDERS)
        self.crashes = crashes
        self.ask_again_at = 0
        """When to ask the router again what waits."""
        self.start_seconds = 0.2
        """How long the last start took."""

    def run(self):
        self.start()
        self.stop()
        for number in range(1, self.crashes + 1):
            kind = self.random.choices(list(KILLS), list(KILLS.values()))[0]
            self.crash(kind)
            if number % 20 == 0:
                # One that ends in order has to leave the spool in order, too.
                self.start()
                self.send(self.random.randint(1, 300))
                self.stop()
                print(f"{number} crashes, {self.ledger.accepted} accepted, {self.ledger.delivered} delivered, "
                      f"{self.ledger.duplicates} duplicates, {self.ledger.forgotten} of them forgotten", flush=True)
        self.drain()

    # --- One crash ---

    def crash(self, kind):
        if kind == "start":
            self.router.start()
            self.pass_time(self.random.uniform(0, self.start_seconds * 1.2))
        else:
            self.start()
            if kind == "recovery":
                self.pass_time(self.random.uniform(0, 0.1))
            elif kind == "delivery":
                self.network.is_sending = True
                count = self.random.randint(1, 400)
                self.until(lambda: self.network.delivered_in_run >= count, f"{count} deliveries")
            else:
                self.send(self.random.randint(1, 400))
                self.pass_time(self.random.uniform(0, 0.01))
        self.router.kill()
        self.read_rest()

    def send(self, count):
        self.network.is_sending = True
        self.until(lambda: self.network.accepted_in_run >= count, f"{count} accepted messages")

    def pass_time(self, seconds):
        """Goes on for a while; when exactly the router is killed is what is tried."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.router.has_ended:
            self.network.turn(min(left, 0.01))

    def read_rest(self):
        """Reads what the router wrote before it died: the kernel has it still."""
        self.network.is_sending = False
        end = time.monotonic() + START_SECONDS
        while (self.network.source or self.network.sink) and time.monotonic() < end:
            self.network.turn(0.05)
        self.network.router_is_gone()

    # --- Life ---

    def start(self):
        began = time.monotonic()
        self.router.start()
        self.until(lambda: self.network.is_connected, "both instances of the plugin", START_SECONDS)
        self.start_seconds = time.monotonic() - began

    def stop(self):
        """Ends the router in order."""
        self.network.is_sending = False
        self.router.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        while not self.router.has_ended:
            if time.monotonic() > end:
                raise Trouble(f"the router did not stop within {STOP_SECONDS} s")
            self.network.turn(0.01)
        if self.router.process.returncode != 0:
            raise Trouble(f"the router stopped with status {self.router.process.returncode}")
        self.read_rest()

    def until(self, is_done, what, seconds=START_SECONDS):
        end = time.monotonic() + seconds
        while not is_done():
            if self.router.has_ended:
                raise Trouble(f"the router ended with status {self.router.process.returncode} instead of {what}")
            if time.monotonic() > end:
                raise Trouble(f"no {what} within {seconds} s")
            self.network.turn(0.01)

    def drain(self):
        """Lets everything be delivered, and looks whether the spool knows that."""
        self.start()
        # What was never answered may or may not have been accepted: it is sent once more.
        self.network.is_sending = False
        while self.network.unsent or self.ledger.unanswered:
            self.network.is_sending = bool(self.network.unsent)
            if not self.network.unsent:
                self.until(lambda: not self.ledger.unanswered, "answers", DRAIN_SECONDS)
                continue
            message = self.network.unsent.pop()
            self.ledger.unanswered[message.number] = message
            self.network.source.output += self.ledger.line(message).encode()
        self.network.is_sending = False
        self.until(self.is_drained, "delivery of the rest", DRAIN_SECONDS)
        self.stop()
        self.look_at_spool()
        self.look_at_duplicates()

    def is_drained(self):
        """Whether the router has nothing left to deliver."""
        if not self.network.has_answered:
            return False
        # Not as soon as nothing is lost: a message that came again may have been put off.
        if time.monotonic() < self.ask_again_at:
            return False
        self.ask_again_at = time.monotonic() + 0.5
        return self.router.status()["spool"]["waiting"] == 0

    def look_at_spool(self):
        path = self.router.state / "spool.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as spool:
            waiting, dead = spool.execute(
                "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM dead_letters)"
            ).fetchone()
            damage = spool.execute("PRAGMA integrity_check").fetchone()[0]
        if waiting or dead or damage != "ok":
            self.ledger.problems.append(f"the spool holds {waiting} messages and {dead} dead letters; check: {damage}")

    def look_at_duplicates(self):
        """What the router was told before it was killed it is to know afterwards."""
        if self.ledger.forgotten > self.ledger.accepted * FORGOTTEN_SHARE_MAX:
            self.ledger.problems.append(f"{self.ledger.forgotten} messages came again though the router was told of them")


def run(make, prefix):
    """Runs the test that `make` makes of program, folder and plugins, and says what came of it.

    Gives the test, if it could be made, and whether nothing is wrong.
    """
    folder = tempfile.mkdtemp(prefix=prefix)
    test = None
    is_good = False
    try:
        test = make(program_of(os.environ["BUILD"]), folder, os.environ["PLUGINS"])
        test.run()
        is_good = not test.ledger.problems and not test.ledger.lost()
    except Trouble as trouble:
        print(f"failed: {trouble}\n{test.router.log_tail() if test else ''}")
    finally:
        if test is not None and test.router.process is not None and not test.router.has_ended:
            test.router.kill()
    for problem in test.ledger.problems[:20] if test else []:
        print(f"problem: {problem}")
    for message in test.ledger.lost()[:20] if test else []:
        print(f"lost: message {message.number} of conversation {message.conversation}")
    if is_good:
        shutil.rmtree(folder)
    else:
        print(f"the router's state and log, and the record, are in {folder}")
    if test is not None:
        refused = sum(test.ledger.refusals.values())
        print(f"{len(test.ledger.messages)} sent, {refused} refused, {len(test.ledger.problems)} problems")
    return test, is_good


def main():
    crashes = int(os.environ.get("CRASHES", "100"))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"CRASHES={crashes} SEED={seed}", flush=True)
    test, is_good = run(lambda *place: CrashTest(*place, crashes, seed), "plugboard-crash-")
    if test is not None:
        print(test.ledger.summary())
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
