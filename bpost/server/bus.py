"""Notices about what happened in the store, for whoever holds the connections concerned.

A notice is a hint, never the truth: the mail lies in the store, and log-in and the clerk's sweep
find it there too. So a bus between several nodes may lose notices; here all is in one process, and
publishing calls the listeners at once, in the publisher's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bpost.server.records import Mail


@dataclass(frozen=True)
class MailStored:
    """A mailbox got mail; ``mails`` are the newest in it, in order."""

    account: int
    mails: tuple[Mail, ...]


@dataclass(frozen=True)
class Signalled:
    """Something for the connected devices of a user, never stored; not for ``spare``."""

    account: int
    text: str = field(repr=False)
    spare: str = ""


@dataclass(frozen=True)
class StockLow:
    """A device has few one-time keys left."""

    account: int
    device: str
    left: int


@dataclass(frozen=True)
class Expelled:
    """Connections of a user must end: of one device or of all, but not the connection ``spare``."""

    account: int
    reason: str
    explanation: str
    device: str | None = None
    spare: str = ""


Notice = MailStored | Signalled | StockLow | Expelled


class Bus:
    """The bus of a post office on one node."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Notice], None]] = []

    def subscribe(self, listener: Callable[[Notice], None]) -> None:
        """Have ``listener`` called with every notice from now on; it must not block."""
        self._listeners.append(listener)

    def publish(self, notice: Notice) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener(notice)
