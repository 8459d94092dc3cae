"""What did not arrive, or could not be read, is asked for, sent again and shown in its place."""

from __future__ import annotations

from collections.abc import Callable

from bpost.client.events import MessageChanged
from bpost.client.models import Device, Entry, Posted, Prekey, Want
from bpost.protocol.replies import Delivery
from tests.client.simulated import SimulatedCase, SimulatedDevice, altered

DAY = 24 * 3600


class HealingCase(SimulatedCase):
    """Two people, and a way between them that does what a test wants."""

    def settle(self, *devices: SimulatedDevice, rounds: int = 8, seconds: float = 3) -> None:
        """Let mail flow and time pass until everything that was asked for is there."""
        for _ in range(rounds):
            for device in devices:
                device.seconds += seconds
                device.fetch()
                device.work()

    def broken(self, sent: Delivery) -> Delivery:
        """Return a delivery in which one part of the body was altered on the way."""
        middle = len(sent.body) // 2
        other = "A" if sent.body[middle] != "A" else "B"
        return altered(sent, sent.body[:middle] + other + sent.body[middle + 1 :])

    def forget_sessions(self, device: SimulatedDevice) -> None:
        """Let a device lose all sessions, as a damaged database would."""
        with device.profile.change():
            device.store.run(Device.update(sessions=None))
            device.store.forget()


