"""The name that a person gave a device, sealed for the account's own devices (CRYPTO, section 2).

The server keeps it (code 8) and can neither read it nor put it on another device.
"""

from __future__ import annotations

from contextlib import suppress

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.account import AccountKey
from bpost.crypto.codec import Reader, Writer
from bpost.crypto.primitives import hkdf, open_sealed, seal
from bpost.errors import SecurityError

FORMAT = 1
NAME = 256
"""How many bytes a name has at most; shorter ones are filled up, so that none shows its length."""


def seal_device_name(account: AccountKey, device: str, name: str) -> str:
    """Return the text for frame 8."""
    filled = name.encode("utf-8").ljust(NAME, b"\0")
    return b64.encode(Writer().number(FORMAT, 1).blob(seal(_key(account, device), filled)).done())


def open_device_name(account: AccountKey, device: str, text: str) -> str:
    """Return the name of a device; empty where it has none.

    Raises:
        SecurityError: it was not sealed for this device of this account.
    """
    if not text:
        return ""
    reader = Reader(b64.decode(text), "device name")
    reader.version(FORMAT)
    token = reader.blob(4 * NAME)
    reader.end()
    filled = _open(account, device, token)
    try:
        return filled.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        raise SecurityError("bad-encoding", "The name of a device is not text.") from None


def _open(account: AccountKey, device: str, token: bytes) -> bytes:
    """Open a name; one from before a renewal of the account key stays as it is."""
    for one in account.all[:-1]:
        with suppress(SecurityError):
            return open_sealed(_key(one, device), token)
    return open_sealed(_key(account.all[-1], device), token)


def _key(account: AccountKey, device: str) -> bytes:
    """Derive the key of one device's name."""
    return hkdf(account.seed, info=labels.DEVICE_NAME + bytes([FORMAT]) + device.encode("ascii"))
