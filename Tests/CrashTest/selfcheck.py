"""Shows that the crash test finds what it looks for: plants losses and other faults, and expects to be told of them.

Part of the crash test; see README.md beside this file.
"""

import contextlib
import io
import os
import re
import shutil
import sqlite3
import struct
import sys
import tempfile
from pathlib import Path

from crash_test import CrashTest
from ledger import Ledger, REDELIVERED
from powercut import MARKS, PowerCutTest
from router import Trouble, program_of

SEED = 1


def expect(condition, what):
    if not condition:
        raise Trouble(what)


# --- The ledger by itself ---

def check_ledger():
    def ledger(count=2):
        it = Ledger(SEED, ["a@home.example"], ["b@far.example"], io.StringIO())
        for _ in range(count):
            message = it.new_message()
            it.unanswered[message.number] = message
            it.is_accepted(message.number)
        return it

    it = ledger()
    it.is_delivered(it.messages[1], 0)
    expect([message.number for message in it.lost()] == [2], "a message that never came is not lost")
    expect(it.summary() == "accepted 2 delivered 1 lost 1 duplicates 0 forgotten 0", it.summary())
    it.is_delivered(it.messages[1], REDELIVERED)
    expect(not it.problems, "a second delivery that is marked is called a problem")
    expect(it.forgotten == 0, "a delivery of which the router was not told is called forgotten")
    it.messages[1].is_completed = True
    it.is_delivered(it.messages[1], REDELIVERED)
    expect((it.duplicates, it.forgotten) == (2, 1), "a delivery that the router forgot is not noticed")
    it.is_delivered(it.messages[1], 0)
    expect(it.unmarked == 1 and "not marked" in it.problems[0], "a second delivery without a mark is not noticed")
    it = ledger()
    it.is_delivered(it.messages[2], 0)
    it.is_delivered(it.messages[1], 0)
    expect("was delivered after 2" in it.problems[0], "another order is not noticed")
    it = ledger()
    text = it.messages[1].text
    expect(it.find(1, "a@home.example", "b@far.example", text) is it.messages[1], "a delivery is not recognised")
    for changed in [(3, "a@home.example", "b@far.example", text), (1, "x@home.example", "b@far.example", text),
                    (1, "a@home.example", "x@far.example", text), (1, "a@home.example", "b@far.example", text + "x")]:
        count = len(it.problems)
        it.find(*changed)
        expect(len(it.problems) == count + 1, f"something that was never sent is not noticed: {changed}")


# --- The whole test, with something planted between kill and restart ---

def rows(test, folder):
    """The waiting rows: sequence, and the number of the message in it."""
    with contextlib.closing(sqlite3.connect(Path(folder) / "state" / "spool.db")) as spool:
        found = spool.execute("SELECT sequence, payload FROM messages ORDER BY sequence").fetchall()
    return [(sequence, int(re.search(rb"(\d+) [0-9a-f]{64}", payload)[1])) for sequence, payload in found]


def planted(name, plant, make=CrashTest):
    """Runs until some messages are accepted, kills the router, plants something, and lets the rest be delivered.

    Gives the test.
    """
    folder = tempfile.mkdtemp(prefix="plugboard-selfcheck-")
    test = make(program_of(os.environ["BUILD"]), folder, os.environ["PLUGINS"], 0, seed=SEED)
    try:
        test.start()
        # Something that was there before, and delivered.
        test.send(20)
        test.stop()
        if make is PowerCutTest:
            test.watch(after=1 << 30, counts_main_only=False)
        # What is accepted now is not delivered before the kill.
        test.start()
        test.network.is_deaf = True
        test.send(50)
        test.router.kill()
        test.read_rest()
        test.network.is_deaf = False
        plant(test, folder)
        test.drain()
    except Trouble as trouble:
        raise Trouble(f"{name}: {trouble}\n{test.router.log_tail()}") from trouble
    finally:
        if not test.router.has_ended:
            test.router.kill()
    shutil.rmtree(folder)
    print(f"{name}: {test.ledger.summary()}; {len(test.ledger.problems)} problems", flush=True)
    return test


