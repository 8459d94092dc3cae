"""Knowing whom one writes to, as the part of the facade that programs call (CRYPTO, section 7)."""

from __future__ import annotations

from bpost.client.account import Account
from bpost.client.records import KeyChange, KeyLogState, Safety
from bpost.crypto.fingerprint import Verdict


class Verifying(Account):
    """Safety numbers, verified contacts, and changed keys.

    ``key`` is what :class:`Contact` or :class:`Safety` named when it was shown. If another key has
    come since, UsageError says to look again.
    """

    def safety_number(self, name: str) -> str:
        """Return the 60 digits that both sides see if nobody sits between; empty without keys."""
        return self.safety(name).number

    def safety(self, name: str) -> Safety:
        """Return the safety number with ``name``, the code to scan, and what is known."""
        running = self._run
        with running.profile.store.reading():
            return running.parts.trust.safety(name)

    def key_history(self, name: str) -> list[KeyChange]:
        """Return what happened to the account keys of ``name``, oldest first."""
        running = self._run
        with running.profile.store.reading():
            return running.parts.trust.history(name)

    def key_log(self) -> KeyLogState:
        """Return what is known of the server's log of keys, and what was found in it."""
        running = self._run
        with running.profile.store.reading():
            return running.parts.gossip.state()

    def mark_verified(self, name: str, key: str) -> None:
        """Mark the key of ``name`` as verified, after both have seen the same number.

        A changed key is trusted with that; what waited for it is sent.
        """
        running = self._run
        with running.profile.change() as events:
            events += running.parts.trust.mark(name, key)
        running.ask_again(name)

    def unmark_verified(self, name: str) -> None:
        """Take the mark away; raise UsageError if there is none, or if the key has changed."""
        running = self._run
        with running.profile.change() as events:
            events += running.parts.trust.unmark(name)

    def compare_code(self, name: str, code: str) -> Verdict:
        """Compare the code that ``name`` shows on their screen; SAME marks them as verified."""
        running = self._run
        with running.profile.change() as events:
            verdict, told = running.parts.trust.compare(name, code)
            events += told
        if verdict is Verdict.SAME:
            running.ask_again(name)
        return verdict

    def trust_new_key(self, name: str, key: str, *, anyway: bool = False) -> None:
        """Go on with the changed key of ``name`` without comparing; what was held is sent.

        Raises: UsageError if the key before was verified, unless ``anyway``.
        """
        running = self._run
        with running.profile.change() as events:
            events += running.parts.trust.accept(name, key, anyway=anyway)
        running.ask_again(name)
