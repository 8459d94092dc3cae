"""The mailroom's promise and its bounds."""

from __future__ import annotations

import threading
import unittest
from unittest import mock

from bpost.errors import StoreError
from bpost.server import mailroom
from bpost.server.bus import MailStored, Notice
from bpost.server.mailroom import Mailroom, Posting
from bpost.server.records import Letter
from tests.server.parts import FakeWire, OfficeTest
from tests.support import patience, wait_until


class MailroomTest(OfficeTest):
    """A real mailroom, with its thread where a test starts it."""

    def setUp(self) -> None:
        super().setUp()
        self.friends()
        self.notices: list[Notice] = []
        self.office.bus.subscribe(self.notices.append)
        self.mailroom = Mailroom(self.office.store, self.office.bus, self.office.log)
        self.wire = FakeWire()

    def posting(self, body: str = "hi", ref: str | None = None, to: str = "bob") -> Posting:
        """A letter from alice."""
        letter = Letter(self.account("alice"), "alice", "plain", to, body, ref)
        return Posting(letter, self.wire, to)

    def test_many_letters_are_stored_in_one_transaction(self) -> None:
        postings = [self.posting(str(number)) for number in range(100)]
        with mock.patch.object(
            self.office.store.mail, "store", wraps=self.office.store.mail.store
        ) as store:
            self.mailroom.work(postings)
        self.assertEqual(store.call_count, 1)
        self.assertEqual(self.wire.frames(), [["0", "WillBeSent", "bob"]] * 100)
        (notice,) = self.notices
        assert isinstance(notice, MailStored)
        self.assertEqual([mail.seq for mail in notice.mails], list(range(1, 101)))

    def test_s37_the_promise_comes_after_the_commit(self) -> None:
        sent_before: list[int] = []
        database = self.office.store._database
        commit = database.commit

        def committing() -> None:
            sent_before.append(len(self.wire.sent))
            commit()

        with mock.patch.object(database, "commit", committing):
            self.mailroom.work([self.posting()])
        self.assertEqual((sent_before, len(self.wire.sent)), ([0], 1))

    def test_s37_where_the_commit_fails_the_sender_is_told_and_nothing_is_delivered(self) -> None:
        for problem in (StoreError("disk I/O error"), RuntimeError("bug")):
            with mock.patch.object(self.office.store.mail, "store", side_effect=problem):
                self.mailroom.work([self.posting(ref="r1")])
            (frame,) = self.wire.frames()
            self.assertEqual(frame[:4], ["0", "Error", "bob", "r1"])
            self.assertIn(frame[4], ("busy", "internal"))
        self.assertEqual(self.notices, [])

    def test_one_letter_that_cannot_be_stored_takes_no_other_with_it(self) -> None:
        self.mailroom.work([self.posting("a"), self.posting("\ud800"), self.posting("b")])
        words = [frame[1] for frame in self.wire.frames()]
        self.assertEqual(words, ["WillBeSent", "Error", "WillBeSent"])

    def test_posting_waits_while_the_queue_is_full(self) -> None:
        with mock.patch.object(mailroom, "WAITING", 2):
            for _ in range(2):
                self.mailroom.post(self.posting())
            third = threading.Thread(target=self.mailroom.post, args=(self.posting(),))
            third.start()
            third.join(0.2)
            self.assertTrue(third.is_alive())
            self.mailroom.start()
            third.join(patience(10))
            self.assertFalse(third.is_alive())
        self.mailroom.stop()
        self.assertEqual(len(self.wire.frames()), 3)

    def test_stopping_stores_what_was_posted_and_refuses_what_comes_later(self) -> None:
        for number in range(50):
            self.mailroom.post(self.posting(str(number)))
        self.mailroom.start()
        self.mailroom.stop()
        self.mailroom.post(self.posting("late"))
        words = [frame[1] for frame in self.wire.frames()]
        self.assertEqual(words, ["WillBeSent"] * 50 + ["Error"])

    def test_a_mistake_in_a_listener_does_not_end_the_mailroom(self) -> None:
        self.mailroom.start()
        self.addCleanup(self.mailroom.stop)
        with mock.patch.object(self.office.bus, "publish", side_effect=RuntimeError):
            self.mailroom.post(self.posting())
            wait_until(lambda: len(self.wire.sent) == 1)
        self.mailroom.post(self.posting())
        wait_until(lambda: len(self.wire.sent) == 2)


if __name__ == "__main__":
    unittest.main()
