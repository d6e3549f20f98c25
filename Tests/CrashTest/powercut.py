"""Cuts the power, as far as that can be simulated: what was not synced when the router died survives by chance.

powercut.c records what the router does to the spool's files, and ends it between two of these acts. Then the files are
made anew: all that was written before a file's last sync is there; of what came later some writes are there and some are
not, each in sectors of 512 bytes. Settings come from the environment: CUTS, SEED, BUILD, PLUGINS.
"""

import os
import random
import struct
import sys
import time

from crash_test import CrashTest, run
from router import START_SECONDS, Trouble

SECTOR_BYTES = 512
MARKS = "spool.db-done"
"""The list of what was delivered. It is mapped into memory and never synced, so that powercut.c does not see it."""
FILES = "/state/spool.db"


def read_records(path):
    """The records of powercut.c, in order: kind, path, offset, bytes."""
    content = path.read_bytes()
    place = 0
    while place + 3 <= len(content):
        kind, length = struct.unpack_from("=cH", content, place)
        place += 3
        name = content[place: place + length].decode()
        place += length
        offset, count = struct.unpack_from("=qI", content, place)
        place += 12
        yield kind.decode(), name, offset, content[place: place + count]
        place += count


class Disk:
    """One file: what is surely on the disk, and what may be."""

    def __init__(self, content):
        self.content = bytearray(content)
        self.unsynced = []

    def apply(self, kind, offset, data):
        if kind == "T":
            del self.content[offset:]
            self.content.extend(bytes(offset - len(self.content)))
        else:
            self.content.extend(bytes(max(0, offset - len(self.content))))
            self.content[offset: offset + len(data)] = data

    def sync(self):
        for act in self.unsynced:
            self.apply(*act)
        self.unsynced.clear()

    def cut(self, chance):
        """Keeps of what was not synced what chance keeps: nothing, all, or parts."""
        share = chance.choice([0, 1, 0.5, 0.1, 0.9])
        for kind, offset, data in self.unsynced:
            if kind == "T":
                if chance.random() < share:
                    self.apply(kind, offset, data)
                continue
            for start in range(0, len(data), SECTOR_BYTES):
                if chance.random() < share:
                    self.apply(kind, offset + start, data[start: start + SECTOR_BYTES])


def mixed(old, new, chance):
    """A file of which nothing was synced: each sector is as before, as it was last, or neither."""
    content = bytearray()
    for start in range(0, len(new), SECTOR_BYTES):
        last = new[start: start + SECTOR_BYTES]
        before = old[start: start + SECTOR_BYTES].ljust(len(last), b"\0")
        torn = chance.randrange(len(last))
        content += chance.choices([before, last, before[:torn] + last[torn:], bytes(len(last)), chance.randbytes(len(last))],
                                  [30, 30, 20, 10, 10])[0]
    return bytes(content)


class PowerCutTest(CrashTest):
    def __init__(self, *arguments, seed):
        super().__init__(*arguments, seed)
        self.chance = random.Random(f"{seed} cuts")
        self.record = self.router.folder / "acts"
        self.believes_syncs = True
        """False: a sync is worth nothing. The self-check wants to see that messages are lost then."""
        self.unsynced_cuts = 0
        """Cuts at which something was not synced."""

    def files(self):
        return {path: path.read_bytes() for path in self.router.state.glob("spool.db*")
                if not path.name.endswith(("-shm", ".lock", MARKS))}

    def marks(self):
        path = self.router.state / MARKS
        return path.read_bytes() if path.exists() else b""

    def watch(self, after, counts_main_only):
        self.before = self.files()
        self.marks_before = self.marks()
        self.record.unlink(missing_ok=True)
        self.router.environment = {
            "LD_PRELOAD": f"{os.environ['PLUGINS']}/powercut.so",
            "POWERCUT_LOG": str(self.record),
            "POWERCUT_FILES": FILES,
            "POWERCUT_AFTER": str(after),
            **({"POWERCUT_MAIN": "1"} if counts_main_only else {}),
        }

    def crash(self, kind):
        """Lets the router run until it ends itself at a record that chance has chosen."""
        # The log is moved into the database seldom, so that a cut in between has to be sought.
        counts_main_only = self.chance.random() < 0.4
        self.watch(self.chance.randint(1, 200 if counts_main_only else 3000), counts_main_only)
        self.router.start()
        self.network.is_sending = True
        end = time.monotonic() + START_SECONDS
        most = self.chance.randint(300, 3000)
        while not self.router.has_ended and self.network.accepted_in_run < most:
            if time.monotonic() > end:
                raise Trouble(f"neither a cut nor {most} accepted messages within {START_SECONDS} s")
            self.network.turn(0.01)
        self.router.kill()
        self.read_rest()
        self.cut()

    def look_at_duplicates(self):
        """They are allowed here: what was not synced may be gone."""

    def cut(self):
        """Puts the files into the state that a power cut may have left."""
        disks = {str(path): Disk(content) for path, content in self.before.items()}
        for kind, name, offset, data in read_records(self.record) if self.record.exists() else []:
            if name.endswith(MARKS):
                continue
            disk = disks.setdefault(name, Disk(b""))
            if kind != "F":
                disk.unsynced.append((kind, offset, data))
            elif self.believes_syncs:
                disk.sync()
        self.unsynced_cuts += any(disk.unsynced for disk in disks.values())
        for name, disk in disks.items():
            if self.believes_syncs:
                disk.cut(self.chance)
            with open(name, "wb") as file:
                file.write(disk.content)
        if self.marks():
            (self.router.state / MARKS).write_bytes(mixed(self.marks_before, self.marks(), self.chance))
        (self.router.state / "spool.db-shm").unlink(missing_ok=True)
        self.router.environment = {}


def main():
    cuts = int(os.environ.get("CUTS", "30"))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"CUTS={cuts} SEED={seed}", flush=True)
    test, is_good = run(lambda *place: PowerCutTest(*place, cuts, seed=seed), "plugboard-powercut-")
    if test is not None:
        print(f"{cuts} power cuts, at {test.unsynced_cuts} of them something was not synced: {test.ledger.summary()}")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
