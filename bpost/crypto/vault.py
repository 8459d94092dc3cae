"""The vault: the account key, sealed with the password, for the server to keep (code 11).

A new device needs only username and password to open it. It opens for no other username, and the
server can guess passwords against it only at the price of Argon2id for each.
"""

from __future__ import annotations

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.account import AccountKey
from bpost.crypto.codec import Reader, Writer, name_bytes
from bpost.crypto.primitives import hkdf, open_sealed, seal
from bpost.errors import SecurityError

FORMAT = 1
TOKEN_MOST = 4096


def seal_vault(wrapping_key: bytes, username: str, account: AccountKey) -> str:
    """Return the text for frame 11 or 3; make it anew whenever the password changes."""
    token = seal(_key(wrapping_key, username), account.seed)
    return b64.encode(Writer().number(FORMAT, 1).blob(token).done())


def open_vault(wrapping_key: bytes, username: str, text: str) -> AccountKey:
    """Return the account key from a vault; compare its public half with the pinned one, if any.

    Raises:
        SecurityError: ``vault-missing`` for an empty text; ``bad-vault`` for a wrong password or
            a damaged or foreign vault; ``bad-encoding``; ``newer-version``.
    """
    if not text:
        raise SecurityError(
            "vault-missing",
            "The server keeps no vault of this account: add this device from another one of yours.",
        )
    reader = Reader(b64.decode(text), "vault")
    reader.version(FORMAT)
    token = reader.blob(TOKEN_MOST)
    reader.end()
    try:
        return AccountKey.from_seed(open_sealed(_key(wrapping_key, username), token))
    except SecurityError:
        text = "The vault of this account does not open: the password is wrong, or it was altered."
        raise SecurityError("bad-vault", text) from None


def _key(wrapping_key: bytes, username: str) -> bytes:
    """Derive the key of this format for this user, so that neither can be exchanged."""
    return hkdf(wrapping_key, info=labels.VAULT + bytes([FORMAT]) + name_bytes(username))
