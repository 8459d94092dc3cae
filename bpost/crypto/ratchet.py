"""The Double Ratchet (Signal, "The Double Ratchet Algorithm"; CRYPTO, section 4).

Pure functions from state to state: no I/O, no clock, randomness handed in. A function that fails
has changed nothing, since nothing can be changed. What the caller owes: the state that
:func:`encrypt` returns is stored before the message leaves, and the one that :func:`decrypt`
returns is stored together with the plaintext, or neither is.

A sealed message is the header (ratchet key, PN, N) and a Fernet token, whose key is derived from
the message key, the associated data and the header.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bpost.crypto import labels
from bpost.crypto.codec import Reader, Writer
from bpost.crypto.primitives import (
    KEY,
    Random,
    X25519Private,
    check_x25519,
    generate_x25519,
    hkdf,
    open_sealed,
    random_bytes,
    seal,
)
from bpost.crypto.ratchet_state import NUMBER, Chain, Ratchet, SkippedKey
from bpost.errors import SecurityError
from bpost.limits import Limits

__all__ = ["Header", "Ratchet", "decrypt", "encrypt", "start_receiving", "start_sending"]

HEADER = KEY + 2 * NUMBER
RETIRED = 64
"""How many replaced keys of the other side are remembered, to tell repeats from attacks."""


@dataclass(frozen=True)
class Header:
    """What stands before a token: ``previous`` is PN, ``number`` is N (section 3.1, HEADER)."""

    ratchet_key: bytes
    previous: int
    number: int

    def to_bytes(self) -> bytes:
        """Return the 40 bytes of the header."""
        writer = Writer().fixed(self.ratchet_key, KEY)
        return writer.number(self.previous, NUMBER).number(self.number, NUMBER).done()

    @classmethod
    def from_bytes(cls, data: bytes) -> Header:
        """Read a header; raise SecurityError ``bad-encoding`` or ``bad-key``.

        Keys are compared as bytes, so only the canonical form of one is let in.
        """
        reader = Reader(data, "message header")
        key = check_x25519(reader.fixed(KEY))
        header = cls(key, reader.number(NUMBER), reader.number(NUMBER))
        reader.end()
        return header


def start_sending(secret: bytes, their_key: bytes, random: Random = random_bytes) -> Ratchet:
    """Begin as the initiator of the handshake (section 3.3, RatchetInitAlice)."""
    own = generate_x25519(random)
    root, sending = _kdf_rk(secret, own.exchange(their_key))
    return Ratchet(root=root, own=own, theirs=their_key, sending=sending)


def start_receiving(secret: bytes, own: X25519Private) -> Ratchet:
    """Begin as the owner of the signed prekey ``own`` (section 3.3, RatchetInitBob)."""
    return Ratchet(root=secret, own=own)


def encrypt(
    state: Ratchet, plaintext: bytes, associated: bytes, limits: Limits
) -> tuple[Ratchet, bytes]:
    """Seal ``plaintext`` under the next message key (section 3.4, RatchetEncrypt).

    Raises:
        SecurityError: ``no-session`` before the first message came in, ``out-of-keys`` when the
            counter is at its limit; a new session is needed then.
    """
    if state.sending is None:
        raise SecurityError("no-session", "Nothing can be sent before the first message came in.")
    if state.sending.number >= limits.counter:
        raise SecurityError("out-of-keys", "This session has no keys left: start a new one.")
    header = Header(state.own.public, state.previous, state.sending.number).to_bytes()
    key, sending = state.sending.step()
    token = seal(_token_key(key, associated, header), plaintext)
    return replace(state, sending=sending), header + token


def decrypt(
    state: Ratchet,
    sealed: bytes,
    associated: bytes,
    now: int,
    *,
    limits: Limits,
    random: Random = random_bytes,
) -> tuple[Ratchet, bytes]:
    """Open what the other side's :func:`encrypt` sealed (section 3.5, RatchetDecrypt).

    Raises:
        SecurityError: ``bad-token`` when it was altered; ``duplicate`` when its key was used
            before, or is no longer kept; ``skipped-too-far`` when too many before it are missing;
            ``out-of-keys``, ``bad-key`` and ``bad-encoding`` for a header that cannot be.
    """
    header = Header.from_bytes(sealed[:HEADER])
    state = state.without_skipped(before=now - int(limits.skipped_key_seconds * 1000))
    after, key = _take_skipped(state, header) or _advance(state, header, now, limits, random)
    token_key = _token_key(key, associated, header.to_bytes())
    return after, open_sealed(token_key, sealed[HEADER:])


def _take_skipped(state: Ratchet, header: Header) -> tuple[Ratchet, bytes] | None:
    """Find the key of a message that was skipped (section 3.5, TrySkippedMessageKeys)."""
    for found in state.skipped:
        if found.number == header.number and found.ratchet_key == header.ratchet_key:
            kept = tuple(key for key in state.skipped if key is not found)
            return replace(state, skipped=kept), found.key
    return None


def _advance(
    state: Ratchet, header: Header, now: int, limits: Limits, random: Random
) -> tuple[Ratchet, bytes]:
    """Move the receiving chain to this message, over a turn of the ratchet if it has a new key."""
    _check_bounds(state, header, limits)
    kept: list[SkippedKey] = []
    chain = state.receiving
    if chain is None or header.ratchet_key != state.theirs:
        if chain is not None:
            kept += _skip_to(header.previous, chain, state.theirs, now)[1]
        state, chain = _turn(state, header.ratchet_key, random)
    chain, skipped = _skip_to(header.number, chain, header.ratchet_key, now)
    key, chain = chain.step()
    after = replace(state, receiving=chain, skipped=(*state.skipped, *kept, *skipped))
    return after.without_skipped(most=limits.skipped_stored), key


def _check_bounds(state: Ratchet, header: Header, limits: Limits) -> None:
    """Refuse what cannot be, or would cost too much, before anything is computed.

    A PN beyond the bound is refused too, not skipped over: going on would lose those messages
    silently, and a new session loses none.
    """
    received = 0 if state.receiving is None else state.receiving.number
    turns = state.receiving is None or header.ratchet_key != state.theirs
    if header.ratchet_key in state.retired or (not turns and header.number < received):
        text = "A message came a second time, or so late that its key is no longer kept."
        raise SecurityError("duplicate", text)
    if header.number >= limits.counter or header.previous > limits.counter:
        raise SecurityError("out-of-keys", "A message has a number beyond all keys of a session.")
    if state.receiving is None and header.previous:
        raise _too_far("A message counts messages of a chain that never was.")
    jumps = (header.previous - received, header.number) if turns else (header.number - received,)
    if max(jumps) > limits.skip:
        raise _too_far(f"Before a message more than {limits.skip} others are missing.")


def _skip_to(
    number: int, chain: Chain, ratchet_key: bytes, now: int
) -> tuple[Chain, list[SkippedKey]]:
    """Move ``chain`` to ``number``; return the keys on the way (section 3.5, SkipMessageKeys)."""
    skipped = []
    while chain.number < number:
        key, following = chain.step()
        skipped.append(SkippedKey(ratchet_key, chain.number, now, key))
        chain = following
    return chain, skipped


def _turn(state: Ratchet, their_key: bytes, random: Random) -> tuple[Ratchet, Chain]:
    """Turn the ratchet to their new key; also return the receiving chain (3.5, DHRatchet)."""
    root, receiving = _kdf_rk(state.root, state.own.exchange(their_key))
    own = generate_x25519(random)
    root, sending = _kdf_rk(root, own.exchange(their_key))
    after = replace(
        state,
        root=root,
        own=own,
        theirs=their_key,
        sending=sending,
        receiving=receiving,
        previous=0 if state.sending is None else state.sending.number,
    )
    if state.receiving is not None:
        after = replace(after, retired=(*state.retired, state.theirs)[-RETIRED:])
    return after, receiving


def _kdf_rk(root: bytes, agreed: bytes) -> tuple[bytes, Chain]:
    """Return the next root key and a new chain (section 3.1, KDF_RK)."""
    derived = hkdf(agreed, salt=root, info=labels.RATCHET, length=2 * KEY)
    return derived[:KEY], Chain(derived[KEY:])


def _token_key(message_key: bytes, associated: bytes, header: bytes) -> bytes:
    """Bind the message key to all that Fernet, without associated data, would leave free."""
    return hkdf(message_key, info=labels.MESSAGE + associated + header)


def _too_far(what: str) -> SecurityError:
    return SecurityError("skipped-too-far", what + " It was not opened; a new session is needed.")
