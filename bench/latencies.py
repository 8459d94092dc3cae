"""Many durations in little room: counted in buckets 2 % wide, so that processes can add theirs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

STEP = math.log(1.02)
LEAST = 1e-6
SHOWN = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))


class Latencies:
    """Durations in seconds, of which only the distribution is kept."""

    __slots__ = ("buckets",)

    def __init__(self, buckets: Mapping[int, int] | None = None) -> None:
        self.buckets = Counter(buckets or {})

    def add(self, seconds: float) -> None:
        """Count one."""
        self.buckets[int(math.log(max(seconds, LEAST) / LEAST) / STEP)] += 1

    def merge(self, other: Latencies) -> None:
        """Count what another has counted."""
        self.buckets.update(other.buckets)

    def quantile(self, part: float) -> float | None:
        """Return the duration that ``part`` of all do not exceed; None where there is none."""
        left = math.ceil(part * self.buckets.total())
        for at in sorted(self.buckets):
            left -= self.buckets[at]
            if left <= 0:
                return LEAST * math.exp((at + 1) * STEP)
        return None

    def milliseconds(self) -> dict[str, float] | None:
        """Return p50, p99 and p99.9; None where nothing was counted."""
        if not self.buckets:
            return None
        return {name: round(1000 * (self.quantile(part) or 0), 2) for name, part in SHOWN}
