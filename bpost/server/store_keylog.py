"""The store's log of keys: every key that was ever handed out, in a chain that only grows.

What enters it enters in the transaction that changes or hands out the key, so no client is ever
shown a key that the log does not have. What an entry is made of is in :mod:`bpost.crypto.keylog`.
"""

from __future__ import annotations

import os
from typing import Any, cast

from bpost.crypto.keylog import HASH, Link, entry_value, first_head, name_tag, next_link
from bpost.server.models import Client, KeyLog, KeyLogEntry
from bpost.server.records import Account, LogPage, PublishedKey
from bpost.server.table import Access, Table


class KeyLogTable(Table):
    """The log, to read; what belongs to a change of keys calls the functions below."""

    def __init__(self, transaction: Access, reading: Access) -> None:
        super().__init__(transaction, reading)
        self._tags: dict[int, bytes] = {}  # computed once; two threads may do so at once

    def tag(self, account: Account) -> bytes:
        """Return the tag of an account's name; it may take a few milliseconds."""
        if account.id not in self._tags:
            with self._reading() as database:
                log = _name(database)
            self._tags[account.id] = name_tag(log, account.canonical)
        return self._tags[account.id]

    def is_news(self, account: int, key: PublishedKey) -> bool:
        """Tell whether the log does not have this yet."""
        with self._reading() as database:
            return not _is_there(database, account, key)

    def page(self, after: int, most: int) -> LogPage:
        """Return up to ``most`` links that come after a position."""
        columns = KeyLogEntry.select(KeyLogEntry.tag, KeyLogEntry.value)
        query = columns.where(KeyLogEntry.position > after).order_by(KeyLogEntry.position)
        with self._reading() as database:
            log = _name(database)
            size, head = _end(database, log)
            rows = list(query.limit(most).tuples().execute(database))
        return LogPage(log, size, head, b"".join(bytes(part) for row in rows for part in row))

    def entries(self, account: int, after: int, most: int) -> list[tuple[int, str, str]]:
        """Return up to ``most`` entries of an account after a position: what its links say."""
        columns = (KeyLogEntry.position, KeyLogEntry.public_key, KeyLogEntry.statement)
        mine = (KeyLogEntry.client == account) & (KeyLogEntry.position > after)
        query = KeyLogEntry.select(*columns).where(mine).order_by(KeyLogEntry.position)
        with self._reading() as database:
            return list(query.limit(most).tuples().execute(database))

    def check(self) -> list[str]:
        """Compute the whole chain anew; return what is wrong with it, in a sentence."""
        with self._reading() as database:
            return problems(database)


def problems(database: Any) -> list[str]:
    """Say where the log is not what it was when it was written."""
    ended = cast(Any, Client.deleted).is_null(False).alias("ended")
    query = KeyLogEntry.select(KeyLogEntry, ended).join(Client).order_by(KeyLogEntry.position)
    head = first_head(_name(database))
    for position, row in enumerate(query.dicts().execute(database), 1):
        link = next_link(head, position, bytes(row["tag"]), bytes(row["value"]))
        says = entry_value(row["public_key"], row["statement"])
        if link != _link(row) or (link.value != says and not row["ended"]):
            return [
                f"The log of keys was changed at entry {position}: clients will tell their "
                "users. Restore the newest copy of the server's folder that is in order."
            ]
        head = link.head
    return []


def begin_log(database: Any) -> None:
    """Give the log its name, if it has none."""
    if not KeyLog.select().exists(database):
        KeyLog.insert(name=os.urandom(HASH)).execute(database)


def log_key(database: Any, account: int, key: PublishedKey) -> None:
    """Write an account's key into the log if that, or what is stated with it, is news there."""
    if not _is_there(database, account, key):
        _append(database, account, key)


def hand_out_key(database: Any, account: int, tag: bytes) -> tuple[PublishedKey, int]:
    """Return an account's key, which the log has then, and the log's size.

    Accounts from before there was a log enter it here.
    """
    columns = Client.select(Client.public_key, Client.succession)
    row = columns.where(Client.id == account).tuples().first(database)
    text, succession = row or ("", "")
    key = PublishedKey(text, succession, tag=tag)
    if key.text and _last_key(database, account) != key.text:
        _append(database, account, key)
    return key, _size(database)


def end_keys(database: Any, account: int) -> None:
    """Write the end of an account into the log, and forget what its entries said."""
    mine = KeyLogEntry.client == account
    tag = KeyLogEntry.select(KeyLogEntry.tag).where(mine).limit(1).scalar(database)
    if tag is not None:
        _append(database, account, PublishedKey("", tag=bytes(tag)))
        KeyLogEntry.update(public_key="", statement="").where(mine).execute(database)


def _is_there(database: Any, account: int, key: PublishedKey) -> bool:
    """Tell whether this was stated since the account's key was another one.

    Devices that do not know of each other's newest list yet take turns in stating theirs.
    """
    columns = KeyLogEntry.select(KeyLogEntry.public_key, KeyLogEntry.statement)
    newest = columns.where(KeyLogEntry.client == account).order_by(KeyLogEntry.position.desc())
    for public_key, statement in newest.tuples().execute(database):
        if public_key != key.text:
            return False
        if statement == key.statement:
            return True
    return False


def _append(database: Any, account: int, key: PublishedKey) -> None:
    size, head = _end(database, _name(database))
    link = next_link(head, size + 1, key.tag, entry_value(key.text, key.statement))
    row = {"public_key": key.text, "statement": key.statement}
    KeyLogEntry.insert(client=account, **row, **vars(link)).execute(database)


def _name(database: Any) -> bytes:
    return bytes(KeyLog.select(KeyLog.name).scalar(database))


def _size(database: Any) -> int:
    last = KeyLogEntry.select(KeyLogEntry.position).order_by(KeyLogEntry.position.desc())
    return int(last.limit(1).scalar(database) or 0)


def _end(database: Any, log: bytes) -> tuple[int, bytes]:
    """Return the size and the head of the log."""
    last = KeyLogEntry.select(KeyLogEntry.position, KeyLogEntry.head)
    row = last.order_by(KeyLogEntry.position.desc()).limit(1).tuples().first(database)
    return (0, first_head(log)) if row is None else (row[0], bytes(row[1]))


def _last_key(database: Any, account: int) -> str | None:
    columns = KeyLogEntry.select(KeyLogEntry.public_key).where(KeyLogEntry.client == account)
    key = columns.order_by(KeyLogEntry.position.desc()).limit(1).scalar(database)
    return None if key is None else str(key)


def _link(row: Any) -> Link:
    return Link(row["position"], bytes(row["tag"]), bytes(row["value"]), bytes(row["head"]))
