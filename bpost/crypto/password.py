"""From the password to two keys, of which the server sees one (CRYPTO, section 1).

The costs are constants: nothing that a server or a file says can make them smaller. What the
server gets says nothing about the key that seals the vault and the profile.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.codec import name_bytes
from bpost.crypto.primitives import argon2id, hkdf, sha256
from bpost.errors import UsageError

MEMORY_KIB = 64 * 1024
PASSES = 3
LANES = 4
"""RFC 9106, section 4, the second recommended setting."""


@dataclass(frozen=True, eq=False)
class PasswordKeys:
    """``login_key`` is for the server, ``wrapping_key`` never leaves this machine."""

    login_key: bytes = field(repr=False)
    wrapping_key: bytes = field(repr=False)


def derive_password_keys(username: str, password: str) -> PasswordKeys:
    """Stretch a password; takes 64 MiB and a good part of a second, without holding the GIL.

    Raises:
        UsageError: the password is empty or is no Unicode text.
    """
    salt = sha256(labels.PASSWORD, name_bytes(username))
    master = argon2id(
        password_bytes(password), salt, memory_kib=MEMORY_KIB, passes=PASSES, lanes=LANES
    )
    return PasswordKeys(
        login_key=hkdf(master, info=labels.LOGIN),
        wrapping_key=hkdf(master, info=labels.WRAP),
    )


def password_field(login_key: bytes) -> str:
    """Return what frames 1, 2, 3 and 14 carry as ``Password``."""
    return b64.encode(login_key)


def password_bytes(password: str) -> bytes:
    """Spell a password in the one way that every keyboard's variants of it lead to.

    Raises:
        UsageError: it is empty or is no Unicode text.
    """
    try:
        data = unicodedata.normalize("NFC", password).encode("utf-8")
    except UnicodeEncodeError:
        data = b""
    if not data:
        raise UsageError("The password is empty, or has characters that are none. Type it again.")
    return data