class GapTest(HealingCase):
    """Messages that the server dropped."""

    def test_e43_a_dropped_message_is_sent_again_and_stands_where_it_belongs(self) -> None:
        alice, bob = self.pair()
        for text in "abc":
            alice.write("bob", text)
        _, second, last = bob.pending()
        bob.take([second, last])
        self.assertEqual(bob.shown("alice")[-3:], ["[notice]", "b", "c"])
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice"), ["first", "second", "a", "b", "c"])
        changes = bob.told(MessageChanged)
        self.assertTrue(any(e.was and e.message.text == "a" for e in changes))

    def test_e43_several_dropped_messages_come_back_in_order(self) -> None:
        alice, bob = self.pair()
        for text in "abcd":
            alice.write("bob", text)
        bob.take(bob.pending()[-1:])
        self.settle(bob, alice)
        texts = [text for text in bob.shown("alice") if text != "[notice]"]
        self.assertEqual(texts, ["first", "second", "a", "b", "c", "d"])
        (notice,) = (m for m in bob.history("alice") if m.kind == "notice")
        self.assertEqual(notice.text, "The messages missing here arrived late.")

    def test_e43_the_sender_sees_that_what_was_missing_was_delivered(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        bob.pending()
        alice.write("bob", "b")
        self.settle(bob, alice)
        self.assertEqual({m.status for m in alice.history("bob") if m.own}, {"delivered"})

    def test_a_dropped_receipt_is_made_up_for(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        bob.fetch()
        bob.seconds += 1
        bob.work()
        alice.pending()
        bob.write("alice", "b")
        self.settle(alice, bob)
        self.assertEqual(alice.history("bob")[-3].status, "delivered")
        self.assertEqual(alice.shown("bob")[-3:], ["a", "[notice]", "b"])

    def test_what_arrives_late_by_itself_is_not_shown_twice(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        alice.write("bob", "b")
        late, last = bob.pending()
        bob.take([last])
        self.settle(bob, alice)
        bob.take([late])
        self.assertEqual(bob.shown("alice"), ["first", "second", "a", "b"])

    def test_what_arrives_late_before_it_was_asked_for_is_not_asked_for(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        alice.write("bob", "b")
        late, last = bob.pending()
        bob.take([last, late])
        sent = len(self.server.sent)
        self.settle(bob, rounds=1)
        self.assertEqual(bob.store.count(Want), 0)
        self.assertEqual(len(self.server.sent), sent + 1)  # the receipt

    def test_an_own_other_device_is_asked_for_its_copy(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        self.settle(bob, alice, second)
        bob.write("alice", "a")
        second.pending()
        bob.write("alice", "b")
        self.settle(second, bob, alice)
        self.assertIn("a", second.shown("alice"))
        self.assertEqual(second.shown("alice").count("a"), 1)


class UnreadableTest(HealingCase):
    """Frames that came and could not be read."""

    def _heals(self, bob: SimulatedDevice, alice: SimulatedDevice, text: str) -> None:
        place = bob.history("alice")[-1].place
        self.settle(bob, alice)
        self.assertNotIn("[unreadable]", bob.shown("alice"))
        (healed,) = (m for m in bob.history("alice") if m.text == text)
        self.assertEqual((healed.place, healed.status, healed.failure), (place, "received", ""))
        self.assertEqual(bob.store.count(Want), 0)
        alice.write("bob", "goes on")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "goes on")

    def test_e30_an_altered_message_heals_in_its_place(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        bob.take([self.broken(*bob.pending())])
        self.assertEqual(bob.shown("alice")[-1], "[unreadable]")
        self.assertIn("asked for again", bob.history("alice")[-1].failure)
        self._heals(bob, alice, "words")

    def test_a_frame_that_cannot_even_be_parsed_heals(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        (sent,) = bob.pending()
        bob.take([altered(sent, sent.body[:-20])])
        self._heals(bob, alice, "words")

    def test_a_lost_session_heals(self) -> None:
        alice, bob = self.pair()
        self.forget_sessions(bob)
        alice.write("bob", "words")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "[unreadable]")
        self._heals(bob, alice, "words")

    def test_one_time_keys_that_come_back_heal(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        with bob.profile.change():
            bob.store.remove(Prekey, Prekey.kind == 3)  # used before the server was restored
        alice.write("bob", "words")
        bob.fetch()
        self.assertEqual(bob.shown("alice"), ["[unreadable]"])
        self._heals(bob, alice, "words")

    def test_without_one_time_keys_people_write_all_the_same(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        self.server.account("bob").devices[bob.device].one_time.clear()
        alice.write("bob", "words")
        bob.fetch()
        self.assertEqual(bob.shown("alice"), ["words"])

    def test_a_placeholder_and_its_gap_are_asked_for_once(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        alice.write("bob", "b")
        first, second = bob.pending()
        bob.take([self.broken(first), second])
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice"), ["first", "second", "a", "b"])
        self.assertEqual(bob.store.count(Want), 0)

    def test_an_altered_request_is_not_shown_as_a_lost_message(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        bob.pending()
        alice.write("bob", "b")
        bob.fetch()
        bob.seconds += 3
        bob.work()
        alice.take([self.broken(one) for one in alice.pending()])
        self.settle(alice, bob)
        self.assertNotIn("[unreadable]", alice.shown("bob"))
        self.settle(bob, alice, seconds=2000)
        self.assertEqual([t for t in bob.shown("alice") if len(t) == 1], ["a", "b"])


class LostTest(HealingCase):
    """What cannot be sent again is lost, and both sides see it."""

    def _lose(self, *, before: Callable[[SimulatedDevice], None]) -> list[SimulatedDevice]:
        alice, bob = self.pair()
        alice.write("bob", "words")
        bob.take([self.broken(*bob.pending())])
        before(alice)
        self.settle(bob, alice)
        return [alice, bob]

    def test_a_message_too_old_to_be_sent_again_is_lost_on_both_sides(self) -> None:
        alice, bob = self._lose(before=lambda one: setattr(one, "seconds", one.seconds + 15 * DAY))
        shown = bob.history("alice")[-1]
        self.assertEqual(shown.kind, "unreadable")
        self.assertIn("This message was lost. The sender was told.", shown.failure)
        told = alice.history("bob")[-1]
        self.assertEqual(told.status, "failed")
        self.assertIn("could not be delivered to bob", told.failure)

    def test_a_message_that_the_sender_removed_is_lost(self) -> None:
        def remove(alice: SimulatedDevice) -> None:
            with alice.profile.change():
                alice.store.remove(Entry, Entry.text == "words")

        _, bob = self._lose(before=remove)
        self.assertIn("does not have it any more", bob.history("alice")[-1].failure)

    def test_a_message_that_nobody_sent_ends_as_such(self) -> None:
        alice, bob = self.pair()
        bob.take([Delivery("{made up}", "alice", 77, 5)])
        self.settle(bob, alice)
        self.assertIn("knows of no such message", bob.history("alice")[-1].failure)

    def test_lost_numbers_are_told_at_their_notice(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        alice.write("bob", "b")
        bob.take(bob.pending()[-1:])
        with alice.profile.change():
            alice.store.remove(Entry, Entry.text == "a")
        self.settle(bob, alice)
        self.assertEqual(
            bob.history("alice")[-2].text,
            "One message was lost here. The sender was told. The sender does not have it any more.",
        )

    def test_e32_after_three_requests_without_an_answer_it_is_lost(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        bob.take([self.broken(*bob.pending())])
        self.settle(bob, rounds=12, seconds=1300)
        self.assertIn("No answer came in time", bob.history("alice")[-1].failure)
        self.assertEqual(requests_made(self, bob), 3)
        self.settle(alice, bob)  # and yet it heals when the answer comes after all
        self.assertEqual(bob.shown("alice")[-1], "words")

    def test_what_a_removed_device_sent_is_lost(self) -> None:
        _, bob = self.pair()
        with bob.profile.change():
            bob.parts.wants.miss_numbers("alice", "A" * 16, "direct:alice:bob", [3], 0)
        self.settle(bob)
        self.assertEqual([want.lost for want in bob.store.all(Want)], [True])


def requests_made(case: HealingCase, device: SimulatedDevice) -> int:
    """Return how many requests a device has made: frames of an errand, each a hash of its own."""
    with device.store.reading():
        known = {row.ref for row in device.store.all(Posted, Posted.payload == "")}
    return sum(request.ref in known for _, request in case.server.sent)
