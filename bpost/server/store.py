"""The post office's memory: one database, one connection, one lock.

The store hands out plain records. Its parts, one for each subject, are the attributes of
:class:`Store`; every method of theirs is one transaction and may be called from any thread.
SQLite runs in WAL mode with ``synchronous=FULL``: what is committed is on the disk.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from peewee import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    PeeweeException,
    SqliteDatabase,
)
from peewee import __exception_wrapper__ as translated  # type: ignore[attr-defined]

from bpost.errors import StoreError
from bpost.server import migrations
from bpost.server.files import private_file, private_folder
from bpost.server.models import VERSION
from bpost.server.store_accounts import Accounts
from bpost.server.store_buckets import Buckets
from bpost.server.store_clock import Clocks
from bpost.server.store_contacts import Contacts
from bpost.server.store_devices import Devices
from bpost.server.store_keylog import KeyLogTable, begin_log
from bpost.server.store_mail import MailTable
from bpost.server.store_settings import Settings
from bpost.server.store_survey import Survey

FILE = "bpost.db"
KEPT = ".version-"
"""What ends the name of the copy that is kept before an update; the version follows."""

BUSY_SECONDS = 10

_PRAGMAS = (
    ("journal_mode", "wal"),
    ("synchronous", "full"),
    ("foreign_keys", "on"),
    ("secure_delete", "fast"),
    ("journal_size_limit", 64 * 1024 * 1024),
    ("cache_size", -64 * 1024),
)

# The library writes each statement with its values to this logger at level DEBUG.
logging.getLogger("peewee").setLevel(logging.WARNING)


def now_ms() -> int:
    """Return the time that messages are stamped with. Order never depends on it."""
    return time.time_ns() // 1_000_000


class Store:
    """The database of one post office, in ``folder``. Closed again by :meth:`close`."""

    def __init__(self, folder: Path) -> None:
        """Open the database, and make it where there is none.

        Raises:
            StoreError: it cannot be used, is damaged, or is of a newer version; or, before it is
                brought forward, there is no room for a copy of it.
            SecurityError: ``exposed-file``.
        """
        self.path = private_file(private_folder(folder) / FILE)
        # Guards the connection and its one transaction; no other lock is taken inside.
        self._lock = threading.Lock()
        self.aside: Callable[[], None] = lambda: None
        """Called before it waits for the disk, or for another thread that has the lock."""
        self._database = SqliteDatabase(
            str(self.path),
            pragmas=_PRAGMAS,
            timeout=BUSY_SECONDS,
            thread_safe=False,
            check_same_thread=False,
            autoconnect=False,
        )
        self.accounts = Accounts(self.transaction, self.reading)
        self.buckets = Buckets(self.transaction, self.reading)
        self.clocks = Clocks(self.transaction, self.reading)
        self.contacts = Contacts(self.transaction, self.reading)
        self.devices = Devices(self.transaction, self.reading)
        self.keylog = KeyLogTable(self.transaction, self.reading)
        self.mail = MailTable(self.transaction, self.reading)
        self.settings = Settings(self.transaction, self.reading)
        self.survey = Survey(self.transaction, self.reading)
        self._keep_before_update()
        with self.transaction() as database:
            migrations.migrate(database)
            begin_log(database)

    @contextmanager
    def transaction(self) -> Iterator[SqliteDatabase]:
        """Hold the lock and a write transaction; when this returns, the change is on the disk.

        An IntegrityError passes through, for the caller that provoked it.

        Raises:
            StoreError: nothing was changed, or it is not known to be durable.
        """
        # The wrapper is for what runs on a cursor of the driver, past the library.
        with self._held(), self._failures(), translated:
            database = self._connected()
            database.begin("IMMEDIATE")
            try:
                yield database
                self.aside()  # what follows is the sync
                database.commit()
            except BaseException:
                self._roll_back()
                raise

    @contextmanager
    def reading(self) -> Iterator[SqliteDatabase]:
        """Hold the lock, for single statements that only read.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._held(), self._failures(), translated:
            yield self._connected()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the lock."""
        if not self._lock.acquire(blocking=False):
            self.aside()
            self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def check(self) -> list[str]:
        """Look the whole database over; return what is wrong with it, in sentences."""
        try:
            with self.reading() as database:
                damages = _rows(database, "PRAGMA integrity_check(20)")
                orphans = _rows(database, "PRAGMA foreign_key_check")
        except StoreError as error:  # too damaged for that
            return [str(error)]
        found = [f"The database is damaged: {row[0]}." for row in damages if row[0] != "ok"]
        found += [f"A row of {row[0]} refers to a row of {row[2]} that is gone." for row in orphans]
        return found + self.keylog.check()

    def copy_to(self, path: Path) -> None:
        """Copy all there is, as of one moment, into an empty file, and look the copy over.

        Other processes may write meanwhile; they are not held up, and what they write is not in it.

        Raises:
            StoreError: it cannot be read or written, or the database is damaged.
        """
        with self.reading() as database:
            own: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]
            try:
                with closing(sqlite3.connect(path)) as copy:
                    own.backup(copy)
                    copy.execute("PRAGMA journal_mode = delete")
                    found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            except sqlite3.Error as error:
                raise StoreError(_sentence(path, error)) from error
        if found != "ok":
            raise StoreError(_sentence(self.path, f"malformed: {found}"))

    def _keep_before_update(self) -> None:
        """Keep a copy of a database that is about to be brought forward, for the older program."""
        with self.reading() as database:
            found = migrations.version_of(database)
        kept = self.path.with_name(f"{FILE}{KEPT}{found}")
        if not 0 < found < VERSION or kept.exists():
            return
        part = private_file(self.path.with_name(f".{kept.name}.{secrets.token_hex(4)}"))
        try:
            self.copy_to(part)
            part.replace(kept)
        finally:
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the database; what was committed is safe with or without this."""
        with self._lock:
            if not self._database.is_closed():
                self._database.close()

    def _connected(self) -> SqliteDatabase:
        """Connect at first, and where a failure cost the connection. Holds the lock."""
        if self._database.is_closed():
            self._database.connect()
        return self._database

    def _roll_back(self) -> None:
        """End a failed transaction; drop the connection where that fails too.

        The connection is kept where it can be: the database then knows that what it wrote last is
        not committed, while one that is opened anew might find it in the log and believe it.
        """
        connection: sqlite3.Connection = self._database.connection()  # type: ignore[no-untyped-call]
        if connection.in_transaction:
            try:
                self._database.rollback()
            except PeeweeException:
                self._database.dispose()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn the library's failures into ours, but for one that its caller provoked."""
        try:
            yield
        except IntegrityError:
            raise
        except (DatabaseError, InterfaceError) as error:
            raise StoreError(_sentence(self.path, error)) from error


def _rows(database: Any, sql: str) -> list[Any]:
    return list(database.execute_sql(sql).fetchall())


def _sentence(path: Path, error: Any) -> str:
    text = str(error)
    if "malformed" in text or "not a database" in text:
        advice = "It is damaged: leave it as it is, and restore a backup."
    elif "full" in text:
        advice = "Make room on the disk; the server goes on by itself."
    elif "locked" in text:
        advice = "Another program holds it: end that, or try again."
    elif "readonly" in text or "unable to open" in text:
        advice = "Give the folder to the user who runs the server, or choose another with --data."
    else:
        advice = "Look after the disk it lies on."
    return f"The database {path} cannot be used ({text}). {advice}"
