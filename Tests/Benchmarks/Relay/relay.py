"""Measures relaying; see README.md."""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from candidates import REPOSITORY, Candidate, Direct, Failed, Proxy, Relay, Router, compile_c

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Federation"))

from measuring import OtherPrograms  # noqa: E402

IDLE_STREAMS = 5000
"""How many connections that send nothing are opened, to see what one costs."""


@dataclass(frozen=True)
class Workload:
    """One way to send; a rate of 0 means as fast as lines are taken."""

    name: str
    title: str
    lines: int
    per_write: int
    per_second: int


WORKLOADS = [
    Workload("bulk", "bulk, saturated: 64 lines a write", 3_000_000, 64, 0),
    Workload("single", "saturated: a line a write", 300_000, 1, 0),
    Workload("part_bulk", "bulk at part load: 64 lines a write, 1,000,000 lines/s", 2_000_000, 64, 1_000_000),
    Workload("part_single", "part load: a line a write, 100,000 lines/s", 200_000, 1, 100_000),
]

COLUMNS = ["rate", "cpu", "p50", "p99"]


def measure(candidate, workload):
    """One measurement: lines/s, processor time a line in ns, p50 and p99 in µs."""
    seconds, cpu, p50, p99 = candidate.send(workload.lines, workload.per_write, workload.per_second)
    return {"rate": workload.lines / seconds, "cpu": cpu / workload.lines * 1e9, "p50": p50 / 1e3, "p99": p99 / 1e3}


def run_rounds(candidates, workloads, rounds):
    """All rounds: each goes through all workloads and candidates, beginning with another one than the one before."""
    for candidate in candidates:
        candidate.send(200_000, 64, 0)
    results = {(candidate.name, workload.name): [] for candidate in candidates for workload in workloads}
    for number in range(rounds):
        others = OtherPrograms()
        turn = number % len(candidates)
        for workload in workloads:
            for candidate in candidates[turn:] + candidates[:turn]:
                results[candidate.name, workload.name].append(measure(candidate, workload))
        print(f"Round {number + 1} of {rounds} is done; the machine was busy for {others.share():.0%} besides", flush=True)
    return results


def median(results, candidate, workload, column):
    return statistics.median(each[column] for each in results[candidate, workload])


def print_table(results, candidates, workloads):
    """The medians, for people; behind the processor time, the range over the rounds."""
    for workload in workloads:
        print(f"\n{workload.title}")
        print(f"{'':10}{'lines/s':>12}{'CPU ns/line':>13}{'(range)':>15}{'over relay':>12}{'p50 µs':>10}{'p99 µs':>10}")
        base = median(results, candidates[0].name, workload.name, "cpu")
        for candidate in candidates:
            rate, cpu, p50, p99 = (median(results, candidate.name, workload.name, column) for column in COLUMNS)
            costs = [each["cpu"] for each in results[candidate.name, workload.name]]
            span = f"({min(costs):.0f}-{max(costs):.0f})"
            print(f"{candidate.name:10}{rate:12,.0f}{cpu:13.0f}{span:>15}{cpu / base:12.2f}{p50:10.0f}{p99:10.0f}")


def measure_idle(candidates):
    """Bytes of memory that each idle stream costs; before all else, for memory that was used before is used again."""
    costs = {}
    for candidate in candidates:
        candidate.send(1000, 1, 0)
        before = candidate.resident_bytes()
        candidate.load.ask(f"idle {IDLE_STREAMS}", "idle")
        # Connected is not accepted yet: a line that is sent afterwards is relayed after all are.
        candidate.send(1000, 1, 0)
        costs[candidate.name] = (candidate.resident_bytes() - before) / IDLE_STREAMS
        candidate.load.ask("close", "closed")
    return costs


def summary(results, candidates, workloads, idle):
    """The last line, for programs: processor time a line, divided by the relay's."""
    words = ["relay"]
    for candidate in candidates[1:]:
        prefix = "" if candidate.name == "router" else f"{candidate.name}_"
        for workload in workloads:
            cpu = median(results, candidate.name, workload.name, "cpu")
            words.append(f"{prefix}{workload.name}={cpu / median(results, candidates[0].name, workload.name, 'cpu'):.2f}")
    words += [f"{name}_idle_bytes={cost:.0f}" for name, cost in idle.items()]
    return " ".join(words)


def main(options):
    folder = Path(tempfile.mkdtemp(prefix="plugboard-relay."))
    load_tool = folder / "relay_load"
    workloads = [each for each in WORKLOADS if not options.workload or each.name in options.workload]
    kinds = [each for each in (Relay, Router, Direct, Proxy) if not options.only or each.name in ("relay", *options.only)]
    candidates: list[Candidate] = []
    try:
        compile_c("relay_load.c", load_tool, "-pthread")
        for number, kind in enumerate(kinds):
            candidates.append(kind(folder, options.build.resolve(), number))
            candidates[-1].start(load_tool)
        if options.pause:
            print(" ".join(f"{each.name}={each.process.pid}" for each in candidates), flush=True)
        idle = measure_idle(candidates)
        results = run_rounds(candidates, workloads, options.rounds)
        print_table(results, candidates, workloads)
        print(f"\nMemory of an idle stream, of {IDLE_STREAMS}: " + ", ".join(
            f"{name} {cost / 1024:.1f} KiB" for name, cost in idle.items()
        ))
        print(summary(results, candidates, workloads, idle))
    except Failed as failure:
        sys.exit(f"The measurement failed: {failure}")
    finally:
        for candidate in candidates:
            candidate.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("Tests/Benchmarks/Relay/run", description="Measures relaying.")
    add = parser.add_argument
    add("--build", type=Path, default=REPOSITORY / ".build-bench/release", help="the folder of plugboard and NIOProxy")
    add("--rounds", type=int, default=5, help="how many rounds the medians are of (5)")
    add("--workload", action="append", help="only this one, such as bulk; may be repeated")
    add("--only", action="append", help="only this candidate beside the relay; may be repeated")
    add("--pause", action="store_true", help="print the candidates' process numbers, for a profiler")
    main(parser.parse_args())
