"""What a post office holds before a run, written straight into its tables: that is fast."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bpost.crypto.login import hash_login
from bpost.server.models import Client, Contact, Device, Message
from bpost.server.store import FILE, Store

PASSWORD = "A" * 43
"""The password field of every account, so that one hash is enough for all."""

Row = tuple[object, ...]

DAY_MS = 24 * 3600 * 1000

_CLIENT = ("id", "name", "canonical", "login", "last_seq", "cleared", "created")
_DEVICE = ("client_id", "device", "cursor", "created", "last_seen")
_CONTACT = ("owner_id", "contact_id")
_MESSAGE = ("recipient_id", "seq", "sender_id", "sender_device", "ref", "body", "timestamp")


@dataclass(frozen=True)
class Stock:
    """So many accounts, of which ``connected`` will log in, each a contact of the one before.

    ``messages`` lie spread over all mailboxes, acknowledged; ``waiting`` in the first, for it.
    """

    accounts: int
    connected: int
    messages: int = 0
    waiting: int = 0
    size: int = 1024

    @classmethod
    def over(cls, accounts: int, connected: int, messages: int, size: int) -> Stock:
        """Return a stock of at least ``accounts``, as many for each of those that will log in."""
        step = max(1, -(-accounts // connected))
        return cls(step * connected, connected, messages, size=size)

    @property
    def step(self) -> int:
        """How far apart the accounts lie that will log in."""
        return self.accounts // self.connected

    def history(self, account: int) -> int:
        """Return how many messages of the past an account has."""
        return self.messages // self.accounts + (account < self.messages % self.accounts)


def name_of(account: int) -> str:
    """Return the username of an account."""
    return f"u{account}"


def device_of(account: int) -> str:
    """Return the name of the one device of an account."""
    return f"{account:016d}"


def fill(folder: Path, stock: Stock) -> float:
    """Make the database in ``folder``; return how many seconds that took."""
    started = time.perf_counter()
    Store(folder).close()
    with contextlib.closing(sqlite3.connect(folder / FILE, isolation_level=None)) as database:
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -1000000"):
            database.execute(f"PRAGMA {pragma}")
        for model, columns, rows in _tables(stock, int(time.time() * 1000)):
            database.execute("BEGIN")
            database.executemany(_statement(model, columns), rows)
            database.execute("COMMIT")
    return time.perf_counter() - started


def _statement(model: Any, columns: tuple[str, ...]) -> str:
    """Return what inserts a row of these columns; all others get the defaults of the model."""
    fields = {one.column_name: one.default for one in model._meta.sorted_fields}
    others = {name: value for name, value in fields.items() if name not in columns}
    given = {name: repr(value) for name, value in others.items() if value is not None}
    names, values = [*columns, *given], ["?"] * len(columns) + list(given.values())
    into = f"INSERT INTO {model._meta.table_name} ({', '.join(names)})"
    return f"{into} VALUES ({', '.join(values)})"


def _tables(stock: Stock, now: int) -> Iterator[tuple[Any, tuple[str, ...], Iterator[Row]]]:
    accounts, login = range(stock.accounts), hash_login(PASSWORD)
    held = [stock.history(account) for account in accounts]
    last = [count + stock.waiting * (not account) for account, count in enumerate(held)]
    yield (
        Client,
        _CLIENT,
        ((a + 1, name_of(a), name_of(a), login, last[a], held[a], now) for a in accounts),
    )
    yield Device, _DEVICE, ((a + 1, device_of(a), held[a], now, now) for a in accounts)
    yield Contact, _CONTACT, ((a + 1, (a + stock.step) % stock.accounts + 1) for a in accounts)
    yield Message, _MESSAGE, _messages(stock, now)


def _messages(stock: Stock, now: int) -> Iterator[Row]:
    """Yield the rows in the order of the table, and so of the senders, with rising times."""
    total, body = stock.messages + stock.waiting, "x" * stock.size
    number = 0
    for account in range(stock.accounts):
        sender = (account - stock.step) % stock.accounts
        count = stock.history(account) + stock.waiting * (not account)
        for seq in range(1, count + 1):
            number += 1
            when = now - DAY_MS * (total - number) // total
            ref = f"{seq:036d}"
            stamped = f"{0:020d}{body[20:]}" if stock.waiting else body
            yield account + 1, seq, sender + 1, device_of(sender), ref, stamped, when
