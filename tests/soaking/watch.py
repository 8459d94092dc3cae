"""The process of the server through its lives: memory, threads, descriptors, and its files."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.watch import Watched
from bpost.server.store import FILE

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Sample:
    """One look at the server. Sizes are bytes."""

    memory: int
    threads: int
    descriptors: int
    database: int
    wal: int
    cpu: float

    @classmethod
    def of(cls, pid: int, folder: Path) -> Sample:
        """Look now."""
        watched = Watched(pid)
        return cls(
            watched.memory() * KIB,
            watched.threads(),
            watched.descriptors(),
            _size(folder / FILE),
            _size(folder / f"{FILE}-wal"),
            watched.cpu(),
        )


@dataclass
class Life:
    """What was seen of one life of the server."""

    number: int
    began: float = field(default_factory=time.monotonic)
    start_seconds: float = 0.0
    promised: int = 0
    samples: list[Sample] = field(default_factory=list)

    def row(self) -> list[str]:
        """Return its line of the table, as :data:`HEAD` says."""
        last = self.samples[-1]
        return [
            str(self.number),
            f"{time.monotonic() - self.began:.0f}",
            f"{self.start_seconds:.1f}",
            f"{self.promised:,}",
            f"{last.cpu:.1f}",
            " / ".join(f"{self.quarter(n, 'memory') / MIB:.0f}" for n in (0, 1, 2, 3)),
            f"{max(one.memory for one in self.samples) / MIB:.0f}",
            " / ".join(f"{self.quarter(n, 'threads'):.0f}" for n in (0, 1, 2, 3)),
            " / ".join(f"{self.quarter(n, 'descriptors'):.0f}" for n in (0, 1, 2, 3)),
            f"{last.database / MIB:.1f}",
            f"{max(one.wal for one in self.samples) / MIB:.1f}",
        ]

    def quarter(self, number: int, name: str) -> float:
        """Return the median of a figure in one quarter of the life: 0, 1, 2 or 3."""
        count = len(self.samples)
        some = self.samples[number * count // 4 : (number + 1) * count // 4] or self.samples
        return float(statistics.median(getattr(one, name) for one in some))


HEAD = (
    "life",
    "seconds",
    "start s",
    "promised",
    "CPU s",
    "memory MiB, by quarters",
    "most",
    "threads",
    "descriptors",
    "database MiB",
    "WAL MiB, most",
)
WIDTHS = (4, 7, 7, 9, 6, 23, 5, 23, 23, 12, 13)


def line(cells: Sequence[str]) -> str:
    """Return one line of the table of lives."""
    return "| " + " | ".join(c.rjust(w) for c, w in zip(cells, WIDTHS, strict=True)) + " |"


ALLOWED: dict[str, Callable[[float], float]] = {
    "memory": lambda before: before * 0.05 + 4 * MIB,
    "threads": lambda before: before * 0.05 + 8,
    "descriptors": lambda before: before * 0.05 + 8,
}
"""By how much the last quarter of a life may exceed the second one, which follows on warming up."""

LEFT_OVER = 8
"""How many threads or descriptors more than at the start may be left when all have gone."""


def growth(life: Life) -> list[str]:
    """Say what was not flat in a life without a kill: medians of its last and second quarter."""
    wrong = []
    for name, allowed in ALLOWED.items():
        before, after = life.quarter(1, name), life.quarter(3, name)
        if after > before + allowed(before):
            wrong.append(f"{name} grew from {before:,.0f} to {after:,.0f}")
    return wrong


def left_over(before: Sample, after: Sample) -> list[str]:
    """Say what is left of connections that are gone."""
    return [
        f"{name}: {getattr(before, name)} before anyone came, {getattr(after, name)} in the end"
        for name in ("threads", "descriptors")
        if getattr(after, name) > getattr(before, name) + LEFT_OVER
    ]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
