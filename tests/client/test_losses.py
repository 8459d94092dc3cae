"""What cannot be healed is told: on both sides, where it was, and why."""

from __future__ import annotations

from dataclasses import replace

from bpost.client.chains import NO_HASH
from bpost.client.epochs import EPOCH
from bpost.client.events import SecurityNotice
from bpost.client.models import Entry, Gap, Want
from bpost.client.resending import NOT_HERE
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import RETRY, TEXT
from bpost.protocol.envelope import parse_envelope
from tests.client.forging import changed, forge
from tests.client.simulated import LIMITS, SimulatedDevice, altered
from tests.client.test_rollback import RollbackCase

OLDER = "an older copy of itself"


class OwnCopyTest(RollbackCase):
    """Copies of what an own other device wrote."""

    def test_e30_the_placeholder_of_a_copy_ends_when_the_copy_comes_again(self) -> None:
        alice, bob = self.pair()
        second = self.device("alice", of=alice)
        self.settle(alice, bob, second)
        alice.write("bob", "words")
        second.take(self.broken(one) for one in second.pending())
        self.assertEqual(second.shown("alice"), ["[unreadable]"])
        self.settle(second, alice, bob)
        self.assertIn("words", second.shown("bob"))
        self.assertEqual(second.shown("alice"), ["[notice]"])
        self.assertEqual(second.history("alice")[0].text, "Nothing is missing here any more.")

    def test_a_placeholder_ends_when_its_message_came_another_way(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        (sent,) = bob.pending()
        bob.take([self.broken(sent), sent])
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice")[-2:], ["[notice]", "words"])
        self.assertEqual(bob.store.count(Want), 0)

    def test_e30_an_altered_byte_of_an_own_account_key_is_no_alarm_and_heals(self) -> None:
        alice, bob = self.pair()
        second = self.device("alice", of=alice)
        with alice.profile.change():
            alice.parts.devices.retire("alice", second.device)
        alice.connect()
        alice.write("bob", "words")  # the copy begins a session, so it names the account key
        *others, copy = second.pending()
        second.take(others)
        envelope = parse_envelope(copy.body, LIMITS)
        key = alice.profile.account.public
        sealed = envelope.to[second.device].replace(key, key[:-1] + bytes([key[-1] ^ 1]), 1)
        self.assertNotEqual(sealed, envelope.to[second.device])
        second.take([altered(copy, replace(envelope, to={second.device: sealed}).text())])
        self.assertNotIn("account-key-changed", [n.cause for n in second.told(SecurityNotice)])
        self.settle(second, alice, bob)
        self.assertIn("words", second.shown("bob"))
        self.assertNotIn("[unreadable]", second.shown("alice"))


class SealedAnewTest(RollbackCase):
    """Messages that were sealed a second time, as the same ones."""

    def test_e43_a_gap_of_what_is_there_already_ends(self) -> None:
        alice, bob = self.pair()
        written = [alice.write("bob", text) for text in "abc"]
        bob.fetch()
        with alice.profile.change():
            for message in written:
                alice.parts.outbox.queue("bob", TEXT, {"text": message.text}, message.id)
        alice.work()
        late, *_ = bob.pending()
        alice.write("bob", "d")
        bob.fetch()
        self.assertEqual(bob.history("alice")[-2].text, "3 messages are missing here.")
        bob.take([late, replace(late, seq=99)])
        self.assertEqual(bob.history("alice")[-2].text, "2 messages are missing here.")
        self.settle(bob, alice)
        self.assertEqual(bob.history("alice")[-2].text, "The messages missing here arrived late.")
        self.assertEqual(bob.shown("alice")[2:], ["a", "b", "c", "[notice]", "d"])
        self.assertEqual((bob.store.count(Gap), bob.store.count(Want)), (0, 0))


class JoinedTest(RollbackCase):
    """A device that came into the middle of a conversation."""

    def test_e43_the_first_message_for_a_device_that_joined_is_missed_at_the_next(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        self.settle(alice, bob)
        alice.write("bob", "dropped")
        second.pending()
        alice.write("bob", "arrives")
        self.settle(second, alice, bob)
        self.assertEqual(second.shown("alice"), ["dropped", "arrives"])
        self.assertNotIn("failed", [m.status for m in alice.history("bob")])
        self.assertEqual([one.lost for one in second.store.all(Want)], [True] * 2)


class RestoredTest(RollbackCase):
    """A profile that was put back, and is asked for what it never knew."""

    def _lose(self) -> tuple[SimulatedDevice, SimulatedDevice]:
        """Let alice write what bob misses, and then be restored from before."""
        alice, bob = self.pair()
        copy = self.copy(alice)
        for text in "abc":
            alice.write("bob", text)
        bob.take(bob.pending()[-1:])
        self.restore(alice, copy)
        self.settle(bob, alice)
        return alice, bob

    def test_e30_what_a_restored_device_never_knew_is_lost_on_both_sides(self) -> None:
        alice, bob = self._lose()
        told = [m.text for m in bob.history("alice") if m.kind == "notice"]
        self.assertTrue(any("were lost here. The sender was told." in text for text in told), told)
        self.assertTrue(any("was restored from an older copy" in text for text in told), told)
        here = [m.text for m in alice.history("bob") if m.kind == "notice"]
        self.assertEqual(len([text for text in here if text.endswith(NOT_HERE)]), 1)

    def test_e30_that_a_profile_was_restored_stays_to_be_read_and_is_told_once(self) -> None:
        alice, _ = self._lose()
        alice.connect()
        alice.work()
        shown = [m.text for m in alice.history("alice") if OLDER in m.text]
        self.assertEqual(len(shown), 1)

    def test_e30_a_restored_profile_that_has_not_sent_yet_is_not_restored_again(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(alice)
        alice.write("bob", "later")
        alice.store.close()
        self.restore(alice, copy)
        for _ in range(3):
            self.server.last_refs[alice.device] = "0" * 36
            alice.connect()
        self.settle(bob, alice)
        shown = [m.text for m in alice.history("alice") if OLDER in m.text]
        self.assertEqual(len(shown), 2)  # the restore itself, and the made-up message

    def test_e43_a_number_of_before_a_restore_stands_for_no_other_message(self) -> None:
        alice, bob = self._lose()
        alice.write("bob", "dropped")
        bob.pending()
        alice.write("bob", "arrives")
        self.settle(bob, alice)
        texts = [text for text in bob.shown("alice") if text != "[notice]"]
        self.assertEqual(texts, ["first", "second", "c", "dropped", "arrives"])

    def test_e43_what_was_sent_before_a_restore_and_comes_late_is_shown(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(alice)
        alice.write("bob", "before")
        (late,) = bob.pending()
        self.restore(alice, copy)
        alice.write("bob", "after")
        self.settle(bob, alice)
        bob.take([late])
        alice.write("bob", "goes on")
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice")[2:], ["after", "before", "goes on"])

    def test_e43_a_conversation_that_a_restored_profile_begins_has_numbers_of_its_own(self) -> None:
        alice, bob, carol = self.device("alice"), self.device("bob"), self.device("carol")
        self.befriend(alice, bob, carol)
        copy = self.copy(alice)
        for text in "ab":
            alice.write("bob", text)
        bob.take(bob.pending()[-1:])
        self.restore(alice, copy)
        alice.write("bob", "c")
        alice.write("carol", "first")
        self.settle(bob, carol, alice)
        self.assertEqual([t for t in bob.shown("alice") if t != "[notice]"], ["b", "c"])
        (notice,) = (m.text for m in bob.history("alice") if m.kind == "notice")
        self.assertIn("One message was lost here.", notice)
        self.assertEqual(carol.shown("alice"), ["first"])


class HiddenTest(RollbackCase):
    """A message that is missing behind the placeholder of something else."""

    def _lose(self, device: SimulatedDevice, text: str) -> None:
        """Let a device have no more what it has written: it cannot be sent again."""
        with device.profile.change():
            device.store.remove(Entry, Entry.text == text)

    def _hide(self) -> tuple[SimulatedDevice, SimulatedDevice]:
        """Let alice's message be dropped, and something else of hers be unreadable."""
        alice, bob = self.pair()
        self.settle(alice, bob, rounds=2)
        alice.write("bob", "dropped")
        bob.pending()
        return alice, bob

    def test_e43_a_lost_message_shows_where_the_placeholder_was_of_no_message(self) -> None:
        alice, bob = self._hide()
        with alice.profile.change():
            nothing: dict[str, Json] = {"numbers": [99], "frames": [], "after": 0}
            alice.parts.errands.send("bob", bob.device, "bob", RETRY, nothing)
        alice.work()
        bob.take(self.broken(one) for one in bob.pending())
        alice.write("bob", "next")
        self._lose(alice, "dropped")
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice")[2:], ["[notice]", "next"])
        self.assertIn("One message was lost here.", bob.history("alice")[2].text)

    def test_e43_a_lost_message_shows_where_another_took_the_placeholder(self) -> None:
        alice, bob = self._hide()
        alice.write("bob", "altered")
        bob.take(self.broken(one) for one in bob.pending())
        alice.write("bob", "next")
        self._lose(alice, "dropped")
        self.settle(bob, alice)
        told = [m.text for m in bob.history("alice") if m.kind == "notice"]
        self.assertIn("altered", bob.shown("alice"))
        self.assertEqual(len([text for text in told if "One message was lost here." in text]), 1)

    def test_e43_each_gap_relies_on_a_placeholder_of_its_own(self) -> None:
        alice, bob = self.pair()
        for text in ("one", "two"):
            alice.write("bob", text)
        bob.take(self.broken(one) for one in bob.pending())
        alice.write("bob", "next")
        bob.pending()
        self.assertEqual(bob.shown("alice")[2:], ["[unreadable]", "[unreadable]"])
        bob.take([forge(alice, bob, changed(number=EPOCH + 2, previous=NO_HASH, ends=(2,)))])
        with bob.store.reading():
            rows = [row.row for row in bob.store.all(Entry, Entry.kind == "unreadable")]
            gaps = {gap.first: gap.notice for gap in bob.store.all(Gap)}
        self.assertEqual(set(gaps), {2, EPOCH + 1})
        self.assertEqual(set(gaps.values()), set(rows))

    def test_e43_a_gap_ends_also_where_its_device_counts_anew_from_before_it(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "late")
        (late,) = bob.pending()
        alice.write("bob", "next")
        bob.fetch()
        bob.take([forge(alice, bob, changed(number=1, previous="")), late])
        self.assertIn("late", bob.shown("alice"))
        self.assertEqual(bob.store.count(Gap, Gap.first == 2), 0)
