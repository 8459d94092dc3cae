"""Noticing that nobody is there: after so many minutes without a key or a mouse, it locks."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable

LOOK_EVERY = 5000  # milliseconds
SIGNS = ("<Any-KeyPress>", "<Any-ButtonPress>", "<Motion>", "<MouseWheel>")


class IdleWatch:
    """Calls ``lock`` once nobody has done anything in the program for ``minutes()``; 0 is never.

    The time is that of the wall, so the hours in which a computer slept count.
    """

    def __init__(
        self,
        root: tkinter.Misc,
        minutes: Callable[[], int],
        lock: Callable[[], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._minutes = minutes
        self._lock = lock
        self._clock = clock
        self._last = clock()
        for sign in SIGNS:
            root.bind_all(sign, self._alive, add="+")
        self._timer = root.after(LOOK_EVERY, self.look)

    def _alive(self, _: tkinter.Event[tkinter.Misc]) -> None:
        self.look(again=False)  # who comes back after hours finds it locked
        self._last = self._clock()

    def look(self, again: bool = True) -> None:
        """Lock, if it is time."""
        minutes, idle = self._minutes(), self._clock() - self._last
        if minutes and not 0 <= idle < minutes * 60:
            self._last = self._clock()
            self._lock()
        if again:
            self._timer = self._root.after(LOOK_EVERY, self.look)

    def stop(self) -> None:
        """Look no more."""
        self._root.after_cancel(self._timer)
