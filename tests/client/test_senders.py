"""Frames that could not be read, and do not say either which device has sent them."""

from __future__ import annotations

from typing import Any
from unittest import mock

from bpost.client.causes import TOO_MANY
from bpost.client.models import Want
from bpost.protocol.replies import Delivery
from bpost.protocol.requests import GetBundles
from tests.client.simulated import SimulatedDevice, altered
from tests.client.test_healing import HealingCase

NOTHING = "Nothing is missing here any more."


class SendersCase(HealingCase):
    """Somebody with two devices, and somebody who has heard of none or one of them."""

    def people(self) -> tuple[SimulatedDevice, SimulatedDevice, SimulatedDevice]:
        """Return alice, her second device, which is about to write, and bob, who knows neither."""
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "first")
        second = self.device("alice", of=alice)
        return alice, second, bob

    def cut(self, sent: Delivery) -> Delivery:
        """Return a delivery whose end is missing: nobody is named in it any more."""
        return altered(sent, sent.body[:-20])

    def ends(self, device: SimulatedDevice, name: str) -> list[str]:
        """Return what a conversation shows but for texts, once all is over."""
        self.assertEqual(device.store.count(Want, Want.lost == 0), 0)
        return [m.text or m.failure for m in device.history(name) if m.kind != "text"]


class FirstContactTest(SendersCase):
    """The first thing that ever came from somebody cannot be read."""

    def test_e30_a_first_message_that_names_nobody_heals(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "words")
        bob.take(self.cut(one) for one in bob.pending())
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice"), ["words"])

    def test_e30_a_greeting_of_a_second_device_that_names_nobody_ends(self) -> None:
        alice, second, bob = self.people()
        bob.take(self.cut(one) for one in bob.pending())
        self.settle(bob, alice, second)
        self.assertIn("first", bob.shown("alice"))
        self.assertEqual(set(self.ends(bob, "alice")), {NOTHING})

    def test_what_is_not_asked_for_any_more_is_not_said_to_be(self) -> None:
        alice, bob = self.pair()
        with mock.patch("bpost.client.wants.FRAMES", 2):
            for text in "abc":
                alice.write("bob", text)
                bob.take(self.broken(one) for one in bob.pending())
        said = ["asked for again" in m.failure for m in bob.history("alice")[2:]]
        self.assertEqual(said, [True, True, False])
        self.assertIn(TOO_MANY, bob.history("alice")[-1].failure)

    def test_e32_the_devices_of_somebody_are_asked_for_once_an_hour(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "words")
        bob.take(self.cut(one) for one in bob.pending())
        self.server.account("alice").devices.clear()
        before = len(self.server.requests)
        self.settle(bob, rounds=40, seconds=60)
        asked = [one for _, one in self.server.requests[before:] if isinstance(one, GetBundles)]
        self.assertEqual(len([one for one in asked if one.contact == "alice"]), 1)
        self.settle(bob, rounds=12, seconds=1300)
        self.assertIn("No answer came in time", *self.ends(bob, "alice"))


class JoinedTest(SendersCase):
    """A device of somebody who is known writes for the first time."""

    def test_e30_the_first_message_of_a_device_that_joined_heals(self) -> None:
        alice, bob = self.pair()
        for change in (self.cut, self.broken):
            with self.subTest(change):
                self.settle(bob, alice)
                joined = self.device("alice", of=alice)
                joined.write("bob", change.__name__)
                *_, words = bob.pending()
                bob.take([change(words)])
                self.settle(bob, alice, joined)
                self.assertEqual(bob.shown("alice")[-1], change.__name__)
                self.assertEqual(self.ends(bob, "alice"), [])

    def test_e30_an_own_device_that_nobody_has_heard_of_is_asked_too(self) -> None:
        alice = self.device("alice")
        second = self.device("alice", of=alice)
        alice.take(self.cut(one) for one in alice.pending())
        self.settle(alice, second)
        self.assertEqual(self.ends(alice, "alice")[0], NOTHING)

    def test_e30_an_own_copy_that_this_device_has_sent_is_not_said_to_be_lost(self) -> None:
        alice, bob = self.pair()
        second = self.device("alice", of=alice)
        self.settle(alice, second, bob)
        second.write("bob", "words", work=False)
        second.dispatch.work()  # and the answer of the server is still on its way
        second.take(self.cut(one) for one in second.pending())
        for _ in range(4):
            second.seconds += 3
            second.dispatch.work()
        self.settle(second, alice, bob)
        self.assertEqual(self.ends(second, "alice"), [NOTHING])


class AnswersTest(SendersCase):
    """Several devices are asked, and one of them knows."""

    def test_e30_what_was_no_message_is_not_said_to_be_lost_whoever_answers_first(self) -> None:
        for order in (1, -1):
            with self.subTest(order=order):
                alice, second, bob = self.people()
                self.settle(bob, alice, second)
                self._ask_for_nothing(second, bob)
                self.settle(bob, *(alice, second)[::order])
                self.assertEqual(self.ends(bob, "alice")[-1], NOTHING)
                self.setUp()

    def _ask_for_nothing(self, second: SimulatedDevice, bob: SimulatedDevice) -> None:
        """Let a device send a request, of which nothing is left that names the device."""
        content: dict[str, Any] = {"numbers": [], "frames": [], "after": 1000}
        with second.profile.change():
            second.parts.errands.send("bob", bob.device, "bob", "retry", content)
        second.work()
        bob.take(self.cut(one) for one in bob.pending())

    def test_e30_a_frame_whose_place_its_sender_does_not_know_yet_is_not_lost(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words", work=False)
        alice.dispatch.work()  # and the answer of the server is still on its way
        bob.take(self.broken(one) for one in bob.pending())
        self.settle(bob, rounds=2)
        alice.fetch()
        alice.work()
        self.settle(bob, alice)
        self.settle(bob, alice, seconds=1300)
        self.assertEqual(bob.shown("alice"), ["first", "second", "words"])
