"""Plain counters, kept by whoever does what is counted, and read now and then by ``collector``."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence


class Tally:
    """Counts by label; for what happens now and then, in any thread."""

    def __init__(self) -> None:
        # Guards the counts; taken alone.
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, *label: str, count: int = 1) -> None:
        """Count something of that label, of which there are only so many."""
        with self._lock:
            self._counts[label] += count

    def all(self) -> dict[tuple[str, ...], int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)


class Histogram:
    """How often something took how long; told by one thread, read by any."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.sum = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def note(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    def upto(self) -> list[int]:
        """Return how many were within each bound, and then how many there were."""
        total, found = 0, []
        for count in list(self._counts):
            total += count
            found.append(total)
        return found
