"""Waiting for conditions and events, always with a deadline and never for a fixed time."""

import asyncio
import inspect
import time

DEADLINE = 15.0
"""Seconds after which a wait has failed. Generous: only a failing test ever uses it up."""

POLL_INTERVAL = 0.02
"""Seconds between two looks at a condition that cannot announce itself (a port, a file, another program's log)."""


class Failure(Exception):
    """A check that did not hold, or a wait that ran out; the text is what the person who reads the report sees."""


def check(holds, text):
    """Fails with `text` unless `holds`."""
    if not holds:
        raise Failure(text)


async def until(condition, what, seconds=DEADLINE):
    """Returns the first true value of `condition()`, which may be a coroutine, or fails naming `what` was waited for."""
    end = time.monotonic() + seconds
    never = asyncio.Event()
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        check(time.monotonic() < end, f"waited {seconds:g} s in vain for {what}")
        try:
            await asyncio.wait_for(never.wait(), POLL_INTERVAL)
        except asyncio.TimeoutError:
            pass


class Mailbox:
    """All that has arrived at one place, in order; waiters are woken by each arrival."""

    def __init__(self, owner):
        self.owner = owner
        self.items = []
        self._arrival = asyncio.Event()

    def put(self, item):
        self.items.append(item)
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def first(self, matches, what, seconds=DEADLINE):
        """The first item, already here or yet to come, for which `matches(item)` holds."""
        end = time.monotonic() + seconds
        looked_at = 0
        while True:
            arrival = self._arrival
            for item in self.items[looked_at:]:
                if matches(item):
                    return item
            looked_at = len(self.items)
            try:
                await asyncio.wait_for(arrival.wait(), max(0, end - time.monotonic()))
            except asyncio.TimeoutError:
                last = "\n".join(f"    {item}" for item in self.items[-8:]) or "    nothing"
                waited = f"{self.owner} waited {seconds:g} s in vain for {what}"
                raise Failure(f"{waited}; the last to arrive:\n{last}") from None
