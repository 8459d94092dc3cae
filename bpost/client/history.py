"""Conversations and what is in them. All methods are called within a transaction or reading."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from bpost.client.events import ConversationChanged, Event, MessageAdded, MessageChanged, What
from bpost.client.models import SQL, Entry, Peer, Talk, fn
from bpost.client.profile import Profile
from bpost.client.records import LADDER, Conversation, Kind, Message, Status
from bpost.protocol.fields import canonical
from bpost.protocol.payload import Payload, direct_conversation

HIDDEN = "hidden"
"""The kind of a row whose message is not shown here any more."""

SEEN = ("notice", "deleted", HIDDEN)
"""The kinds of rows that do not count as unread."""

DELETED, DELETED_HERE = "This message was deleted.", "You deleted this message."


@dataclass(frozen=True)
class NewEntry:
    """What a new line of a conversation says."""

    sender: str
    kind: Kind | Literal["hidden"]
    text: str = field(default="", repr=False)
    id: str = ""
    device: str = ""
    sent: int = 0
    seq: int | None = None
    status: Status = "received"
    failure: str = field(default="", repr=False)
    payload: bytes | None = field(default=None, repr=False)
    place: float | None = None
    revision: int = 0
    editor: str = ""
    edited: int | None = None


class History:
    """All conversations of a profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._store = profile.store
        self._names = {profile.name: profile.username}

    # Writing

    def open(self, name: str) -> str:
        """Return the conversation with a user, which there is from now on."""
        conversation = direct_conversation(self._profile.name, name)
        row = Talk.insert(name=conversation, peer=canonical(name)).on_conflict_ignore()
        self._store.recall(("talk", conversation), lambda: self._store.run(row))
        return conversation

    def add(self, conversation: str, entry: NewEntry) -> Message:
        """Append a message, or put it where ``entry.place`` says."""
        row, now = int(self.next_place()), self._profile.now()
        own = canonical(entry.sender) == self._profile.name
        here = own and entry.device == self._profile.device
        values = {
            "row": row,
            "id": entry.id or str(uuid.uuid4()),
            "conversation": conversation,
            "sender": canonical(entry.sender),
            "device": entry.device,
            "own": own,
            "kind": entry.kind,
            "text": entry.text,
            "payload": entry.payload,
            "sent": entry.sent or now,
            "received": None if here else now,
            "status": entry.status,
            "seq": entry.seq,
            "failure": entry.failure,
            "place": float(row) if entry.place is None else entry.place,
            "revision": entry.revision,
            "editor": entry.editor,
            "edited": entry.edited,
        }
        self._store.run(Entry.insert(values))
        return self.record(Entry(**values))

    def notice(self, conversation: str, sender: str, text: str) -> list[Event]:
        """Append a notice about what ``sender`` sent."""
        return [MessageAdded(self.add(conversation, NewEntry(sender, "notice", text)))]

    def replace(self, row: Entry, entry: NewEntry) -> list[Event]:
        """Put a message where its placeholder or notice stands."""
        was = row.id
        values: dict[str, Any] = {
            "id": entry.id,
            "device": entry.device,
            "kind": entry.kind,
            "text": entry.text,
            "payload": entry.payload,
            "sent": entry.sent,
            "status": entry.status,
            "failure": entry.failure,
            "revision": entry.revision,
            "editor": entry.editor,
            "edited": entry.edited,
        }
        self.change(row, values)
        return [MessageChanged(self.record(row), was)]

    def next_place(self) -> float:
        """Return the place of the next message that is appended."""
        return float((self._store.value(Entry.select(fn.MAX(Entry.row))) or 0) + 1)

    def climb(self, id_: str, status: Status, seq: int | None = None) -> list[Event]:
        """Give an own message a status, unless it has that or a higher one."""
        row = self.own(id_)
        if row is None or _rank(cast(Status, row.status)) >= _rank(status):
            return []
        values: dict[str, Any] = {"status": status, "failure": ""}
        if seq is not None:
            values["seq"] = seq
        return self.change(row, values)

    def change(self, row: Entry, values: dict[str, Any], what: What = "") -> list[Event]:
        """Change a row; tell it if that makes a difference, with ``what`` its author did."""
        if all(getattr(row, name) == value for name, value in values.items()):
            return []
        self._store.run(Entry.update(values).where(Entry.row == row.row))
        for name, value in values.items():
            setattr(row, name, value)
        return [MessageChanged(self.record(row), what=what)]

    def read(self, conversation: str, place: float) -> list[Event]:
        """Count everything up to ``place`` as read."""
        behind = (Talk.name == conversation) & (Talk.read_place < place)
        if not self._store.run(Talk.update(read_place=place).where(behind)):
            return []
        return [ConversationChanged(self._shown(conversation))]

    def set_draft(self, name: str, text: str) -> list[Event]:
        """Keep an unsent text."""
        conversation = self.open(name)
        self._store.run(Talk.update(draft=text).where(Talk.name == conversation))
        return [ConversationChanged(self._shown(conversation))]

    # Reading

    def holds(self, payload: Payload) -> bool:
        """Say whether there is a message of this device with this id."""
        same = (Entry.sender == payload.sender, Entry.device == payload.device)
        return self._store.one(Entry, *same, Entry.id == payload.id) is not None

    def own(self, id_: str) -> Entry | None:
        """Return the row of an own message."""
        return self._store.one(Entry, Entry.id == id_, Entry.own)

    def named(self, id_: str, *where: Any) -> list[Entry]:
        """Return the rows of all messages with this id: two senders may have made up the same."""
        return self._store.all(Entry, Entry.id == id_, *where)

    def unread(self, conversation: str) -> list[Entry]:
        """Return the rows of others that have not been read."""
        talk = self._store.one(Talk, Talk.name == conversation)
        return [] if talk is None else self._store.all(Entry, *_unread(talk), order=Entry.place)

    def is_unread(self, row: Entry) -> bool:
        """Say whether a row counts as not read."""
        talk = self._store.one(Talk, Talk.name == row.conversation)
        behind = talk is not None and row.place > talk.read_place
        return behind and not row.own and row.kind not in SEEN

    def draft(self, name: str) -> str:
        """Return the unsent text."""
        conversation = direct_conversation(self._profile.name, name)
        talk = self._store.one(Talk, Talk.name == conversation)
        return "" if talk is None else talk.draft

    def page(self, name: str, before: str | None, limit: int) -> list[Message]:
        """Return up to ``limit`` messages before the one with id ``before``, oldest first."""
        conversation = direct_conversation(self._profile.name, name)
        where = [Entry.conversation == conversation, *SHOWN]
        if before is not None:
            border = self._store.one(Entry, Entry.id == before, Entry.conversation == conversation)
            if border is None:
                return []
            where.append(Entry.place < border.place)
        newest = cast(Any, Entry.place).desc()
        rows = self._store.all(Entry, *where, order=newest, limit=limit)
        return [self.record(row) for row in reversed(rows)]

    def following(self, name: str, after: float | None, limit: int) -> list[Message]:
        """Return up to ``limit`` messages behind the place ``after``; None: from the first on."""
        where = [Entry.conversation == direct_conversation(self._profile.name, name), *SHOWN]
        if after is not None:
            where.append(Entry.place > after)
        rows = self._store.all(Entry, *where, order=Entry.place, limit=limit)
        return [self.record(row) for row in rows]

    def conversations(self) -> list[Conversation]:
        """Return all conversations, the one with the newest message first."""
        found = [self._conversation(talk) for talk in self._store.all(Talk)]
        return sorted(found, key=lambda one: one.last.place if one.last else 0.0, reverse=True)

    def _conversation(self, talk: Talk) -> Conversation:
        peer = self._store.one(Peer, Peer.name == talk.peer)
        newest = cast(Any, Entry.place).desc()
        last = self._store.one(Entry, Entry.conversation == talk.name, *SHOWN, order=newest)
        return Conversation(
            name=talk.peer if peer is None else peer.shown,
            last=None if last is None else self.record(last),
            unread=self._store.count(Entry, *_unread(talk)),
            draft=talk.draft,
            request=peer is None or not (peer.listed or peer.name == self._profile.name),
        )

    def record(self, row: Entry) -> Message:
        """Make the record of a row."""
        return Message(
            id=row.id,
            conversation=self._shown(row.conversation),
            sender=self._name(row.sender),
            own=row.own,
            kind=cast(Kind, row.kind),
            text=row.text,
            sent=row.sent,
            received=row.received,
            status=cast(Status, row.status),
            seq=row.seq,
            failure=row.failure if row.kind != "deleted" else DELETED_HERE if row.own else DELETED,
            place=row.place,
            edited=row.edited,
            revision=row.revision,
        )

    def _shown(self, conversation: str) -> str:
        """Return the name of a conversation as people know it: the other person's."""
        return self._name(self.other(conversation))

    def other(self, conversation: str) -> str:
        """Return whom a conversation is with; ourselves for the one with our own devices."""
        names = conversation.split(":")[1:]
        return next((name for name in names if name != self._profile.name), self._profile.name)

    def _name(self, name: str) -> str:
        """Spell a username as registered; that never changes, so it is looked up once."""
        if name not in self._names:
            query = Peer.select(Peer.shown).where(Peer.name == name)
            shown = self._store.value(query)
            if shown is None:
                return name
            self._names[name] = str(shown)
        return self._names[name]


SHOWN: tuple[Any, ...] = (Entry.kind != HIDDEN,)
"""The condition for rows that are shown."""


def _rank(status: Status) -> int:
    """Return how far up a status is; a failed message may climb from the bottom again."""
    return LADDER.index(status) if status in LADDER else -1


def _unread(talk: Talk) -> tuple[Any, ...]:
    return (
        Entry.conversation == talk.name,
        Entry.place > talk.read_place,
        Entry.own == SQL("0"),
        Entry.kind.not_in(SEEN),
    )
