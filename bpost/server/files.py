"""Private files: made so from the first byte, refused where others could read them (MUSTS S57)."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from types import ModuleType

from bpost.errors import SecurityError, StoreError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

LOCK = "server.lock"

# Elsewhere the bits of a mode say nothing about who can read a file.
POSIX = os.name == "posix"
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)


def private_folder(path: Path) -> Path:
    """Make ``path`` a folder that only its owner may enter, or check the one that is there.

    Raises:
        StoreError: it cannot be made or written to.
        SecurityError: ``exposed-file``, anyone may put files into it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode
    except OSError as error:
        raise StoreError(_unusable(path, error)) from error
    if POSIX and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise SecurityError(
            "exposed-file",
            f"Everybody on this machine may write to the folder {path}. "
            f"Close it with: chmod 700 {shlex.quote(str(path))}",
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise StoreError(
            f"The folder {path} is not writable. "
            "Choose another with --data, or make it writable for the user who runs the server."
        )
    return path


def private_file(path: Path) -> Path:
    """Make ``path`` an empty file of mode 0600 where there is none, and check it where there is.

    Raises:
        StoreError: it cannot be made, or is no plain file.
        SecurityError: ``exposed-file``.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINKS, 0o600)
        os.close(descriptor)
    except OSError as error:
        raise StoreError(_unusable(path, error)) from error
    refuse_exposed(path)
    return path


def refuse_exposed(path: Path) -> None:
    """Refuse a file that everybody may read, or that others may write to.

    Raises:
        SecurityError: ``exposed-file``, with the command that mends it.
    """
    if POSIX and path.exists() and path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise SecurityError(
            "exposed-file",
            f"Others on this machine may read or write {path}. "
            f"Look at who has done so, then close it with: chmod 600 {shlex.quote(str(path))}",
        )


def lock_folder(folder: Path) -> int:
    """Keep other servers out of ``folder`` until the returned descriptor is closed.

    Raises:
        StoreError: another server is in it.
    """
    descriptor = os.open(private_file(folder / LOCK), os.O_RDWR | os.O_CLOEXEC)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(
            f"Another server is running on the folder {folder}. "
            "Stop that one, or give this one a folder of its own with --data."
        ) from error
    return descriptor


def _unusable(path: Path, error: OSError) -> str:
    why = error.strerror or type(error).__name__
    return (
        f"{path} cannot be used: {why}. "
        "Choose another folder with --data, or give it to the user who runs the server."
    )
