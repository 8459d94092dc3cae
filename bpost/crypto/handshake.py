"""Starting a session: Signal's PQXDH, both sides of it (CRYPTO, section 3).

The initiator needs a bundle in which every signature has been verified (a ``VerifiedBundle`` is
nothing else); the responder needs the header of the first message. Both derive the same secret
only if they agree on every key and name in the associated data: nothing is compared, a difference
shows when the first message does not open. A KEM ciphertext that was altered shows just so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from bpost.crypto import labels
from bpost.crypto.codec import length_prefixed, name_bytes
from bpost.crypto.message import PrekeyHeader
from bpost.crypto.prekeys import PrekeyKind, PrekeySecret, VerifiedBundle
from bpost.crypto.primitives import (
    KEY,
    KemPrivate,
    Random,
    X25519Private,
    encapsulate,
    generate_x25519,
    hkdf,
    random_bytes,
    sha512,
)
from bpost.errors import SecurityError

PrekeyLookup = Callable[[bytes], PrekeySecret | None]
"""Finds the private half of a prekey of one's own by its id."""

_PADDING = b"\xff" * KEY
_SALT = bytes(KEY)
_NO_PREKEY = b"none"


class Address(NamedTuple):
    """A device: a username, in whatever case, and the id of the device."""

    username: str
    device: str

    def same(self, other: Address) -> bool:
        """Say whether both are one device."""
        same_user = name_bytes(self.username) == name_bytes(other.username)
        return same_user and self.device == other.device


@dataclass(frozen=True)
class LocalDevice:
    """This device; ``device_list`` is the latest signed list of its account, as bytes."""

    username: str
    device: str
    identity: X25519Private
    account_public: bytes
    device_list: bytes = field(repr=False)

    @property
    def address(self) -> Address:
        """Whose device it is, and which."""
        return Address(self.username, self.device)


@dataclass(frozen=True)
class Agreement:
    """What a handshake gives: the secret SK, and the associated data AD of the session."""

    secret: bytes = field(repr=False)
    associated: bytes = field(repr=False)


@dataclass(frozen=True)
class _Side:
    """One end of the handshake, by its public values."""

    account_public: bytes
    address: Address
    identity: bytes


@dataclass(frozen=True)
class _Used:
    """The responder's public prekeys that a handshake uses."""

    signed: bytes
    one_time: bytes | None
    kem: bytes


@dataclass(frozen=True)
class _Own:
    """The responder's private prekeys that a handshake uses."""

    signed: X25519Private
    one_time: X25519Private | None
    kem: KemPrivate

    def public(self) -> _Used:
        once = self.one_time
        return _Used(self.signed.public, once.public if once else None, self.kem.public)


def initiate(
    local: LocalDevice, bundle: VerifiedBundle, random: Random = random_bytes
) -> tuple[Agreement, PrekeyHeader]:
    """Agree with the device that left ``bundle`` (PQXDH, 3.3, "Sending the initial message").

    The ephemeral key is made here, used for this one agreement, and forgotten on return.

    Raises:
        SecurityError: ``bad-key``, when a Diffie-Hellman agreement has no secret.
    """
    ephemeral = generate_x25519(random)
    once = bundle.one_time
    agreed = [
        local.identity.exchange(bundle.signed.key),
        ephemeral.exchange(bundle.device.identity),
        ephemeral.exchange(bundle.signed.key),
    ]
    if once is not None:
        agreed.append(ephemeral.exchange(once.key))
    ciphertext, shared = encapsulate(bundle.kem.key)
    header = PrekeyHeader(
        account_public=local.account_public,
        identity=local.identity.public,
        base_key=ephemeral.public,
        signed_id=bundle.signed.id,
        one_time_id=once.id if once else None,
        kem_id=bundle.kem.id,
        kem_ciphertext=ciphertext,
        device_list=local.device_list,
    )
    remote_address = Address(bundle.username, bundle.device.id)
    remote = _Side(bundle.account_public, remote_address, bundle.device.identity)
    used = _Used(bundle.signed.key, once.key if once else None, bundle.kem.key)
    return _agree([*agreed, shared], _side(local), remote, header, used), header


def respond(
    local: LocalDevice, remote: Address, header: PrekeyHeader, prekeys: PrekeyLookup
) -> tuple[Agreement, X25519Private]:
    """Agree with the sender of ``header``; also return the signed prekey, the first ratchet key.

    (PQXDH, 3.4, "Receiving the initial message".)

    Raises:
        SecurityError: ``unknown-prekey``, when a prekey is not or no longer there; ``bad-key``.
    """
    own = _find_prekeys(header, prekeys)
    agreed = [
        own.signed.exchange(header.identity),
        local.identity.exchange(header.base_key),
        own.signed.exchange(header.base_key),
    ]
    if own.one_time is not None:
        agreed.append(own.one_time.exchange(header.base_key))
    shared = own.kem.decapsulate(header.kem_ciphertext)
    initiator = _Side(header.account_public, remote, header.identity)
    agreement = _agree([*agreed, shared], initiator, _side(local), header, own.public())
    return agreement, own.signed


def _side(local: LocalDevice) -> _Side:
    return _Side(local.account_public, local.address, local.identity.public)


def _find_prekeys(header: PrekeyHeader, prekeys: PrekeyLookup) -> _Own:
    def find(prekey_id: bytes, kind: PrekeyKind) -> bytes:
        found = prekeys(prekey_id)
        if found is None or found.kind is not kind:
            text = "A first message needs a prekey that this device no longer has, or never had."
            raise SecurityError("unknown-prekey", text + " A new session is needed.")
        return found.secret

    once = header.one_time_id
    return _Own(
        signed=X25519Private(find(header.signed_id, PrekeyKind.SIGNED)),
        one_time=X25519Private(find(once, PrekeyKind.ONE_TIME)) if once is not None else None,
        kem=KemPrivate(find(header.kem_id, PrekeyKind.KEM)),
    )


def _agree(
    agreed: list[bytes], initiator: _Side, responder: _Side, header: PrekeyHeader, used: _Used
) -> Agreement:
    """Derive SK from DH1 | DH2 | DH3 [| DH4] | SS, bound to everything both sides know.

    The padding keeps the input apart from that of signatures (PQXDH, 2.2).
    """
    associated = _associated_data(initiator, responder, header, used)
    secret = hkdf(
        _PADDING + b"".join(agreed), salt=_SALT, info=labels.HANDSHAKE + associated, length=KEY
    )
    return Agreement(secret, associated)


def _associated_data(
    initiator: _Side, responder: _Side, header: PrekeyHeader, used: _Used
) -> bytes:
    """Hash the bytes of every key and name, the initiator's first, so that none can be swapped.

    X25519 and ML-KEM do not bind their public keys by themselves: other spellings of a key, or
    another key that decapsulates alike, would otherwise lead to the same secret.
    """
    items = [
        *(initiator.account_public, responder.account_public),
        *(name_bytes(initiator.address.username), name_bytes(responder.address.username)),
        *(initiator.address.device.encode(), responder.address.device.encode()),
        *(initiator.identity, responder.identity),
        header.base_key,
        used.signed,
        used.one_time or _NO_PREKEY,
        used.kem,
        header.kem_ciphertext,
    ]
    return sha512(labels.ASSOCIATED_DATA, length_prefixed(*items))
