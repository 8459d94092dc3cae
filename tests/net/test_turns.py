"""Turns: one thread at a time, none forgotten, and none that holds up the others."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import unittest
from collections.abc import Callable
from unittest import mock

from bpost.net import turns as turns_module
from bpost.net.turns import Seat, Turns
from tests.support import patience, wait_until

FOREVER = 600.0


class Reader(threading.Thread):
    """A thread that waits in its seat and does ``work`` for each byte that comes."""

    def __init__(self, turns: Turns, work: Callable[[Reader], None]) -> None:
        super().__init__(daemon=True)
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.place = turns.seat(self.near.fileno())
        self._work = work
        self.turns = turns
        self.heard = 0
        self.start()

    def run(self) -> None:
        assert self.place is not None
        while True:
            self.place.wait(None)
            with contextlib.suppress(BlockingIOError):
                if not self.near.recv(1):
                    break
                self.heard += 1
                self._work(self)
        self.place.leave()


class TurnsTest(unittest.TestCase):
    """Threads at pairs of sockets."""

    def setUp(self) -> None:
        self.turns = Turns()
        self.turns.start()
        self.readers: list[Reader] = []
        self.addCleanup(self.turns.stop)
        self.addCleanup(self.end)
        self.working = self.most = 0

    def end(self) -> None:
        for reader in self.readers:
            reader.far.close()
            reader.join(patience(20))
            self.assertFalse(reader.is_alive())
            reader.near.close()

    def reader(self, work: Callable[[Reader], None] = lambda _: None) -> Reader:
        self.readers.append(Reader(self.turns, work))
        return self.readers[-1]

    def patient(self, seconds: float = FOREVER) -> None:
        """Let nobody lose a turn for ``seconds``."""
        patch = mock.patch.object(turns_module, "PATIENCE", seconds)
        patch.start()
        self.addCleanup(patch.stop)

    def count(self, _reader: Reader) -> None:
        self.working += 1
        self.most = max(self.most, self.working)
        time.sleep(0.001)  # another would begin now
        self.working -= 1

    def test_one_works_at_a_time_and_all_come_to_it(self) -> None:
        self.patient()
        readers = [self.reader(self.count) for _ in range(20)]
        for _ in range(5):
            for reader in readers:
                reader.far.send(b"!")
        wait_until(lambda: all(reader.heard == 5 for reader in readers))
        wait_until(lambda: self.working == 0)
        self.assertEqual(self.most, 1)

    def test_e90_who_waits_elsewhere_with_a_turn_holds_nobody_up(self) -> None:
        stuck = threading.Event()
        self.addCleanup(stuck.set)
        holder = self.reader(lambda _: self.wait_for(stuck))
        holder.far.send(b"!")
        wait_until(lambda: holder.heard == 1)
        other = self.reader()
        other.far.send(b"!")
        wait_until(lambda: other.heard == 1)
        stuck.set()
        holder.far.send(b"!")
        wait_until(lambda: holder.heard == 2)

    def wait_for(self, event: threading.Event) -> None:
        event.wait()

    def test_e90_who_steps_aside_holds_nobody_up(self) -> None:
        self.patient()
        stuck = threading.Event()
        self.addCleanup(stuck.set)

        def step_aside(reader: Reader) -> None:
            reader.turns.step_aside()
            stuck.wait()

        holder, other = self.reader(step_aside), self.reader()
        holder.far.send(b"!")
        wait_until(lambda: holder.heard == 1)
        other.far.send(b"!")
        wait_until(lambda: other.heard == 1)

    def test_a_wait_with_a_deadline_ends(self) -> None:
        near, far = socket.socketpair()
        with near, far:
            seat = self.turns.seat(near.fileno())
            assert seat is not None
            for seconds in (0.3, 0.05, 0.1):
                deadline = time.monotonic() + seconds
                with self.assertRaises(TimeoutError):
                    seat.wait(deadline)
                self.assertGreaterEqual(time.monotonic(), deadline)
            far.send(b"!")
            seat.wait(time.monotonic() + patience(20))
            seat.leave()

    def test_what_is_due_is_done_without_waking_who_waits(self) -> None:
        near, far = socket.socketpair()
        with near, far:
            done: list[str] = []

            def tend(now: float) -> float | None:
                done.append(threading.current_thread().name)
                if len(done) == 2:
                    raise RuntimeError
                return None if len(done) > 2 else now + 0.01

            seat = self.turns.seat(near.fileno(), tend)
            assert seat is not None
            with self.assertRaises(TimeoutError):
                seat.wait(time.monotonic() + 0.01)
            self.assertEqual(done, ["bpost-turns"] * 2)
            with self.assertRaises(TimeoutError):
                seat.wait(time.monotonic() + 0.01)
            self.assertEqual(len(done), 3)
            seat.leave()

    def test_turns_come_in_the_order_in_which_they_were_asked_for(self) -> None:
        self.patient()
        order: list[str] = []
        first = Seat(self.turns, -1)
        first.take()
        asked = [("late", False), ("later", False), ("at once", True)]
        threads = [threading.Thread(target=self.ask, args=(order, *one)) for one in asked]
        for count, thread in enumerate(threads, 1):
            thread.start()
            wait_until(lambda count=count: len(self.turns._ready) == count)  # type: ignore[misc]
        first.pass_on()
        for thread in threads:
            thread.join()
        self.assertEqual(order, ["at once", "late", "later"])

    def ask(self, order: list[str], name: str, at_once: bool) -> None:
        seat = Seat(self.turns, -1)
        seat.take(at_once=at_once)
        order.append(name)
        seat.pass_on()

    def test_a_seat_that_was_left_is_rung_for_no_more(self) -> None:
        near, far = socket.socketpair()
        with near, far:
            seat = self.turns.seat(near.fileno())
            assert seat is not None
            seat.leave()
            again = self.turns.seat(near.fileno())
            assert again is not None
            far.send(b"!")
            again.wait(time.monotonic() + patience(20))
            self.assertFalse(seat.bell.acquire(blocking=False))
            again.leave()


class NoTurnsTest(unittest.TestCase):
    """Turns that were not started, as where the system has no epoll."""

    def test_each_waits_by_itself_and_nobody_is_held_up(self) -> None:
        turns = Turns()
        near, far = socket.socketpair()
        with near, far:
            self.assertIsNone(turns.seat(near.fileno()))
        seat = Seat(turns, -1)
        for _ in range(2):
            seat.take()
            turns.step_aside()
        turns.stop()


if __name__ == "__main__":
    unittest.main()
