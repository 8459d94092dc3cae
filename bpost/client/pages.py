"""The history as an older device hands it on: people first, then messages, newest first.

It goes in pages; a cursor says where the next one begins, and means something to this device only.
All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bpost import b64
from bpost.client.history import HIDDEN, History
from bpost.client.keybook import KeyBook
from bpost.client.models import Entry, Peer
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.protocol import canonical_json
from bpost.protocol.canonical_json import Json
from bpost.protocol.fields import clean_text
from bpost.protocol.handover import ITEMS, NOTES, fits_page

PEOPLE = "p"
MESSAGES = "m"


@dataclass
class Page:
    """A part of the history; ``next`` is empty behind the last one, ``left`` is what follows."""

    before: str
    next: str = ""
    left: int = 0
    total: int = 0
    people: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list, repr=False)

    def content(self, answer: str) -> dict[str, Json]:
        """Return it as the content of a payload."""
        return {"answer": answer, **vars(self)}


class Pages:
    """Reads pages out of a profile."""

    def __init__(self, profile: Profile, people: People, book: KeyBook, history: History) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._book = book
        self._history = history

    def page(self, before: str, joined: int) -> Page:
        """Return the page that begins at ``before``, for a device that joined at that time.

        A cursor that this device never gave begins at the beginning.
        """
        page = Page(before, total=self._store.count(Entry))
        part, _, at = before.partition(":")
        if part != MESSAGES:
            self._add_people(page, at if part == PEOPLE else "", joined)
        if not page.people:
            self._add_messages(page, _read_place(at) if part == MESSAGES else None, joined)
        else:
            page.left = page.total
        return page

    def _add_people(self, page: Page, after: str, joined: int) -> None:
        """Add the people with pinned keys whose names follow ``after``, until the page is full."""
        pinned = cast(Any, Peer.account_key).is_null(False)
        others = Peer.name != self._profile.name
        where = (pinned, others, Peer.name > after)
        rows = self._store.all(Peer, *where, order=Peer.name, limit=ITEMS)
        room = self._profile.limits.history_page
        for row in rows:
            value = self._person(row, joined)
            room -= len(canonical_json.write(value))
            if room < 0 and page.people:
                break
            page.people.append(value)
        taken = len(page.people)
        more = taken < len(rows) or len(rows) == ITEMS
        page.next = f"{PEOPLE}:{rows[taken - 1].name}" if more else f"{MESSAGES}:"

    def _person(self, row: Peer, joined: int) -> dict[str, Json]:
        """Return somebody's key, and what happened to their keys before the other device came."""
        notes = [one for one in self._book.history(row.name) if one.time < joined]
        return {
            "name": row.shown,
            "key": b64.encode(bytes(row.account_key or b"")),
            "verified": self._people.is_verified(row),
            "notes": [vars(one) for one in notes[-NOTES:]],
        }

    def _add_messages(self, page: Page, below: tuple[float, int] | None, joined: int) -> None:
        """Add messages until the page is full."""
        rows = self._rows(below)
        room, taken = self._profile.limits.history_page, 0
        for row in rows:
            value = self._message(row) if self._goes(row, joined) else None
            if value is not None and not fits_page(value):  # it would hold up all the others
                value = None
            size = 0 if value is None else len(canonical_json.write(value).encode("utf-8"))
            if size > room and page.messages:
                break
            room -= size
            taken += 1
            if value is not None:
                page.messages.append(value)
        if taken < len(rows) or len(rows) == ITEMS:
            last = rows[taken - 1]
            page.next = f"{MESSAGES}:{last.place!r}:{last.row}"
            page.left = self._store.count(Entry, _below(last.place, last.row))

    def _rows(self, below: tuple[float, int] | None) -> Sequence[Entry]:
        where = () if below is None else (_below(*below),)
        newest = (cast(Any, Entry.place).desc(), cast(Any, Entry.row).desc())
        return self._store.all(Entry, *where, order=newest, limit=ITEMS)

    def _goes(self, row: Entry, joined: int) -> bool:
        """Say whether the other device has a use for a row.

        It has its own lines about what happened since it joined, and its own placeholders.
        """
        if row.kind in ("text", "unsupported", "deleted"):
            return row.status != "waiting"
        return row.kind != HIDDEN and bool((row.received or row.sent) < joined)

    def _message(self, row: Entry) -> dict[str, Json]:
        raw = b"" if row.payload is None else bytes(row.payload)
        fits = len(raw) <= self._profile.limits.history_page
        return {
            "id": row.id,
            "with": self._history.other(row.conversation),
            "from": row.sender,
            "device": row.device,
            "kind": row.kind,
            "text": clean_text(row.text),
            "failure": clean_text(row.failure),  # it may quote what was not sealed
            "payload": b64.encode(raw) if fits else "",
            "sent": row.sent,
            "received": row.received,
            "status": row.status,
            "seq": row.seq,
            "unread": self._history.is_unread(row),
            "revision": row.revision,
            "editor": row.editor,
            "edited": row.edited,
        }


def _below(place: float, row: int) -> Any:
    """Return the condition for what stands below a row."""
    at = cast(Any, Entry.place)
    return (at <= place) & ((at < place) | (Entry.row < row))  # so that the index is used


def _read_place(text: str) -> tuple[float, int] | None:
    place, _, row = text.rpartition(":")
    try:
        return float(place), int(row)
    except ValueError:
        return None