def undelivered(test, folder):
    """A row in the middle of those that were accepted and are not delivered."""
    found = [it for it in rows(test, folder)
             if test.ledger.messages[it[1]].is_accepted and test.ledger.messages[it[1]].deliveries == 0]
    expect(len(found) >= 40, f"only {len(found)} messages wait")
    return found[len(found) // 2]


def nothing(test, folder):
    undelivered(test, folder)


def deleted_row(test, folder):
    sequence, number = undelivered(test, folder)
    with contextlib.closing(sqlite3.connect(Path(folder) / "state" / "spool.db")) as spool, spool:
        spool.execute("DELETE FROM messages WHERE sequence = ?", (sequence,))
    test.planted = number


def altered_row(test, folder):
    sequence, number = undelivered(test, folder)
    with contextlib.closing(sqlite3.connect(Path(folder) / "state" / "spool.db")) as spool, spool:
        (payload,) = spool.execute("SELECT payload FROM messages WHERE sequence = ?", (sequence,)).fetchone()
        # It still reads well.
        changed = payload.replace(b"xxx", b"yyy")
        expect(changed != payload, "there is nothing to be altered")
        spool.execute("UPDATE messages SET payload = ? WHERE sequence = ?", (changed, sequence))
    test.planted = number


def mark(sequence, key):
    """A slot of the list of what was delivered, as Sources/Spool/CompletedMarks.swift has it."""
    words = [sequence, int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")]
    checksum = 0x6D61726B73312E30
    for word in words:
        checksum = (checksum ^ word) * 0x9E3779B97F4A7C15 % (1 << 64)
        checksum ^= checksum >> 32
    return struct.pack("=4Q", *words, checksum)


def mark_of_row(test, folder, change_key=lambda key: key):
    sequence, number = undelivered(test, folder)
    state = Path(folder) / "state"
    with contextlib.closing(sqlite3.connect(state / "spool.db")) as spool:
        (key,) = spool.execute("SELECT idempotency_key FROM messages WHERE sequence = ?", (sequence,)).fetchone()
    with open(state / MARKS, "r+b") as file:
        file.write(mark(sequence, change_key(key)))
    test.planted = number


def marks_of_another_spool(test, folder):
    mark_of_row(test, folder, lambda key: bytes([key[0] ^ 1]) + key[1:])


def main():
    try:
        check_ledger()
        test = planted("nothing planted", nothing)
        expect(not test.ledger.lost() and not test.ledger.problems, "something is found where nothing was planted")
        test = planted("a row deleted", deleted_row)
        lost = [message.number for message in test.ledger.lost()]
        expect(lost == [test.planted], f"message {test.planted} was deleted, and {lost} are called lost")
        expect(" lost 1 " in test.ledger.summary(), test.ledger.summary())
        test = planted("a row altered", altered_row)
        lost = [message.number for message in test.ledger.lost()]
        expect(lost == [test.planted], f"message {test.planted} was altered, and {lost} are called lost")
        expect("1 dead letters" in test.ledger.problems[-1], "the dead letter is not noticed")

        test = planted("a mark of a row that was not delivered", mark_of_row)
        lost = [message.number for message in test.ledger.lost()]
        expect(lost == [test.planted], f"message {test.planted} was marked, and {lost} are called lost")
        test = planted("the same with another spool's key", marks_of_another_spool)
        expect(not test.ledger.lost() and not test.ledger.problems, "a mark of another spool hides a message")

        def syncs_that_do_nothing(test, folder):
            test.believes_syncs = False
            test.cut()

        test = planted("syncs that do nothing", syncs_that_do_nothing, PowerCutTest)
        expect(len(test.ledger.lost()) >= 50, f"only {len(test.ledger.lost())} messages are lost without syncs")
    except Trouble as trouble:
        print(f"the self-check failed: {trouble}")
        return 1
    print("self-check passed: all that was planted was found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
