"""The sealed key file beside a profile's database (CRYPTO, section 8).

It holds the random key of the database twice: sealed under the wrapping key from the password, and
under a key from the account key. After a password change on another device the vault, which the
new password opens, gives the account key, and the account key opens this file. Bytes in, bytes
out: whoever writes the file does so atomically, with mode 0600.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from bpost.crypto import labels
from bpost.crypto.account import AccountKey
from bpost.crypto.codec import Reader, Writer
from bpost.crypto.primitives import KEY, Random, hkdf, open_sealed, random_bytes, seal
from bpost.errors import SecurityError

FORMAT = 1
TOKEN_MOST = 4096


def generate_database_key(random: Random = random_bytes) -> bytes:
    """Make the key of a new database."""
    return random(KEY)


def seal_key_file(database_key: bytes, wrapping_key: bytes, account: AccountKey) -> bytes:
    """Return the bytes of a key file; also for a changed password, with the key it opened to."""
    writer = Writer().number(FORMAT, 1)
    writer.blob(seal(_password_key(wrapping_key), database_key))
    writer.blob(seal(_account_key(account), database_key))
    return writer.done()


def open_with_password(data: bytes, wrapping_key: bytes) -> bytes:
    """Return the database key.

    Raises:
        SecurityError: ``bad-token`` for a wrong password; ``bad-encoding``; ``newer-version``.
    """
    text = "The password is wrong for this profile, or was changed on another device."
    return _open(_password_key(wrapping_key), _read(data).by_password, text)


def open_with_account(data: bytes, account: AccountKey) -> bytes:
    """Return the database key; seal the file again afterwards, with the new wrapping key.

    A key that was renewed opens what was sealed under one before it.

    Raises:
        SecurityError: ``bad-token`` for another account; ``bad-encoding``; ``newer-version``.
    """
    text = "The profile's key file belongs to another account, or is damaged."
    token = _read(data).by_account
    for former in account.all[:-1]:
        with suppress(SecurityError):
            return _open(_account_key(former), token, text)
    return _open(_account_key(account.all[-1]), token, text)


@dataclass(frozen=True)
class _Sealed:
    by_password: bytes
    by_account: bytes


def _read(data: bytes) -> _Sealed:
    """Split a key file."""
    reader = Reader(data, "key file")
    reader.version(FORMAT)
    found = _Sealed(reader.blob(TOKEN_MOST), reader.blob(TOKEN_MOST))
    reader.end()
    return found


def _open(key: bytes, token: bytes, text: str) -> bytes:
    """Open one of the two tokens, or say ``text``."""
    try:
        return open_sealed(key, token)
    except SecurityError:
        raise SecurityError("bad-token", text) from None


def _password_key(wrapping_key: bytes) -> bytes:
    return hkdf(wrapping_key, info=labels.KEY_FILE_PASSWORD)


def _account_key(account: AccountKey) -> bytes:
    return hkdf(account.seed, info=labels.KEY_FILE_ACCOUNT)
