"""Token buckets: how often one may do something (PROTOCOL: Limits)."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Hashable
from typing import NamedTuple

from bpost import b64
from bpost.limits import Limits, Rate

PRUNE_AT = 10_000
"""When a meter holds this many buckets, those that are full again are forgotten."""


class Level(NamedTuple):
    """What is left of a bucket, and when that was so."""

    left: float
    then: float


class Meter:
    """A bucket for each key, filled at one rate."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        # Guards what follows.
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, Level] = {}
        self._prune_at = PRUNE_AT
        self.refused = 0
        """How often it said no, to be read by anyone."""

    def take(self, key: Hashable) -> float:
        """Take one, and return 0; or return how many seconds to wait, and take none."""
        now = self._clock()
        with self._lock:
            left = self._left(key, now)
            if left < 1:
                self.refused += 1
                return (1 - left) * self._rate.seconds / self._rate.count
            self._buckets[key] = Level(left - 1, now)
            if len(self._buckets) > self._prune_at:
                self._prune(now)
        return 0.0

    def give_back(self, key: Hashable) -> None:
        """Undo a :meth:`take` whose purpose did not come about."""
        now = self._clock()
        with self._lock:
            self._buckets[key] = Level(min(self._left(key, now) + 1, self._rate.capacity), now)

    def _left(self, key: Hashable, now: float) -> float:
        left, then = self._buckets.get(key, (self._rate.capacity, now))
        return min(left + (now - then) * self._rate.count / self._rate.seconds, self._rate.capacity)

    def now(self) -> float:
        """Return what the clock of this meter says."""
        return self._clock()

    def _prune(self, now: float) -> None:
        full = [key for key in self._buckets if self._left(key, now) >= self._rate.capacity]
        for key in full:
            del self._buckets[key]
        self._prune_at = max(PRUNE_AT, 2 * len(self._buckets))


class Kept(Meter):
    """A meter that survives a restart (``ledger``): its keys are kept as hashes."""

    def take(self, key: Hashable) -> float:
        return super().take(_hashed(key))

    def give_back(self, key: Hashable) -> None:
        super().give_back(_hashed(key))

    def short(self) -> dict[str, Level]:
        """Return the buckets that are not full, by their hashes; forget the others."""
        with self._lock:
            self._prune(self._clock())
            return {str(key): level for key, level in self._buckets.items()}

    def put(self, hashed: str, left: float, age: float) -> None:
        """Take over a bucket that had so much left so many seconds ago."""
        with self._lock:
            self._buckets[hashed] = Level(left, self._clock() - age)


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
        kept = Kept if limits.rates else _Open
        self.log_ins_account = kept(limits.log_ins_account, clock)
        self.log_ins_address = kept(limits.log_ins_address, clock)
        self.registrations_address = kept(limits.registrations_address, clock)
        self.sends = kind(limits.sends, clock)
        self.bundles = kind(limits.bundles, clock)
        self.bundles_pair = kind(limits.bundles_pair, clock)
        self.requests = kind(limits.requests, clock)
        self.key_changes = kind(limits.key_changes, clock)
        self.excess = kind(limits.excess, clock)

    @property
    def all(self) -> dict[str, Meter]:
        """Every meter by its name."""
        return {name: meter for name, meter in vars(self).items() if isinstance(meter, Meter)}

    @property
    def kept(self) -> dict[str, Kept]:
        """The meters that survive a restart, by their names."""
        return {name: meter for name, meter in vars(self).items() if isinstance(meter, Kept)}


def _hashed(key: Hashable) -> str:
    return b64.encode(hashlib.sha256(repr(key).encode("utf-8")).digest()[:16])


def wait_text(seconds: float) -> str:
    """Say how long to wait, in whole seconds."""
    whole = int(seconds) + 1
    return f"Try again in {whole} second{'s' if whole != 1 else ''}."
