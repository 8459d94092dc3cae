"""The format of a backup: pieces of any content, sealed under a passphrase, one after the other.

    magic "BPOST BACKUP" | version (1) | memory in KiB (4) | passes (4) | lanes (1) | salt (32)
    proof (32)           HMAC of all before it: tells a wrong passphrase from a damaged piece
    pieces               each: last (1) | length (4) | Fernet token

The key of a piece comes from the passphrase, its place and whether it is the last one (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): so a piece that was altered, left
out, moved or taken from another backup does not open, and a file that was cut short has no end.
The costs stand in the file, and are checked before any work: one may neither be talked into a
cheap key nor into gigabytes of memory. Bytes in, bytes out, and never all of them at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bpost.crypto import labels
from bpost.crypto.codec import Reader, Writer
from bpost.crypto.password import LANES, MEMORY_KIB, PASSES, password_bytes
from bpost.crypto.primitives import (
    KEY,
    TOKEN_OVERHEAD,
    Random,
    argon2id,
    equal,
    hkdf,
    hmac_sha256,
    open_sealed,
    random_bytes,
    seal,
)
from bpost.errors import SecurityError

FORMAT = 1
MAGIC = b"BPOST BACKUP"
SALT = 32
HEADER = len(MAGIC) + 1 + 4 + 4 + 1 + SALT
FRAME = 1 + 4

PIECE = 4 * 1024 * 1024
"""The most bytes of content in one piece."""

Read = Callable[[int], bytes]
"""Returns up to that many bytes of a file, and fewer only at its end."""


@dataclass(frozen=True)
class Costs:
    """What stretching a passphrase costs (RFC 9106)."""

    memory_kib: int = MEMORY_KIB
    passes: int = PASSES
    lanes: int = LANES

    def check(self) -> None:
        """Refuse costs below the floor or above the ceiling, before any work is done.

        Raises:
            SecurityError: ``weak-parameters`` or ``too-large``.
        """
        for found, least, most in zip(self._all(), FLOOR._all(), CEILING._all(), strict=True):
            if found < least:
                text = "This backup is sealed too weakly: this program never makes such a file."
                raise SecurityError("weak-parameters", text + " Somebody altered it.")
            if found > most:
                text = "This backup asks for more memory or time than any backup needs."
                raise SecurityError("too-large", text + " It is damaged, or somebody altered it.")

    def _all(self) -> tuple[int, int, int]:
        return self.memory_kib, self.passes, self.lanes


DEFAULT = Costs()
FLOOR = Costs(MEMORY_KIB, PASSES, 1)
CEILING = Costs(1024 * 1024, 16, 16)


def seal_backup(
    pieces: Iterable[bytes],
    passphrase: str,
    costs: Costs = DEFAULT,
    random: Random = random_bytes,
) -> Iterator[bytes]:
    """Yield the bytes of a backup of ``pieces``, none longer than ``PIECE``.

    Raises:
        UsageError: the passphrase is empty or is no Unicode text.
    """
    header = _header(costs, random(SALT))
    master = _master(passphrase, header)
    yield header + _proof(master, header)
    held, place = b"", -1
    for place, piece in enumerate(pieces):
        if place:
            yield _sealed_piece(master, place - 1, held, is_last=False)
        held = piece
    yield _sealed_piece(master, max(place, 0), held, is_last=True)


def open_backup(read: Read, passphrase: str) -> Iterator[bytes]:
    """Yield the pieces of a backup; what was yielded counts only once this ends without an error.

    Raises:
        SecurityError: ``bad-token`` for a wrong passphrase; ``bad-encoding`` for what is no
            backup, or damaged or altered; ``weak-parameters``; ``too-large``; ``newer-version``.
        UsageError: the passphrase is empty or is no Unicode text.
    """
    header = read(HEADER)
    _check_header(header)
    master = _master(passphrase, header)
    if not equal(read(KEY), _proof(master, header)):
        text = "The passphrase does not open this backup. Check it, and try again."
        raise SecurityError("bad-token", text)
    for place in itertools.count():
        is_last, token = _next_token(read)
        try:
            yield open_sealed(_piece_key(master, place, is_last), token)
        except SecurityError:
            raise _damaged() from None
        if is_last:
            break
    if read(1):
        raise _damaged()


def _header(costs: Costs, salt: bytes) -> bytes:
    writer = Writer().fixed(MAGIC, len(MAGIC)).number(FORMAT, 1)
    writer.number(costs.memory_kib, 4).number(costs.passes, 4).number(costs.lanes, 1)
    return writer.fixed(salt, SALT).done()


def _check_header(header: bytes) -> None:
    """Refuse what is no backup, or of another version, or costs too little or too much."""
    if not header.startswith(MAGIC):
        raise SecurityError("bad-encoding", "This file is no backup of BPost. Choose another one.")
    if len(header) != HEADER:
        raise _damaged()
    reader = _after_magic(header)
    reader.version(FORMAT)
    Costs(reader.number(4), reader.number(4), reader.number(1)).check()


def _master(passphrase: str, header: bytes) -> bytes:
    """Stretch the passphrase at the costs that a checked header tells."""
    reader = _after_magic(header)
    reader.fixed(1)
    memory_kib, passes, lanes = reader.number(4), reader.number(4), reader.number(1)
    return argon2id(
        password_bytes(passphrase),
        reader.fixed(SALT),
        memory_kib=memory_kib,
        passes=passes,
        lanes=lanes,
    )


def _after_magic(header: bytes) -> Reader:
    return Reader(header[len(MAGIC) :], "backup")


def _proof(master: bytes, header: bytes) -> bytes:
    return hmac_sha256(hkdf(master, info=labels.BACKUP_HEADER), header)


def _piece_key(master: bytes, place: int, is_last: bool) -> bytes:
    suffix = Writer().number(place, 8).number(is_last, 1).done()
    return hkdf(master, info=labels.BACKUP_PIECE + suffix)


def _sealed_piece(master: bytes, place: int, piece: bytes, *, is_last: bool) -> bytes:
    token = seal(_piece_key(master, place, is_last), piece)
    return Writer().number(is_last, 1).blob(token).done()


def _next_token(read: Read) -> tuple[bool, bytes]:
    """Take the frame of a piece and its token."""
    frame = read(FRAME)
    length = int.from_bytes(frame[1:], "big")
    if len(frame) != FRAME or frame[0] > 1 or length > PIECE + TOKEN_OVERHEAD + 16:
        raise _damaged()
    token = read(length)
    if len(token) != length:
        raise _damaged()
    return bool(frame[0]), token


def _damaged() -> SecurityError:
    text = "This backup is cut short, damaged or altered. Nothing of it is used: take another one."
    return SecurityError("bad-encoding", text)
