"""What happens, as frozen dataclasses, and the bounded queue they wait in.

Events say what to look at again; the records they carry are already committed to the profile.
Whoever reads too slowly loses the oldest events, never a message: the profile holds them all.
"""

from __future__ import annotations

import collections
import threading
import time
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from bpost.client.records import Message


class ConnectionState(str, Enum):
    """Where the connection to the server stands."""

    OFFLINE = "offline"  # not logged in, or closed
    CONNECTING = "connecting"
    CONNECTED = "connected"  # logged in
    WAITING = "waiting"  # the last try failed; the next one comes by itself
    REFUSED = "refused"  # the server or its certificate was refused; no further try


What = Literal["", "edited", "deleted"]
"""What its author did to a message."""


@dataclass(frozen=True)
class ConnectionChanged:
    """The connection changed; ``retry_in`` seconds from now while waiting."""

    state: ConnectionState
    retry_in: float | None = None
    waiting: int = 0  # messages in the outbox
    text: str = ""  # why, as a sentence; empty while all is well


@dataclass(frozen=True)
class MessageAdded:
    """A message, own or not, has been stored."""

    message: Message


@dataclass(frozen=True)
class MessageChanged:
    """The status, failure or text of a stored message changed.

    ``was`` is the id that it had before, where a message took the place of its placeholder.
    ``what`` says what its author did, if that is the reason.
    """

    message: Message
    was: str = ""
    what: What = ""


@dataclass(frozen=True)
class MessageRemoved:
    """A message is not shown any more on the devices of this account."""

    conversation: str
    id: str


@dataclass(frozen=True)
class ContactsChanged:
    """The list of contacts, or what is known of one, changed."""


@dataclass(frozen=True)
class ConversationChanged:
    """The unread count or draft of the conversation with ``name`` changed."""

    name: str


@dataclass(frozen=True)
class HandoverChanged:
    """An other own device asks for the history, or gives its own; see :meth:`Client.handovers`."""


@dataclass(frozen=True)
class LinkChanged:
    """Something happened to the code that this device shows; see :meth:`Client.link`."""


@dataclass(frozen=True)
class SecurityNotice:
    """Something that may be an attack was refused; ``cause`` as in ``SecurityError.CAUSES``.

    ``contact`` is empty where it concerns the server or this account itself.
    """

    contact: str
    cause: str
    text: str


@dataclass(frozen=True)
class SignedOut:
    """The server takes this log-in no longer (``wrong-password``, ``disabled``, …)."""

    reason: str
    text: str


@dataclass(frozen=True)
class EventsLost:
    """``count`` events were dropped because nobody read them: show everything anew."""

    count: int


Event = (
    ConnectionChanged
    | MessageAdded
    | MessageChanged
    | MessageRemoved
    | ContactsChanged
    | ConversationChanged
    | HandoverChanged
    | LinkChanged
    | SecurityNotice
    | SignedOut
    | EventsLost
)


class EventQueue:
    """A bounded queue that never blocks the writer."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lost = 0
        self._closed = False
        self._events: collections.deque[Event] = collections.deque()
        # Guards all of the above; taken last, nothing is called while it is held.
        self._changed = threading.Condition()

    def put(self, event: Event) -> None:
        """Append ``event``; when full, the oldest one is dropped and counted."""
        with self._changed:
            if len(self._events) >= self._most:
                self._events.popleft()
                self._lost += 1
            self._events.append(event)
            self._changed.notify()

    def get(self, timeout: float | None = 0) -> Event | None:
        """Take the next event, waiting up to ``timeout`` seconds (None: until closed)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not (self._events or self._lost or self._closed):
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            if self._lost:
                lost, self._lost = self._lost, 0
                return EventsLost(lost)
            return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Let every waiting reader go; what is queued can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def open(self) -> None:
        """Let readers wait again, for a new log-in."""
        with self._changed:
            self._closed = False

    @property
    def closed(self) -> bool:
        """Whether no event will come and none is left."""
        with self._changed:
            return self._closed and not self._events and not self._lost
