"""What a server keeps of a password field: all that the server uses of this package.

The field is already a key that the client stretched with Argon2id (CRYPTO, section 1). It is
kept as scrypt with a random salt, so that a stolen table is no log-in, even where some client
skipped the stretching.
"""

from __future__ import annotations

import re

from bpost import b64
from bpost.crypto.primitives import Random, equal, random_bytes, scrypt
from bpost.errors import SecurityError, UsageError

N, R, P = 2**11, 8, 1
SALT = 16
FIELD_LENGTH = 43
HASH = 32

_STORED = re.compile(r"scrypt\$(\d{1,8})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})", re.ASCII)
_MOST = 2**20


def hash_login(field: str, random: Random = random_bytes) -> str:
    """Return what to store for a password field: a text that names its own parameters."""
    salt = random(SALT)
    hashed = scrypt(field.encode("utf-8"), salt, n=N, r=R, p=P, length=HASH)
    return f"scrypt${N}${R}${P}${b64.encode(salt)}${b64.encode(hashed)}"


def verify_login(stored: str | None, field: str) -> bool:
    """Tell whether ``field`` is what was hashed; give None for a user that does not exist.

    The work is the same for every answer. A ``field`` that is no password field is never right.

    Raises:
        UsageError: ``stored`` is not what :func:`hash_login` returned.
    """
    n, r, p, salt, expected = _parse(_NOBODY if stored is None else stored)
    found = scrypt(field.encode("utf-8", "replace"), salt, n=n, r=r, p=p, length=HASH)
    right = equal(found, expected)
    return right and stored is not None and len(field) == FIELD_LENGTH


def _parse(stored: str) -> tuple[int, int, int, bytes, bytes]:
    """Split a stored text, and refuse parameters that would cost the server its memory."""
    match = _STORED.fullmatch(stored)
    if match is None:
        raise _damaged()
    n, r, p = (int(number) for number in match.group(1, 2, 3))
    if n < 2 or n & (n - 1) or r < 1 or p < 1 or n * r * p > _MOST:
        raise _damaged()
    try:
        return n, r, p, b64.decode(match[4], SALT), b64.decode(match[5], HASH)
    except SecurityError:
        raise _damaged() from None


def _damaged() -> UsageError:
    return UsageError(
        "The stored hash of a log-in key is not one. The table is damaged or from another program: "
        "restore it from a backup, or let the user set the password again."
    )


_NOBODY = hash_login(b64.encode(random_bytes(HASH)))
"""The hash of a key that nobody knows: what a user who does not exist is compared with."""
