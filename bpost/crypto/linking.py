"""Joining by a code: how the account key gets from one device to another past the server.

The device that has the key shows a code: a secret, and a fresh X25519 key. The one that joins
answers with a fresh X25519 key of its own, sealed under the secret. From both keys and the secret
come the keys of all further steps, and a number of six digits. So a server that carries the
messages, or hands them to somebody else, has nothing that opens them; and whoever else has seen the
code cannot make both sides show the same number, since that takes one of the two private keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.codec import Reader, Writer, name_bytes
from bpost.crypto.primitives import (
    KEY,
    Random,
    X25519Private,
    equal,
    generate_x25519,
    hkdf,
    open_sealed,
    random_bytes,
    seal,
)
from bpost.errors import SecurityError

PREFIX = "bpost-link:1:"
SECRET = 16
SLOT = 9
HELLO_MOST = 1024
DIGITS = 6


@dataclass(frozen=True)
class LinkCode:
    """What a device shows for another one to read: whoever has it may try to join."""

    secret: bytes = field(repr=False)
    public: bytes

    def text(self) -> str:
        """Return the code as it is shown, pasted and scanned."""
        return PREFIX + b64.encode(self.secret + self.public)

    @property
    def slot(self) -> str:
        """What both sides call their conversation; it tells nothing of the secret."""
        return b64.encode(hkdf(self.secret, info=labels.LINK_SLOT, length=SLOT))


def make_code(random: Random = random_bytes) -> tuple[LinkCode, X25519Private]:
    """Return a new code, and the private key that belongs to it."""
    private = generate_x25519(random)
    return LinkCode(random(SECRET), private.public), private


def parse_code(text: str) -> LinkCode:
    """Read a code as somebody typed or pasted it.

    Raises:
        SecurityError: ``bad-encoding`` for what is none, ``newer-version``.
    """
    text = "".join(text.split())
    if not text.startswith(PREFIX):
        if text.startswith(PREFIX.partition(":")[0] + ":"):
            raise SecurityError("newer-version", "This code is of another version of BPost.")
        text = f"This is no code of another device: it would begin with {PREFIX}"
        raise SecurityError("bad-encoding", text)
    raw = b64.decode(text.removeprefix(PREFIX), SECRET + KEY)
    return LinkCode(raw[:SECRET], raw[SECRET:])


def seal_hello(code: LinkCode, username: str, public: bytes, name: str) -> bytes:
    """Return the first message of the device that joins, with its key and its name."""
    inner = Writer().fixed(public, KEY).text(name).done()
    return seal(_hello_key(code, username), inner)


def open_hello(code: LinkCode, username: str, data: bytes) -> tuple[bytes, str]:
    """Return the key and the name of the device that joins.

    Raises:
        SecurityError: ``bad-token``: it was made without the code, or for another account.
    """
    reader = Reader(open_sealed(_hello_key(code, username), data), "link")
    public, name = reader.fixed(KEY), reader.text(HELLO_MOST)
    reader.end()
    return public, name


@dataclass(frozen=True)
class LinkKeys:
    """What both sides have in common once each knows the key of the other."""

    shared: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    transcript: bytes

    def seal(self, step: int, content: bytes) -> bytes:
        """Seal the content of a step; each step has a key of its own."""
        return seal(self._key(step), content)

    def open(self, step: int, data: bytes) -> bytes:
        """Open it; raise SecurityError ``bad-token``."""
        return open_sealed(self._key(step), data)

    @property
    def number(self) -> str:
        """Six digits that two people, or one at two devices, compare."""
        raw = hkdf(
            self.shared, info=labels.LINK_NUMBER + self.transcript, length=8, salt=self.secret
        )
        return str(int.from_bytes(raw, "big") % 10**DIGITS).zfill(DIGITS)

    def _key(self, step: int) -> bytes:
        return hkdf(
            self.shared, info=labels.LINK_STEP + bytes([step]) + self.transcript, salt=self.secret
        )


def link_keys(code: LinkCode, username: str, mine: X25519Private, joining: bytes) -> LinkKeys:
    """Return the keys that both sides come to; ``joining`` is the public key of the new device.

    Raises:
        SecurityError: ``bad-key``.
    """
    other = joining if equal(mine.public, code.public) else code.public
    transcript = Writer().fixed(code.public, KEY).fixed(joining, KEY).done() + name_bytes(username)
    return LinkKeys(mine.exchange(other), code.secret, transcript)


def _hello_key(code: LinkCode, username: str) -> bytes:
    return hkdf(code.secret, info=labels.LINK_HELLO + code.public + name_bytes(username))
