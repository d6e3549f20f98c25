"""What is compared: three programs that take lines and pass them on."""

import os
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
SINKS = 4
START_DEADLINE = 20.0
"""Seconds that a program may take until it listens."""


class Failed(Exception):
    """Something did not do what it should."""


def compile_c(source, program, *options):
    """Compiles one of the C files beside this one."""
    compiler = os.environ.get("CC", "cc")
    always = ["-O2", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra"]
    subprocess.run([compiler, *always, *options, "-o", program, HERE / source], check=True)


class Load:
    """The load tool of one candidate: see relay_load.c."""

    def __init__(self, program, host, first_port):
        self._process = subprocess.Popen(
            [program, host, str(first_port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._expect("listening")

    def ask(self, order, answer):
        """Gives an order; the words behind the answer's first."""
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return self._expect(answer)

    def stop(self):
        self._process.kill()
        self._process.wait()

    def _expect(self, answer):
        words = self._process.stdout.readline().split()
        if words[:1] != [answer]:
            raise Failed(f"the load tool said '{' '.join(words)}' where '{answer}' was expected")
        return words[1:]


class Candidate:
    """A program that relays, with its load tool."""

    name = ""

    def __init__(self, folder, build, number):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.build = build
        self.host = f"127.0.0.{60 + number}"
        self.port, self.first_sink = 7460, 7470
        self.process = None
        self.load = None

    def start(self, load_tool):
        """Starts both, and connects them."""
        self.load = Load(load_tool, self.host, self.first_sink)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        deadline = time.monotonic() + START_DEADLINE
        while not self._is_listening():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{self.name} does not listen:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        self.load.ask(f"connect {self.host} {self.port}", "connected")

    def stop(self):
        for process in filter(None, [self.load]):
            process.stop()
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def send(self, lines, per_write, per_second):
        """Sends lines through it; seconds, processor time in seconds, p50 and p99 in ns."""
        answer = self.load.ask(f"send {self.process.pid} {lines} {per_write} {per_second}", "sent")
        return [float(word) for word in answer[1:]]

    def resident_bytes(self):
        """Its memory (proc(5), VmRSS)."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failed(f"{self.name} has ended")

    def command(self):
        raise NotImplementedError

    def _is_listening(self):
        """Whether its port is taken: a look that makes no connection."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError:
                return True
            return False


class Relay(Candidate):
    """The yardstick."""

    name = "relay"

    def command(self):
        program = self.folder / "epoll_relay"
        compile_c("epoll_relay.c", program)
        return [program, self.host, str(self.port), self.host, str(self.first_sink), str(SINKS)]


class Proxy(Candidate):
    """What one would write with swift-nio."""

    name = "nio"

    def command(self):
        return [self.build / "NIOProxy", self.host, str(self.port), self.host, str(self.first_sink), str(SINKS)]


class Router(Candidate):
    """The daemon, with the two line plugins, and nothing kept on disk."""

    name = "router"
    plugins = ("line_source", "line_sink")

    def command(self):
        headers = REPOSITORY / "Sources/CPlugboard/include"
        for plugin in self.plugins:
            options = ["-shared", "-fPIC", "-fvisibility=hidden", "-I", headers]
            compile_c(f"{plugin}.c", self.folder / f"lib{plugin}.so", *options)
        configuration = self.folder / "plugboard.yaml"
        configuration.write_text(f"""
router: {{ id: {self.name}, state: {self.folder}/state, control: {self.folder}/control.sock }}
home: {{ domains: {{ home.test: {{ users: [sink0] }} }} }}
spool: {{ durable: false }}
plugin_path: [{self.folder}]
providers:
{self._providers()}
""")
        return [self.build / "plugboard", "run", "--config", configuration]

    def _providers(self):
        return f"""
  source: {{ plugin: line_source, settings: {{ listen: "{self.host}:{self.port}" }} }}
  sink: {{ plugin: line_sink, settings: {{ connect: "{self.host}:{self.first_sink}", sinks: {SINKS} }} }}"""


class Direct(Router):
    """The daemon with one plugin that passes lines on by itself: the router's sockets without its envelopes."""

    name = "direct"
    plugins = ("line_direct",)

    def _providers(self):
        settings = f'listen: "{self.host}:{self.port}", connect: "{self.host}:{self.first_sink}", sinks: {SINKS}'
        return f"""
  direct: {{ plugin: line_direct, settings: {{ {settings} }} }}"""
