"""A post office in one file (``copy_file``), and back again."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bpost.errors import StoreError, UsageError
from bpost.server.copy_file import Copy, is_copy, make_private, unpack, verify, write_copy
from bpost.server.files import lock_folder, private_folder
from bpost.server.post_office import CERTIFICATE
from bpost.server.store import FILE, Store


@dataclass(frozen=True)
class Restored:
    """What came of restoring; ``keys`` is how many one-time keys were dropped."""

    copy: Copy
    keys: int


def back_up(folder: Path, target: Path) -> Copy:
    """Copy the post office in ``folder``, also while it runs, into the file ``target``.

    The file is there as a whole, read again and compared, or not at all; a backup that was there
    is replaced then.

    Raises:
        UsageError: ``target`` is something else than a backup.
        StoreError: it cannot be written, or the database is damaged.
    """
    _check_target(target)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    database = part.with_name(f"{part.name}.db")
    with _sentences(target), _removed(part, database):
        make_private(database)
        store = Store(folder)
        try:
            store.copy_to(database)
        finally:
            store.close()
        copy = write_copy(part, folder, database)
        if verify(part) != copy:
            raise StoreError(f"What was written to {target} reads differently. Check its disk.")
        part.replace(target)
        _sync_folder(target.parent)
    return copy


def restore(source: Path, folder: Path) -> Restored:
    """Make a post office of a backup, in a folder where there is none.

    One-time keys are dropped, since some may have been handed out after the backup was made, and
    none must be twice; clients bring new ones. Numbers in mailboxes begin further on, so that none
    that was given after the backup is given again.

    Raises:
        UsageError: it is no backup, it is damaged, or there is a post office in ``folder``.
        StoreError: a file cannot be used, or a server runs in ``folder``.
    """
    with _sentences(source):
        copy = verify(source)
    held = lock_folder(private_folder(folder))
    try:
        _refuse_occupied(folder)
        apart = folder / f".restore-{secrets.token_hex(4)}"
        with _sentences(folder), _removed(apart):
            apart.mkdir(mode=0o700)
            unpack(source, copy, apart)
            keys = _make_good(apart)
            for name in (CERTIFICATE, FILE):  # the database last: with it the folder is in use
                if (apart / name).exists():
                    (apart / name).replace(folder / name)
            _sync_folder(folder)
    finally:
        os.close(held)
    return Restored(copy, keys)


def as_found(copy: Copy) -> dict[str, Any]:
    """Return what to print of a backup."""
    size = sum(size for size, _ in copy.files.values())
    return {"made": copy.made, "pin": copy.pin, "size": size, "files": sorted(copy.files)}


def _make_good(apart: Path) -> int:
    """Bring a database from the past into the present; return how many keys were dropped."""
    store = Store(apart)
    try:
        problems = store.check()
        if problems:
            raise UsageError(f"The database in the backup is damaged. {problems[0]}")
        keys = store.devices.drop_keys()
        store.accounts.leap()
    finally:
        store.close()
    return keys


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Turn what the system says about a file into a sentence."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StoreError(f"{error.filename or path} cannot be used: {why}.") from error


@contextmanager
def _removed(*paths: Path) -> Iterator[None]:
    """Leave nothing at these places in the end."""
    try:
        yield
    finally:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _check_target(target: Path) -> None:
    """Refuse to write over what is no backup."""
    with _sentences(target):
        if target.exists() and not is_copy(target):
            raise UsageError(f"{target} is there and is no backup. Give another name.")


def _refuse_occupied(folder: Path) -> None:
    for name in (FILE, f"{FILE}-wal", CERTIFICATE):
        if (folder / name).exists():
            raise UsageError(
                f"There is a post office in {folder} already: {name}. Nothing was changed. Move it "
                "away, or restore into another folder with --data."
            )


def _sync_folder(folder: Path) -> None:
    """Have a new name in a folder survive a loss of power, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
