"""Requests for what is missing, and their answers, that could not be read themselves."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from bpost.client.models import Errand, Want
from bpost.protocol.content import AGAIN, RETRY
from bpost.protocol.replies import Delivery
from tests.client.simulated import SimulatedDevice
from tests.client.test_healing import HealingCase


class UnreadAnswersTest(HealingCase):
    """What was said in vain does not count among the three times."""

    def missing(self) -> tuple[SimulatedDevice, SimulatedDevice]:
        """Return two people, of whom the second misses a message and asks for it."""
        alice, bob = self.pair()
        alice.write("bob", "words")
        bob.take([self.broken(*bob.pending())])
        bob.seconds += 3
        bob.work()
        return alice, bob

    def heals(self, bob: SimulatedDevice, alice: SimulatedDevice) -> None:
        """Check that the message is there within a minute, and nothing is left open."""
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice")[2], "words")
        self.assertEqual(bob.store.count(Want, Want.lost == 0), 0)
        self.assertNotIn("[unreadable]", bob.shown("alice") + alice.shown("bob"))

    def test_e30_an_altered_request_is_made_again_at_once(self) -> None:
        alice, bob = self.missing()
        alice.take(self.broken(one) for one in alice.pending())
        self.heals(bob, alice)

    def test_e30_requests_that_were_altered_do_not_count(self) -> None:
        alice, bob = self.missing()
        for _ in range(5):
            alice.take(self.broken(one) for one in alice.pending())
            self.settle(alice, bob, rounds=3)
        self.heals(bob, alice)

    def test_e30_what_is_altered_as_often_as_it_is_sent_again_is_lost_on_both_sides(self) -> None:
        alice, bob = self.missing()
        for _ in range(18):
            bob.take(self.spoilt(alice, bob))
            for device in (alice, bob):
                device.seconds += 1207
                device.work()
        self.assertIn("as often as may be", bob.history("alice")[2].failure)
        self.assertIn("as often as may be", alice.history("bob")[2].failure)
        self.assertEqual(bob.store.count(Want, Want.lost == 0), 0)

    def test_e30_an_answer_after_the_last_request_says_what_it_was(self) -> None:
        alice, bob = self.pair()
        content: dict[str, Any] = {"numbers": [], "frames": [], "after": 1000}
        with alice.profile.change():
            alice.parts.errands.send("bob", bob.device, "bob", RETRY, content)
        alice.work()
        bob.take(self.broken(one) for one in bob.pending())
        self.settle(bob, rounds=12, seconds=1300)
        self.assertIn("No answer came in time", bob.history("alice")[-1].failure)
        self.settle(alice, bob)
        self.assertEqual(bob.history("alice")[2].text, "Nothing is missing here any more.")

    def spoilt(self, alice: SimulatedDevice, bob: SimulatedDevice) -> list[Delivery]:
        """Let one answer, and return what comes of it: nothing that was sent again is readable."""
        alice.fetch()
        with alice.store.reading():
            types = [row.type for row in alice.store.all(Errand, order=Errand.row)]
        alice.work()
        sent = bob.pending()
        return [
            self.broken(one) if type_ == AGAIN else one
            for one, type_ in zip_longest(sent, types[: len(sent)])
        ]
