"""Knowing whom one writes to: comparing, marking as verified, and answering a changed key.

An answer always names the key that it is about. If another one has come since that was shown, the
answer is refused: nobody trusts what they have not seen. All methods are called within a
transaction of the profile (CRYPTO, section 7).
"""

from __future__ import annotations

from bpost import b64
from bpost.client.events import ContactsChanged, Event
from bpost.client.history import History
from bpost.client.keybook import KeyBook
from bpost.client.models import Peer
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.records import KeyChange, KeyWord, Safety
from bpost.crypto.fingerprint import Party, Verdict, compare_code, safety_code, safety_number
from bpost.crypto.primitives import equal
from bpost.errors import SecurityError, UsageError
from bpost.protocol.fields import canonical


class Trust:
    """What the user of a profile decides about the keys of others."""

    def __init__(self, profile: Profile, people: People, book: KeyBook, history: History) -> None:
        self._profile = profile
        self._people = people
        self._book = book
        self._history = history

    def safety(self, name: str) -> Safety:
        """Return what to compare with ``name``; of the new key, if it has changed."""
        peer = self._people.peer(name)
        if peer is None or _key(peer) is None:
            return Safety(name if peer is None else peer.shown)
        me, them = self._parties(peer)
        contact = self._people.contact(peer)
        return Safety(
            name=peer.shown,
            number=safety_number(me, them),
            code=safety_code(me, them),
            key=contact.key,
            key_changed=contact.key_changed,
            verified=contact.verified,
            was_verified=contact.was_verified,
        )

    def history(self, name: str) -> list[KeyChange]:
        """Return what happened to the keys of ``name``, oldest first."""
        return self._book.history(canonical(name))

    def mark(self, name: str, key: str) -> list[Event]:
        """Mark ``key`` as verified; if it is a new one, it is trusted from now on."""
        peer, raw = self._answered(name, key)
        if peer.offered_key is not None:
            self._people.pin(peer.name, raw, "accepted")
        self._book.mark(peer.name, raw)
        return self._tell(peer, f"You verified {peer.shown}.")

    def unmark(self, name: str) -> list[Event]:
        """Take the mark away; not while another key waits, which would make that one easier."""
        peer = self._people.peer(name)
        if peer is None or not self._people.is_verified(peer):
            raise UsageError(f"{name} is not marked as verified.")
        if peer.offered_key is not None:
            text = f"The key of {peer.shown} has changed. Decide about the new one first."
            raise UsageError(text)
        self._book.unmark(peer.name, bytes(peer.account_key or b""))
        return self._tell(peer, f"You took the mark “verified” away from {peer.shown}.")

    def compare(self, name: str, code: str) -> tuple[Verdict, list[Event]]:
        """Compare the code that ``name`` shows, in full; mark their key as verified if it fits."""
        peer = self._people.peer(name)
        if peer is None or _key(peer) is None:
            raise UsageError(f"{name} has no keys yet. They come with the first connection.")
        verdict = compare_code("".join(code.split()), *self._parties(peer))
        if verdict is not Verdict.SAME:
            return verdict, []
        return verdict, self.mark(name, self._people.contact(peer).key)

    def accept(self, name: str, key: str, *, anyway: bool) -> list[Event]:
        """Trust the new ``key`` without comparing; for one that was verified, only ``anyway``."""
        peer, raw = self._answered(name, key)
        if peer.offered_key is None:
            raise UsageError(f"{name} has no new key to trust.")
        was_verified = self._people.is_verified(peer)
        if was_verified and not anyway:
            text = f"You had verified {peer.shown}. Verify the new key, or trust it all the same."
            raise UsageError(text)
        how: KeyWord = "trusted" if was_verified else "accepted"
        self._people.pin(peer.name, raw, how)
        return self._tell(peer, f"You went on with the new account key of {peer.shown}.")

    def _answered(self, name: str, key: str) -> tuple[Peer, bytes]:
        """Return whom an answer is about, and the key, if it is the one that was shown."""
        peer = self._people.peer(name)
        raw = None if peer is None else _key(peer)
        if peer is None or raw is None:
            raise UsageError(f"{name} has no keys yet. They come with the first connection.")
        if peer.name == self._profile.name:
            raise UsageError("That is you.")
        try:
            fits = equal(b64.decode(key, len(raw)), raw)
        except SecurityError:
            fits = False
        if not fits:
            text = f"The key of {peer.shown} is not the one that was shown. Look at it again."
            raise UsageError(text)
        return peer, raw

    def _parties(self, peer: Peer) -> tuple[Party, Party]:
        me = Party(self._profile.username, self._profile.account.public)
        return me, Party(peer.name, _key(peer) or b"")

    def _tell(self, peer: Peer, text: str) -> list[Event]:
        """Put a line into the conversation."""
        conversation = self._history.open(peer.name)
        return [ContactsChanged(), *self._history.notice(conversation, peer.name, text)]


def _key(peer: Peer) -> bytes | None:
    """Return the account key in question: the new one, if it has changed."""
    key = peer.offered_key or peer.account_key
    return None if key is None else bytes(key)
