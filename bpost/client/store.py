"""The profile's database: SQLCipher, one connection, one lock.

Everything at rest is in here, under a random key of 32 bytes. ``secure_delete`` overwrites what is
removed, temporary data stays in memory, and with ``synchronous=FULL`` what is committed is on the
disk: so a frame may leave, and mail may be acknowledged, once a transaction has ended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from peewee import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    Model,
    PeeweeException,
    SchemaManager,
    SqliteDatabase,
)
from playhouse.sqlcipher_ext import SqlCipherDatabase

from bpost.client.models import MIGRATIONS, SQL, TABLES, VERSION, Fact, fn
from bpost.errors import StoreError

M = TypeVar("M", bound=Model)
T = TypeVar("T")

_PRAGMAS = (
    ("cipher_log_level", "none"),
    ("journal_mode", "wal"),
    ("synchronous", "full"),
    ("foreign_keys", "on"),
    ("secure_delete", "on"),
    ("temp_store", "memory"),
    ("journal_size_limit", 4 * 1024 * 1024),
)

# The library writes each statement with its values to this logger at level DEBUG.
logging.getLogger("peewee").setLevel(logging.WARNING)


class Store:
    """One connection behind one lock; a :meth:`transaction` is on the disk when it ends."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open the database, and make its tables where there are none.

        Raises:
            StoreError: the key does not fit, the file is damaged or of a newer version.
        """
        # Guards the connection and its transaction. EventQueue's is the only lock taken inside.
        self.lock = threading.RLock()
        self._memo: dict[object, Any] = {}
        self._database: SqliteDatabase = SqlCipherDatabase(
            str(path),
            passphrase=f"x'{key.hex()}'",  # the key itself: SQLCipher derives nothing
            pragmas=_PRAGMAS,
            thread_safe=False,
            check_same_thread=False,
            autoconnect=False,
        )
        try:
            self._database.connect()
            self._migrate()
        except PeeweeException as error:
            self._database.close()
            text = f"The database {path} cannot be opened: it is damaged, or not of this profile."
            raise StoreError(text) from error
        except StoreError:
            self._database.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and a write transaction, which an exception rolls back.

        Raises:
            StoreError: the disk is full, the database is damaged, or it is closed.
        """
        with self.lock:
            try:
                with self._database.atomic("IMMEDIATE"):
                    yield
            except BaseException as error:
                self.forget()
                if isinstance(error, DatabaseError | InterfaceError):
                    raise _store_error(error) from error
                raise

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Within a transaction: let an exception undo only what was done since.

        What the tables do not allow is raised as it is: it says nothing about the database.
        """
        try:
            with self._database.savepoint():
                yield
        except BaseException as error:
            self.forget()
            if isinstance(error, IntegrityError | DataError):
                raise
            if isinstance(error, DatabaseError | InterfaceError):
                raise _store_error(error) from error
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the lock to read; raise as :meth:`transaction` does."""
        with self.lock:
            try:
                yield
            except (DatabaseError, InterfaceError) as error:
                raise _store_error(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold the lock, and see the database as it is now whatever other connections write."""
        with self.reading(), self._database.atomic("DEFERRED"):
            self.count(Fact)  # it begins with the first look
            yield

    def rows(self, table: type[Model], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield these columns of all rows, without holding all of them in memory."""
        query = table.select(*(getattr(table, name) for name in columns))
        return iter(cast(Any, query).tuples().iterator(self._database))

    def run(self, query: Any) -> Any:
        """Run an insert, update or delete; return what the library returns: a key or a count."""
        return query.execute(self._database)

    def all(self, table: type[M], *where: Any, order: Any = None, limit: int = 0) -> list[M]:
        """Return the rows of ``table`` for which all of ``where`` holds.

        ``order`` is one column, or a tuple of them.
        """
        query = table.select()
        if where:
            query = query.where(*where)
        if order is not None:
            query = query.order_by(*(order if isinstance(order, tuple) else (order,)))
        if limit:
            query = query.limit(limit)
        return list(cast(Any, query).execute(self._database))

    def one(self, table: type[M], *where: Any, order: Any = None) -> M | None:
        """Return the first such row, or None."""
        found = self.all(table, *where, order=order, limit=1)
        return found[0] if found else None

    def count(self, table: type[Model], *where: Any) -> int:
        """Return how many such rows there are."""
        query = table.select(fn.COUNT(SQL("*")))
        if where:
            query = query.where(*where)
        return int(cast(Any, query).scalar(self._database))

    def remove(self, table: type[Model], *where: Any) -> int:
        """Remove such rows; return how many there were."""
        query = cast(Any, table).delete()
        return int(self.run(query.where(*where) if where else query))

    def value(self, query: Any) -> Any:
        """Return the first column of the first row of a query, or None."""
        return query.scalar(self._database)

    def recall(self, what: object, load: Callable[[], T]) -> T:
        """Return what ``load`` read from the database the last time that ``what`` was asked for.

        Whoever changes it calls :meth:`forget` or :meth:`note`; what is undone is forgotten.
        """
        if what not in self._memo:
            self._memo[what] = load()
        return cast(T, self._memo[what])

    def note(self, what: object, value: object) -> None:
        """Recall ``value`` from now on, which has just been written."""
        self._memo[what] = value

    def forget(self) -> None:
        """Read everything anew."""
        self._memo.clear()

    def checkpoint(self) -> None:
        """Empty the write-ahead log, so that nothing removed is left in it."""
        with self.reading():
            cast(Any, self._database).execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connection; may be called twice."""
        with self.lock:
            self._database.close()

    def _migrate(self) -> None:
        """Make the tables, bring those of an older version up to date, and refuse a newer one."""
        with self.transaction():
            SchemaManager(Fact, self._database).create_all()
            found = self.one(Fact, Fact.name == "version")
            version = VERSION if found is None else int(found.value)
            if version > VERSION:
                text = "This profile was used with a newer version of BPost. Update the program."
                raise StoreError(text)
            steps = [MIGRATIONS[number] for number in range(version + 1, VERSION + 1)]
            self._execute(statement for before, _ in steps for statement in before)
            for table in TABLES:
                SchemaManager(table, self._database).create_all()
            self._execute(statement for _, after in steps for statement in after)
            now = Fact.insert(name="version", value=str(VERSION).encode())
            self.run(now.on_conflict_replace())

    def _execute(self, statements: Iterable[str]) -> None:
        for statement in statements:
            cast(Any, self._database).execute_sql(statement)


def _store_error(error: Exception) -> StoreError:
    first: BaseException | None = error
    while first is not None:  # undoing what a full disk has undone fails in its turn
        if "full" in str(first):
            return StoreError("The disk is full: nothing was stored. Make room, then go on.")
        first = first.__context__
    return StoreError(f"The profile's database cannot be used: {error}.")
