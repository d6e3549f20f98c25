"""Measures federation; see README.md."""

import argparse
import asyncio
import datetime
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests/Interop"))

from harness.certificates import Authority  # noqa: E402
from harness.waiting import Failure  # noqa: E402

from contestants.pair import DOMAINS  # noqa: E402
from contestants.peers import LoadEjabberd, LoadProsody, PeerPair  # noqa: E402
from contestants.routers import RouterPair  # noqa: E402
from measuring import OtherPrograms, Round, Rounds, processor_seconds  # noqa: E402

ROUND_SECONDS = 4.0
"""How long a round is meant to take; the number of messages is chosen for each pair and workload."""

CALIBRATION_MESSAGES = 5000
"""Messages that warm a pair up and tell how many a round should have."""


@dataclass(frozen=True)
class Workload:
    """One way to send: as fast as a window allows, or so many messages a second."""

    kind: str
    limit: int

    @property
    def title(self):
        return f"window={self.limit}" if self.kind == "throughput" else f"rate={self.limit}/s"

    def order(self, count):
        return f"{self.kind} {count} {self.limit}"


WORKLOADS = [Workload("throughput", 200), Workload("rate", 500), Workload("throughput", 2000)]


def make_pairs(folder, build, load_tool):
    """The contestants, not started."""
    authority = Authority(folder / "certificates")
    for domain in DOMAINS:
        authority.issue(domain, name=f"router-{domain}")
        authority.issue(f"*.{domain}", name=domain)
    return [
        RouterPair(folder / "plugboard", build, authority, is_durable=True),
        RouterPair(folder / "plugboard-memory", build, authority, is_durable=False),
        PeerPair(folder / "prosody", LoadProsody, authority, load_tool, ("127.0.0.21", "127.0.0.22")),
        PeerPair(folder / "ejabberd", LoadEjabberd, authority, load_tool, ("127.0.0.31", "127.0.0.32")),
    ]


def compile_load_tool(folder):
    program = folder / "component_load"
    compiler = os.environ.get("CC", "cc")
    options = ["-O2", "-std=c11", "-Wall", "-Wextra"]
    subprocess.run([compiler, *options, "-o", program, HERE / "component_load.c"], check=True)
    return program


async def measure(pair, order):
    """Carries out one order and returns what it cost."""
    roots = {server.process.pid for server in pair.servers}
    before = processor_seconds(roots)
    outcome = await pair.obey(order)
    spent = processor_seconds(roots) - before
    return Round(
        rate=outcome.count / outcome.seconds, cpu_per_10k=spent * 10_000 / outcome.count,
        p50=outcome.p50 / 1000, p90=outcome.p90 / 1000, p99=outcome.p99 / 1000,
    )


async def choose_counts(pairs):
    """Warms all pairs up; returns how many messages a round of each pair and workload has."""
    counts = {}
    for pair in pairs:
        for workload in WORKLOADS:
            rate = workload.limit
            if workload.kind == "throughput":
                await measure(pair, workload.order(CALIBRATION_MESSAGES))
                rate = (await measure(pair, workload.order(CALIBRATION_MESSAGES))).rate
            counts[pair, workload] = max(1000, round(rate * ROUND_SECONDS, -3))
        if isinstance(pair, RouterPair):
            await pair.check_links()
    return counts


async def run_rounds(pairs, rounds):
    """All rounds: each goes through all workloads and pairs, beginning with another pair than the one before."""
    counts = await choose_counts(pairs)
    results = {(pair, workload): Rounds() for pair in pairs for workload in WORKLOADS}
    for number in range(rounds):
        others = OtherPrograms()
        turn = number % len(pairs)
        for workload in WORKLOADS:
            for pair in pairs[turn:] + pairs[:turn]:
                result = await measure(pair, workload.order(int(counts[pair, workload])))
                results[pair, workload].rounds.append(result)
        taken = f"{others.share():.0%} of the machine"
        print(f"Round {number + 1} of {rounds} is done; other programs took {taken}", flush=True)
    return results


