"""Cases named by sentences, and the plain runner that reports on them."""

import asyncio
import sys
import time
import traceback

from harness.waiting import Failure

CASE_DEADLINE = 60.0
"""Seconds after which a case has failed, whatever it waits for."""


class Suite:
    """A list of cases. A sentence with `{peer}` in it stands for one case with each real server."""

    def __init__(self):
        self._cases = []

    def case(self, sentence):
        """Adds the decorated coroutine function, which takes the world (and the peer, if the sentence names one)."""

        def add(function):
            self._cases.append((sentence, function))
            return function

        return add

    def expand(self, peers):
        """All cases as (sentence, function, further arguments)."""
        for sentence, function in self._cases:
            if "{peer}" in sentence:
                for peer in peers:
                    yield sentence.format(peer=peer.name), function, (peer.name,)
            else:
                yield sentence, function, ()


class Report:
    """Counts and prints what became of each case."""

    def __init__(self):
        self.passed = self.failed = 0

    async def run(self, sentence, world, function, arguments):
        """Runs one case; when it fails, shows why, and what the servers logged meanwhile."""
        marks = world.log_marks()
        start = time.monotonic()
        try:
            world.check_all_run()
            await asyncio.wait_for(function(world, *arguments), CASE_DEADLINE)
        except Exception as error:  # a case may fail in any way; each is reported, and the next case runs
            self.fail(sentence, error)
            print(world.logs_since(marks), flush=True)
            return
        self.passed += 1
        print(f"ok    {sentence} ({(time.monotonic() - start) * 1000:.0f} ms)", flush=True)

    def fail(self, sentence, error):
        self.failed += 1
        reason = str(error) if isinstance(error, Failure) else "".join(traceback.format_exception(error))
        print(f"FAIL  {sentence}\n      {reason}", flush=True)

    def finish(self):
        """Prints the counts, alone on the last line, and returns the exit status."""
        sys.stderr.flush()
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1
