"""The pump and the lanes: nothing slow in the Tk thread, nothing lost on the way."""

from __future__ import annotations

import gc
import threading
import unittest
from collections.abc import Callable

from bpost.errors import BPostError, UsageError
from client_tk.lanes import Lanes
from client_tk.pump import BREATHE, LOOK_EVERY, Pump, Task
from client_tk.sweeper import Sweeper
from tests.support import patience, wait_until


class Clockwork:
    """Stands in for a widget: calls nothing by itself."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, Callable[[], object]]] = []

    def after(self, ms: int, func: Callable[[], object]) -> str:
        self.waiting.append((ms, func))
        return str(len(self.waiting))

    def after_cancel(self, id: str) -> None:  # noqa: A002
        self.waiting.pop(int(id) - 1)

    def step(self) -> int:
        """Let the time pass until the next call; return how long that was."""
        ms, func = self.waiting.pop(0)
        func()
        return ms


class PumpTest(unittest.TestCase):
    """What is done in one look."""

    def setUp(self) -> None:
        self.clockwork = Clockwork()
        self.now = 0.0
        self.tasks: list[Task] = []
        self.mistakes: list[Exception] = []
        self.done: list[int] = []
        self.pump = Pump(
            self.clockwork,
            lambda: self.tasks.pop(0) if self.tasks else None,
            self.mistakes.append,
            clock=lambda: self.now,
        )

    def add(self, count: int, seconds: float = 0.0) -> None:
        def work(number: int) -> None:
            self.now += seconds
            self.done.append(number)

        self.tasks += [lambda number=number: work(number) for number in range(count)]  # type: ignore[misc]

    def test_one_look_takes_all_that_fits_into_ten_milliseconds(self) -> None:
        self.add(1_000, seconds=0.001)
        self.pump.start()
        self.clockwork.step()
        self.assertEqual(self.done, list(range(10)))

    def test_what_is_left_is_done_soon_and_in_order(self) -> None:
        self.add(25, seconds=0.001)
        self.pump.start()
        waits = [self.clockwork.step() for _ in range(4)]
        self.assertEqual(waits, [LOOK_EVERY, BREATHE, BREATHE, LOOK_EVERY])
        self.assertEqual(self.done, list(range(25)))

    def test_a_mistake_in_one_task_does_not_stop_the_next(self) -> None:
        def fail() -> None:
            raise ValueError("a bad event")

        self.tasks.append(fail)
        self.add(1)
        self.pump.start()
        self.clockwork.step()
        self.assertEqual((len(self.mistakes), self.done), (1, [0]))

    def test_a_stopped_pump_looks_no_more(self) -> None:
        self.pump.start()
        self.pump.stop()
        self.assertEqual(self.clockwork.waiting, [])


class SweeperTest(unittest.TestCase):
    """Garbage is collected in one thread."""

    def test_cycles_are_collected_where_the_timer_runs_and_nowhere_else(self) -> None:
        clockwork, where = Clockwork(), []
        sweeper = Sweeper(clockwork)
        sweeper.start()
        self.addCleanup(gc.enable)

        class Cycle:
            def __init__(self) -> None:
                self.me = self

            def __del__(self) -> None:
                where.append(threading.current_thread())

        def litter() -> None:
            for _ in range(3_000):
                Cycle()

        worker = threading.Thread(target=litter)
        worker.start()
        worker.join()
        self.assertEqual(where, [])
        clockwork.step()
        self.assertEqual(set(where), {threading.current_thread()})
        sweeper.stop()
        self.assertTrue(gc.isenabled())


class LanesTest(unittest.TestCase):
    """Worker threads, and their answers."""

    def setUp(self) -> None:
        self.lanes = Lanes()
        self.addCleanup(self.lanes.close, lambda: None, patience(5))
        self.got: list[object] = []

    def collect(self, count: int) -> None:
        """Do what the answers say, until so many have come."""

        def enough() -> bool:
            while (answer := self.lanes.next_answer()) is not None:
                answer()
            return len(self.got) >= count

        wait_until(enough, what=f"{count} answers")

    def test_quick_work_is_done_in_order(self) -> None:
        for number in range(50):
            self.lanes.quick(lambda number=number: number, self.got.append)  # type: ignore[misc]
        self.collect(50)
        self.assertEqual(self.got, list(range(50)))

    def test_slow_work_does_not_hold_up_quick_work(self) -> None:
        release = threading.Event()
        self.lanes.slow(lambda: release.wait(20), self.got.append)
        self.lanes.quick(lambda: "quick", self.got.append)
        self.collect(1)
        self.assertEqual(self.got, ["quick"])
        release.set()
        self.collect(2)

    def test_an_error_goes_to_whoever_asked(self) -> None:
        def fail() -> None:
            raise UsageError("no")

        self.lanes.quick(fail, self.got.append, self.got.append)
        self.collect(1)
        self.assertIsInstance(self.got[0], BPostError)

    def test_a_mistake_comes_out_in_the_tk_thread_and_the_lane_goes_on(self) -> None:
        self.lanes.quick(lambda: [][1], self.got.append, self.got.append)
        self.lanes.quick(lambda: "next", self.got.append)
        answers: list[Callable[[], object]] = []

        def two() -> bool:
            answer = self.lanes.next_answer()
            answers.extend([answer] if answer else [])
            return len(answers) == 2

        wait_until(two)
        self.assertRaises(IndexError, answers[0])
        answers[1]()
        self.assertEqual(self.got, ["next"])

    def test_answers_for_who_is_gone_are_dropped(self) -> None:
        self.lanes.quick(lambda: "old", self.got.append)
        self.lanes.forget()
        self.lanes.quick(lambda: "new", self.got.append)
        self.collect(1)
        self.assertEqual(self.got, ["new"])

    def test_closing_does_what_was_asked_for_before(self) -> None:
        lanes, done = Lanes(), []
        lanes.quick(lambda: done.append("draft"))
        self.assertTrue(lanes.close(lambda: done.append("closed"), patience(5)))
        self.assertEqual(done, ["draft", "closed"])

    def test_closing_waits_no_longer_than_it_was_told(self) -> None:
        lanes, release, done = Lanes(), threading.Event(), threading.Event()
        self.addCleanup(release.set)
        lanes.quick(lambda: release.wait(patience(20)))
        lanes.quick(done.set)
        self.assertFalse(lanes.close(lambda: None, 0.1))
        self.assertFalse(done.is_set())


if __name__ == "__main__":
    unittest.main()
