"""What each part of the store stands on: the one connection, by way of the one lock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

Access = Callable[[], AbstractContextManager[Any]]
"""Enter it to hold the lock and get the database (``Store.transaction`` and ``Store.reading``)."""


class Table:
    """A part of the store; each public method is one transaction, callable from any thread."""

    def __init__(self, transaction: Access, reading: Access) -> None:
        self._transaction = transaction
        self._reading = reading
