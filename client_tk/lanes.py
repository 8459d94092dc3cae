"""The lanes: worker threads for all that the window must not wait for.

Two of them, each a thread that does one thing after the other: ``quick`` for what only touches
the profile, in the order in which it was asked for, and ``slow`` for what waits for the server or
derives keys. A slow call never holds up a quick one. The answers wait on a queue for the pump.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from bpost.errors import BPostError

T = TypeVar("T")
Failed = Callable[[BPostError], object]


class Lane:
    """One worker thread with a queue of work."""

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon, so that a call which hangs cannot keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=f"window-{name}", daemon=True)
        self._thread.start()

    def put(self, work: Callable[[], None]) -> None:
        """Do ``work`` after all that was put before."""
        self._work.put(work)

    def end(self, timeout: float) -> bool:
        """Finish what was put, then end; tell whether that is done."""
        self._work.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()


class Lanes:
    """Runs work in worker threads; `next_answer` hands out what to do with the results."""

    def __init__(self) -> None:
        self._answers: queue.SimpleQueue[tuple[int, Callable[[], object]]] = queue.SimpleQueue()
        self._age = 0  # written by the Tk thread alone
        self._lanes = {"quick": Lane("quick"), "slow": Lane("slow")}

    def quick(
        self,
        work: Callable[[], T],
        done: Callable[[T], object] = lambda _: None,
        failed: Failed | None = None,
    ) -> None:
        """Do ``work`` that only touches the profile; then ``done`` in the Tk thread."""
        self._put("quick", work, done, failed)

    def slow(
        self,
        work: Callable[[], T],
        done: Callable[[T], object] = lambda _: None,
        failed: Failed | None = None,
    ) -> None:
        """Do ``work`` that may take long; then ``done`` in the Tk thread."""
        self._put("slow", work, done, failed)

    def _put(
        self,
        lane: str,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Failed | None,
    ) -> None:
        age = self._age

        def run() -> None:
            try:
                result = work()
            except BPostError as error:
                self._answers.put((age, _answer(failed, error) if failed else _raiser(error)))
            except Exception as error:  # a mistake of ours: shown, and the lane goes on
                self._answers.put((age, _raiser(error)))
            else:
                self._answers.put((age, lambda: done(result)))

        self._lanes[lane].put(run)

    def next_answer(self) -> Callable[[], object] | None:
        """Return what to do with the next answer, or None."""
        while True:
            try:
                age, answer = self._answers.get_nowait()
            except queue.Empty:
                return None
            if age == self._age:
                return answer

    def forget(self) -> None:
        """Hand out no answer to anything that was asked so far: who asked is gone."""
        self._age += 1

    def close(self, last: Callable[[], object], timeout: float) -> bool:
        """Do ``last`` after all quick work, and end; tell whether it was done in time.

        Slow work is not waited for: its thread ends when that is done.
        """
        self._lanes["slow"].end(0)
        self._lanes["quick"].put(lambda: _quietly(last))
        return self._lanes["quick"].end(timeout)


def _answer(failed: Failed, error: BPostError) -> Callable[[], object]:
    return lambda: failed(error)


def _raiser(error: Exception) -> Callable[[], object]:
    def throw() -> None:
        raise error

    return throw


def _quietly(last: Callable[[], object]) -> None:
    # The program ends whatever comes; the profile is as it was after the last commit.
    with contextlib.suppress(BPostError):
        last()
