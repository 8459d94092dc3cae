"""Prekeys: what a device leaves at the server so that others can write to it while it is away.

Every prekey is signed by the account key, together with its kind, its id, when it was made, and
whose it is: none can be put in another's place, and a bundle that the server kept too long shows
its age (CRYPTO, sections 2 and 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.account import (
    DEVICE_ID,
    AccountKey,
    DeviceEntry,
    SignedDeviceList,
    check_device_id,
    open_device_list,
    verify_account,
)
from bpost.crypto.codec import Reader, Writer, name_bytes
from bpost.crypto.primitives import (
    KEM_PUBLIC,
    KEM_SEED,
    KEY,
    SIGNATURE,
    Random,
    check_kem,
    check_x25519,
    generate_kem,
    generate_x25519,
    random_bytes,
)
from bpost.errors import SecurityError
from bpost.limits import Limits

FORMAT = 1
PREKEY_ID = 8
DEVICE_LIST_MOST = 16 * 1024


class PrekeyKind(IntEnum):
    """What a prekey is for; the number stands inside the signature."""

    SIGNED = 1
    """X25519, renewed weekly."""
    KEM = 2
    """ML-KEM-768, renewed weekly, and used by everyone until then: a last-resort key."""
    ONE_TIME = 3
    """X25519, handed out once by the server and used once."""

    @property
    def public_length(self) -> int:
        """How many bytes the public key has."""
        return KEM_PUBLIC if self is PrekeyKind.KEM else KEY

    @property
    def secret_length(self) -> int:
        """How many bytes the private key has."""
        return KEM_SEED if self is PrekeyKind.KEM else KEY


@dataclass(frozen=True, eq=False)
class PrekeySecret:
    """The private half, for the device's sealed store: the X25519 key, or the ML-KEM seed."""

    id: bytes
    kind: PrekeyKind
    secret: bytes = field(repr=False)
    created: int


@dataclass(frozen=True)
class Prekey:
    """The public half under its signature; ``created`` is in milliseconds."""

    id: bytes
    kind: PrekeyKind
    key: bytes
    created: int
    signature: bytes

    def to_bytes(self) -> bytes:
        """Return the only encoding of this prekey."""
        writer = Writer().number(FORMAT, 1).number(self.kind, 1).fixed(self.id, PREKEY_ID)
        writer.number(self.created, 8).fixed(self.key, self.kind.public_length)
        return writer.fixed(self.signature, SIGNATURE).done()

    @classmethod
    def from_bytes(cls, data: bytes) -> Prekey:
        """Read what :meth:`to_bytes` wrote, without checking key or signature."""
        reader = Reader(data, "prekey")
        reader.version(FORMAT)
        number = reader.number(1)
        if number not in set(PrekeyKind):
            raise SecurityError("bad-encoding", f"There is no kind {number} of prekey.")
        kind = PrekeyKind(number)
        prekey_id, created = reader.fixed(PREKEY_ID), reader.number(8)
        key, signature = reader.fixed(kind.public_length), reader.fixed(SIGNATURE)
        reader.end()
        return cls(prekey_id, kind, key, created, signature)

    def text(self) -> str:
        """Return the form that frames 7 and 10 carry."""
        return b64.encode(self.to_bytes())


def make_prekey(
    kind: PrekeyKind,
    account: AccountKey,
    username: str,
    device: str,
    *,
    now: int,
    random: Random = random_bytes,
) -> tuple[PrekeySecret, Prekey]:
    """Make and sign a prekey; store the private half before the public one leaves."""
    prekey_id = random(PREKEY_ID)
    if kind is PrekeyKind.KEM:
        kem = generate_kem(random)
        secret, public = kem.seed, kem.public
    else:
        agreement = generate_x25519(random)
        secret, public = agreement.raw, agreement.public
    unsigned = Prekey(prekey_id, kind, public, now, bytes(SIGNATURE))
    signature = account.sign(labels.PREKEY, _signed_bytes(unsigned, username, device))
    return (
        PrekeySecret(prekey_id, kind, secret, now),
        Prekey(prekey_id, kind, public, now, signature),
    )


