"""What is left of the rates that slow guessing down, kept over a restart (MUSTS S21).

Written once a second where anything was taken, so that a crash forgets a second of it. The keys
are hashes: an hour after the last try nothing of a row is left, and until then it shows no name.
"""

from __future__ import annotations

from collections.abc import Mapping

from bpost.server.rates import Kept, Level, Rates
from bpost.server.store import Store, now_ms


class Ledger:
    """Brings the kept meters of a post office into the store, and back."""

    def __init__(self, store: Store, rates: Rates) -> None:
        """Fill the meters with what the store has of them.

        Raises:
            StoreError: it cannot be read.
        """
        self._store = store
        self._meters: Mapping[str, Kept] = rates.kept
        self._written: dict[str, dict[str, Level]] = {name: {} for name in self._meters}
        now = now_ms()
        for name, key, left, wall in store.buckets.all():
            if name in self._meters:
                self._meters[name].put(key, left, max(0, now - wall) / 1000)
                self._written[name][key] = Level(left, 0.0)

    def write(self) -> None:
        """Store what has changed.

        Raises:
            StoreError: nothing is lost; the next call tries again.
        """
        for name, meter in self._meters.items():
            there, before = meter.short(), self._written[name]
            gone = before.keys() - there.keys()
            changed = {key: level for key, level in there.items() if before.get(key) != level}
            if gone or changed:
                now, ticks = now_ms(), meter.now()
                rows = {
                    key: (level.left, now - int((ticks - level.then) * 1000))
                    for key, level in changed.items()
                }
                self._store.buckets.change(name, rows, gone)
                self._written[name] = there
