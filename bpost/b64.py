"""Base64url without padding, in its one canonical spelling (RFC 4648, section 5).

Texts that differ must be bytes that differ, since encoded keys and tokens are compared, hashed
and looked up: whatever does not encode back to the same text is refused.
"""

from __future__ import annotations

import base64
import binascii

from bpost.errors import SecurityError


def encode(data: bytes) -> str:
    """Spell ``data`` as unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str, length: int | None = None) -> bytes:
    """Read what :func:`encode` spelled.

    Raises:
        SecurityError: ``bad-encoding``, for any other spelling, or not ``length`` bytes.
    """
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        data = None
    if data is None or encode(data) != text:
        raise SecurityError("bad-encoding", "A key or token is not written in canonical base64url.")
    if length is not None and len(data) != length:
        raise SecurityError("bad-encoding", f"A key or token has {len(data)} bytes, not {length}.")
    return data
