"""Two people over the simulated server: what all other tests stand on."""

from __future__ import annotations

from bpost.client.events import MessageAdded, MessageChanged, SecurityNotice
from tests.client.simulated import SimulatedCase


class ConversationTest(SimulatedCase):
    """Messages go both ways, and ticks come back."""

    def test_two_people_read_what_the_other_wrote(self) -> None:
        alice, bob = self.pair()
        self.assertEqual(alice.shown("bob"), ["first", "second"])
        self.assertEqual(bob.shown("alice"), ["first", "second"])
        self.assertEqual(alice.told(SecurityNotice) + bob.told(SecurityNotice), [])

    def test_a_message_climbs_from_waiting_to_read(self) -> None:
        alice, bob = self.pair()
        alice.told(MessageAdded)
        sent = alice.write("bob", "hello", work=False)
        self.assertEqual(sent.status, "waiting")
        alice.work()
        bob.fetch()
        bob.seconds += 1
        bob.work()
        alice.fetch()
        with bob.profile.change() as events:
            events += bob.parts.read("alice", None)
        bob.seconds += 1
        bob.work()
        alice.fetch()
        climbed = [e.message.status for e in alice.told(MessageChanged) if e.message.id == sent.id]
        self.assertEqual(climbed, ["stored", "delivered", "read"])

    def test_conversations_tell_what_is_unread(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "one more")
        bob.fetch()
        with bob.store.reading():
            (found,) = bob.parts.history.conversations()
        self.assertEqual((found.name, found.unread, found.request), ("alice", 2, False))
        self.assertEqual(found.last and found.last.text, "one more")

    def test_history_comes_in_pages(self) -> None:
        alice, _ = self.pair()
        for number in range(10):
            alice.write("bob", str(number), work=False)
        with alice.store.reading():
            page = alice.parts.history.page("BOB", None, 4)
            before = alice.parts.history.page("bob", page[0].id, 100)
        self.assertEqual([m.text for m in page], ["6", "7", "8", "9"])
        self.assertEqual([m.text for m in before], ["first", "second", *"012345"])
