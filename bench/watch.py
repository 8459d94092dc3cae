"""A process, watched from outside through ``/proc`` (Linux)."""

from __future__ import annotations

import os
from pathlib import Path


class Watched:
    """The process ``pid``."""

    def __init__(self, pid: int) -> None:
        self._proc = Path("/proc") / str(pid)

    def cpu(self) -> float:
        """Return how many seconds of processor time it has used."""
        fields = (self._proc / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name: str = "VmRSS") -> int:
        """Return its resident memory in KiB; ``VmHWM`` is the most that it ever was."""
        return self._status(name)

    def threads(self) -> int:
        """Return how many threads it has."""
        return self._status("Threads")

    def descriptors(self) -> int:
        """Return how many files and sockets it has open."""
        return len(os.listdir(self._proc / "fd"))

    def _status(self, name: str) -> int:
        for line in (self._proc / "status").read_text(encoding="ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise LookupError(name)
