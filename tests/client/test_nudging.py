"""A last message that was lost is noticed, though nothing follows it."""

from __future__ import annotations

from bpost.client.outbox import SENT_ANEW
from bpost.errors import UsageError
from bpost.limits import DAY
from bpost.protocol.requests import Send
from tests.client.simulated import SimulatedCase, SimulatedDevice

LATE = 601.0


class NudgingTest(SimulatedCase):
    def sent(self, device: SimulatedDevice) -> int:
        """Return how many messages have left, once a device was online after ten minutes."""
        device.seconds += LATE
        device.connect()
        device.work()
        return len(self.server.sent)

    def test_e43_a_last_message_that_was_lost_comes_after_all(self) -> None:
        alice, bob = self.pair()
        alice.seconds += 1
        alice.work()  # its receipts, which would show the gap as well
        bob.fetch()
        alice.write("bob", "the last word")
        bob.pending()  # it never arrives
        self.sent(alice)
        bob.fetch()
        bob.seconds += LATE
        bob.connect()
        bob.work()
        alice.fetch()
        alice.work()
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "the last word")
        self.assertNotIn("[notice]", bob.shown("alice"))

    def test_what_was_delivered_is_not_followed_up(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "hello")
        bob.fetch()
        bob.seconds += 1
        bob.work()
        alice.fetch()
        alice.seconds += 1
        alice.work()  # its own receipts
        before = len(self.server.sent)
        self.assertEqual(self.sent(alice), before)

    def test_somebody_who_is_away_gets_one_frame_more_and_no_other(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "hello")
        before = len(self.server.sent)
        self.assertEqual(self.sent(alice), before + 1)
        self.assertEqual(self.sent(alice), before + 1)
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "hello")
        self.assertIsInstance(self.server.sent[-1][1], Send)

    def test_what_is_not_old_enough_may_still_be_delivered(self) -> None:
        alice, _ = self.pair()
        alice.write("bob", "hello")
        before = len(self.server.sent)
        alice.connect()
        alice.work()
        self.assertEqual(len(self.server.sent), before)


class AgainTest(SimulatedCase):
    """What was lost for good is sent again as a new message."""

    def lost(self) -> tuple[SimulatedDevice, SimulatedDevice]:
        """Return alice, whose message was lost after 14 days, and bob, who never got it."""
        alice, bob = self.pair()
        alice.write("bob", "lost")
        bob.pending()
        for device in (alice, bob):
            device.seconds += 15 * DAY
            device.connect()
        alice.write("bob", "next")
        bob.fetch()
        bob.seconds += 3
        bob.work()
        alice.fetch()
        alice.work()
        bob.fetch()
        return alice, bob

    def test_a_lost_message_goes_as_a_new_one_and_its_place_says_so(self) -> None:
        alice, bob = self.lost()
        failed = next(m for m in alice.history("bob") if m.text == "lost")
        self.assertEqual(failed.status, "failed")
        with alice.profile.change() as events:
            now, told = alice.parts.outbox.retry(failed.id)
            events += told
        alice.work()
        self.assertNotEqual(now, failed.id)
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "lost")
        self.assertEqual(alice.shown("bob")[-1], "lost")
        place = next(m for m in alice.history("bob") if m.id == failed.id)
        self.assertEqual((place.kind, place.text), ("notice", SENT_ANEW))
        with self.assertRaises(UsageError):
            alice.parts.outbox.retry(failed.id)


class NotesTest(SimulatedCase):
    def test_a_note_from_before_the_other_device_was_known_reaches_it(self) -> None:
        bob = self.device("bob")
        second = self.device("bob", of=bob)
        bob.link.answers.clear()
        with bob.profile.change():  # it has not heard of the other one
            bob.parts.outbox.write("bob", "milk, bread")
            bob.parts.outbox.seal_for("bob", 1)
        second.fetch()
        self.assertNotIn("milk, bread", second.shown("bob"))
        bob.fetch()
        bob.connect()
        bob.work()
        second.fetch()
        self.assertIn("milk, bread", second.shown("bob"))
        self.assertEqual(bob.shown("bob").count("milk, bread"), 1)
