"""Runs the interoperability scenarios; see README.md."""

import argparse
import asyncio
import logging
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from cases import component, contacts, home, hostile, peers
from harness.peers import Ejabberd, Mode, Prosody
from harness.suites import Report
from harness.waiting import Failure
from harness.world import Scenario, World

REPOSITORY = Path(__file__).resolve().parents[2]

SCENARIOS = [
    Scenario("With EXTERNAL", Mode.EXTERNAL, Mode.EXTERNAL, {"peers": peers.suite, "home": home.suite, "contacts": contacts.suite}),
    Scenario("With dialback", Mode.DIALBACK, Mode.DIALBACK, {"peers": peers.suite, "home": home.suite, "contacts": contacts.suite}),
    Scenario("With EXTERNAL refused and dialback after it", Mode.FALLBACK, Mode.FALLBACK, {"home": home.suite}),
    Scenario(
        "As a component", Mode.EXTERNAL, Mode.EXTERNAL, {"component": component.suite}, is_component=True
    ),
    Scenario(
        "Among hostile peers", Mode.EXTERNAL, Mode.DIALBACK, {"hostile": hostile.suite}, partners=hostile.PARTNERS
    ),
]


async def run_scenario(report, scenario, selected, folder, build):
    """Runs the selected suites of one scenario; when its servers do not start, all its cases have failed."""
    with_router = any(suite != "peers" for suite in selected)
    world = World(folder, scenario, build if with_router else None)
    cases = [
        (f"{scenario.title}: {sentence}", function, arguments)
        for suite in selected
        for sentence, function, arguments in scenario.suites[suite].expand((Prosody, Ejabberd))
    ]
    try:
        try:
            await world.start()
        except Exception as error:  # whatever kept a server from starting, the report must say it
            for sentence, _, _ in cases:
                report.fail(sentence, Failure("its servers did not start; the reason follows the last of these"))
            traceback.print_exception(error, file=sys.stdout)
            print(world.logs_since({}), flush=True)
            return
        for sentence, function, arguments in cases:
            await report.run(sentence, world, function, arguments)
    finally:
        await world.stop()


async def main(options):
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    root = Path(tempfile.mkdtemp(prefix="plugboard-interop."))
    report = Report()
    try:
        for number, scenario in enumerate(SCENARIOS, start=1):
            selected = [name for name in scenario.suites if name in options.suites]
            if selected:
                await run_scenario(report, scenario, selected, root / str(number), options.build.resolve())
    finally:
        if options.keep:
            print(f"Kept: {root}", flush=True)
        else:
            shutil.rmtree(root)
    return report.finish()


if __name__ == "__main__":
    names = list(dict.fromkeys(name for scenario in SCENARIOS for name in scenario.suites))
    parser = argparse.ArgumentParser("Tests/Interop/run", description="Tries the router against real XMPP servers.")
    add = parser.add_argument
    add("suites", nargs="*", metavar="SUITE", help=f"one of {', '.join(names)}; none means all")
    add("--build", type=Path, default=REPOSITORY / ".build/debug", help="the folder of plugboard and its plugins")
    add("--keep", action="store_true", help="leave the folder of logs and configurations, and say where it is")
    options = parser.parse_args()
    unknown = set(options.suites) - set(names)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    options.suites = options.suites or names
    logging.basicConfig(level=logging.ERROR, stream=sys.stdout, format="      slixmpp: %(message)s")
    try:
        sys.exit(asyncio.run(main(options)))
    except asyncio.CancelledError:
        sys.exit("interrupted")
