"""What the client library hands out: plain frozen records, never database models.

Times are milliseconds since the Unix epoch, UTC. Names of people are spelled as registered;
every call compares them without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "unreadable", "notice", "unsupported"]
Status = Literal["waiting", "stored", "delivered", "read", "failed", "received"]

# A message only ever climbs this ladder; a late receipt never takes a tick away.
LADDER: tuple[Status, ...] = ("waiting", "stored", "delivered", "read")


@dataclass(frozen=True)
class Message:
    """One line of a conversation.

    ``kind`` says what may be shown: ``text`` is what a verified device sealed; of the others only
    ``text`` of a ``notice`` and ``failure`` are sentences for people, and none is anybody's words.
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

    def __repr__(self) -> str:
        """Show what a log may hold: no text."""
        return (
            f"Message(id={self.id!r}, kind={self.kind!r}, status={self.status!r}, seq={self.seq!r})"
        )


@dataclass(frozen=True)
class Contact:
    """A person this account knows.

    ``listed`` is False for someone who wrote without being in the contact list. While
    ``key_changed``, sending to them waits for :meth:`Client.trust_new_key`.
    """

    name: str
    added: int
    blocked: bool = False
    listed: bool = True
    has_key: bool = False
    key_changed: bool = False
    verified: bool = False


@dataclass(frozen=True)
class Conversation:
    """A conversation with one person; ``request`` while that person is not in the contact list."""

    name: str
    last: Message | None
    unread: int
    draft: str = field(repr=False)
    request: bool = False