def verify_prekey(
    prekey: Prekey, kind: PrekeyKind, account_public: bytes, username: str, device: str
) -> None:
    """Check that the account key signed this prekey, as this kind, for this device.

    Raises:
        SecurityError: ``bad-bundle`` for another kind, ``bad-signature``, ``bad-key``.
    """
    if prekey.kind is not kind:
        text = f"A prekey of kind {prekey.kind.name} stands where {kind.name} must."
        raise SecurityError("bad-bundle", text)
    content = _signed_bytes(prekey, username, device)
    verify_account(account_public, prekey.signature, labels.PREKEY, content)
    if kind is PrekeyKind.KEM:
        check_kem(prekey.key)
    else:
        check_x25519(prekey.key)


@dataclass(frozen=True)
class DeviceBundle:
    """What a device publishes with frame 6."""

    device_list: SignedDeviceList
    device: str
    signed: Prekey
    kem: Prekey

    def text(self) -> str:
        """Return the form that frames 6 and 7 carry as ``device-bundle``."""
        writer = Writer().number(FORMAT, 1).blob(self.device_list.to_bytes())
        writer.fixed(self.device.encode("ascii"), DEVICE_ID)
        writer.blob(self.signed.to_bytes()).blob(self.kem.to_bytes())
        return b64.encode(writer.done())


@dataclass(frozen=True)
class VerifiedBundle:
    """A bundle in which everything has been checked: what a session may start from."""

    username: str
    account_public: bytes
    device_list: SignedDeviceList
    device: DeviceEntry
    signed: Prekey
    kem: Prekey
    one_time: Prekey | None


def open_bundle(
    text: str,
    one_time: str | None,
    *,
    account_public: bytes,
    username: str,
    device: str,
    now: int,
    limits: Limits,
) -> VerifiedBundle:
    """Read and check what the server handed out for one device of a contact.

    ``account_public`` is the pinned key. Pass the device list to :func:`account.newer_list`
    before a session is started.

    Raises:
        SecurityError: ``bad-signature``, ``bad-key``, ``bad-bundle``, ``bad-encoding``,
            ``bundle-expired``, ``unknown-device`` (not on the signed list), ``device-changed``.
    """
    reader = Reader(b64.decode(text), "key bundle")
    reader.version(FORMAT)
    device_list = open_device_list(reader.blob(DEVICE_LIST_MOST), account_public, username)
    named = check_device_id(reader.fixed(DEVICE_ID).decode("latin-1"))
    signed = Prekey.from_bytes(reader.blob(limits.device_bundle))
    kem = Prekey.from_bytes(reader.blob(limits.device_bundle))
    reader.end()
    entry = device_list.list.find(device)
    if named != device or entry is None:
        words = f"The server offers a device {device!r} that {username!r} has not signed for."
        raise SecurityError("unknown-device", words + " Nothing is sent to it.")
    verify_prekey(signed, PrekeyKind.SIGNED, account_public, username, device)
    verify_prekey(kem, PrekeyKind.KEM, account_public, username, device)
    for prekey in (signed, kem):
        _check_age(prekey, username, now, limits)
    once = None if one_time is None else Prekey.from_bytes(b64.decode(one_time))
    if once is not None:
        verify_prekey(once, PrekeyKind.ONE_TIME, account_public, username, device)
    return VerifiedBundle(username, account_public, device_list, entry, signed, kem, once)


def _signed_bytes(prekey: Prekey, username: str, device: str) -> bytes:
    """Return what stands under the signature of a prekey, behind the label."""
    writer = Writer().number(FORMAT, 1).number(prekey.kind, 1).fixed(prekey.id, PREKEY_ID)
    writer.number(prekey.created, 8).blob(name_bytes(username))
    return writer.fixed(device.encode("ascii"), DEVICE_ID).blob(prekey.key).done()


def _check_age(prekey: Prekey, username: str, now: int, limits: Limits) -> None:
    """Refuse a prekey that should have been renewed long ago, or that is from the future."""
    tolerance = limits.clock_error_seconds
    age = (now - prekey.created) / 1000
    if age > limits.bundle_seconds + tolerance:
        text = f"The keys that the server offers for {username!r} are {age / 86400:.0f} days old."
        raise SecurityError("bundle-expired", text + " That device must come online first.")
    if age < -tolerance:
        text = f"The keys offered for {username!r} were made {-age / 86400:.0f} days in the future."
        raise SecurityError("bundle-expired", text + " Check the clock of this computer.")
