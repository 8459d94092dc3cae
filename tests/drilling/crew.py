"""The processes of a drill, as its parent sees them: workers that it tells what to do, or kills."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.client.programs import ServerProcess
from tests.support import patience

Item = tuple[str, str, str]
"""A message: the device that writes it, to whom, and what."""


class Crew:
    """One worker process and the devices that are its own, through all its lives."""

    def __init__(self, number: int, seed: str, folder: Path, server: ServerProcess) -> None:
        self.number = number
        self.devices: list[str] = []
        self._seed = seed
        self._folder = folder
        self._server = server
        self._life = 0
        self._rates = (0.0, 0.0, True)
        self._pending = 0
        self._writing: list[Item] = []
        self.start()

    @property
    def journal(self) -> Path:
        """What its lives have written down."""
        return self._folder.parent / f"journal-{self.number}"

    def start(self) -> None:
        """Begin a life."""
        self._life += 1
        self._pending = 0
        self._log = open(self._folder.parent / f"worker-{self.number}.log", "ab")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.drilling.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        task = {
            "seed": self._seed,
            "worker": self.number,
            "life": self._life,
            "folder": str(self._folder),
            "journal": str(self.journal),
            "url": self._server.url,
            "pin": self._server.pin,
        }
        self._say(task)
        self.rates(*self._rates)

    def rates(self, message: float, other: float, alters: bool = True) -> None:
        """Let new connections be so bad, in later lives too."""
        self._rates = (message, other, alters)
        self.do("rates", message=message, other=other, alters=alters)

    def write(self, items: Sequence[Item]) -> None:
        """Have messages written, and go on."""
        self._writing = list(items)
        self.begin("write", items=self._writing)

    def write_rest(self) -> None:
        """Have those written that a kill came before, as far as the journal knows."""
        lines = self.journal.read_text().splitlines()
        written = {line.split(" ", 4)[-1] for line in lines if line.startswith("wrote ")}
        rest = [one for one in self._writing if one[2] not in written]
        self.write([(device, to, f"{text} again") for device, to, text in rest])

    def begin(self, command: str, **arguments: Any) -> None:
        """Have something done, and go on."""
        self._say({"do": command, **arguments})
        self._pending += 1

    def end(self) -> Any:
        """Wait until all that was begun is done; return the last answer."""
        answer = None
        while self._pending:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            if not line:
                raise AssertionError(f"worker {self.number} ended: see its log in {self._folder}")
            self._pending -= 1
            answer = json.loads(line)
        return answer

    def do(self, command: str, **arguments: Any) -> Any:
        """Have something done; return the answer."""
        self.begin(command, **arguments)
        return self.end()

    def kill(self) -> None:
        """End it as a power cut would, in the middle of what it does."""
        self._process.send_signal(signal.SIGKILL)
        self._finish()

    def stop(self) -> None:
        """End it in order."""
        if self._process.poll() is None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.stdin = None
        self._finish()

    def _finish(self) -> None:
        try:
            self._process.wait(patience(60))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                pipe.close()

    def _say(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
