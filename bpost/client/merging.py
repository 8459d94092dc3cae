"""What an older own device hands on becomes history here (E60).

What this device has seen itself stands: nothing is changed or taken away, no message comes twice.
Keys are believed as far as they warn: a pinned key comes as it is, and where the server gave this
device another one than the older device knows, the user is asked, as for every changed key. All
methods are called within a transaction of the profile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, cast

from bpost import b64
from bpost.client.events import ContactsChanged, ConversationChanged, Event
from bpost.client.history import History
from bpost.client.keybook import KeyBook
from bpost.client.models import Entry, Reached, Talk, fn
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.records import KEY_WORDS, KeyChange
from bpost.client.revisions import Revisions
from bpost.crypto.primitives import KEY, equal
from bpost.errors import SecurityError
from bpost.protocol.fields import canonical
from bpost.protocol.handover import MESSAGE_KEYS

log = logging.getLogger(__name__)

NEWER = "This message needs a newer version of BPost."

STEP = 1024
"""A message that belongs between two others takes this part of the room that is left."""


class Merging:
    """Takes pages into a profile."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        book: KeyBook,
        history: History,
        revisions: Revisions,
    ) -> None:
        self._revisions = revisions
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._book = book
        self._history = history

    # People

    def take_people(self, people: Iterable[Mapping[str, Any]]) -> list[Event]:
        """Pin what the older device has pinned, and mark what was verified there."""
        events: list[Event] = []
        for one in people:
            if canonical(one["name"]) != self._profile.name and one["key"]:
                try:
                    with self._store.savepoint():
                        events += self._take_person(one["name"], b64.decode(one["key"], KEY), one)
                except SecurityError as error:  # a key that is none: the others are believed
                    log.info("a key that was handed on is refused: %s", error.cause)
        return [*events, ContactsChanged()]

    def _take_person(self, name: str, key: bytes, one: Mapping[str, Any]) -> list[Event]:
        peer = self._people.know(name)
        known = peer.account_key
        other = known is not None and not equal(bytes(known), key)
        if other and (peer.offered_key is not None or self._people.is_verified(peer)):
            return []  # there is a question already, or an answer
        if known is None or other:
            self._people.pin(peer.name, key)
        notes = [note for note in map(_read_note, one.get("notes", ())) if note is not None]
        self._book.take(peer.name, notes)
        if one["verified"] and not self._book.is_verified(peer.name, key):
            noted = any(note.what == "verified" and note.key == one["key"] for note in notes)
            self._book.mark(peer.name, key, noted=noted)
        return self._people.offer(peer.name, bytes(known)) if known is not None and other else []

    # Messages

    def take_messages(self, messages: Iterable[Mapping[str, Any]]) -> list[Event]:
        """Add messages, which come newest first, where they belong."""
        shown: dict[str, str] = {}
        for one in messages:
            if self._is_foreign(one):
                continue
            other = one["with"]
            conversation = self._history.open(other)
            known = self._known(one)
            if known is None:
                known = self._add(one, conversation)
                shown[conversation] = other
            row = Reached.insert(conversation=conversation, place=known)
            self._store.run(row.on_conflict_replace())
        return [ConversationChanged(self._people.know(name).shown) for name in shown.values()]

    def begin(self) -> None:
        """Take the next messages as the newest of their conversations again."""
        self._store.remove(Reached)

    def _is_foreign(self, one: Mapping[str, Any]) -> bool:
        """Say whether a message is none of this account, or of this very device."""
        me, received = self._profile.name, one["status"] == "received"
        if one["from"] not in (me, one["with"]) or one["device"] == self._profile.device:
            return True
        if one["from"] != me:
            return not received
        return received and bool(one["kind"] == "text")

    def _known(self, one: Mapping[str, Any]) -> float | None:
        """Return the place of a message that is here already."""
        same = (Entry.sender == one["from"], Entry.device == one["device"], Entry.id == one["id"])
        row = self._store.one(Entry, *same)
        return None if row is None else row.place

    def _add(self, one: Mapping[str, Any], conversation: str) -> float:
        """Add a message; return its place."""
        newer = bool(one.keys() - MESSAGE_KEYS)
        when = one["sent"] if one["received"] is None else one["received"]
        place = self._place(conversation, when)
        row = {
            "row": int(self._history.next_place()),
            "id": one["id"],
            "conversation": conversation,
            "sender": one["from"],
            "device": one["device"],
            "own": one["from"] == self._profile.name,
            "kind": "unsupported" if newer else one["kind"],
            "text": "" if newer else one["text"],
            "payload": b64.decode(one["payload"]) if one["payload"] else None,
            "sent": one["sent"],
            "received": one["received"],
            "status": one["status"],
            "seq": one["seq"],
            "failure": NEWER if newer else one["failure"],
            "place": place,
            "revision": one["revision"],
            "editor": one["editor"],
            "edited": one["edited"],
        }
        self._store.run(Entry.insert(row))
        self._revisions.meet(Entry(**row))
        if one["unread"]:
            self._leave_unread(conversation, place)
        return place

    def _place(self, conversation: str, when: int) -> float:
        """Return a place below the last message, or where the first one of that time belongs."""
        here = (Entry.conversation == conversation,)
        highest = fn.MAX(Entry.place)
        last = self._store.one(Reached, Reached.conversation == conversation)
        above = None if last is None else last.place
        if above is None:
            older = fn.COALESCE(Entry.received, Entry.sent) < when
            below = self._store.value(Entry.select(highest).where(*here, older))
            if below is not None:
                least = Entry.select(fn.MIN(Entry.place)).where(*here, Entry.place > below)
                above = self._store.value(least)
                above = self._history.next_place() if above is None else above
        else:
            below = self._store.value(Entry.select(highest).where(*here, Entry.place < above))
        if below is None or above is None:
            lowest = self._store.value(Entry.select(fn.MIN(Entry.place)))
            return min(0.0, float(lowest or 0.0)) - 1.0
        return float(above - min(1.0, (above - below) / STEP))

    def _leave_unread(self, conversation: str, place: float) -> None:
        """Count a message as not read, unless something later was read here."""
        unread = cast(Any, Talk.read_place) <= 0.0
        where = (Talk.name == conversation) & unread & (Talk.read_place >= place)
        self._store.run(Talk.update(read_place=place - 0.5).where(where))


def _read_note(one: Mapping[str, Any]) -> KeyChange | None:
    """Return a line about a key; None for what only a newer version knows."""
    if one["what"] not in KEY_WORDS or not one["key"]:
        return None
    return KeyChange(one["key"], one["time"], one["what"])
