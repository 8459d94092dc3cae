"""From payload to envelope and back (CRYPTO, section 5): one body, its key sealed for each device.

What a session seals for a device is the payload key and the hash of the body, so a device that
can open a message cannot put another body in its place for someone else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bpost.crypto.primitives import (
    KEY,
    Random,
    equal,
    open_sealed,
    random_bytes,
    seal,
    sha256,
)
from bpost.errors import SecurityError
from bpost.protocol.envelope import Envelope, pad, padded_size, unpad

_FIELDS = 2048  # a payload without its text, with the devices of two accounts
_SEALED = 3072  # a prekey message with a long device list, in base64url
_FRAME = 256


@dataclass(frozen=True)
class SealedBody:
    """A sealed payload, and the secret that each device is told under its own session."""

    body: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    def envelope(self, device: str, to: Mapping[str, bytes]) -> str:
        """Return the text for frame 0; ``to`` has the secret as sealed for each device."""
        return Envelope(device, to, self.body).text()


def seal_body(payload: bytes, random: Random = random_bytes) -> SealedBody:
    """Pad and seal a payload under a key of its own."""
    key = random(KEY)
    body = seal(key, pad(payload))
    return SealedBody(body, key + sha256(body))


def open_body(body: bytes, secret: bytes) -> bytes:
    """Return the payload, given what a session said about it.

    Raises:
        SecurityError: ``bad-token`` or ``bad-encoding``; the body is not the one that was sent.
    """
    key, digest = secret[:KEY], secret[KEY:]
    if len(secret) != 2 * KEY or not equal(digest, sha256(body)):
        text = "The content of a message is not the one that its sender sealed for this device."
        raise SecurityError("bad-token", text)
    return unpad(open_sealed(key, body))


def envelope_size(content: int, devices: int) -> int:
    """Return what an envelope with ``content`` bytes of content takes at most, in bytes."""
    return padded_size(content + _FIELDS) * 4 // 3 + devices * _SEALED + _FRAME
