"""Processor time of processes and of the rest of the machine, and medians of rounds."""

import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path


def processor_seconds(roots):
    """User and system time so far of the processes `roots` and their descendants (proc(5), /proc/PID/stat)."""
    parents, ticks = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The program's name, in parentheses, may have spaces in it.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = int(fields[11]) + int(fields[12])

    def belongs(process):
        while process in parents:
            if process in roots:
                return True
            process = parents[process]
        return False

    return sum(count for process, count in ticks.items() if belongs(process)) / os.sysconf("SC_CLK_TCK")


class OtherPrograms:
    """The processor time that the rest of the machine takes, from the moment this is made."""

    def __init__(self):
        self._started_at, self._others = time.monotonic(), self._other_seconds()

    @staticmethod
    def _other_seconds():
        """Busy time of all processors (proc(5), /proc/stat: all but idle, I/O wait and steal) without our own."""
        ticks = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:8]))
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return busy - processor_seconds({os.getpid()})

    def share(self):
        """How much of the machine they took: 0 to 1."""
        elapsed = time.monotonic() - self._started_at
        return max(0.0, self._other_seconds() - self._others) / (elapsed * os.cpu_count())


@dataclass(frozen=True)
class Round:
    """One measurement."""

    rate: float
    """Messages a second."""
    cpu_per_10k: float
    """Seconds of processor time for 10,000 messages, both servers together."""
    p50: float
    p90: float
    p99: float
    """Latencies in ms."""


@dataclass
class Rounds:
    """The measurements of one pair under one workload."""

    rounds: list[Round] = field(default_factory=list)

    def median(self, name):
        return statistics.median(getattr(each, name) for each in self.rounds)

    def span(self, name):
        """The least and the greatest."""
        values = [getattr(each, name) for each in self.rounds]
        return min(values), max(values)
