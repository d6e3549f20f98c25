"""A full disk, a folder that cannot be written, damaged files: what the daemon, `check` and `spool recover` say and do.

Part of the crash test; see README.md beside this file. The first two need root, and are left out without it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ledger import Ledger
from network import Network
from router import FAR, HOME, Router, START_SECONDS, STOP_SECONDS, Trouble, program_of

SENDERS = [f"sender{number}@{HOME}" for number in range(2)]
RECIPIENTS = [f"recipient{number}@{FAR}" for number in range(3)]
DISK_KIB = 8 << 10
"""The size of the small disk; the log of the spool takes some 40 KiB a commit."""


def expect(condition, what):
    if not condition:
        raise Trouble(what)


def start_and_fail(router):
    """Starts the router, which must refuse, and gives what it says."""
    mark = router.log.stat().st_size if router.log.exists() else 0
    router.start()
    router.process.wait(START_SECONDS)
    expect(router.process.returncode == 1, f"the router ended with status {router.process.returncode}, not 1")
    with open(router.log) as log:
        log.seek(mark)
        return log.read()


class Stage:
    """A router with its networks, in a folder of its own."""

    def __init__(self, program, plugins, folder, seed):
        folder.mkdir()
        self.ledger = Ledger(seed, SENDERS, RECIPIENTS, open(folder / "record", "w", buffering=1))
        self.network = Network(self.ledger, seed, FAR)
        self.router = Router(program, folder, plugins, self.network.port, SENDERS)

    def start(self):
        self.router.start()
        self.until(lambda: self.network.is_connected, "both instances of the plugin")

    def until(self, is_done, what):
        end = time.monotonic() + START_SECONDS
        while not is_done():
            expect(not self.router.has_ended, f"the router ended instead of {what}")
            expect(time.monotonic() < end, "; ".join([f"no {what} within {START_SECONDS} s", *self.ledger.problems[:3]]))
            self.network.turn(0.01)

    def send(self, count):
        """Until so many more are accepted."""
        goal = self.ledger.accepted + count
        self.network.is_sending = True
        self.until(lambda: self.ledger.accepted >= goal, f"{count} accepted messages")
        self.network.is_sending = False

    def settle(self):
        """Until all is answered and delivered."""
        self.network.is_sending = False
        self.until(lambda: not self.ledger.unanswered, "answers")
        self.until(lambda: not self.ledger.lost() and self.network.has_answered, "delivery of the rest")

    def stop(self):
        self.router.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        while not self.router.has_ended:
            expect(time.monotonic() < end, f"the router has not stopped within {STOP_SECONDS} s")
            self.network.turn(0.01)
        self.network.router_is_gone()
        expect(self.router.process.returncode == 0, f"the router stopped with {self.router.process.returncode}")

    def kill(self):
        self.network.is_sending = False
        self.router.kill()
        end = time.monotonic() + STOP_SECONDS
        while self.network.source or self.network.sink:
            expect(time.monotonic() < end, "a connection of the killed router never ended")
            self.network.turn(0.05)
        self.network.router_is_gone()

    def check_ledger(self):
        # After refusals a later message may have been taken first: the order is looked at elsewhere.
        problems = [it for it in self.ledger.problems if "was delivered after" not in it]
        expect(not problems, "; ".join(problems[:3]))
        expect(not self.ledger.lost(), f"{len(self.ledger.lost())} messages are lost")


def fill(path):
    """Writes until there is no room."""
    # No buffer: what would be left in it could not be written when the file is closed.
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 1024, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def full_disk(stage):
    """Messages are refused while the disk is full, and taken again when it is not, by the same process."""
    state = stage.router.state
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", state], check=True)
    try:
        stage.start()
        stage.send(50)
        filler = state / "filler"
        fill(filler)
        accepted = stage.ledger.accepted
        stage.network.is_sending = True
        stage.until(lambda: stage.ledger.refusals.get("spool-failed", 0) > 50, "refusals")
        stage.network.is_sending = False
        code, output, errors = stage.router.command("check")
        expect("are free where the state folder" in output + errors, f"check says nothing of the disk: {output}{errors}")
        expect("no room on the file system" in stage.router.log_tail(1000), "the log does not say that there is no room")
        filler.unlink()
        stage.send(100)
        stage.settle()
        print(f"full disk: {accepted} accepted before, {stage.ledger.refusals['spool-failed']} refused in between, "
              f"{stage.ledger.accepted} accepted in all")
        stage.stop()
    finally:
        if not stage.router.has_ended:
            stage.router.kill()
        subprocess.run(["umount", state], check=True)
    stage.check_ledger()


def read_only(stage):
    """The router refuses to start and says why; when the folder can be written again, it delivers what it had."""
    stage.router.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", stage.router.state], check=True)
    try:
        stage.start()
        stage.send(50)
        stage.kill()
        subprocess.run(["mount", "-o", "remount,ro", stage.router.state], check=True)
        said = start_and_fail(stage.router)
        expect("cannot be written" in said, f"the router does not say that it cannot write: {said}")
        code, output, errors = stage.router.command("check")
        expect(code == 1 and "cannot be written: Read-only file system" in output, f"check: {output}{errors}")
        subprocess.run(["mount", "-o", "remount,rw", stage.router.state], check=True)
        stage.start()
        stage.settle()
        stage.stop()
    finally:
        if not stage.router.has_ended:
            stage.router.kill()
        subprocess.run(["umount", stage.router.state], check=True)
    stage.check_ledger()
    print(f"read-only folder: refused with a reason, then {stage.ledger.accepted} accepted and delivered")


def overwrite(path, offset, count):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"Z" * count)


def damaged(stage, name, damage):
    """The router refuses a damaged spool, `check` explains it, `spool recover` saves what can be read."""
    stage.start()
    stage.network.is_sending = True
    stage.until(lambda: stage.ledger.accepted >= 600, "600 accepted messages")
    stage.kill()
    database = stage.router.state / "spool.db"
    damage(database)
    said = start_and_fail(stage.router)
    expect("is damaged" in said and "plugboard spool recover" in said, f"the router does not say what to do: {said}")
    code, output, errors = stage.router.command("check")
    expect(code == 1 and "is damaged" in output, f"check: {output}{errors}")
    code, output, errors = stage.router.command("spool", "recover")
    expect(code == 0 and ".damaged-" in output, f"spool recover: {output}{errors}")
    code, checked, errors = stage.router.command("check")
    expect(code == 0, f"check after the recovery: {checked}{errors}")
    # What was damaged may be lost; all that is left has to come, and what comes from now on. Nothing is sent a second
    # time: the damage may have taken the ids by which the router would know it again.
    stage.network.unsent.clear()
    stage.start()
    stage.send(50)
    stage.network.is_sending = False
    stage.until(lambda: not stage.ledger.unanswered, "answers")
    stage.until(lambda: stage.router.status()["spool"]["waiting"] == 0, "delivery of all that was saved")
    stage.until(lambda: stage.network.has_answered, "answers to deliveries")
    stage.stop()
    problems = [it for it in stage.ledger.problems if "was delivered after" not in it]
    expect(not problems, "; ".join(problems[:3]))
    saved = next((line.split(": ", 1)[1] for line in output.splitlines() if "saved" in line), "")
    print(f"{name}: {saved}; {len(stage.ledger.lost())} of {stage.ledger.accepted} messages lost with the damage")
    return len(stage.ledger.lost())


def merge_log(database):
    """Moves all of the log into the database, as a checkpoint does."""
    import sqlite3

    with sqlite3.connect(database) as spool:
        spool.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def header_garbage(database):
    merge_log(database)
    overwrite(database, 0, 100)


def page_overwritten(database):
    merge_log(database)
    # A leaf of the messages' table, found by what is in it.
    content = database.read_bytes()
    pages = [it for it in range(1, len(content) // 4096)
             if content[it * 4096] == 13 and b"PBsp" not in content[it * 4096:(it + 1) * 4096]
             and content[it * 4096:(it + 1) * 4096].count(FAR.encode()) > 2]
    expect(pages, "no page of messages was found")
    overwrite(database, pages[len(pages) // 2] * 4096, 4096)


def truncated(database):
    merge_log(database)
    os.truncate(database, database.stat().st_size // 2 - 1000)


def torn_log(database):
    log = Path(f"{database}-wal")
    frames = (log.stat().st_size - 32) // (4096 + 24)
    expect(frames > 60, f"only {frames} frames in the log")
    overwrite(log, 32 + frames // 3 * (4096 + 24) + 24, 1000)


def main():
    program, plugins = program_of(os.environ["BUILD"]), os.environ["PLUGINS"]
    seed = os.environ.get("SEED") or "1"
    folder = Path(tempfile.mkdtemp(prefix="plugboard-faults-"))
    stage = None
    try:
        for name, fault in [("full-disk", full_disk), ("read-only", read_only)]:
            if os.geteuid() != 0:
                print(f"{name}: left out, it needs root")
                continue
            stage = Stage(program, plugins, folder / name, seed)
            fault(stage)
        for damage in [header_garbage, page_overwritten, truncated, torn_log]:
            name = damage.__name__.replace("_", " ")
            stage = Stage(program, plugins, folder / damage.__name__, seed)
            lost = damaged(stage, name, damage)
            expect(damage is not header_garbage or lost == 0, f"{name}: {lost} messages are lost that could be read")
    except Trouble as trouble:
        print(f"failed: {trouble}\n{stage.router.log_tail() if stage else ''}\nthe files are in {folder}")
        return 1
    finally:
        if stage is not None and stage.router.process is not None and not stage.router.has_ended:
            stage.router.kill()
    shutil.rmtree(folder)
    print("faults passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
