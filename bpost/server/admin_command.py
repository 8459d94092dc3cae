"""What a command of ``bpost-admin`` is made of, and the words they share."""

from __future__ import annotations

import argparse
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from bpost.errors import UsageError
from bpost.protocol.fields import canonical
from bpost.server.records import Account
from bpost.server.store import FILE, Store

DEFAULT = "default"

Found = Mapping[str, Any]

_SIZE = re.compile(r"(\d{1,12})([KMGT]?)(?:i?B)?", re.ASCII | re.IGNORECASE)
_NAMES = ("bytes", "KiB", "MiB", "GiB", "TiB")
_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def nothing_more(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: what most commands need."""


@dataclass(frozen=True)
class Command:
    """One command: what it does, how that is told to people, and what it has to be given.

    The docstring of ``run`` is its help; what it returns is printed as it is with ``--json``.
    """

    run: Callable[[argparse.Namespace], Found]
    lines: Callable[[Found], Sequence[str]]
    arguments: Callable[[argparse.ArgumentParser], None] = nothing_more


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Store]:
    """Open the store, which must be there; asking must not make one."""
    path = options.data / FILE
    if not path.exists() or not stat.S_ISREG(path.stat().st_mode):
        raise UsageError(f"There is no database {path}. Give the server's folder with --data.")
    store = Store(options.data)
    try:
        yield store
    finally:
        store.close()


def found_user(store: Store, name: str) -> Account:
    """Return the account of that name.

    Raises:
        UsageError: there is none.
    """
    account = store.accounts.find(canonical(name))
    if account is None:
        raise UsageError(f"There is no user {name} on this server.")
    return account


def add_user(parser: argparse.ArgumentParser) -> None:
    """Have a command take the name of a user."""
    parser.add_argument("user", metavar="USER", help="whose account")


def days(text: str) -> int:
    """Read a number of days for the life of an invitation."""
    return _number(text, 365)


def days_or_default(text: str) -> int | str:
    """Read a number of days, or the word ``default``."""
    return DEFAULT if text == DEFAULT else _number(text, 36_500)


def size_or_default(text: str) -> int | str:
    """Read a size such as ``500M``, or the word ``default``."""
    match = _SIZE.fullmatch(text)
    if text == DEFAULT:
        return DEFAULT
    if match is None:
        raise argparse.ArgumentTypeError("not a size such as 64K, 500M or 2G, and not 'default'")
    return int(match[1]) << 10 * _UNITS[match[2].upper()]


def date(ms: int) -> str:
    """Say when that was."""
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def size(count: int) -> str:
    """Say how much that is."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(_NAMES) - 1)
    amount = count / (1 << 10 * power)
    return f"{amount:.{1 if power and amount < 100 else 0}f} {_NAMES[power]}"


def many(count: int, thing: str, things: str = "") -> str:
    """Say how many there are of a thing."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def _number(text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= most:
        raise argparse.ArgumentTypeError(f"not a number of days from 1 to {most}")
    return int(text)
