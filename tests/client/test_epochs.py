"""What a device said before it was restored has an end, and who got less of it gets to know."""

from __future__ import annotations

from bpost.client.epochs import EPOCH
from bpost.client.models import Chain, End, Errand, Want
from bpost.client.resending import NOT_HERE
from bpost.protocol.content import HAVE
from tests.client.simulated import SimulatedDevice
from tests.client.test_rollback import RollbackCase


def texts(device: SimulatedDevice, name: str) -> list[str]:
    """Return the texts of a conversation."""
    return [m.text for m in device.history(name) if m.kind == "text"]


def notices(device: SimulatedDevice, name: str) -> list[str]:
    """Return the notices of a conversation."""
    return [m.text for m in device.history(name) if m.kind == "notice"]


class EndTest(RollbackCase):
    """The last messages before a restore."""

    def test_e43_a_last_message_that_was_lost_before_a_restore_comes_after_it(self) -> None:
        alice, bob = self.pair()
        self.settle(alice, bob, rounds=2)  # no receipt is left to show the gap
        alice.write("bob", "dropped")
        bob.pending()
        copy = self.copy(alice)
        alice.write("bob", "never known again")
        bob.pending()
        self.restore(alice, copy)
        bob.fetch()
        self.assertEqual(bob.store.count(Want), 1)
        self.settle(bob, alice)
        self.assertEqual(texts(bob, "alice"), ["first", "second", "dropped"])
        self.assertEqual(bob.store.count(Want), 0)

    def test_e43_what_a_restored_device_never_knew_is_lost_where_another_device_got_it(
        self,
    ) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        self.settle(alice, bob, second)
        copy = self.copy(alice)
        for text in ("both have it", "one has it"):
            alice.write("bob", text)
            bob.fetch()
        second.take(second.pending()[:1])
        self.restore(alice, copy)
        self.settle(bob, second, alice, rounds=12)
        self.assertIn("one has it", texts(bob, "alice"))
        (told,) = notices(second, "alice")
        self.assertIn("One message was lost here. The sender was told.", told)
        self.assertEqual(
            [t for t in notices(alice, "bob") if t.endswith(NOT_HERE)],
            [f"bob did not get something that was sent from here. {NOT_HERE}"],
        )

    def test_e43_a_gap_within_an_earlier_run_is_noticed(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(alice)
        for text in "abc":
            alice.write("bob", text)
        *_, late = bob.pending()
        self.restore(alice, copy)
        alice.write("bob", "after")
        self.settle(bob, alice)
        bob.take([late])
        self.settle(bob, alice)
        self.assertEqual(texts(bob, "alice")[2:], ["after", "c"])
        self.assertIn("2 messages were lost here.", "".join(notices(bob, "alice")))

    def test_e30_a_device_is_told_where_its_run_ended_once_an_hour(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(alice)
        alice.write("bob", "later")
        bob.fetch()
        self.restore(alice, copy)
        bob.fetch()
        for text in "abc":
            alice.write("bob", text)
            bob.fetch()
        self.assertEqual(bob.store.count(Errand, Errand.type == HAVE), 1)
        bob.seconds += 3601
        alice.write("bob", "d")
        bob.fetch()
        self.assertEqual(bob.store.count(Errand, Errand.type == HAVE), 2)
        bob.work()
        alice.fetch()
        alice.write("bob", "e")
        bob.seconds += 3601
        bob.fetch()
        self.assertEqual(bob.store.count(Errand), 0)
        for device in (alice, bob):
            with device.store.reading():
                self.assertEqual([one.number for one in device.store.all(End)], [2])

    def test_e30_an_end_that_nobody_can_have_seen_is_not_believed(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(alice)
        alice.write("bob", "later")
        self.restore(alice, copy)
        self.settle(bob, alice)
        with alice.store.reading():
            (known,) = alice.store.all(End)
            now = alice.store.one(Chain, Chain.device == alice.device)
        assert now is not None
        far = [known.number + 1001, EPOCH * 3 + 5000, now.number + 1]
        with bob.profile.change():
            bob.parts.errands.send("alice", alice.device, "alice", HAVE, {"numbers": list(far)})
        self.settle(bob, alice)
        with alice.store.reading():
            self.assertEqual([one.number for one in alice.store.all(End)], [known.number])

    def test_e30_two_copies_that_are_used_in_the_same_minute_use_no_number_twice(self) -> None:
        alice, bob = self.pair()
        twin = self.copy(alice).rename(self.folder / "twin")
        alice.write("bob", "one")
        for number in range(3):
            alice.seconds += 1
            now = self.copy(alice).rename(self.folder / f"turn {number}")
            self.restore(alice, twin)
            twin = now
            alice.write("bob", f"turn {number}")
        self.settle(bob, alice)
        shown = ["first", "second", "one", "turn 0", "turn 1", "turn 2"]
        self.assertEqual(texts(bob, "alice"), shown)
        self.assertNotIn("counts its messages anew", "".join(notices(bob, "alice")))


class UnawareTest(RollbackCase):
    """A restored profile that nobody told so: the server was put back with it."""

    def unaware(self) -> tuple[SimulatedDevice, SimulatedDevice]:
        """Return alice, who was put back without knowing it, and bob, who has more of her."""
        alice, bob = self.pair()
        self.settle(alice, bob, rounds=2)
        copy, last = self.copy(alice), self.server.last_refs[alice.device]
        alice.write("bob", "later")
        bob.fetch()
        self.server.last_refs[alice.device] = last
        self.restore(alice, copy)
        self.assertEqual(notices(alice, "alice"), [])
        return alice, bob

    def test_e30_what_comes_under_a_key_that_was_used_is_not_passed_over(self) -> None:
        alice, bob = self.unaware()
        alice.write("bob", "anew")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "[unreadable]")
        self.settle(bob, alice)
        self.assertEqual(texts(bob, "alice"), ["first", "second", "later", "anew"])

    def test_e43_a_message_under_a_number_that_was_used_is_missed_by_its_hash(self) -> None:
        alice, bob = self.unaware()
        alice.write("bob", "dropped")
        bob.pending()
        alice.write("bob", "next")
        self.settle(bob, alice)
        self.assertEqual(texts(bob, "alice")[2:], ["later", "dropped", "next"])
        self.assertEqual(bob.store.count(Want), 0)
