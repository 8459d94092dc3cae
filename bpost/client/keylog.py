"""The server's log of keys as this profile knows it: every link, and whose keys some stand for.

Nothing of it is believed before its hashes were computed here. All methods are called within a
transaction or reading of the profile; :mod:`auditing` asks the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from bpost.client.models import LogEntry, LogLink, LogTag, PastHead, fn
from bpost.client.profile import Profile
from bpost.crypto.keylog import Link, entry_value, first_head, stated_device
from bpost.errors import SecurityError
from bpost.protocol.log_head import LogHead
from bpost.protocol.replies import LogEntry as Said

LOG = "log"  # the fact: the name of the log
REPLACED = "log replaced"  # the fact: when the log was seen to be another one than before
CHECKED = "log checked"  # the fact: up to which position the own entries were looked at

_HEAD = "log head"


class KeyLog:
    """The links, heads and entries that a profile keeps."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._store = profile.store

    @property
    def name(self) -> bytes | None:
        """The random name of the log; None before there was one."""
        return self._profile.fact(LOG)

    @property
    def size(self) -> int:
        """How many entries are known."""
        head = self.head()
        return 0 if head is None else head.size

    def head(self) -> LogHead | None:
        """Return the newest head; None for an empty log, and where there is none."""
        return self._store.recall(_HEAD, self._read_head)

    def _read_head(self) -> LogHead | None:
        last = self._store.one(LogLink, order=cast(Any, LogLink.position).desc())
        return None if last is None else LogHead(last.position, bytes(last.head))

    def head_for(self, recipients: Mapping[str, Iterable[str]]) -> LogHead | None:
        """Return the head to send to these devices, by user; None if one does not follow the log.

        A program from before there was a log would not read a message that has it.
        """
        head = self.head()
        follow = (self.follows(name).issuperset(ids) for name, ids in recipients.items())
        return head if head is not None and all(follow) else None

    def follows(self, name: str) -> frozenset[str]:
        """Return the devices of a user that have stated that they do."""
        return self._store.recall(("follows", name), lambda: self._read_follows(name))

    def _read_follows(self, name: str) -> frozenset[str]:
        return frozenset(stated_device(one.statement) for one in self.entries(name))

    def statements(self, name: str) -> list[str]:
        """Return what was stated of a user along with the last key."""
        key = self.last_key(name)
        return [one.statement for one in self.entries(name) if one.public_key == key]

    def last_key(self, name: str, upto: int | None = None) -> str:
        """Return the last key of a user, up to a size of the log; empty where there is none."""
        entries = self.entries(name, upto)
        return entries[-1].public_key if entries else ""

    def head_at(self, size: int) -> bytes | None:
        """Return the head that the log had at ``size``; None beyond what is known."""
        if not size:
            return None if self.name is None else first_head(self.name)
        row = self._store.one(LogLink, LogLink.position == size)
        return None if row is None else bytes(row.head)

    def was_head(self, head: LogHead) -> bool:
        """Say whether the server's log had this head before it was replaced by another."""
        where = (PastHead.position == head.size, PastHead.head == head.hash)
        return self._store.one(PastHead, *where) is not None

    @property
    def replaced(self) -> int:
        """When the log was last seen to be another one than before; 0 for never."""
        return int(self._profile.fact(REPLACED) or 0)

    # Growing

    def begin(self, log: bytes) -> None:
        """Note the name of the log, which is empty here."""
        self._profile.know(LOG, log)

    def append(self, links: Iterable[Link]) -> None:
        """Keep links that follow the newest one; their head was compared with the server's."""
        for link in links:
            self._store.run(LogLink.insert(**vars(link)))
            self._store.note(_HEAD, LogHead(link.position, link.head))

    def common(self, links: Sequence[Link]) -> int:
        """Return how many of ``links``, the whole of a log, are those that are known."""
        known = {row.position: bytes(row.head) for row in self._store.all(LogLink)}
        return sum(known.get(link.position) == link.head for link in links)

    def take_back(self, size: int) -> None:
        """Keep the first ``size`` links, and of the others only what their heads were."""
        gone = cast(Any, LogLink.position) > size
        for row in self._store.all(LogLink, gone):
            self._store.run(PastHead.insert(position=row.position, head=bytes(row.head)))
        self._store.remove(LogLink, gone)
        self._store.remove(LogEntry, cast(Any, LogEntry.position) > size)
        self._profile.know(REPLACED, str(self._profile.now()).encode())
        if self._profile.fact(CHECKED) is not None:
            self._profile.know(CHECKED, str(size).encode())
        self._store.forget()

    def rename(self, log: bytes) -> None:
        """Begin with another log, in which every name has another tag."""
        self.take_back(0)
        self._store.remove(LogTag, LogTag.tag.is_null(False))
        self.begin(log)

    # Entries

    def tag(self, name: str) -> bytes | None:
        """Return the tag of a user, who is named in canonical form; None before it is kept."""
        row = self._store.one(LogTag, LogTag.peer == name)
        return None if row is None else bytes(row.tag)

    def keep_tag(self, name: str, tag: bytes) -> None:
        """Keep the tag of a user."""
        self._store.run(LogTag.insert(peer=name, tag=tag).on_conflict_replace())

    def unopened(self, name: str) -> list[LogLink]:
        """Return the links of a user of which it is not known yet what they stand for."""
        tag, last = self.tag(name), self._last_opened(name)
        order = cast(Any, LogLink.position)
        return self._store.all(LogLink, LogLink.tag == tag, order > last, order=order)

    def _last_opened(self, name: str) -> int:
        mine = LogEntry.peer == name
        return int(self._store.value(LogEntry.select(fn.MAX(LogEntry.position)).where(mine)) or 0)

    def open(self, name: str, said: Sequence[Said]) -> None:
        """Keep what the server said that the unopened links of a user stand for.

        Raises:
            SecurityError: ``log-broken``; it is not what they stand for.
        """
        links = self.unopened(name)
        true = [
            link.position == one.position
            and bytes(link.value) == entry_value(one.public_key, one.statement)
            for link, one in zip(links, said, strict=False)
        ]
        if len(links) != len(said) or not all(true):
            text = "The server says of its log of keys what the log does not bear out."
            raise SecurityError("log-broken", text)
        for one in said:
            row = {"public_key": one.public_key, "statement": one.statement}
            self._store.run(LogEntry.insert(peer=name, position=one.position, **row))
        self._store.forget()

    def entries(self, name: str, upto: int | None = None) -> list[LogEntry]:
        """Return what is known of a user's entries, oldest first, up to a size of the log."""
        where = [LogEntry.peer == name]
        if upto is not None:
            where.append(cast(Any, LogEntry.position) <= upto)
        return self._store.all(LogEntry, *where, order=LogEntry.position)

    def unchecked(self, name: str) -> list[LogEntry]:
        """Return the own entries that were not looked at yet.

        At first that is the last one alone: those before may be of keys that the account had once.
        """
        known = self._profile.fact(CHECKED)
        entries = self.entries(name)
        if known is None:
            return entries[-1:]
        return [one for one in entries if one.position > int(known)]

    def count_checked(self, entries: Sequence[LogEntry]) -> None:
        """Count own entries as looked at."""
        if entries:
            self._profile.know(CHECKED, str(entries[-1].position).encode())
