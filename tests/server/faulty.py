"""``python -m tests.server.faulty FOLDER FLAGS…``: the real server on a machine that can fail.

What fails is told by files in FOLDER, which a test makes and removes while the server runs:

- ``sync``: no file of the database can be synced (SQLite's own files, at the layer below it);
- ``full``: nothing can be written to them, for want of room;
- ``threads``: the system has no thread left;
- ``clock``: a link to a number of seconds, which is added to the wall clock, but to no other (to
  read a link takes no descriptor, of which there may be none).
"""

from __future__ import annotations

import _sqlite3
import ctypes
import datetime
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SQLITE_FULL = 13
SQLITE_IOERR_FSYNC = 10 | 4 << 8

_OPEN = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_int,
    ctypes.c_void_p,
)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_WRITE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
)


class _Vfs(ctypes.Structure):
    """The beginning of SQLite's ``sqlite3_vfs``, which opens its files."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("size", ctypes.c_int),
        ("longest", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("open", ctypes.c_void_p),
    )


class _Methods(ctypes.Structure):
    """SQLite's ``sqlite3_io_methods``: what it does with an open file."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("close", ctypes.c_void_p),
        ("read", ctypes.c_void_p),
        ("write", ctypes.c_void_p),
        ("truncate", ctypes.c_void_p),
        ("sync", ctypes.c_void_p),
        ("others", ctypes.c_void_p * 13),
    )


class FailingDisk:
    """Stands between SQLite and its files."""

    def __init__(self, fails: Callable[[str], bool]) -> None:
        """Let syncs and writes fail while ``fails`` says so; what is made here is kept for good."""
        self._fails = fails
        self._copies: dict[int, _Methods] = {}
        self._kept: list[Any] = []
        find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find
        find.restype = ctypes.POINTER(_Vfs)
        vfs = find(None).contents
        self._open = _OPEN(vfs.open)
        vfs.open = self._keep(_OPEN(self._open_file))

    def _keep(self, function: Any) -> int | None:
        self._kept.append(function)
        return ctypes.cast(function, ctypes.c_void_p).value

    def _open_file(self, vfs: int, name: int, file: Any, flags: int, told: int) -> int:
        status = int(self._open(vfs, name, file, flags, told))
        if status == 0:
            methods = file[0]
            if methods not in self._copies:
                self._copies[methods] = self._failing(_Methods.from_address(methods))
            file[0] = ctypes.addressof(self._copies[methods])
        return status

    def _failing(self, methods: _Methods) -> _Methods:
        """Return a copy of ``methods`` that can fail."""
        copy = _Methods.from_buffer_copy(methods)
        sync, write = _SYNC(methods.sync), _WRITE(methods.write)

        def try_sync(file: int, flags: int) -> int:
            return SQLITE_IOERR_FSYNC if self._fails("sync") else int(sync(file, flags))

        def try_write(file: int, data: int, size: int, at: int) -> int:
            return SQLITE_FULL if self._fails("full") else int(write(file, data, size, at))

        copy.sync, copy.write = self._keep(_SYNC(try_sync)), self._keep(_WRITE(try_write))
        return copy


def fail_threads(fails: Callable[[str], bool]) -> None:
    """Let no thread start while ``fails`` says so."""
    starts: Any = vars(threading)
    name = next(name for name in ("_start_joinable_thread", "_start_new_thread") if name in starts)
    start = starts[name]

    def try_start(*what: Any, **more: Any) -> Any:
        if fails("threads"):
            raise RuntimeError("can't start new thread")
        return start(*what, **more)

    starts[name] = try_start


def shift_clock(seconds: Callable[[], float]) -> None:
    """Let the wall clock be wrong by ``seconds()``, wherever it is asked."""
    whole, real = time.time_ns, datetime.datetime

    def time_ns() -> int:
        return whole() + int(seconds() * 1_000_000_000)

    class Shifted(real):  # type: ignore[misc, valid-type]
        """A date whose now is wrong."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz) + datetime.timedelta(seconds=seconds())

    time.time_ns, time.time = time_ns, lambda: time_ns() / 1_000_000_000
    datetime.datetime = Shifted  # type: ignore[misc]


def main(folder: Path, flags: list[str]) -> int:
    """Run the server as it is, but for what ``folder`` says."""

    def fails(what: str) -> bool:
        return (folder / what).exists()

    def seconds() -> float:
        try:
            return float(os.readlink(folder / "clock"))
        except FileNotFoundError:
            return 0.0

    disk = FailingDisk(fails)
    fail_threads(fails)
    shift_clock(seconds)
    from bpost.server.__main__ import main as serve  # after the clock was changed

    try:
        return serve(flags)
    finally:
        del disk


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
