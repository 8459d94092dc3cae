"""The clerk's rounds."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from unittest import mock

from bpost.errors import StoreError
from bpost.server import clerk
from bpost.server.config import Config
from bpost.server.desk import Desk
from bpost.server.records import PLAIN
from bpost.server.store import now_ms
from tests.server.parts import PASSWORD, OfficeTest, Visitor, device_of, reason


class ClerkTest(OfficeTest):
    """Rounds, done by hand."""

    alice: Visitor

    def cursor(self, device: str) -> int:
        """Return how far the store says bob's device is."""
        mailbox = self.office.store.devices.mailbox(self.account("bob"), device)
        assert mailbox is not None
        return mailbox.cursor

    def setUp(self) -> None:
        super().setUp()
        self.wall = now_ms()
        self.ticks = 0.0

    def after(self, days: float, ticked: float) -> None:
        """Look for old mail when the clock says that days passed, and so many ticked by."""
        self.wall += int(days * 86_400_000)
        self.ticks += ticked * 86_400
        passage = self.office.clerk._passage
        passage._ticking, passage._last = lambda: self.ticks, self.ticks - ticked * 86_400
        with mock.patch("bpost.server.passage.now_ms", return_value=self.wall):
            self.office.clerk.expire()

    def test_cursors_are_written_in_the_next_round(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        alice.ask("0", "alice", "hi", "bob")
        phone.say("5", "OK", "1")
        self.assertEqual(self.cursor(device_of(phone)), 0)
        self.office.clerk.round()
        self.assertEqual(self.cursor(device_of(phone)), 1)

    def test_cursors_that_could_not_be_written_are_written_later(self) -> None:
        alice, _ = self.friends()
        alice.ask("0", "alice", "hi", "bob")
        with mock.patch.object(
            self.office.store.devices, "move_cursors", side_effect=StoreError("full")
        ):
            self.office.clerk.round()
        self.assertEqual(self.office.cursors.latest(self.account("bob"), PLAIN), 1)
        self.office.clerk.round()
        self.assertEqual(self.cursor(PLAIN), 1)

    def test_logging_out_writes_the_cursor(self) -> None:
        alice, bob = self.friends()
        alice.ask("0", "alice", "hi", "bob")
        bob.session.leave()
        self.assertEqual(self.cursor(PLAIN), 1)

    def test_a_disabled_user_is_sent_away_and_cannot_come_back(self) -> None:
        alice, _ = self.friends()
        self.office.store.accounts.disable("alice", now_ms())
        self.office.clerk.round()
        self.assertEqual(alice.heard()[-1][:2], ["99", "disabled"])
        self.assertFalse(alice.wire.open)
        answer = self.visitor().ask("1", "alice", PASSWORD)
        self.assertEqual(answer[2], "disabled")
        self.office.store.accounts.disable("alice", None)
        self.assertEqual(self.visitor().ask("1", "alice", PASSWORD), ["1", "OK"])

    def test_s45_what_every_device_holds_is_cleared_and_what_is_old_goes(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        alice.ask("0", "alice", "CIPHERTEXT", "bob")
        phone.say("5", "OK", "1")
        self.assertIn("CIPHERTEXT", self.dump())
        self.office.cursors.write()
        self.office.clerk.clear()
        self.assertNotIn("CIPHERTEXT", self.dump())

    def test_s45_undelivered_mail_stays_for_the_retention_time(self) -> None:
        alice, bob = self.friends()
        bob.session.leave()
        alice.ask("0", "alice", "waiting", "bob")
        self.after(29, 29)
        self.assertIn("waiting", self.dump())
        self.after(2, 2)
        self.assertNotIn("waiting", self.dump())

    def test_s43_a_clock_that_jumps_ahead_costs_no_mail(self) -> None:
        alice, bob = self.friends()
        bob.session.leave()
        alice.ask("0", "alice", "waiting", "bob")
        self.after(41, 0)
        self.assertIn("clock ahead", self.log.getvalue())
        for _ in range(29):
            self.after(1, 1)
        self.assertIn("waiting", self.dump())
        self.after(-41, 0)
        self.assertIn("waiting", self.dump())
        self.after(2, 2)
        self.assertNotIn("waiting", self.dump())

    def test_s43_a_clock_that_is_ahead_at_the_start_costs_no_mail_either(self) -> None:
        alice, bob = self.friends()
        bob.session.leave()
        alice.ask("0", "alice", "waiting", "bob")
        for noted in (False, True):
            with self.subTest(noted=noted):
                if noted:
                    self.office.clerk.expire()
                self.office.store.close()
                self.office = self.open(Config(data=self.folder, limits=self.limits))
                self.after(41 + noted, 0)
                self.assertIn("waiting", self.dump())

    def write_at(self, days: float, work: Callable[[], None]) -> None:
        """Let alice write to bob when the clock has been set, right after ``work`` was done."""
        self.wall += int(days * 86_400_000)
        for module in ("passage", "mailroom"):
            patch = mock.patch(f"bpost.server.{module}.now_ms", return_value=self.wall)
            patch.start()
            self.addCleanup(patch.stop)
        work()
        self.alice.ask("0", "alice", "waiting", "bob")

    def test_s43_what_was_stamped_while_the_clock_was_behind_is_kept(self) -> None:
        self.alice, bob = self.friends()
        bob.session.leave()
        self.office.clerk.round()
        self.write_at(-60, self.office.clerk.round)
        self.after(60, 0)
        self.after(1, 1)
        self.assertIn("waiting", self.dump())

    def test_s43_what_was_stamped_just_after_a_start_with_such_a_clock_is_kept(self) -> None:
        self.alice, bob = self.friends()
        bob.session.leave()
        self.office.clerk.round()
        self.write_at(-60, self.office.clerk.start)
        self.office.clerk.stop()
        self.after(60, 0)
        self.assertIn("waiting", self.dump())

    def test_s26_a_mailbox_takes_so_much_and_takes_again_when_it_was_read(self) -> None:
        self.office.store.mail.most = 1000
        alice, bob = self.friends()
        phone = self.device("bob")
        bob.session.leave()
        answers = [alice.ask("0", "alice", "x" * 300, "bob", f"r{at}") for at in range(5)]
        self.assertEqual([reason(answer) for answer in answers], ["", "", "", "quota", "quota"])
        self.assertEqual(alice.say("0", "alice", "x", "alice")[0][1], "WillBeSent")
        phone.say("5", "OK", "3")
        self.office.cursors.write()
        self.office.clerk.clear()
        with mock.patch("bpost.server.mailroom.now_ms", return_value=now_ms() + 11_000):
            self.assertEqual(reason(alice.ask("0", "alice", "x" * 300, "bob", "r9")), "")

    def test_a_round_looks_after_the_desks_that_may_have_stopped_alone(self) -> None:
        self.friends()
        idle = self.device("bob")
        stopped = self.device("alice")
        desks = {desk.device: desk for desk in self.office.presence.all()}
        desks[device_of(stopped)]._behind = True
        with mock.patch.object(Desk, "look", autospec=True) as look:
            self.office.clerk.round()
        looked = {call.args[0].device for call in look.call_args_list}
        self.assertIn(device_of(stopped), looked)
        self.assertIn(PLAIN, looked)
        self.assertNotIn(device_of(idle), looked)

    def test_with_many_accounts_a_round_looks_after_some_and_a_tour_after_all(self) -> None:
        for name in ("alice", "bob", "carol"):
            self.user(name).session.leave()
            self.device(name)
        for desk in self.office.presence.all():
            desk._behind = True
        with mock.patch.object(clerk, "LOOKS", 1), mock.patch.object(Desk, "look") as look:
            seen = []
            for _ in range(4):
                self.office.clerk.round()
                seen.append(look.call_count)
        self.assertEqual(seen, [1, 2, 3, 4])

    def test_a_round_that_fails_is_not_the_last(self) -> None:
        self.friends()
        with mock.patch.object(
            self.office.store.accounts, "closed", side_effect=RuntimeError("bug")
        ):
            self.office.clerk.round()
        self.assertIn("RuntimeError", self.log.getvalue())
        self.office.clerk.round()


if __name__ == "__main__":
    unittest.main()
