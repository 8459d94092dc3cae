"""Somebody copies a whole profile, with its password: every key that there is at one moment.

What was read before stays closed; and once each side has answered the other, what comes is closed
again. The thief here keeps no rules: nothing that a profile remembers holds him back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bpost.client.models import BaseKey, Entry, Seen
from bpost.client.parts import assemble
from bpost.client.profile import Profile
from bpost.client.store import Store
from bpost.protocol.replies import Delivery
from tests.client.simulated import LIMITS, SimulatedDevice
from tests.client.test_rollback import RollbackCase


class CopiedKeysTest(RollbackCase):
    """Between real profiles, over all that the server saw."""

    def test_all_keys_of_a_moment_open_nothing_of_before(self) -> None:
        alice, bob = self.pair()
        for number in range(5):
            alice.write("bob", f"question {number}")
            bob.fetch()
            bob.write("alice", f"answer {number}")
            alice.fetch()
        for robbed in (alice, bob):
            letters = self.server.account(robbed.name).mailbox
            self.assertGreater(len(letters), 5)
            self.assertEqual(self._opened(robbed, letters), [])

    def test_all_keys_of_a_moment_open_nothing_after_one_round_trip(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(bob)
        alice.write("bob", "read along")
        bob.fetch()
        at = len(self.server.account("bob").mailbox)
        bob.write("alice", "the answer")
        alice.fetch()
        for number in range(3):
            alice.write("bob", f"healed {number}")
        letters = self.server.account("bob").mailbox
        self.assertEqual(self._opened(bob, letters[:at], copy), ["read along"])
        self.assertEqual(self._opened(bob, letters[at:], copy), [])

    def _opened(
        self, robbed: SimulatedDevice, letters: Sequence[Delivery], copy: object = None
    ) -> list[str]:
        """Return the texts that a copy of a profile opens, of all that came to it."""
        folder = self.copy(robbed) if copy is None else self.folder / "copy"
        store = Store(folder / "bpost.db", robbed.database_key)
        profile = Profile(store, robbed.queue, LIMITS, lambda: robbed.seconds)
        with profile.change():
            before = {row.row for row in store.all(Entry)}
        mailbox = assemble(profile).mailbox
        for number, letter in enumerate(letters):
            with profile.change():
                store.remove(Seen, Seen.taken >= 0)
                store.remove(BaseKey, BaseKey.key != b"")
                mailbox.take(replace(letter, seq=1000 + number))
        with store.reading():
            rows = store.all(Entry, Entry.kind == "text", order=Entry.row)
        store.close()
        return [row.text for row in rows if row.row not in before]
