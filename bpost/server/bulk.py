"""Many rows in one statement.

Each step of a statement lets go of the interpreter, and then waits for it in a crowd of connection
threads; a statement over many rows does that once. In its text ``{rows}`` stands for a list of
rows, ``?`` for what the database at hand wants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

MOST = 64
"""How many rows a statement has at most; it has a power of two of them, so that few are made."""


def run(database: Any, sql: str, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Run a statement over all rows, within a transaction of the store; return what it finds."""
    found: list[Any] = []
    cursor = database.cursor()
    for some in _portions(rows):
        text = _with_rows(sql, database.param, len(some), len(some[0]))
        cursor.execute(text, tuple(chain.from_iterable(some)))
        if cursor.description is not None:
            found += cursor.fetchall()
    return found


def _portions(rows: Sequence[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    at, size = 0, MOST
    while at < len(rows):
        while size > len(rows) - at:
            size //= 2
        yield rows[at : at + size]
        at += size


@cache
def _with_rows(sql: str, sign: str, count: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return sql.replace("{rows}", ", ".join([row] * count)).replace("?", sign)
