"""When to do things: how fast to send, when to acknowledge, how long to wait to reconnect."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

from bpost.limits import Limits

Clock = Callable[[], float]

MARGIN = 0.8
"""Of the rate that the server allows; other devices of the account draw on it too."""

UNBOUNDED = 1_000_000
ASLEEP_SECONDS = 15.0


class Pace:
    """How fast to send, so that the server never has to refuse. Used by one thread."""

    def __init__(self, limits: Limits, clock: Clock = time.monotonic) -> None:
        self._per_second = MARGIN * limits.sends.count / limits.sends.seconds
        self._most = MARGIN * limits.sends.capacity if limits.rates else UNBOUNDED
        self._clock = clock
        self._tokens = self._most
        self._filled = clock()

    def allowance(self) -> int:
        """Return how many frames may leave now."""
        now = self._clock()
        gained = (now - self._filled) * self._per_second
        self._tokens, self._filled = min(self._most, self._tokens + gained), now
        return int(self._tokens)

    def take(self) -> None:
        """Note that one frame leaves."""
        self._tokens -= 1

    def seconds(self) -> float:
        """Return after how long one more may leave."""
        return max(0.0, (1 - self._tokens) / self._per_second)


class Acknowledgements:
    """Which mail the server may be told is stored: after some messages, or a short time."""

    def __init__(self, limits: Limits, clock: Clock = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()  # guards the rest; nothing is called while it is held
        self._seq: int | None = None
        self._count = 0
        self._since = 0.0

    def add(self, seq: int) -> None:
        """Note that everything up to ``seq`` is stored."""
        with self._lock:
            if self._seq is None:
                self._count, self._since = 0, self._clock()
            self._seq = seq
            self._count += 1

    def take(self) -> int | None:
        """Return what to acknowledge, which is then taken as done; None if there is nothing."""
        with self._lock:
            seq, self._seq = self._seq, None
            return seq

    def seconds(self) -> float:
        """Return after how long to acknowledge."""
        with self._lock:
            if self._seq is None:
                return float("inf")
            if self._count >= self._limits.acknowledge_after:
                return 0.0
            due = self._since + self._limits.acknowledge_seconds
            return max(0.0, due - self._clock())


class Sleep:
    """Notices that the computer was asleep: the clock on the wall went on, ours did not."""

    def __init__(self, wall: Clock = time.time, clock: Clock = time.monotonic) -> None:
        self._wall = wall
        self._clock = clock
        self._ahead = wall() - clock()

    def is_over(self) -> bool:
        """Say whether there was a sleep since this was last asked."""
        before, self._ahead = self._ahead, self._wall() - self._clock()
        return self._ahead - before > ASLEEP_SECONDS


def backoff(failures: int, limits: Limits) -> float:
    """Return how many seconds to wait after so many failures: 1, 2, 4 … 60, somewhat less."""
    whole = min(limits.reconnect_most, limits.reconnect_first * 2.0 ** min(failures - 1, 16))
    return whole * (1 - secrets.randbelow(250) / 1000)
