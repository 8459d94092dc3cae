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
FORMAT_RENEWED = 2
"""That of a key which took over from others: they stand behind it, newest first."""

TOKEN_MOST = 4096


def seal_vault(wrapping_key: bytes, username: str, account: AccountKey) -> str:
    """Return the text for frame 11 or 3; make it anew whenever the password changes."""
    version = FORMAT_RENEWED if account.former else FORMAT
    token = seal(_key(wrapping_key, username, version), account.seeds)
    return b64.encode(Writer().number(version, 1).blob(token).done())


def open_vault(wrapping_key: bytes, username: str, text: str) -> AccountKey:
    """Return the account key from a vault; compare its public half with the pinned one, if any.

    Raises:
        SecurityError: ``vault-missing`` for an empty text; ``bad-vault`` for a wrong password or
            a damaged or foreign vault; ``bad-encoding``; ``newer-version``.
    """
    if not text:
        raise SecurityError(
            "vault-missing",
            "The server keeps no vault of this account. On another of your devices choose Devices, "
            "Add a device (or bpost-cli devices code), and give the code that it shows here.",
        )
    data = b64.decode(text)
    version = FORMAT_RENEWED if data.startswith(bytes([FORMAT_RENEWED])) else FORMAT
    reader = Reader(data, "vault")
    reader.version(version)
    token = reader.blob(TOKEN_MOST)
    reader.end()
    try:
        return AccountKey.from_seeds(open_sealed(_key(wrapping_key, username, version), token))
    except SecurityError:
        text = "The vault of this account does not open: the password is wrong, or it was altered."
        raise SecurityError("bad-vault", text) from None


def _key(wrapping_key: bytes, username: str, version: int) -> bytes:
    """Derive the key of a format for this user, so that neither can be exchanged."""
    return hkdf(wrapping_key, info=labels.VAULT + bytes([version]) + name_bytes(username))
