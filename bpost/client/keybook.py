"""The book of account keys: what happened to each, and which of them were verified.

A verification is one of a key, not of a name, and counts only beside the own key that it was made
with (CRYPTO, section 7). All methods are called within a transaction or reading of the profile.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from bpost import b64
from bpost.client.models import KeyNote, Superseded, Verification
from bpost.client.profile import Profile
from bpost.client.records import KeyChange, KeyWord
from bpost.crypto.primitives import KEY

MOST = 100
"""So many lines are kept of each person: a server that swaps keys for ever fills no disk."""


class KeyBook:
    """What a profile has seen of account keys."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._store = profile.store

    def note(self, name: str, key: bytes, what: KeyWord) -> None:
        """Write down what happened to a key of ``name``, which is in canonical form."""
        row = {"peer": name, "account_key": key, "time": self._profile.now(), "what": what}
        self._store.run(KeyNote.insert(row))
        self._keep_newest(name)

    def take(self, name: str, notes: Iterable[KeyChange]) -> None:
        """Add what an older own device wrote down before this one joined; twice changes nothing."""
        for one in notes:
            key = b64.decode(one.key, KEY)
            same = (KeyNote.peer == name, KeyNote.account_key == key, KeyNote.what == one.what)
            if self._store.count(KeyNote, *same, KeyNote.time == one.time):
                continue
            if one.what == "first":  # this device has seen that key first only later
                self._store.remove(KeyNote, *same, KeyNote.time > one.time)
            row = {"peer": name, "account_key": key, "time": one.time, "what": one.what}
            self._store.run(KeyNote.insert(row))
        self._keep_newest(name)

    def _keep_newest(self, name: str) -> None:
        newest = (cast(Any, KeyNote.time).desc(), cast(Any, KeyNote.row).desc())
        kept = KeyNote.select(KeyNote.row).where(KeyNote.peer == name).order_by(*newest).limit(MOST)
        self._store.remove(KeyNote, KeyNote.peer == name, cast(Any, KeyNote.row).not_in(kept))

    def history(self, name: str) -> list[KeyChange]:
        """Return what happened to the keys of ``name``, oldest first."""
        order = (KeyNote.time, KeyNote.row)
        rows = self._store.all(KeyNote, KeyNote.peer == name, order=order)
        return [
            KeyChange(b64.encode(bytes(row.account_key)), row.time, cast(KeyWord, row.what))
            for row in rows
        ]

    def is_verified(self, name: str, key: bytes | None) -> bool:
        """Say whether this very key was compared, by the account that this profile still is."""
        return key is not None and (name, bytes(key)) in self._verified()

    def mark(self, name: str, key: bytes, *, noted: bool = False) -> None:
        """Note that ``key`` was compared; ``noted`` says that the history has it already."""
        row = {
            "peer": name,
            "account_key": key,
            "own_key": self._profile.account.public,
            "time": self._profile.now(),
        }
        self._store.run(Verification.insert(row).on_conflict_replace())
        if not noted:
            self.note(name, key, "verified")
        self._store.forget()

    def unmark(self, name: str, key: bytes) -> None:
        """Take that back."""
        key_is = (Verification.peer == name, Verification.account_key == key)
        if self._store.remove(Verification, *key_is):
            self.note(name, key, "unverified")
            self._store.forget()

    def supersede(self, name: str, keys: Iterable[bytes]) -> None:
        """Note keys of ``name`` that another one took over from: they are never offered again."""
        for key in keys:
            row = {"peer": name, "account_key": key}
            self._store.run(Superseded.insert(row).on_conflict_ignore())
        self._store.forget()

    def former(self, name: str) -> frozenset[bytes]:
        """Return the keys of ``name`` that were superseded."""
        return self._store.recall(("former", name), lambda: self._read_former(name))

    def _read_former(self, name: str) -> frozenset[bytes]:
        rows = self._store.all(Superseded, Superseded.peer == name)
        return frozenset(bytes(row.account_key) for row in rows)

    def _verified(self) -> frozenset[tuple[str, bytes]]:
        """Return every verification made with the present own key."""
        return self._store.recall("verified", self._read_verified)

    def _read_verified(self) -> frozenset[tuple[str, bytes]]:
        own = self._profile.account.public
        rows = self._store.all(Verification, Verification.own_key == own)
        return frozenset((row.peer, bytes(row.account_key)) for row in rows)
