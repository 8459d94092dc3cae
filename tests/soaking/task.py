"""What a load process is told at its start, and the names and texts that all sides agree on."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.stock import name_of

FRIENDS = (1, 2, 5)
"""Every account writes to those so far behind it in the ring, and to itself."""

SIZES = (200, 1024, 1024, 1024, 1024, 1024, 3000, 1024, 1024, 20_000)
"""How long messages are, by turns; a sealed text of a few words has 1 KiB."""


@dataclass(frozen=True)
class Task:
    """The part of one load process: which residents, how busy, and where to write it down."""

    seed: str
    port: int
    first: int
    count: int
    ring: int
    rate: float
    stay: float
    away: float
    strangers: int
    journal: str

    def text(self) -> str:
        """Return the task as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def read(cls, text: str) -> Task:
        """Return the task that ``text`` spells."""
        return cls(**json.loads(text))

    @property
    def path(self) -> Path:
        """Where the journal is."""
        return Path(self.journal)


@dataclass(frozen=True)
class Item:
    """One message, as the soak knows it: the ``count``-th of its author."""

    author: str
    count: int

    @property
    def ref(self) -> str:
        """The sender's own id of the message."""
        return f"{self.author}-{self.count}"

    def body(self) -> str:
        """Return the text, which says whose it is, and can be told from any other."""
        size = SIZES[self.count % len(SIZES)]
        head = f"{self.author} {self.count} "
        return head + _filler(self.count % 7, size)[: size - len(head)]

    @classmethod
    def of_body(cls, body: str) -> Item | None:
        """Return the message that has this text, to the last character; None where none has."""
        author, _, rest = body.partition(" ")
        count = rest.partition(" ")[0]
        item = cls(author, int(count)) if count.isascii() and count.isdigit() else None
        return item if item is not None and item.body() == body else None


@cache
def _filler(kind: int, size: int) -> str:
    signs = "abcdefghijklmnopqrstuvwxyz0123456789-_"
    return (signs[kind * 5 :] + signs[: kind * 5]) * (size // len(signs) + 1)


def friends_of(number: int, ring: int) -> list[str]:
    """Return to whom an account writes."""
    names = [name_of((number + step) % ring) for step in FRIENDS]
    return [*dict.fromkeys(names), name_of(number)]
