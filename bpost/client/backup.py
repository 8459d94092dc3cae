"""What a backup holds: who we are, whom we trust, what was said; nothing of any session.

Left out is whatever must never exist twice: ratchets, prekeys and the identity of the device, and
with them what only makes sense to this device (CRYPTO, section 8). So a restored profile is a new
device of the account, and its contacts see it join the signed list as they see any other.

The content is lines of JSON, cut into pieces for :mod:`bpost.crypto.backup`: first the account,
then the rows of one table after the other. Chains of numbers are among them, so what was sent
between backup and restoration is noticed as missing, and what comes twice is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bpost import b64
from bpost.client.keystore import Remembered
from bpost.client.models import (
    SQL,
    VERSION,
    Chain,
    Change,
    Device,
    End,
    Entry,
    Gap,
    KeyList,
    KeyNote,
    Model,
    Peer,
    Superseded,
    Talk,
    Verification,
    Want,
)
from bpost.client.store import Store
from bpost.crypto.account import AccountKey
from bpost.errors import SecurityError

KEPT: tuple[type[Model], ...] = (
    Peer,
    KeyNote,
    Verification,
    Superseded,
    KeyList,
    Device,
    Chain,
    End,
    Gap,
    Talk,
    Entry,
    Change,
    Want,
)
"""The tables that a backup holds. All others, and those to come, are left out until named here."""

LEFT_OUT_COLUMNS: Mapping[type[Model], frozenset[str]] = {Device: frozenset({"sessions"})}
"""The columns that are left out of a table that is kept: every ratchet."""

ROWS = 100
SIZE = 64 * 1024
"""A piece is full with so many rows, or so many characters; a single row may be longer."""

NOT_SENT = "This message was waiting when the backup was made. It is not known whether it was sent."


@dataclass(frozen=True)
class Backed:
    """The first piece: whose backup this is. ``settings`` are those of the program around us."""

    facts: Remembered
    account: AccountKey = field(repr=False)
    made: int
    settings: Mapping[str, Any] = field(default_factory=dict)


def backup_pieces(store: Store, backed: Backed) -> Iterator[bytes]:
    """Yield the content of a backup; within a snapshot of ``store``."""
    facts = backed.facts
    yield _line(
        {
            "schema": VERSION,
            "made": backed.made,
            "username": facts.username,
            "server": facts.server,
            "pin": facts.pin,
            "account": b64.encode(backed.account.seeds),
            "settings": dict(backed.settings),
        }
    )
    for table in KEPT:
        columns = kept_columns(table)
        for rows in _pages(store.rows(table, columns)):
            yield _line({"table": _name(table), "columns": columns, "rows": rows})


def read_first(pieces: Iterator[bytes]) -> Backed:
    """Take the first piece.

    Raises:
        SecurityError: ``newer-version``; ``bad-encoding``; what opening a piece raises.
    """
    try:
        value = json.loads(next(pieces))
        if value["schema"] > VERSION:
            text = "This backup was made by a newer version of BPost. Update the program."
            raise SecurityError("newer-version", text)
        facts = Remembered(str(value["server"]), str(value["username"]), pin=value["pin"])
        account = AccountKey.from_seeds(b64.decode(value["account"]))
        return Backed(facts, account, int(value["made"]), dict(value["settings"]))
    except (ValueError, TypeError, KeyError, StopIteration):
        raise _unreadable() from None


def read_rows(store: Store, pieces: Iterable[bytes]) -> None:
    """Store all that follows the first piece; within a transaction.

    What an older version kept, and this one does not know any more, is passed over.

    Raises:
        SecurityError: a piece is not in order; let the transaction be undone.
    """
    tables = {_name(table): table for table in KEPT}
    for piece in pieces:
        try:
            value = json.loads(piece)
            table = tables.get(value["table"])
            rows = [dict(zip(value["columns"], row, strict=True)) for row in value["rows"]]
            if table is not None:
                names = set(kept_columns(table)) & set(value["columns"])
                found = [{name: _read(row[name]) for name in names} for row in rows]
                store.run(table.insert_many(found))
        except (ValueError, TypeError, KeyError, IndexError):
            raise _unreadable() from None
    waiting = (Entry.status == "waiting") & (Entry.own == SQL("1"))
    store.run(Entry.update(status="failed", failure=NOT_SENT).where(waiting))


def kept_columns(table: type[Model]) -> list[str]:
    """Return the names of the columns of ``table`` that a backup holds."""
    left_out = LEFT_OUT_COLUMNS.get(table, frozenset())
    return [name for name in _meta(table).sorted_field_names if name not in left_out]


def _pages(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[list[Any]]]:
    """Gather rows until they make a piece."""
    page: list[list[Any]] = []
    size = 0
    for row in rows:
        page.append([_spell(value) for value in row])
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(page) >= ROWS or size >= SIZE:
            yield page
            page, size = [], 0
    if page:
        yield page


def _spell(value: Any) -> Any:
    """Write a value of a column as JSON can; bytes are a text in a list."""
    return [b64.encode(bytes(value))] if isinstance(value, bytes | memoryview) else value


def _read(value: Any) -> Any:
    """Read what :func:`_spell` wrote."""
    return b64.decode(value[0]) if isinstance(value, list) else value


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _meta(table: type[Model]) -> Any:
    return cast(Any, table)._meta  # the library's own name for it


def _name(table: type[Model]) -> str:
    return str(_meta(table).table_name)


def _unreadable() -> SecurityError:
    text = "This backup opens, but holds what no version of BPost writes. Nothing of it is used."
    return SecurityError("bad-encoding", text)
