"""The schema's versions: made new, or brought forward step by step, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bpost.errors import StoreError
from bpost.server.models import (
    VERSION,
    Bucket,
    Clock,
    Departed,
    Device,
    KeyLog,
    KeyLogEntry,
    Schema,
    Setting,
    create_table,
    create_tables,
    removal,
)

Step = Callable[[Any], None]


def _administer(database: Any) -> None:
    """Version 3: quotas, what an administrator sets, and rates that survive a restart."""
    database.execute_sql("ALTER TABLE clients ADD COLUMN quota BIGINT")
    create_table(database, Setting)
    create_table(database, Bucket)


def _add_succession(database: Any) -> None:
    """Version 4: what proves that an account key took over from those before it."""
    statement = "ALTER TABLE clients ADD COLUMN succession TEXT NOT NULL DEFAULT ''"
    database.execute_sql(statement)


def _begin_log(database: Any) -> None:
    """Version 5: the log of keys, which is empty; keys enter it as they are handed out."""
    create_table(database, KeyLog)
    create_table(database, KeyLogEntry)


def _remember_removed(database: Any) -> None:
    """Version 6: ids of removed devices, which stay out; and devices are found by id alone."""
    create_table(database, Departed)
    create_table(database, Device)  # which is there: what is made is the new index


STEPS: Mapping[int, Step] = MappingProxyType(
    {
        2: lambda database: create_table(database, Clock),
        3: _administer,
        4: _add_succession,
        5: _begin_log,
        6: _remember_removed,
    }
)
"""What brings a database to version ``n`` from the version before, by ``n``; forward only."""


def migrate(database: Any, steps: Mapping[int, Step] = STEPS, to: int = VERSION) -> None:
    """Bring ``database`` to version ``to``; the caller holds the transaction.

    Raises:
        StoreError: it is of a newer version than this program knows.
    """
    found = version_of(database)
    if found > to:
        raise StoreError(
            f"The database is of version {found}, and this program knows versions up to {to}. "
            "Run the newer program that made it, or restore the copy from before the update."
        )
    if found == to:
        return
    if found == 0:
        create_tables(database)
        found = VERSION
    for version in range(found + 1, to + 1):
        steps[version](database)
    removal(Schema).execute(database)
    Schema.insert(version=to).execute(database)


def version_of(database: Any) -> int:
    """Return the version of the schema, 0 for an empty database."""
    if not database.table_exists(Schema):
        return 0
    return int(Schema.select(Schema.version).scalar(database) or 0)