def print_table(pairs, results):
    """The medians, for people; behind the rate and the processor time, the range over the rounds."""
    for workload in WORKLOADS:
        print(f"\n{workload.title}")
        print(f"{'':18}{'messages/s':>12}{'(range)':>16}{'CPU-s/10k':>11}{'(range)':>14}{'p50 ms':>9}{'p99 ms':>9}")
        for pair in pairs:
            rounds = results[pair, workload]
            rate, cpu = rounds.span("rate"), rounds.span("cpu_per_10k")
            print(
                f"{pair.name:18}{rounds.median('rate'):12.0f}{f'({rate[0]:.0f}-{rate[1]:.0f})':>16}"
                f"{rounds.median('cpu_per_10k'):11.3f}{f'({cpu[0]:.2f}-{cpu[1]:.2f})':>14}"
                f"{rounds.median('p50'):9.2f}{rounds.median('p99'):9.2f}"
            )


def print_line(pairs, results, workload):
    """The medians, for programs."""
    words = [f"federation {workload.title}"]
    for pair in pairs:
        rounds = results[pair, workload]
        words.append(f"{pair.name}={rounds.median('rate'):.0f}/s {pair.name}-cpu10k={rounds.median('cpu_per_10k'):.3f}")
        if workload.kind == "rate":
            words.append(f"{pair.name}-p50ms={rounds.median('p50'):.2f} {pair.name}-p99ms={rounds.median('p99'):.2f}")
    costs = {pair.name: results[pair, workload].median("cpu_per_10k") for pair in pairs}
    words += [
        f"ratio-cpu-{peer}={costs['plugboard'] / costs[peer]:.2f} "
        f"ratio-cpu-memory-{peer}={costs['plugboard-memory'] / costs[peer]:.2f}"
        for peer in ("prosody", "ejabberd")
    ]
    print(" ".join(words))


def describe_machine(folder):
    """Where and when this was measured."""
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if "model name" in line), "?")
    kind = subprocess.run(
        ["stat", "--file-system", "--format=%T", folder], capture_output=True, text=True, check=True
    ).stdout.strip()
    versions = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${Version}, ", "prosody", "ejabberd"],
        capture_output=True, text=True, check=True,
    ).stdout
    return (
        f"{datetime.datetime.now():%Y-%m-%d %H:%M}, {os.cpu_count()} x {model}, {platform.release()}, {versions}"
        f"spool on {kind}, load average {os.getloadavg()[0]:.2f}"
    )


async def main(options):
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    root = Path(tempfile.mkdtemp(prefix="plugboard-bench.", dir=options.folder))
    pairs = []
    try:
        print(describe_machine(root), flush=True)
        pairs = make_pairs(root, options.build.resolve(), compile_load_tool(root))
        for pair in pairs:
            await pair.start()
        results = await run_rounds(pairs, options.rounds)
        print_table(pairs, results)
        print()
        for workload in WORKLOADS:
            print_line(pairs, results, workload)
    except Failure as failure:
        for pair in pairs:
            print(pair.logs(), file=sys.stderr)
        sys.exit(f"The measurement failed: {failure}")
    finally:
        for pair in pairs:
            await pair.stop()
        if options.keep:
            print(f"Kept: {root}", file=sys.stderr)
        else:
            shutil.rmtree(root)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("Tests/Benchmarks/Federation/run", description="Measures federation.")
    add = parser.add_argument
    build = REPOSITORY / ".build-bench/release"
    add("--build", type=Path, default=build, help="the folder of plugboard and its plugins")
    add("--rounds", type=int, default=5, help="how many rounds the medians are of (5)")
    add("--folder", help="where the spools and all else are meanwhile; the folder for temporary files if not given")
    add("--keep", action="store_true", help="leave the folder of logs and configurations, and say where it is")
    try:
        asyncio.run(main(parser.parse_args()))
    except asyncio.CancelledError:
        sys.exit("interrupted")
