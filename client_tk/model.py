"""What is shown, as plain values: conversations and the lines of one of them.

No Tk, no threads, no calls: the window feeds in records of `bpost.client`, and draws what comes
out. All of it is used by the Tk thread alone.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bpost.client import ConnectionState, Contact, Conversation, Message
from client_tk import words

TOGETHER = 5 * 60 * 1000  # messages of one sender within this time hang together
PAGE = 100
MOST_UNREAD = 2_000  # so many are loaded at once to open at the first unread one


@dataclass(frozen=True)
class Line:
    """One message, and what stands above it."""

    message: Message
    day: str = ""
    fresh: int = 0  # this many new messages begin here
    joined: bool = False  # hangs together with the one above

    @property
    def key(self) -> str:
        """The id of the message."""
        return self.message.id


@dataclass(frozen=True)
class Row:
    """One conversation in the list."""

    name: str
    text: str
    time: str
    title: str = ""  # what stands there in place of the name
    unread: int = 0
    draft: bool = False
    status: str = ""  # of the last message, if it is one's own
    blocked: bool = False
    request: bool = False
    alert: bool = False
    verified: bool = False
    chosen: bool = False

    @property
    def key(self) -> str:
        """The name, which no two conversations share."""
        return self.name.lower()


@dataclass(frozen=True)
class Connection:
    """Where the connection stands; ``retry_at`` by the monotonic clock."""

    state: ConnectionState = ConnectionState.OFFLINE
    retry_at: float | None = None
    waiting: int = 0
    text: str = ""

    def line(self, now: float) -> str:
        """Return the sentence below the window."""
        left = None if self.retry_at is None else max(0.0, self.retry_at - now)
        return words.connection(self.state, left, self.waiting, self.text)


class Timeline:
    """The messages of one conversation that are loaded, oldest first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[Line] = []
        self.complete = False  # whether nothing older is left to load
        self.loading = True
        self.first_fresh = ""
        self._fresh = 0
        self._places: list[float] = []
        self._known: dict[str, float] = {}

    def open(self, page: Sequence[Message], asked: int, unread: int, now: float) -> None:
        """Show the newest ``page`` of at most ``asked`` messages, ``unread`` of them not seen."""
        self.loading, self.complete = False, len(page) < asked
        held = [line.message for line in self.lines]
        self.lines, self._places, self._known = [], [], {}
        self._mark_fresh(page, unread)
        self._add_all(page, now)
        for message in held:  # what came while the page was on its way
            self.put(message, now)

    def _mark_fresh(self, page: Sequence[Message], unread: int) -> None:
        self.first_fresh, self._fresh = "", unread
        left = unread
        for message in reversed(page):
            if left == 0:
                break
            if not message.own and message.kind != "notice":
                left -= 1
                self.first_fresh = message.id

    def _add_all(self, page: Iterable[Message], now: float) -> None:
        for message in page:
            self._places.append(message.place)
            self._known[message.id] = message.place
            above = self.lines[-1].message if self.lines else None
            self.lines.append(self._line(message, above, now))

    def older(self, page: Sequence[Message], asked: int, now: float) -> None:
        """Put a page of older messages before the others."""
        self.loading, self.complete = False, len(page) < asked
        fresh = [message for message in page if message.id not in self._known]
        if not fresh:
            self.complete = True
            return
        later, places = self.lines, self._places
        self.lines, self._places = [], []
        self._add_all(fresh, now)
        border = len(self.lines)
        self.lines += later
        self._places += places
        self._join(border, now)

    def put(self, message: Message, now: float) -> bool:
        """Add a message where it belongs, or show it anew; tell whether it is new."""
        known = self._known.get(message.id)
        if known is not None:
            place = self.place_of(message.id)
            if known == message.place:
                self.lines[place] = replace(self.lines[place], message=message)
                return False
            del self.lines[place], self._places[place]
            self._join(place, now)
        place = bisect.bisect_right(self._places, message.place)
        self._known[message.id] = message.place
        self._places.insert(place, message.place)
        self.lines.insert(place, Line(message))
        self._join(place, now)
        self._join(place + 1, now)
        return known is None

    def remove(self, key: str, now: float) -> bool:
        """Take a message out; tell whether it was there."""
        place = self.place_of(key)
        if place < 0:
            return False
        del self.lines[place], self._places[place], self._known[key]
        self._join(place, now)
        return True

    def rename(self, was: str, key: str) -> None:
        """Let a message stand in the line of its placeholder, whose id was another."""
        place = self.place_of(was)
        if place >= 0 and was != key:
            self._known[key] = self._known.pop(was)
            line = self.lines[place]
            self.lines[place] = replace(line, message=replace(line.message, id=key))

    def place_of(self, key: str) -> int:
        """Return where the message with this id stands; -1 if it is not loaded."""
        known = self._known.get(key)
        if known is None:
            return -1
        place = bisect.bisect_left(self._places, known)
        while place < len(self.lines) and self.lines[place].key != key:
            place += 1
        return place if place < len(self.lines) else -1

    def count_fresh(self, message: Message, now: float) -> None:
        """Count a message that came while nobody looked."""
        if not self.first_fresh:
            self.first_fresh, self._fresh = message.id, 0
        self._fresh += 1
        self._join(self.place_of(self.first_fresh), now)

    def all_seen(self, now: float) -> None:
        """Take the line above the first new message away."""
        place = self.place_of(self.first_fresh)
        self.first_fresh, self._fresh = "", 0
        if place >= 0:
            self._join(place, now)

    def new_day(self, now: float) -> None:
        """Name the days anew, after midnight."""
        for place in range(len(self.lines)):
            self._join(place, now)

    def _join(self, place: int, now: float) -> None:
        """Look again at what stands above one line."""
        if 0 <= place < len(self.lines):
            above = self.lines[place - 1].message if place else None
            self.lines[place] = self._line(self.lines[place].message, above, now)

    def _line(self, message: Message, above: Message | None, now: float) -> Line:
        new_day = above is None or words.day_key(above.sent) != words.day_key(message.sent)
        fresh = self._fresh if message.id == self.first_fresh else 0
        joined = (
            above is not None
            and not new_day
            and not fresh
            and above.sender == message.sender
            and "notice" not in (above.kind, message.kind)
            and abs(message.sent - above.sent) < TOGETHER
        )
        return Line(message, words.day(message.sent, now) if new_day else "", fresh, joined)


