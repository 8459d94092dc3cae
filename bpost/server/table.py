"""What each part of the store stands on: the one connection, by way of the one lock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, TypeVar

Access = Callable[[], AbstractContextManager[Any]]
"""Enter it to hold the lock and get the database (``Store.transaction`` and ``Store.reading``)."""


PORTION = 500
"""How many values one statement asks for."""


_V = TypeVar("_V", int, str)


def portions(values: Collection[_V]) -> Iterator[list[_V]]:
    """Split what is asked for into lists that a statement can hold."""
    asked = sorted(values)
    for at in range(0, len(asked), PORTION):
        yield asked[at : at + PORTION]


class Table:
    """A part of the store; each public method is one transaction, callable from any thread."""

    def __init__(self, transaction: Access, reading: Access) -> None:
        self._transaction = transaction
        self._reading = reading


def run(database: Any, sql: str, *values: Any) -> Any:
    """Run a statement that is written out, with ``?`` for each value, and return its cursor.

    For what is done all the time: the library takes longer to write a statement than the database
    to run it.
    """
    return database.execute_sql(_spelled(sql, database.param), values)


def one(database: Any, sql: str, *values: Any) -> Any:
    """Run a statement as :func:`run` does; return the first row, or None."""
    return run(database, sql, *values).fetchone()


@cache
def _spelled(sql: str, sign: str) -> str:
    return sql.replace("?", sign)
