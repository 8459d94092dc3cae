"""The sweeper: collects garbage in the Tk thread, and nowhere else.

Python collects cycles in whatever thread happens to fill the nursery. Closed windows are such
cycles, with variables and pictures in them that call Tk when they go; out of another thread that
call waits for the Tk thread, fails, or ends the program (Tcl_AsyncDelete). So while the window is
open, the collector is off, and this timer does its work.
"""

from __future__ import annotations

import gc

from client_tk.pump import Clockwork

SWEEP_EVERY = 1_000  # milliseconds
WHOLE_AFTER = 60  # sweeps


class Sweeper:
    """Collects the young garbage each second, all of it each minute."""

    def __init__(self, widget: Clockwork) -> None:
        self._widget = widget
        self._sweeps = 0
        self._next: str | None = None

    def start(self) -> None:
        """Take over from Python's collector."""
        gc.disable()
        self._next = self._widget.after(SWEEP_EVERY, self._sweep)

    def stop(self) -> None:
        """Give the work back."""
        if self._next is not None:
            self._widget.after_cancel(self._next)
            self._next = None
            gc.enable()

    def _sweep(self) -> None:
        self._sweeps += 1
        gc.collect(2 if self._sweeps % WHOLE_AFTER == 0 else 1)
        self._next = self._widget.after(SWEEP_EVERY, self._sweep)
