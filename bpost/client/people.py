"""Who people are: the contact list, and the account keys that are pinned (CRYPTO, section 7).

The first account key seen of a user is pinned; another one is only noted until the user of this
device trusts it (:mod:`trust`). All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bpost import b64
from bpost.client.carrying import carry_over
from bpost.client.events import ContactsChanged, Event, SecurityNotice
from bpost.client.history import History
from bpost.client.keybook import KeyBook
from bpost.client.models import Chain, Device, End, Frame, Gap, KeyList, Peer
from bpost.client.profile import Profile
from bpost.client.records import Contact, KeyWord
from bpost.crypto.primitives import check_ed25519, equal
from bpost.errors import SecurityError
from bpost.protocol.fields import canonical
from bpost.protocol.replies import ContactRecord


class People:
    """The people that a profile knows."""

    def __init__(self, profile: Profile, book: KeyBook, history: History) -> None:
        self._profile = profile
        self._book = book
        self._history = history
        self._store = profile.store

    def peer(self, name: str) -> Peer | None:
        """Return what is known of a user."""
        key = canonical(name)
        return self._store.recall(("peer", key), lambda: self._store.one(Peer, Peer.name == key))

    def know(self, shown: str) -> Peer:
        """Return what is known of a user, who is known from now on."""
        found = self.peer(shown)
        if found is None:
            row = {"name": canonical(shown), "shown": shown, "added": self._profile.now()}
            self._store.run(Peer.insert(row))
            self._store.forget()
            found = self.peer(shown)
        assert found is not None  # noqa: S101 - just inserted
        return found

    def set_listed(self, shown: str, listed: bool, blocked: bool | None = None) -> None:
        """Put a user on the contact list, or take one off."""
        peer = self.know(shown)
        values: dict[str, Any] = {"shown": shown, "listed": listed}
        if blocked is not None:
            values["blocked"] = blocked
        self._change(peer, values)
        if listed:  # what was refused only because of the list may go now
            waits = (Frame.peer == peer.name) & Frame.message.is_null()
            self._store.run(Frame.update(refused=False).where(waits))

    def set_blocked(self, name: str, blocked: bool) -> None:
        """Note that a user was blocked, or not any more."""
        self._change(self.know(name), {"blocked": blocked})

    def keep_contacts(self, records: Iterable[ContactRecord]) -> bool:
        """Make the contact list what the server says; return whether anything changed."""
        old = {(one.name, one.blocked) for one in self._store.all(Peer, Peer.listed)}
        new = {canonical(one.name): one for one in records}
        for name, _ in old:
            if name not in new:
                self.set_listed(self.know(name).shown, False)
        for name, record in new.items():
            if (name, record.blocked) not in old:
                self.set_listed(record.name, True, record.blocked)
        return old != {(name, record.blocked) for name, record in new.items()}

    def missing_in(self, records: Iterable[ContactRecord]) -> list[ContactRecord]:
        """Return those of the contact list that are not among the records."""
        there = {canonical(one.name) for one in records}
        listed = self._store.all(Peer, Peer.listed, order=Peer.name)
        return [ContactRecord(one.shown, one.blocked) for one in listed if one.name not in there]

    def contacts(self) -> list[Contact]:
        """Return the contact list, sorted by name."""
        return [self.contact(peer) for peer in self._store.all(Peer, Peer.listed, order=Peer.name)]

    def contact(self, peer: Peer) -> Contact:
        """Make the record of a row."""
        changed, key = peer.offered_key is not None, peer.offered_key or peer.account_key
        verified = self.is_verified(peer)
        return Contact(
            name=peer.shown,
            added=peer.added,
            blocked=peer.blocked,
            listed=peer.listed,
            has_key=peer.account_key is not None,
            key_changed=changed,
            verified=verified and not changed,
            was_verified=verified and changed,
            key="" if key is None else b64.encode(bytes(key)),
        )

    def is_verified(self, peer: Peer) -> bool:
        """Say whether the pinned key of a user was verified."""
        return self._book.is_verified(peer.name, peer.account_key)

    def pin(self, name: str, key: bytes, how: KeyWord = "first") -> None:
        """Trust ``key`` as the account key of ``name``, and forget any other."""
        check_ed25519(key)
        old = self.know(name)
        others = [bytes(one) for one in (old.account_key, old.offered_key) if one is not None]
        for other in others:
            if not equal(other, key):
                self._forget_key(old.name, other)
        self._change(old, {"account_key": key, "offered_key": None})
        self._book.note(old.name, key, how)

    def offer(self, name: str, key: bytes) -> list[Event]:
        """Note that ``name`` comes with another account key than the pinned one; tell it once."""
        peer = self.know(name)
        if peer.offered_key is not None and equal(bytes(peer.offered_key), key):
            return []
        if peer.offered_key is not None:
            self._forget_key(peer.name, bytes(peer.offered_key))
        self._change(peer, {"offered_key": key})
        self._book.note(peer.name, key, "changed")
        text = self.changed_text(peer)
        shown = self._history.notice(self._history.open(peer.name), peer.name, text)
        return [SecurityNotice(peer.shown, "account-key-changed", text), ContactsChanged(), *shown]

    def former(self, name: str) -> frozenset[bytes]:
        """Return the keys that the pinned key of ``name`` took over from."""
        return self._book.former(name)

    def note_former(self, name: str, keys: Sequence[bytes]) -> None:
        """Note the keys from which the pinned one took over before it was pinned."""
        self._book.supersede(name, keys)

    def take_over(self, name: str, keys: Sequence[bytes]) -> list[Event]:
        """Pin the last of ``keys``, which the pinned one, the first of them, was renewed to.

        Devices, sessions and chains go on under it. What was verified is not any more: who stole
        the old key can sign as well as its owner.
        """
        peer, new = self.know(name), keys[-1]
        verified, waited = self.is_verified(peer), peer.offered_key is not None
        if peer.offered_key is not None and not equal(bytes(peer.offered_key), new):
            self._forget_key(peer.name, bytes(peer.offered_key))
        carry_over(self._store, peer.name, keys[0], new)
        self._book.supersede(peer.name, keys[:-1])
        self._change(peer, {"account_key": new, "offered_key": None})
        self._book.note(peer.name, new, "renewed")
        text = f"{peer.shown} renewed the account key, and the old key signed for the new one."
        if peer.name == self._profile.name:
            text = "Your account key was renewed. Whom you had verified is to be compared again."
        elif verified:
            text += " You had verified the old key: compare the new number when you can."
        if waited:
            text += " Nothing is held any more."
        shown = self._history.notice(self._history.open(peer.name), peer.name, text)
        return [ContactsChanged(), *shown]

    def come_back(self, peer: Peer, key: bytes) -> list[Event]:
        """Note that ``peer`` comes with the pinned ``key`` again."""
        self.pin(peer.name, key, "returned")
        text = f"{peer.shown} has the account key again that you know. Nothing is held any more."
        shown = self._history.notice(self._history.open(peer.name), peer.name, text)
        return [ContactsChanged(), *shown]

    def changed_text(self, peer: Peer) -> str:
        """Say that an account key changed, and what to do."""
        text = (
            f"The account key of {peer.shown} has changed: they may have begun anew, or somebody "
            "stands between you. Your messages are held. "
        )
        if self.is_verified(peer):
            return text + "You had verified the old key: verify the new one to go on."
        return text + "Compare the safety number with them, or go on with the new key."

    def _change(self, peer: Peer, values: dict[str, Any]) -> None:
        self._store.run(Peer.update(values).where(Peer.name == peer.name))
        self._store.forget()

    def _forget_key(self, name: str, key: bytes) -> None:
        """Drop devices and chains of an account key that is not used any more."""
        for table in (KeyList, Device):
            self._store.remove(table, table.peer == name, table.account_key == key)
        for chain in (Chain, End, Gap):
            self._store.remove(chain, chain.sender == name, chain.account_key == key)


def check_answer(asked: str, answered: str) -> str:
    """Return the name that the server answered about, as it is registered.

    Raises:
        SecurityError: it is not the one that was asked about.
    """
    if canonical(answered) != canonical(asked):
        text = f"The server was asked about {asked}, and answered about {answered!r}: refused."
        raise SecurityError("bad-bundle", text)
    return answered
