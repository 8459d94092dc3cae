"""Whatever is altered on the way: the recipient sees that something was, and reads on."""

from __future__ import annotations

import os
import sqlite3

from bpost.client.models import Entry
from bpost.protocol.replies import Delivery
from tests.client.simulated import SimulatedCase, SimulatedDevice, altered
from tests.client.town import Town, texts, wait_for_text
from tests.support import wait_until

BOBS = "recipient_id = (SELECT id FROM clients WHERE name = 'bob') AND seq = ?"
FIND = f"SELECT body FROM messages WHERE {BOBS}"  # noqa: S608 - a constant
CHANGE = f"UPDATE messages SET body = ? WHERE {BOBS}"  # noqa: S608


STEP = 1 if os.environ.get("BPOST_TEST_THOROUGH") else 4
"""Every byte takes some ten seconds."""


class EveryByteTest(SimulatedCase):
    """Each byte of a message, one after the other."""

    def _try_all(self, bob: SimulatedDevice, sent: Delivery, step: int) -> None:
        count = len(bob.history("alice"))
        for at in range(0, len(sent.body), step):
            other = "A" if sent.body[at] != "A" else "B"
            bob.take([altered(sent, sent.body[:at] + other + sent.body[at + 1 :])])
            shown = bob.history("alice")[count:]
            self.assertEqual(len(shown), 1, f"at {at}")
            self.assertIn(shown[0].kind, ("unreadable", "unsupported", "notice"), f"at {at}")
            with bob.profile.change():
                bob.store.remove(Entry, Entry.id == shown[0].id)
        bob.take([sent])

    def test_each_altered_byte_of_a_message_in_a_session_shows(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "whole")
        (sent,) = bob.pending()
        self._try_all(bob, sent, STEP)
        self.assertEqual(bob.shown("alice")[-1], "whole")
        alice.write("bob", "next")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "next")

    def test_altered_bytes_of_a_first_message_show(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "whole")
        (sent,) = bob.pending()
        self._try_all(bob, sent, 2 * STEP)
        self.assertEqual(bob.shown("alice"), ["whole"])


class OnTheServerTest(Town):
    """The same with the database of a real server."""

    def test_altered_messages_on_the_server_are_told_and_the_conversation_goes_on(self) -> None:
        alice, bob = self.register("alice", "bob")
        bob.close()
        alice.send("bob", "first")
        words = [f"message {number}" for number in range(12)]
        for text in words:
            alice.send("bob", text)
        self.assertTrue(alice.flush(20))
        self.stop()
        self._alter([2 + number for number in range(0, 12, 2)])
        self.start()
        bob = self.log_in("bob")
        wait_until(lambda: len(bob.history("alice")) == 13)
        self.assertEqual(texts(bob, "alice"), ["first", *words[1::2]])
        lost = [m for m in bob.history("alice") if m.kind == "unreadable"]
        self.assertEqual(len(lost), 6)
        self.assertTrue(all("could not be read" in m.failure for m in lost))
        bob.send("alice", "I could not read all of that")
        wait_for_text(alice, "bob", "I could not read all of that")
        alice.send("bob", "goes on")
        wait_for_text(bob, "alice", "goes on")

    def _alter(self, seqs: list[int]) -> None:
        """Change one byte in the middle of some stored messages, each somewhere else."""
        with sqlite3.connect(self.folder / "server" / "bpost.db") as database:
            for seq in seqs:
                (body,) = database.execute(FIND, (seq,)).fetchone()
                at = len(body) * seq // 20
                other = "A" if body[at] != "A" else "B"
                changed = body[:at] + other + body[at + 1 :]
                database.execute(CHANGE, (changed, seq))
        database.close()
