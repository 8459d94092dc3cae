"""The pump: carries what other threads have put on queues into the Tk thread.

It looks every 50 ms and works at most 10 ms at a time, so that however much comes in, the window
keeps answering. What is left waits for the next look, which then comes sooner.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

LOOK_EVERY = 50  # milliseconds
WORK_AT_MOST = 0.010  # seconds
BREATHE = 10  # milliseconds between two looks while there is more to do

Task = Callable[[], object]


class Clockwork(Protocol):
    """What the pump needs of a widget."""

    def after(self, ms: int, func: Callable[[], object]) -> str:
        """Call ``func`` in ``ms`` milliseconds."""

    def after_cancel(self, id: str) -> None:  # noqa: A002 (tkinter calls it id)
        """Take back an `after`."""


class Pump:
    """Runs tasks from ``take`` in the Tk thread; ``take`` never waits, and gives None when dry."""

    def __init__(
        self,
        widget: Clockwork,
        take: Callable[[], Task | None],
        complain: Callable[[Exception], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._widget = widget
        self._take = take
        self._complain = complain
        self._clock = clock
        self._next: str | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._next is None:
            self._next = self._widget.after(LOOK_EVERY, self._look)

    def stop(self) -> None:
        """Look no more; what is left stays on the queues."""
        if self._next is not None:
            self._widget.after_cancel(self._next)
            self._next = None

    def _look(self) -> None:
        self._next = None
        dry = self.drain()
        if self._next is None:
            self._next = self._widget.after(LOOK_EVERY if dry else BREATHE, self._look)

    def drain(self) -> bool:
        """Run tasks for at most 10 ms; tell whether none is left."""
        deadline = self._clock() + WORK_AT_MOST
        while (task := self._take()) is not None:
            try:
                task()
            except Exception as error:  # one bad event must not stop all that follow
                self._complain(error)
            if self._clock() >= deadline:
                return False
        return True
