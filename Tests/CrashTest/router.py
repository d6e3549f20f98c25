"""The router under test: the built daemon in a folder of its own."""

import json
import os
import signal
import subprocess
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 60
HOME, FAR = "home.example", "far.example"


class Trouble(Exception):
    """The test cannot go on, or has found a fault."""


class Router:
    """Starts, kills and asks `plugboard`; each start is on the same state."""

    def __init__(self, program, folder, plugins, port, senders, spool=""):
        self.program, self.folder = program, Path(folder)
        self.configuration = self.folder / "plugboard.yaml"
        self.state = self.folder / "state"
        self.log = self.folder / "log"
        self.process = None
        self.environment = {}
        """Variables for the next starts, beside this program's own."""
        self.configuration.write_text(f"""\
router: {{ id: crash, state: state, log: info, workers: 2 }}
home: {{ domains: {{ {HOME}: {{ users: any }} }} }}
plugin_path: ["{plugins}"]
spool:
  durable: true
  retry: {{ first: 100ms, max: 200ms, attempts: 1000 }}
{spool}
providers:
  sink: {{ plugin: CrashPeer, settings: {{ test: "127.0.0.1:{port}", claims: "{FAR}" }} }}
  source: {{ plugin: CrashPeer, settings: {{ test: "127.0.0.1:{port}", claims: "{','.join(senders)}" }} }}
""")

    def start(self):
        """Starts it and returns at once. The kernel kills it if this program dies."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.program, "run", "--config", str(self.configuration)],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment},
            )

    @property
    def has_ended(self):
        return self.process.poll() is not None

    def kill(self):
        """SIGKILL: nothing of the process runs any more when this returns."""
        self.process.kill()
        self.process.wait()

    def ask_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def command(self, *arguments):
        """Runs a command of the program to its end: its status, output and errors."""
        done = subprocess.run(
            [self.program, *arguments, "--config", str(self.configuration)],
            cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=START_SECONDS,
        )
        return done.returncode, done.stdout, done.stderr

    def status(self):
        """The report of a running router."""
        code, output, errors = self.command("status", "--json")
        if code != 0:
            raise Trouble(f"plugboard status: {errors}")
        return json.loads(output)

    def log_tail(self, lines=15):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def program_of(build):
    """The built program; a build folder's path in, the program's path out."""
    program = Path(build) / "plugboard"
    if not os.access(program, os.X_OK):
        raise Trouble(f"{program} is not there: run 'swift build' first")
    return str(program.resolve())
