"""What one device says to another, as bytes: strict, bounded, one spelling for each message.

    prekey message     version 1 | 1 | header of the handshake | sealed
    ratchet message    version 1 | 2 | base key of the session | sealed

``sealed`` is made by :mod:`ratchet`. Everything before it, the *outer* part, goes into the key that
sealed it, so that nothing of a message can be altered, though Fernet knows no associated data. A
session is named by its base key (the initiator's ephemeral key): both sides know it, and no two
sessions have the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from bpost.crypto.codec import Reader, Writer
from bpost.crypto.prekeys import DEVICE_LIST_MOST, PREKEY_ID
from bpost.crypto.primitives import KEM_CIPHERTEXT, KEY, check_x25519
from bpost.errors import SecurityError
from bpost.limits import Limits

VERSION = 1

_PREKEY = 1
_RATCHET = 2


@dataclass(frozen=True)
class PrekeyHeader:
    """What the initiator of a session says until the first answer arrives (CRYPTO, section 3).

    ``one_time_id`` is None when the bundle had no one-time prekey left. Nothing here is to be
    believed before the message has opened: the handshake is what proves it.
    """

    account_public: bytes
    identity: bytes
    base_key: bytes
    signed_id: bytes
    one_time_id: bytes | None
    kem_id: bytes
    kem_ciphertext: bytes
    device_list: bytes

    def outer(self) -> bytes:
        """Return the outer part of a prekey message."""
        writer = Writer().number(VERSION, 1).number(_PREKEY, 1)
        writer.fixed(self.account_public, KEY).fixed(self.identity, KEY)
        writer.fixed(self.base_key, KEY).fixed(self.signed_id, PREKEY_ID)
        writer.number(0 if self.one_time_id is None else 1, 1)
        if self.one_time_id is not None:
            writer.fixed(self.one_time_id, PREKEY_ID)
        writer.fixed(self.kem_id, PREKEY_ID).fixed(self.kem_ciphertext, KEM_CIPHERTEXT)
        return writer.blob(self.device_list).done()


@dataclass(frozen=True)
class SessionMessage:
    """A message of the session ``base_key``; ``prekey`` is None in a ratchet message."""

    base_key: bytes
    prekey: PrekeyHeader | None
    outer: bytes
    sealed: bytes


def ratchet_outer(base_key: bytes) -> bytes:
    """Return the outer part of a ratchet message."""
    return Writer().number(VERSION, 1).number(_RATCHET, 1).fixed(base_key, KEY).done()


def write_message(outer: bytes, sealed: bytes) -> bytes:
    """Return the bytes that travel."""
    return outer + Writer().blob(sealed).done()


def parse_message(data: bytes, limits: Limits) -> SessionMessage:
    """Read what :func:`write_message` wrote.

    Raises:
        SecurityError: ``too-large``, ``bad-encoding``, ``bad-key``, ``newer-version`` or
            ``older-version``.
    """
    if len(data) > limits.message:
        text = f"A message has {len(data)} bytes; {limits.message} are allowed. It was not read."
        raise SecurityError("too-large", text)
    reader = Reader(data, "message between devices")
    reader.version(VERSION)
    kind = reader.number(1, _RATCHET)
    if kind == _PREKEY:
        prekey: PrekeyHeader | None = _read_prekey(reader)
    elif kind == _RATCHET:
        prekey = None
    else:
        raise SecurityError("bad-encoding", "A message between devices is of no known kind.")
    base_key = check_x25519(reader.fixed(KEY)) if prekey is None else prekey.base_key
    outer = ratchet_outer(base_key) if prekey is None else prekey.outer()
    message = SessionMessage(base_key, prekey, outer, reader.blob(limits.message))
    reader.end()
    return message


def _read_prekey(reader: Reader) -> PrekeyHeader:
    """Read a header; the KEM part has its one length, so it cannot be left out."""
    return PrekeyHeader(
        account_public=reader.fixed(KEY),
        identity=check_x25519(reader.fixed(KEY)),
        base_key=check_x25519(reader.fixed(KEY)),
        signed_id=reader.fixed(PREKEY_ID),
        one_time_id=reader.fixed(PREKEY_ID) if reader.number(1, 1) else None,
        kem_id=reader.fixed(PREKEY_ID),
        kem_ciphertext=reader.fixed(KEM_CIPHERTEXT),
        device_list=reader.blob(DEVICE_LIST_MOST),
    )
