"""The door: passwords are hashed slowly on purpose, so a few at once, and before it is a line.

After a restart everybody comes back at the same moment. Whoever would have to wait for longer than
a client waits is told to come again, each after another while: a line that only grows would hash
for those who have given up, and nobody would ever get in.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bpost.errors import Refused
from bpost.protocol.codes import Reason

AT_ONCE = 2
"""How many passwords are hashed at once, so that log-ins leave room for messages."""

LINE = 256
"""How many may wait for that: two or three seconds' work."""

AGAIN_SECONDS = 10
"""Within how many seconds those who were sent away come again."""


class Door:
    """Lets a few threads at a time do what is slow on purpose."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE)
        # Guards the count of those in the line, with those who are at it; taken alone.
        self._lock = threading.Lock()
        self._here = 0

    @contextmanager
    def line(self) -> Iterator[None]:
        """Stand in the line, unless it is as long as may be.

        Begin with it, before a try is counted: one that is refused was none.

        Raises:
            Refused: ``busy``; the text says when to come again.
        """
        with self._lock:
            crowded = self._here >= LINE
            self._here += not crowded
        if crowded:
            seconds = 2 + secrets.randbelow(AGAIN_SECONDS - 1)
            text = f"Too many are coming in at this moment. Try again in {seconds} seconds."
            raise Refused(Reason.BUSY, text)
        try:
            yield
        finally:
            with self._lock:
                self._here -= 1

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place, and have it for a while."""
        with self._places:
            yield
