"""The real programs as processes: a server that can be killed, and the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import patience


class ServerProcess:
    """``python -m bpost.server`` on one port and folder, through kills and restarts."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self._flags = flags
        self.port = 0
        self.pin = ""
        self._log = open(folder.parent / "server.log", "ab")  # noqa: SIM115 - closed by stop
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "bpost.server", "--data", str(self.folder)]
        command += ["--port", str(self.port), "--limits", "off", *self._flags]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        if len(words) < 5:
            raise AssertionError(f"The server did not start: see {self._log.name}.")
        self.port, self.pin = int(words[2].rpartition(":")[2]), words[4]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"wss://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)
        self._log.close()

    def _end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(patience(20))
        if self.process.stdout is not None:
            self.process.stdout.close()


class CliUser:
    """A user who only has ``bpost-cli``."""

    def __init__(self, name: str, folder: Path, server: ServerProcess) -> None:
        self.name = name
        self._profile = folder / name
        self._server = server
        self._environment = {**os.environ, "BPOST_PASSWORD": f"the password of {name}"}

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must succeed; return what it prints."""
        process = self.begin(*arguments)
        out, err = process.communicate(stdin, timeout=patience(60))
        if process.returncode != 0:
            raise AssertionError(f"{self.name}: {arguments} returned {process.returncode}: {err}")
        return out

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        command = [sys.executable, "-m", "bpost.client", "--profile", str(self._profile)]
        command += ["--server", self._server.url, "--pin", self._server.pin, "--user", self.name]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*command, *arguments],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env=self._environment,
        )

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return a whole conversation."""
        return [json.loads(line) for line in self.run("history", name, "--json").splitlines()]
