"""Servers as child processes: started, watched, stopped and read by us alone."""

import asyncio
import os
import signal
from pathlib import Path

from harness.waiting import Failure, check, until

STOP_DEADLINE = 10.0
"""Seconds a server has between SIGTERM and SIGKILL."""

LISTEN, ESTABLISHED = "0A", "01"
"""TCP states as /proc/net/tcp spells them."""


def sockets(state):
    """The IPv4 TCP sockets in `state`, as ((local address, port), (remote address, port)) pairs."""

    def endpoint(text):
        address, port = text.split(":")
        return ".".join(str(byte) for byte in reversed(bytes.fromhex(address))), int(port, 16)

    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [(endpoint(row[1]), endpoint(row[2])) for row in rows if row[3] == state]


def is_listening(address, port):
    return any(local in ((address, port), ("0.0.0.0", port)) for local, _ in sockets(LISTEN))


class Daemon:
    """One server process in a folder of its own, where its output and logs go."""

    name = "daemon"

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs = [self.folder / "output"]
        self.process = None

    async def launch(self, *command, environment=None):
        """Starts `command`. The kernel kills it if this program dies without having stopped it."""
        with open(self.logs[0], "ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                "setpriv", "--pdeathsig", "KILL", *map(str, command),
                cwd=self.folder, env={**os.environ, **(environment or {})}, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            )

    async def until_ready(self, is_ready, what):
        """Waits until `is_ready()`; fails at once when the process has ended instead."""

        def ready_or_ended():
            ended = self.process.returncode
            if ended is not None:
                raise Failure(f"{self.name} ended with status {ended} instead of {what}")
            return is_ready()

        await until(ready_or_ended, f"{self.name} {what}")

    async def until_listening(self, address, *ports):
        await self.until_ready(
            lambda: all(is_listening(address, port) for port in ports),
            f"listening on {address}, ports {', '.join(map(str, ports))}",
        )

    async def stop(self):
        """Ends the process: politely, and after `STOP_DEADLINE` by force. Returns its status, None if it never ran."""
        if self.process is None:
            return None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), STOP_DEADLINE)
            except asyncio.TimeoutError:
                self.process.kill()
                await self.process.wait()
        return self.process.returncode

    def log_marks(self):
        """Where the logs end now; give it to `log_since` to see what came later."""
        return {log: log.stat().st_size for log in self.logs if log.exists()}

    def log_since(self, marks):
        """The log text written after `marks` were taken."""
        text = ""
        for log in self.logs:
            if log.exists():
                with open(log, "rb") as file:
                    file.seek(marks.get(log, 0))
                    text += file.read().decode(errors="replace")
        return text

    async def until_logged(self, *phrases):
        """Waits for a log line, of any time, that holds all `phrases` (letter case does not count)."""

        def line_found():
            lines = self.log_since({}).lower().splitlines()
            return any(all(phrase.lower() in line for phrase in phrases) for line in lines)

        await until(line_found, f"a line in {self.name}'s log with {phrases}")


async def output_of(*command, environment=None, seconds=30):
    """Runs a short command to its end and returns its output; fails with that output when it did not succeed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), env={**os.environ, **(environment or {})}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), seconds)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        raise Failure(f"{' '.join(map(str, command))}: still running after {seconds} s") from None
    check(
        process.returncode == 0,
        f"{' '.join(map(str, command))}: status {process.returncode}\n{errors.decode()}{output.decode()}",
    )
    return output.decode()
