"""The file that holds a copy of a post office: a plain ``tar``.

A manifest comes first, with the size and the SHA-256 of each other member; then the database, and
the certificate with its keys, where the server made them. It is as secret as the folder that it is
a copy of: the database names users, and the key is the server's identity.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bpost.errors import UsageError
from bpost.net.certificates import pin_of_file
from bpost.server.post_office import CERTIFICATE
from bpost.server.store import FILE, now_ms

FORMAT = "bpost-server-backup"
MANIFEST = "manifest.json"
LEAF = f"{CERTIFICATE}/server.pem"
CERTIFICATES = (
    f"{CERTIFICATE}/ca.pem",
    f"{CERTIFICATE}/ca-key.pem",
    LEAF,
    f"{CERTIFICATE}/server-key.pem",
)
MOST = 1 << 20
"""How large a manifest, or a certificate, may be."""

PIECE = 1 << 20


@dataclass(frozen=True)
class Copy:
    """What a backup says of itself; ``made`` in milliseconds, ``pin`` empty without a certificate.

    ``files`` are its members by name, each with its size and hash.
    """

    made: int
    pin: str
    files: Mapping[str, tuple[int, str]]


def write_copy(part: Path, folder: Path, database: Path) -> Copy:
    """Write a new backup of ``folder``, with ``database`` in the place of the one that is in use.

    Raises:
        OSError: it cannot be written.
    """
    members = {FILE: database}
    members |= {name: folder / name for name in CERTIFICATES if (folder / name).exists()}
    files = {name: (path.stat().st_size, _hash_of(path)) for name, path in members.items()}
    pin = pin_of_file(members[LEAF]) if LEAF in members else ""
    copy = Copy(now_ms(), pin, files)
    told = {"format": FORMAT, "version": 1, "made": copy.made, "pin": pin, "files": files}
    manifest = json.dumps(told, indent=1).encode("utf-8")
    make_private(part)
    with part.open("r+b") as raw, tarfile.open(fileobj=raw, mode="w") as archive:
        archive.addfile(_member(MANIFEST, len(manifest)), io.BytesIO(manifest))
        for name, path in members.items():
            with path.open("rb") as data:
                archive.addfile(_member(name, files[name][0]), data)
        archive.close()
        raw.flush()
        os.fsync(raw.fileno())
    return copy


def verify(path: Path) -> Copy:
    """Read a whole backup; return what it says of itself, if that is true.

    Raises:
        UsageError: it is none, it is of a later version, or it is damaged.
    """
    with _opened(path) as archive:
        copy = _read_manifest(path, archive)
        for name, expected in copy.files.items():
            data, found = _member_of(path, archive, name), hashlib.sha256()
            size = 0
            while piece := data.read(PIECE):
                found.update(piece)
                size += len(piece)
            if (size, found.hexdigest()) != expected:
                raise UsageError(f"The backup {path} is damaged in {name}. Use another one.")
    return copy


def unpack(source: Path, copy: Copy, apart: Path) -> None:
    """Write the members, whose names are known, into a folder of their own."""
    (apart / CERTIFICATE).mkdir(mode=0o700)
    with _opened(source) as archive:
        for name in copy.files:
            path = apart / name
            make_private(path)
            with path.open("r+b") as file:
                shutil.copyfileobj(_member_of(source, archive, name), file, PIECE)
                file.flush()
                os.fsync(file.fileno())
            if _hash_of(path) != copy.files[name][1]:
                raise UsageError(f"{source} changed while it was read. Try again.")
    if not any((apart / CERTIFICATE).iterdir()):
        (apart / CERTIFICATE).rmdir()


def is_copy(path: Path) -> bool:
    """Tell whether a file says of itself that it is a backup."""
    try:
        with _opened(path) as archive:
            _read_manifest(path, archive)
    except UsageError:
        return False
    return True


def _read_manifest(path: Path, archive: tarfile.TarFile) -> Copy:
    try:
        told = json.loads(_member_of(path, archive, MANIFEST).read(MOST))
        form, version = told["format"], told["version"]
        files = {str(name): (int(row[0]), str(row[1])) for name, row in told["files"].items()}
        copy = Copy(int(told["made"]), str(told["pin"]), files)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise _no_backup(path) from error
    if form != FORMAT or FILE not in files or not set(files) <= {FILE, *CERTIFICATES}:
        raise _no_backup(path)
    if version != 1:
        raise UsageError(f"{path} was made by a newer version of BPost. Update, then restore it.")
    return copy


def _member_of(path: Path, archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        data = archive.extractfile(archive.getmember(name))
    except KeyError as error:
        raise _no_backup(path) from error
    if data is None:  # no plain file
        raise _no_backup(path)
    return data


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a backup for reading; what ``tarfile`` says is put into words."""
    try:
        with tarfile.open(path, mode="r:") as archive:
            yield archive
    except tarfile.TarError as error:
        raise _no_backup(path) from error


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, now_ms() // 1000
    return member


def make_private(path: Path) -> None:
    """Make an empty file that nobody else can read; FileExistsError where there is one."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _hash_of(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def _no_backup(path: Path) -> UsageError:
    return UsageError(f"{path} is no backup of a post office, or it is damaged.")
