"""A log of keys as a list of what was said: what the real one must agree with."""

from __future__ import annotations

import copy
import os

from bpost import b64
from bpost.crypto.keylog import Link, entry_value, first_head, name_tag, next_link
from bpost.protocol.fields import canonical
from bpost.protocol.replies import EntriesFound, LinksFound, LogEntry
from bpost.protocol.requests import GetEntries, GetLinks
from bpost.protocol.shape import Reply

PAGE = 3
"""Links, or entries, in one answer: so few that pages are tried too."""


class SimulatedLog:
    """Every entry as (name, key, statement)."""

    def __init__(self) -> None:
        self.name = os.urandom(32)
        self.said: list[tuple[str, str, str]] = []
        self._tags: dict[str, bytes] = {}

    @property
    def size(self) -> int:
        return len(self.said)

    def fork(self) -> SimulatedLog:
        """Return another log that begins with what this one has."""
        return copy.deepcopy(self)

    def put(self, name: str, key: str, statement: str) -> None:
        """Append what an account states, if that is news."""
        entry = (canonical(name), key, statement)
        for one in reversed(self.said):
            if one == entry:
                return
            if one[0] == entry[0] and one[1] != key:
                break
        self.said.append(entry)

    def hand_out(self, name: str, key: str) -> None:
        """Append a key that is handed out, if it is not the last one of that name."""
        keys = [one[1] for one in self.said if one[0] == canonical(name)]
        if key and keys[-1:] != [key]:
            self.put(name, key, "")

    def links(self) -> list[Link]:
        """Compute the whole chain."""
        head, links = first_head(self.name), list[Link]()
        for position, (name, key, statement) in enumerate(self.said, 1):
            links.append(next_link(head, position, self._tag(name), entry_value(key, statement)))
            head = links[-1].head
        return links

    def head(self) -> bytes:
        """Return the hash of the whole."""
        links = self.links()
        return links[-1].head if links else first_head(self.name)

    def answer(self, request: GetLinks | GetEntries) -> Reply:
        """Answer as a server does."""
        if isinstance(request, GetLinks):
            some = self.links()[request.after : request.after + PAGE]
            data = b"".join(link.tag + link.value for link in some)
            name, head = b64.encode(self.name), b64.encode(self.head())
            return LinksFound(name, self.size, head, data or None)
        found = [
            LogEntry(position, key, statement)
            for position, (name, key, statement) in enumerate(self.said, 1)
            if name == canonical(request.contact) and position > request.after
        ]
        return EntriesFound(request.contact, tuple(found[:PAGE]))

    def _tag(self, name: str) -> bytes:
        if name not in self._tags:
            self._tags[name] = name_tag(self.name, name)
        return self._tags[name]
