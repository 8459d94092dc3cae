"""The processes of a run: the server that is measured, and those that load it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from bench.job import MOST_CONNECTIONS, Job, Outcome
from bench.watch import Watched

ROOT = Path(__file__).resolve().parents[1]
END_SECONDS = 20
BPOST = "bpost"
CEILING = "ceiling"
FLOOR = "floor"
SERVERS = (BPOST, CEILING, FLOOR)


class Server:
    """One of :data:`SERVERS` on a port of its own, with the figures of :class:`Watched`."""

    def __init__(self, kind: str, folder: Path) -> None:
        """Start it over ``folder`` and wait until it listens."""
        with (folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *_command(kind, folder)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        line = self._process.stdout.readline()
        if not line.startswith("listening on"):
            self._process.wait()
            log_text = (folder / "server.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"The server {kind} did not start:\n{log_text}")
        self.port = int(line.split()[2].rpartition(":")[2])
        self._watched = Watched(self._process.pid)
        self.cpu = self._watched.cpu
        self.memory = self._watched.memory

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        _end(self._process)


def _command(kind: str, folder: Path) -> list[str]:
    if kind != BPOST:
        return ["bench.reference", kind, str(folder)]
    most = str(2 * MOST_CONNECTIONS)
    flags = ["--data", str(folder), "--port", "0", "--limits", "off", "--log-level", "warning"]
    return ["bpost.server", *flags, "--connections", most, "--connections-address", most]


class Loads:
    """The load processes of one job, in step with each other."""

    def __init__(self, server: Server, job: Job, processes: int) -> None:
        """Start them; each begins to log its connections in."""
        there = replace(job, port=server.port)
        self._processes = [_load(there.share(part, processes)) for part in range(processes)]

    def ready(self) -> None:
        """Wait until all connections are logged in."""
        for process in self._processes:
            if _line(process) != "ready":
                raise RuntimeError("A load process could not log in; it says why above.")

    def run(self) -> Outcome:
        """Let them go; return what they saw together."""
        for process in self._processes:
            assert process.stdin is not None  # noqa: S101 - for the type checker
            process.stdin.write("go\n")
            process.stdin.flush()
        outcome = Outcome()
        for process in self._processes:
            outcome.add(Outcome.read(_line(process)))
        return outcome

    def __enter__(self) -> Loads:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.kill()
            _end(process)


def _load(job: Job) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.load", job.text()]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - for the type checker
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError("A load process ended early; it says why above.")
    return line


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
