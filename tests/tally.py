"""What became of the tests of one run: told as it comes, summed up at the end."""

from __future__ import annotations

import sys
import threading
from collections import Counter

from tests.worker import Event, Report

LONGEST = 10


class Tally:
    """The counts of one run, to which any thread adds."""

    def __init__(self) -> None:
        # Guards all below, and keeps lines whole; taken after no other.
        self._lock = threading.Lock()
        self._counts: Counter[Event] = Counter()
        self._skips: list[Report] = []
        self._failures: list[str] = []
        self._times: list[tuple[float, str]] = []

    def take(self, report: Report) -> None:
        """Count one event; a failure is shown at once, whole."""
        sign = {Event.PASSED: ".", Event.SKIPPED: "s"}.get(report.event, "")
        with self._lock:
            self._counts[report.event] += 1
            if report.event is Event.SKIPPED:
                self._skips.append(report)
            elif report.event is Event.FAILED:
                self._failures.append(report.test)
                sign = f"\n{'=' * 70}\nFAILED: {report.test}\n{'-' * 70}\n{report.text}\n"
            print(sign, end="", file=sys.stderr, flush=True)

    def fail(self, test: str, why: str) -> None:
        """Count a failure that the test could not report by itself."""
        self.take(Report(Event.FAILED, test, why + "\n"))

    def time(self, name: str, seconds: float) -> None:
        """Note how long a class took."""
        with self._lock:
            self._times.append((seconds, name))

    def sum_up(self) -> bool:
        """Print what to know of the run, with the counts last; return whether it was a success."""
        print(file=sys.stderr, flush=True)
        for seconds, name in sorted(self._times, reverse=True)[:LONGEST]:
            print(f"{seconds:6.1f} s  {name}")
        for skip in self._skips:
            print(f"skipped: {skip.test}: {skip.text}")
        for name in self._failures:
            print(f"failed: {name}")
        passed, failed = self._counts[Event.PASSED], self._counts[Event.FAILED]
        print(
            f"{passed} passed, {failed} failed, {self._counts[Event.SKIPPED]} skipped", flush=True
        )
        return failed == 0 and passed > 0
