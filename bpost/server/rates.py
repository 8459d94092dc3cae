"""Token buckets: how often one may do something (PROTOCOL: Limits)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from bpost.limits import Limits, Rate

PRUNE_AT = 10_000
"""When a meter holds this many buckets, those that are full again are forgotten."""


class Meter:
    """A bucket for each key, filled at one rate."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        # Guards the buckets: for each key what is left, and when that was so.
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        self._prune_at = PRUNE_AT

    def take(self, key: Hashable) -> float:
        """Take one, and return 0; or return how many seconds to wait, and take none."""
        now = self._clock()
        with self._lock:
            left = self._left(key, now)
            if left < 1:
                return (1 - left) * self._rate.seconds / self._rate.count
            self._buckets[key] = (left - 1, now)
            if len(self._buckets) > self._prune_at:
                self._prune(now)
        return 0.0

    def give_back(self, key: Hashable) -> None:
        """Undo a :meth:`take` whose purpose did not come about."""
        now = self._clock()
        with self._lock:
            self._buckets[key] = (min(self._left(key, now) + 1, self._rate.capacity), now)

    def _left(self, key: Hashable, now: float) -> float:
        left, then = self._buckets.get(key, (self._rate.capacity, now))
        return min(left + (now - then) * self._rate.count / self._rate.seconds, self._rate.capacity)

    def _prune(self, now: float) -> None:
        full = [key for key in self._buckets if self._left(key, now) >= self._rate.capacity]
        for key in full:
            del self._buckets[key]
        self._prune_at = max(PRUNE_AT, 2 * len(self._buckets))


class _Open(Meter):
    """A meter that never says no."""

    def take(self, key: Hashable) -> float:  # noqa: ARG002
        return 0.0

    def give_back(self, key: Hashable) -> None:
        pass


class Rates:
    """All meters of a post office."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        kind = Meter if limits.rates else _Open
        self.log_ins_account = kind(limits.log_ins_account, clock)
        self.log_ins_address = kind(limits.log_ins_address, clock)
        self.registrations_address = kind(limits.registrations_address, clock)
        self.sends = kind(limits.sends, clock)
        self.bundles = kind(limits.bundles, clock)
        self.bundles_pair = kind(limits.bundles_pair, clock)
        self.requests = kind(limits.requests, clock)
        self.excess = kind(limits.excess, clock)


def wait_text(seconds: float) -> str:
    """Say how long to wait, in whole seconds."""
    whole = int(seconds) + 1
    return f"Try again in {whole} second{'s' if whole != 1 else ''}."
