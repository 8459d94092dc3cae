"""A worker: a process that runs the tests it is given, and reports what becomes of each.

The two ends of it talk through one pipe: lists of names go in, a `Report` comes out for each event.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import signal
import sys
import threading
import traceback
import unittest
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection, wait
from types import FrameType, TracebackType
from typing import TypeAlias

from tests.support import patience

GRACE = 20.0
SPAWN = multiprocessing.get_context("spawn")

# Guards the children that multiprocessing reaps from whichever thread; taken after no other.
_children = threading.Lock()

Raised: TypeAlias = (
    "tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]"
)


class Event(Enum):
    """What a worker reports; all but STARTED, ENDED and DONE are counted."""

    STARTED = "a test begins"
    PASSED = "it passed"
    FAILED = "it failed, or one of its sub-tests or fixtures did"
    SKIPPED = "it was skipped"
    ENDED = "the test is over"
    DONE = "all that was asked for is over"


@dataclass(frozen=True)
class Report:
    """One event of one test, with a traceback or a reason where the event has one."""

    event: Event
    test: str = ""
    text: str = ""


class Reporter(unittest.TestResult):
    """A result that reports each event as it happens, so that a crash can be laid to its test."""

    def __init__(self, tell: Callable[[Report], None]) -> None:
        super().__init__()
        self._tell = tell
        self.running = ""

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self.running = test.id()
        self._tell(Report(Event.STARTED, self.running))

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        self.running = ""
        self._tell(Report(Event.ENDED, test.id()))

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addSuccess(test)
        self._tell(Report(Event.PASSED, test.id()))

    def addExpectedFailure(self, test: unittest.TestCase, err: Raised) -> None:  # noqa: N802
        super().addExpectedFailure(test, err)
        self._tell(Report(Event.PASSED, test.id()))

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._tell(Report(Event.SKIPPED, test.id(), reason))

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._tell(Report(Event.FAILED, test.id(), "It passed, and it was expected to fail.\n"))

    def addError(self, test: unittest.TestCase, err: Raised) -> None:  # noqa: N802
        super().addError(test, err)
        self._tell_last(self.errors)

    def addFailure(self, test: unittest.TestCase, err: Raised) -> None:  # noqa: N802
        super().addFailure(test, err)
        self._tell_last(self.failures)

    def addSubTest(  # noqa: N802
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Raised | None
    ) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None and err[0] is not None:
            expected = issubclass(err[0], test.failureException)
            self._tell_last(self.failures if expected else self.errors)

    def _tell_last(self, found: list[tuple[unittest.TestCase, str]]) -> None:
        test, text = found[-1]
        self._tell(Report(Event.FAILED, test.id(), text))


def work(line: Connection) -> None:
    """Run lists of tests until None comes, or until the parent is gone."""
    faulthandler.enable()
    if not sys.warnoptions:
        warnings.simplefilter("default")
    # A Ctrl+C reaches every process of the terminal. The parent decides what comes of it, and
    # interrupts this one by SIGTERM: in an orderly way, so that displays and servers end too.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, _interrupt)
    with line, contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while names := line.recv():
            reporter = Reporter(line.send)
            try:
                unittest.TestLoader().loadTestsFromNames(names).run(reporter)
            except KeyboardInterrupt:
                where = reporter.running or names[-1]
                line.send(Report(Event.FAILED, where, traceback.format_exc()))
                line.send(Report(Event.ENDED, where))
                return
            line.send(Report(Event.DONE))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Leave the test, once: a second signal must not cut off the report of the first."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    raise KeyboardInterrupt


class Worker:
    """The parent's end; one thread uses it, and any may interrupt."""

    def __init__(self) -> None:
        self._line, far_end = SPAWN.Pipe()
        self._process = SPAWN.Process(target=work, args=(far_end,), name="tests")
        with _children:
            self._process.start()
        far_end.close()
        self.running = ""
        self.last = "its start"

    def tell(self, names: list[str] | None) -> None:
        """Say which tests to run next, or that there are none."""
        # A dead one does not hear it; that shows, and is counted, when its answer is awaited.
        with contextlib.suppress(OSError):
            self._line.send(names)

    def hear(self) -> Report:
        """Wait for the next event.

        Raises:
            EOFError: the process is dead.
        """
        try:
            report: Report = self._line.recv()
        except OSError as error:
            raise EOFError from error
        if report.event is Event.STARTED:
            self.running = self.last = report.test
        elif report.event is Event.ENDED:
            self.running = ""
        return report

    def interrupt(self) -> None:
        """Ask the process to leave its test and to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def end(self) -> str:
        """Wait until the process has ended, by force in the end; return what was wrong with it."""
        gone = bool(wait([self._process.sentinel], patience(GRACE)))
        if not gone:
            self._process.kill()
        with _children:
            self._process.join()
        self._line.close()
        code = self._process.exitcode or 0
        if not gone:
            return "the worker process did not end by itself: something in it still ran"
        if code < 0:
            return f"the worker process was ended by signal {-code}"
        return f"the worker process ended with exit status {code}" if code else ""
