"""What repeats itself: told at first, and then counted (MUSTS S55)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0
CAUSES = 1_000
"""How many causes are told apart at once; further ones are one cause for each event."""


@dataclass(frozen=True)
class Cause:
    """Why a line is written, and about whom."""

    level: str
    event: str
    about: str


@dataclass
class _Count:
    since: float
    told: int = 0
    untold: int = 0


class Repeats:
    """Admits so many lines of a cause in a minute, and counts those that are not written."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Guards the counts; taken alone.
        self._lock = threading.Lock()
        self._counts: dict[Cause, _Count] = {}

    def admit(self, cause: Cause, most: int) -> bool:
        """Count a line; tell whether to write it."""
        now = self._clock()
        with self._lock:
            if cause not in self._counts and len(self._counts) >= CAUSES:
                cause = Cause(cause.level, cause.event, "")
            count = self._counts.setdefault(cause, _Count(now))
            if count.told < most:
                count.told += 1
                return True
            count.untold += 1
            return False

    def over(self) -> list[tuple[Cause, int]]:
        """Forget what is older than a minute; return how often each cause was not told."""
        now = self._clock()
        with self._lock:
            old = [cause for cause, count in self._counts.items() if now - count.since >= MINUTE]
            counts = [(cause, self._counts.pop(cause).untold) for cause in old]
        return [(cause, untold) for cause, untold in counts if untold]