class Book:
    """All conversations and contacts of the account, and which one is open."""

    def __init__(self, own: str = "") -> None:
        self._own = own.lower()
        self.conversations: dict[str, Conversation] = {}
        self.contacts: dict[str, Contact] = {}
        self.current = ""
        self.search = ""
        self.connection = Connection()

    def load(self, conversations: Iterable[Conversation], contacts: Iterable[Contact]) -> None:
        """Take over what the client library holds now; it comes newest first."""
        self.conversations = {one.name.lower(): one for one in conversations}
        self.contacts = {one.name.lower(): one for one in contacts}

    def conversation(self, name: str) -> Conversation:
        """Return the conversation with ``name``, an empty one if there is none yet."""
        known = self.conversations.get(name.lower())
        return known or Conversation(name=name, last=None, unread=0, draft="")

    def contact(self, name: str) -> Contact | None:
        """Return what is known of ``name``."""
        return self.contacts.get(name.lower())

    def is_own(self, name: str) -> bool:
        """Tell whether ``name`` is oneself: there, what happens on one's own devices is told."""
        return name.lower() == self._own

    def people(self) -> list[str]:
        """Return all names in the order of the list: newest message first, then by name."""
        written = [one for one in self.conversations.values() if one.last is not None]
        silent = {one.name for one in self.conversations.values() if one.last is None}
        silent |= {
            one.name
            for key, one in self.contacts.items()
            if one.listed and key not in self.conversations
        }
        return [one.name for one in written] + sorted(silent, key=str.lower)

    def rows(self, now: float) -> list[Row]:
        """Return what the list shows: all conversations in which the search is found."""
        wanted = self.search.strip().lower()
        return [
            self._row(self.conversation(name), now)
            for name in self.people()
            if not wanted or self._matches(name, wanted)
        ]

    def _matches(self, name: str, wanted: str) -> bool:
        last = self.conversation(name).last
        return wanted in name.lower() or (
            last is not None and last.kind == "text" and wanted in last.text[:2000].lower()
        )

    def _row(self, one: Conversation, now: float) -> Row:
        contact, last = self.contact(one.name), one.last
        chosen = one.name.lower() == self.current.lower()
        draft = words.one_line(one.draft) if not chosen else ""
        return Row(
            name=one.name,
            text=draft or words.last_line(last),
            time=words.short_time(last.sent, now) if last else "",
            title=words.OWN if self.is_own(one.name) else "",
            unread=one.unread,
            draft=bool(draft),
            status=last.status if last and last.own and last.kind == "text" and not draft else "",
            blocked=bool(contact and contact.blocked),
            request=one.request,
            alert=bool(contact and contact.key_changed),
            verified=bool(contact and contact.verified),
            chosen=chosen,
        )
