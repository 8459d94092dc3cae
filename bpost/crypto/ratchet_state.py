"""The state of a Double Ratchet, and its bytes (Signal, "The Double Ratchet", section 3.2).

Frozen values: nothing changes a state, a step makes the next one. The bytes are secrets; they
belong into the sealed store and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bpost.crypto import labels
from bpost.crypto.codec import Reader, Writer
from bpost.crypto.primitives import KEY, X25519Private, hmac_sha256

VERSION = 1
NUMBER = 4
TIME = 8


@dataclass(frozen=True)
class Chain:
    """A sending or receiving chain: ``number`` is that of the next message (CK and N)."""

    key: bytes = field(repr=False)
    number: int = 0

    def step(self) -> tuple[bytes, Chain]:
        """Return the key of the next message, and the chain behind it (KDF_CK)."""
        following = hmac_sha256(self.key, labels.CHAIN_NEXT_KEY)
        return hmac_sha256(self.key, labels.CHAIN_MESSAGE_KEY), Chain(following, self.number + 1)


@dataclass(frozen=True)
class SkippedKey:
    """The key of a message that has not come yet, kept since ``since`` (milliseconds)."""

    ratchet_key: bytes
    number: int
    since: int
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Ratchet:
    """One side of a conversation between two devices.

    The names of the specification: ``root`` RK, ``own`` DHs, ``theirs`` DHr (empty until their
    first message), ``sending`` CKs and Ns, ``receiving`` CKr and Nr, ``previous`` PN, ``skipped``
    MKSKIPPED, oldest first. ``retired`` has the latest of their keys that were replaced, oldest
    first: what comes again under one of them is a repeat, not an attack.
    """

    root: bytes = field(repr=False)
    own: X25519Private
    theirs: bytes = b""
    sending: Chain | None = None
    receiving: Chain | None = None
    previous: int = 0
    skipped: tuple[SkippedKey, ...] = field(default=(), repr=False)
    retired: tuple[bytes, ...] = field(default=(), repr=False)

    def without_skipped(self, *, before: int = 0, most: int | None = None) -> Ratchet:
        """Return a state without the skipped keys older than ``before``, with ``most`` of them."""
        kept = tuple(key for key in self.skipped if key.since >= before)
        if most is not None:
            kept = kept[max(0, len(kept) - most) :]
        return self if len(kept) == len(self.skipped) else replace(self, skipped=kept)

    def to_bytes(self) -> bytes:
        """Return the state as bytes, for the sealed store only."""
        writer = Writer().number(VERSION, 1).fixed(self.root, KEY).fixed(self.own.raw, KEY)
        writer.blob(self.theirs)
        for chain in (self.sending, self.receiving):
            writer.number(0 if chain is None else 1, 1)
            if chain is not None:
                writer.fixed(chain.key, KEY).number(chain.number, NUMBER)
        writer.number(self.previous, NUMBER).number(len(self.skipped), NUMBER)
        for one in self.skipped:
            writer.fixed(one.ratchet_key, KEY).number(one.number, NUMBER)
            writer.number(one.since, TIME).fixed(one.key, KEY)
        writer.number(len(self.retired), NUMBER)
        for key in self.retired:
            writer.fixed(key, KEY)
        return writer.done()

    @classmethod
    def from_bytes(cls, data: bytes) -> Ratchet:
        """Read what :meth:`to_bytes` wrote; raise SecurityError ``bad-encoding`` and the like."""
        reader = Reader(data, "stored ratchet")
        reader.version(VERSION)
        state = cls(
            root=reader.fixed(KEY),
            own=X25519Private(reader.fixed(KEY)),
            theirs=reader.blob(KEY),
            sending=_read_chain(reader),
            receiving=_read_chain(reader),
            previous=reader.number(NUMBER),
            skipped=tuple(_read_skipped(reader) for _ in range(reader.number(NUMBER))),
            retired=tuple(reader.fixed(KEY) for _ in range(reader.number(NUMBER))),
        )
        reader.end()
        return state


def _read_chain(reader: Reader) -> Chain | None:
    return Chain(reader.fixed(KEY), reader.number(NUMBER)) if reader.number(1, 1) else None


def _read_skipped(reader: Reader) -> SkippedKey:
    return SkippedKey(
        ratchet_key=reader.fixed(KEY),
        number=reader.number(NUMBER),
        since=reader.number(TIME),
        key=reader.fixed(KEY),
    )
