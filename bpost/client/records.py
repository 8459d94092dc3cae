"""What the client library hands out: plain frozen records, never database models.

Times are milliseconds since the Unix epoch, UTC. Names of people are spelled as registered;
every call compares them without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "unreadable", "notice", "unsupported", "deleted"]
Status = Literal["waiting", "stored", "delivered", "read", "failed", "received"]

KeyWord = Literal[
    "first", "changed", "returned", "accepted", "trusted", "verified", "unverified", "renewed"
]

KEY_WORDS: Mapping[KeyWord, str] = MappingProxyType(
    {
        "first": "First seen, and kept",
        "changed": "A new key came; sending was held",
        "returned": "The known key was back",
        "accepted": "You went on with this key",
        "trusted": "You trusted this key without comparing",
        "verified": "You verified this key",
        "unverified": "You took the mark “verified” away",
        "renewed": "It took over from the key before, which signed for it",
    }
)
"""What can happen to an account key, and how that is said."""

# A message only ever climbs this ladder; a late receipt never takes a tick away.
LADDER: tuple[Status, ...] = ("waiting", "stored", "delivered", "read")


@dataclass(frozen=True)
class Message:
    """One line of a conversation.

    ``kind`` says what may be shown: ``text`` is what a verified device sealed; of the others only
    ``text`` of a ``notice`` and ``failure`` are sentences for people, and none is anybody's words.
    A ``deleted`` one was taken back by its author. ``edited`` is when a text was last changed, by
    its author's clock, and ``revision`` how often.
    """

    id: str
    conversation: str  # the name of the other person
    sender: str
    own: bool
    kind: Kind
    text: str
    sent: int  # the sender's clock, from inside the seal; the server's where nothing could be read
    received: int | None  # our clock; None for what this device wrote
    status: Status
    seq: int | None = None  # the place in a mailbox: ours, or the recipient's for our own
    failure: str = ""  # why it waits, failed or could not be read; a sentence
    place: float = 0.0  # sort by this within a conversation
    edited: int | None = None
    revision: int = 0

    def __repr__(self) -> str:
        """Show what a log may hold: no text."""
        return (
            f"Message(id={self.id!r}, kind={self.kind!r}, status={self.status!r}, seq={self.seq!r})"
        )


@dataclass(frozen=True)
class Contact:
    """A person this account knows.

    ``listed`` is False for someone who wrote without being in the contact list. While
    ``key_changed``, sending to them waits for :meth:`Client.trust_new_key`; ``was_verified`` says
    that the key before was verified, so that more than a click is asked. ``key`` names the account
    key that all this is about: the new one, if it changed.
    """

    name: str
    added: int
    blocked: bool = False
    listed: bool = True
    has_key: bool = False
    key_changed: bool = False
    verified: bool = False
    was_verified: bool = False
    key: str = ""


@dataclass(frozen=True)
class Safety:
    """What two people compare to see that nobody stands between them; empty without keys.

    ``code`` is for the other person to scan. ``key`` names the key that the number is about: hand
    it back with the answer, so that no other key is trusted in its place.
    """

    name: str
    number: str = ""
    code: str = ""
    key: str = ""
    key_changed: bool = False
    verified: bool = False
    was_verified: bool = False


@dataclass(frozen=True)
class KeyChange:
    """One line of a key's history; ``key`` is as in :class:`Contact`."""

    key: str
    time: int
    what: KeyWord

    @property
    def text(self) -> str:
        """Say what happened."""
        return KEY_WORDS[self.what]

    @property
    def short(self) -> str:
        """The beginning of the key, enough to tell those of one list apart."""
        return self.key[:8]


@dataclass(frozen=True)
class LogFinding:
    """Something that the server's log of keys showed; ``over`` if it was cleared up since.

    ``contact`` is who is meant, empty for the server or this account itself; ``cause`` as in
    ``SecurityError.CAUSES``. The evidence is two heads at one ``size``: ``ours`` and ``theirs``.
    """

    time: int
    cause: str
    contact: str
    text: str
    size: int = 0
    ours: str = ""
    theirs: str = ""
    over: bool = False


@dataclass(frozen=True)
class KeyLogState:
    """What this device knows of the server's log of keys: its head, and what was found."""

    size: int = 0
    hash: str = ""
    findings: tuple[LogFinding, ...] = ()

    @property
    def open(self) -> tuple[LogFinding, ...]:
        """What was found and not cleared up."""
        return tuple(one for one in self.findings if not one.over)


@dataclass(frozen=True)
class DeviceInfo:
    """A device of the own account; ``last_seen`` is when the server last heard of it.

    One that is not ``listed`` is known to the server alone: it began to join and did not end, and
    nobody seals anything for it.
    """

    id: str
    name: str
    added: int
    last_seen: int
    this: bool = False
    listed: bool = True


@dataclass(frozen=True)
class HandoverInfo:
    """The history on its way between this device and another of the account.

    ``way`` is ``give`` where the other one asked. ``state`` is ``asked`` until a user has said yes
    or no; then ``refused``; or ``sending`` here and ``fetching`` there until it is ``done``. Beside
    those there are ``later``, where too much is under way, and ``gone``, where the other device was
    removed. ``count`` of ``total`` messages have been handed over.
    """

    device: str
    name: str
    way: Literal["give", "get"]
    state: str
    count: int = 0
    total: int = 0


@dataclass(frozen=True)
class LinkInfo:
    """A code that this device shows for another one to join with, and how far that is.

    ``state`` is ``waiting`` until a device has read the code; then ``met``, and ``number`` is to be
    compared; ``agreed`` once the user here has said that it is the same, ``done`` when the other
    device has the account's key. Or it ends: ``over`` after its time, ``refused`` by the user,
    ``spied`` when a second device came with the same code. ``left`` is in seconds.
    """

    code: str = field(default="", repr=False)
    state: str = "over"
    name: str = ""
    number: str = ""
    left: float = 0.0


@dataclass(frozen=True)
class Conversation:
    """A conversation with one person; ``request`` while that person is not in the contact list."""

    name: str
    last: Message | None
    unread: int
    draft: str = field(repr=False)
    request: bool = False
