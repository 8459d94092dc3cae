"""Handing mail over: order, windows, gaps."""

from __future__ import annotations

import contextlib
import threading
import unittest

from bpost.errors import StoreError
from bpost.limits import Limits
from bpost.protocol.codes import SEPARATOR
from bpost.server.desk import QUEUE, WINDOW, Desk
from bpost.server.records import PLAIN, Mail, Mailbox
from tests.server.parts import FakeWire
from tests.support import wait_until

DEVICE = "d" * 16


class Shelf:
    """A mailbox in memory, and the cursors that were moved."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.moved: dict[tuple[int, str], int] = {}
        self.broken = False
        self.reads = 0

    def put(self, count: int = 1, size: int = 1) -> list[Mail]:
        """Add mail."""
        first = len(self.mails) + 1
        new = [Mail(2, seq, "alice", "x" * size, 5) for seq in range(first, first + count)]
        self.mails += new
        return new

    def waiting(self, account: int, after: int, most: int, size: int) -> list[Mail]:
        self.reads += 1
        if self.broken:
            raise StoreError("no")
        return [mail for mail in self.mails if mail.seq > after][:most]

    def move(self, account: int, device: str, seq: int) -> None:
        self.moved[(account, device)] = seq


class DeskTest(unittest.TestCase):
    """One device at a time."""

    def setUp(self) -> None:
        self.shelf, self.wire = Shelf(), FakeWire()

    def desk(
        self,
        device: str = DEVICE,
        cursor: int = 0,
        limits: Limits | None = None,
        *,
        opened: bool = True,
    ) -> Desk:
        """Make a desk, and let its mail flow."""
        mailbox = Mailbox(2, device, cursor)
        desk = Desk(self.wire, mailbox, self.shelf.waiting, self.shelf, limits or Limits())  # type: ignore[arg-type]
        if opened:
            with contextlib.suppress(StoreError):
                desk.open()
        return desk

    def handed(self) -> list[int]:
        """Return the numbers that were handed over since the last look."""
        return [int(frame[3]) for frame in self.wire.frames()]

    def test_nothing_comes_before_the_desk_is_opened(self) -> None:
        desk = self.desk(opened=False)
        self.shelf.put(2)
        desk.offer(self.shelf.put())
        desk.fill()
        desk.look()
        desk.acknowledge(3)
        self.assertEqual((self.handed(), desk.opened), ([], False))
        desk.open()
        self.assertEqual((self.handed(), desk.opened), ([1, 2, 3], True))

    def test_what_waits_comes_first_and_then_what_is_offered(self) -> None:
        desk = self.desk(cursor=1)
        self.shelf.put(3)
        desk.fill()
        desk.offer(self.shelf.put(2))
        self.assertEqual(self.handed(), [2, 3, 4, 5])

    def test_s44_a_gap_is_filled_from_the_store_in_order(self) -> None:
        desk = self.desk()
        desk.fill()
        self.shelf.put(2)
        desk.offer(self.shelf.put(1))
        desk.offer(self.shelf.put(1))
        self.assertEqual(self.handed(), [1, 2, 3, 4])

    def test_s44_mail_that_comes_while_the_store_is_read_is_not_forgotten(self) -> None:
        desk = self.desk()
        self.shelf.put(2)
        waiting = self.shelf.waiting

        def read_slowly(*asked: int) -> list[Mail]:
            found = waiting(*asked)
            if not found and len(self.shelf.mails) < 3:
                desk.offer(self.shelf.put(1))
            return found

        desk._waiting = read_slowly
        desk.fill()
        self.assertEqual(self.handed(), [1, 2, 3])

    def test_what_was_handed_over_is_not_handed_over_again(self) -> None:
        desk = self.desk()
        new = self.shelf.put(2)
        desk.fill()
        desk.offer(new)
        self.assertEqual(self.handed(), [1, 2])

    def test_a_window_of_messages_is_on_the_way_at_most(self) -> None:
        desk = self.desk()
        self.shelf.put(WINDOW + 10)
        desk.fill()
        self.assertEqual(len(self.handed()), WINDOW)
        desk.offer(self.shelf.put(1))
        self.assertEqual(self.handed(), [])
        desk.acknowledge(5)
        self.assertEqual(self.handed(), list(range(WINDOW + 1, WINDOW + 6)))
        desk.acknowledge(WINDOW + 5)
        self.assertEqual(self.handed(), list(range(WINDOW + 6, WINDOW + 12)))

    def test_a_window_of_bytes_is_on_the_way_at_most(self) -> None:
        desk = self.desk(limits=Limits(unacknowledged=10_000))
        self.shelf.put(10, size=4000)
        desk.fill()
        self.assertEqual(self.handed(), [1, 2, 3])
        desk.acknowledge(3)
        self.assertEqual(self.handed(), [4, 5, 6])

    def test_acknowledging_more_than_was_handed_over_counts_for_what_was(self) -> None:
        desk = self.desk()
        self.shelf.put(2)
        desk.fill()
        desk.acknowledge(1_000_000)
        self.assertEqual(self.shelf.moved, {(2, DEVICE): 2})

    def test_a_plain_client_acknowledges_by_taking(self) -> None:
        desk = self.desk(PLAIN)
        self.shelf.put(WINDOW * 3)
        desk.fill()
        self.assertEqual(len(self.wire.frames()), WINDOW * 3)
        self.assertEqual(self.shelf.moved, {(2, PLAIN): WINDOW * 3})

    def test_what_a_plain_client_has_not_taken_is_not_acknowledged(self) -> None:
        desk = self.desk(PLAIN)
        self.shelf.put(3)
        self.wire.queued = len(SEPARATOR.join(("5", "x", "alice"))) + 1
        desk.fill()
        self.assertEqual(self.shelf.moved, {(2, PLAIN): 1})
        self.wire.open, self.wire.queued = False, 0
        desk.look()
        self.assertEqual(self.shelf.moved, {(2, PLAIN): 1})

    def test_a_plain_client_that_reads_slowly_goes_on_when_it_has_read(self) -> None:
        desk = self.desk(PLAIN)
        self.shelf.put(WINDOW + 5)
        self.wire.queued = QUEUE
        desk.fill()
        self.assertEqual(self.wire.frames(), [])
        self.wire.queued = 0
        desk.look()
        self.assertEqual(len(self.wire.frames()), WINDOW + 5)

    def test_a_large_mailbox_is_not_poured_into_the_queue(self) -> None:
        desk = self.desk()
        self.shelf.put(30, size=100_000)
        self.wire.frozen = True
        desk.fill()
        self.assertEqual(self.handed(), [1, 2, 3])
        self.wire.queued = 0
        desk.acknowledge(1)
        self.assertEqual(self.handed(), [4, 5, 6])

    def test_a_store_that_fails_stops_nothing_for_good(self) -> None:
        desk = self.desk()
        self.shelf.put(2)
        self.shelf.broken = True
        with self.assertRaises(StoreError):
            desk.fill()
        self.shelf.broken = False
        desk.look()
        self.assertEqual(self.handed(), [1, 2])

    def test_nothing_is_read_for_a_connection_that_has_ended(self) -> None:
        desk = self.desk(opened=False)
        self.shelf.put(2)
        self.wire.open = False
        desk.open()
        self.assertEqual(self.shelf.reads, 0)

    def test_s44_two_threads_hand_over_and_acknowledge_without_a_gap_or_a_stop(self) -> None:
        desk = self.desk()
        desk.fill()
        total, lock = 5000, threading.Lock()

        def deliver() -> None:
            for _ in range(total // 10):
                with lock:
                    new = self.shelf.put(10)
                desk.offer(new)

        def acknowledge() -> None:
            seen = 0
            while seen < total:
                count = len(self.wire.sent)
                if count > seen:
                    seen = count
                    desk.acknowledge(seen)

        threads = [threading.Thread(target=work, daemon=True) for work in (deliver, acknowledge)]
        for thread in threads:
            thread.start()
        wait_until(lambda: not any(thread.is_alive() for thread in threads), what="the last ack")
        self.assertEqual(self.handed(), list(range(1, total + 1)))


if __name__ == "__main__":
    unittest.main()
