"""Run a suite in worker processes, class by class, and lose no test on the way.

The longest class comes first: one that lasts says so with an attribute `lasts` (about how many
seconds). The tests of windows share one display and its keyboard: one worker at a time runs
them. Where a worker dies, the test that it ran has failed, and a new worker goes on after it.

(unittest-parallel was looked at: it waits for ever for a worker that died. pytest-xdist does not,
but brings a second way to write, collect and name tests.)
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import unittest
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support import patience
from tests.tally import Tally
from tests.worker import GRACE, Event, Reporter, Worker

WINDOWS = "tests.client_tk."
SHORT = 0.2


@dataclass
class Unit:
    """The tests of one class: what is given to a worker at a time."""

    name: str
    lasts: float = 0.0
    tests: list[str] = field(default_factory=list)

    @property
    def on_screen(self) -> bool:
        """Tell whether these tests open windows."""
        return self.name.startswith(WINDOWS)


class Queue:
    """The units that no worker has begun."""

    def __init__(self, units: list[Unit]) -> None:
        # Guards the two below; taken after no other.
        self._lock = threading.Lock()
        self._waiting = sorted(units, key=lambda unit: (-unit.lasts, unit.name))
        self._display_taken = False

    def take(self, last: Unit | None) -> Unit | None:
        """Give ``last`` back as done, and choose the next: the longest that may start now.

        What needs the display goes first where that is free: its row is the one that must not
        begin late. So nobody who finds it taken need wait, and whoever has it ends that row.
        """
        with self._lock:
            if last and last.on_screen:
                self._display_taken = False
            fit = [unit for unit in self._waiting if not (unit.on_screen and self._display_taken)]
            chosen = next((unit for unit in fit if unit.on_screen), fit[0] if fit else None)
            if chosen:
                self._waiting.remove(chosen)
                self._display_taken = self._display_taken or chosen.on_screen
            return chosen

    def empty(self) -> int:
        """Drop what waits; return how many tests that was."""
        with self._lock:
            dropped = sum(len(unit.tests) for unit in self._waiting)
            self._waiting.clear()
            return dropped


class Overseer(threading.Thread):
    """One place of work: keeps a worker there, and tallies what it reports."""

    def __init__(self, queue: Queue, tally: Tally, number: int) -> None:
        super().__init__(name=f"overseer {number}")
        self._queue = queue
        self._tally = tally
        self._worker: Worker | None = None
        self._interrupted = False
        # What to wait for: an interrupted join() takes a thread for ended (CPython 3.10, 3.11).
        self.over = threading.Event()

    def run(self) -> None:
        try:
            self._work()
        finally:
            self.over.set()

    def _work(self) -> None:
        unit = None
        while unit := self._queue.take(unit):
            begun = time.monotonic()
            left = list(unit.tests)
            while left and not self._interrupted:
                self._attempt(unit, left)
            self._tally.time(unit.name, time.monotonic() - begun)
        if self._worker:
            self._worker.tell(None)
            if wrong := self._worker.end():
                self._tally.fail(self._worker.last, f"After this test, {wrong}.")

    def interrupt(self) -> None:
        """Leave the test that runs, and begin no other."""
        self._interrupted = True
        if self._worker:
            self._worker.interrupt()

    def kill(self) -> None:
        """End the worker, which does not heed the interruption."""
        if self._worker:
            self._worker.kill()

    def _attempt(self, unit: Unit, left: list[str]) -> None:
        """Run the tests in ``left``, taking out what has begun, until a worker dies of one."""
        worker = self._worker = self._worker or Worker()
        before = len(left)
        worker.tell(left)
        try:
            excused = self._listen(worker, left)
        except EOFError:
            self._worker = None
            wrong = worker.end() or "the worker process ended"
            if worker.running:
                self._tally.fail(worker.running, f"While this test ran, {wrong}.")
            elif not self._interrupted:
                self._tally.fail(unit.name, f"After {worker.last}, {wrong}.")
            if len(left) == before:
                left.clear()
            return
        if left and not excused:
            self._tally.fail(unit.name, f"Never run, without a reason: {', '.join(left)}.")
        left.clear()

    def _listen(self, worker: Worker, left: list[str]) -> bool:
        """Tally reports until all is done; return whether a fixture kept tests from running."""
        excused = False
        while (report := worker.hear()).event is not Event.DONE:
            if report.event is Event.STARTED:
                left.remove(report.test)
            elif not worker.running and report.event in (Event.FAILED, Event.SKIPPED):
                excused = True
            self._tally.take(report)
        return excused


def cases(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """Yield each test of a suite."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def divide(suite: unittest.TestSuite) -> tuple[list[Unit], unittest.TestSuite]:
    """Return a unit for each class, and apart from these the modules that did not load."""
    units: dict[str, Unit] = {}
    broken = unittest.TestSuite()
    for test in cases(suite):
        kind = type(test)
        if kind.__module__.startswith("unittest."):
            broken.addTest(test)
            continue
        name = f"{kind.__module__}.{kind.__qualname__}"
        unit = units.setdefault(name, Unit(name, getattr(kind, "lasts", 0.0)))
        if test.id() not in unit.tests:
            unit.tests.append(test.id())
    for unit in units.values():
        unit.lasts = unit.lasts or SHORT * len(unit.tests)
    return list(units.values()), broken


def default_workers() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(suite: unittest.TestSuite, count: int) -> bool:
    """Run ``suite`` in ``count`` workers and print the sum; return whether it was a success."""
    units, broken = divide(suite)
    tally, queue = Tally(), Queue(units)
    broken.run(Reporter(tally.take))
    crew = [Overseer(queue, tally, number) for number in range(1, min(count, len(units)) + 1)]
    finished = True
    try:
        for overseer in crew:
            overseer.start()
        for overseer in crew:
            overseer.over.wait()
    except KeyboardInterrupt:
        finished = False
        dropped = queue.empty()
        interrupt(crew)
        print(f"\nInterrupted: {dropped} more tests were not begun.", file=sys.stderr)
    return tally.sum_up() and finished


def interrupt(crew: list[Overseer]) -> None:
    """Have everybody leave the running test; return when all have ended."""
    started = [overseer for overseer in crew if overseer.ident]
    # A second Ctrl+C, from an impatient user, ends the patience and not the tidying up.
    with contextlib.suppress(KeyboardInterrupt):
        for overseer in started:
            overseer.interrupt()
        for overseer in started:
            overseer.over.wait(patience(GRACE))
    for overseer in started:
        if not overseer.over.is_set():
            overseer.kill()
            overseer.over.wait()
