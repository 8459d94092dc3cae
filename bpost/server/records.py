"""What the store hands out: frozen records of plain values, never models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

PLAIN = "plain"
"""The name of the one device of a client that knows nothing of devices."""

NOBODY = 0
"""The number of no account."""


@dataclass(frozen=True)
class Account:
    """A user as the rules see one; ``login`` is empty where there is none: nobody's."""

    id: int
    name: str
    canonical: str
    login: str = field(repr=False)
    public_key: str
    succession: str
    disabled: bool


class Closed(Enum):
    """Why nobody may use an account."""

    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True)
class PublishedKey:
    """An account key to publish, what proves from which it took over, and which it replaces.

    Without ``replacing`` it replaces any. In the log of keys it stands under the ``tag`` of the
    account's name, with the ``statement`` of its owner.
    """

    text: str
    succession: str = ""
    replacing: str | None = None
    tag: bytes = b""
    statement: str = ""


class Publication(Enum):
    """What came of publishing an account key."""

    DONE = "published"
    NO_DEVICE = "there is no such device"
    OTHER_KEY = "another key is published than the one to replace"


@dataclass(frozen=True)
class Mailbox:
    """One device's place in its user's mailbox: everything up to ``cursor`` is safely there."""

    account: int
    device: str
    cursor: int


# Of the next three some are made for each message: a tuple takes a third of the time of a frozen
# dataclass.


class Letter(NamedTuple):
    """A message to store. ``device`` is the sender's, ``to`` a canonical username."""

    sender: int
    sender_name: str
    device: str
    to: str
    body: str
    ref: str | None = None

    def __repr__(self) -> str:
        return f"Letter({self.sender}, {self.sender_name!r} to {self.to!r}, ref {self.ref!r})"


class Mail(NamedTuple):
    """A stored message, as it lies in the recipient's mailbox."""

    recipient: int
    seq: int
    sender: str
    body: str
    timestamp: int

    def __repr__(self) -> str:
        return f"Mail({self.recipient}, {self.seq}, from {self.sender!r}, {self.timestamp})"


class Receipt(NamedTuple):
    """What became of a letter: its place, and the ``mail`` to deliver where there is any.

    There is none for a letter that was stored before, and none for one from a blocked sender.
    ``devices`` are those of the recipient that have published keys, ``own`` the sender's others.
    """

    seq: int
    timestamp: int
    mail: Mail | None = None
    devices: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


FULL = Receipt(0, 0)
"""What a letter gets for which the mailbox has no room."""


@dataclass(frozen=True)
class Seen:
    """What the wall clock said, and for how long no old mail is removed; in milliseconds."""

    wall: int
    hold: int


@dataclass(frozen=True)
class Orders:
    """What administrators have set; ``retention`` in seconds, None for what it was started with."""

    edition: int
    retention: int | None


@dataclass(frozen=True)
class Kept:
    """A device as its owner sees it in the list."""

    device: str
    name: str
    created: int
    last_seen: int


@dataclass(frozen=True)
class ContactRow:
    """A line of a contact list."""

    name: str
    blocked: bool


@dataclass(frozen=True)
class Keys:
    """What is handed out of one device: its bundle and, if asked for and left, a one-time key."""

    device: str
    bundle: str
    one_time: str | None


@dataclass(frozen=True)
class Handed:
    """What is handed out of an account, all of one moment.

    ``left`` is the stock of each device that gave a one-time key, ``logged`` how long the log of
    keys was.
    """

    key: PublishedKey
    keys: tuple[Keys, ...]
    left: Mapping[str, int]
    logged: int


@dataclass(frozen=True)
class LogPage:
    """The log of keys as it is now, and some of its links."""

    log: bytes
    size: int
    head: bytes
    links: bytes


@dataclass(frozen=True)
class Vault:
    """The sealed vault of an account; version 0 is an empty one."""

    version: int
    text: str = field(repr=False)
