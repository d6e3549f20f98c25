"""What all pairs of servers have in common."""

import asyncio
from dataclasses import dataclass

from harness.waiting import Failure, check

DOMAINS = ("a.test", "b.test")
"""The domains of the side that sends and of the side that receives."""

TEXT_BYTES = 100
"""The length of each message's text."""

ORDER_DEADLINE = 120.0
"""Seconds that one order to a load tool may take."""

LOG_LINES_SHOWN = 20
"""How many of each server's last log lines a failure shows."""


@dataclass(frozen=True)
class Outcome:
    """What one order to send came to; latencies in µs, from the sender's hand to the receiver's."""

    count: int
    seconds: float
    p50: int
    p90: int
    p99: int


class Pair:
    """Two servers that federate, and what sends messages from the first to the second."""

    name = ""

    def __init__(self, servers):
        self.servers = servers

    async def start(self):
        """Starts both servers, and opens the way to what sends."""
        for server in self.servers:
            await server.start()

    async def stop(self):
        """Stops both servers; the first failure is raised when both were tried."""
        failures = []
        for server in self.servers:
            try:
                await server.stop()
            except Exception as error:  # the other one must be stopped all the same
                failures.append(error)
        if failures:
            raise failures[0]

    async def obey(self, order) -> Outcome:
        """Has messages sent as `throughput COUNT WINDOW` or `rate COUNT PER-SECOND` says."""
        raise NotImplementedError

    def logs(self):
        """The last lines that the servers have logged."""
        return "\n".join(
            f"--- {server.name} {server.domain} logged last:\n"
            + "\n".join(server.log_since({}).splitlines()[-LOG_LINES_SHOWN:])
            for server in self.servers
        )


class Lines:
    """A load tool that takes orders and answers them, a line each."""

    def __init__(self, reader, writer, owner):
        self._reader, self._writer, self._owner = reader, writer, owner

    async def ask(self, order, expected):
        """Sends an order and returns the numbers of its answer, which must begin with the word `expected`."""
        self._writer.write(f"{order}\n".encode())
        try:
            answer = await asyncio.wait_for(self._reader.readline(), ORDER_DEADLINE)
        except asyncio.TimeoutError:
            raise Failure(f"{self._owner}: no answer to '{order}' in {ORDER_DEADLINE:g} s") from None
        words = answer.decode().split()
        check(words[:1] == [expected], f"{self._owner}: '{order}' was answered with '{answer.decode().strip()}'")
        return [float(word) for word in words[1:]]
