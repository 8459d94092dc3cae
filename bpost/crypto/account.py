"""The account key, and the list of devices that it signs (CRYPTO, section 2).

A contact believes no device that is not on a list signed by the pinned account key, and no list
that goes back: so the server can neither add a device nor bring back a revoked one. A device id
belongs to one identity for ever, and an identity to one id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bpost.crypto import labels
from bpost.crypto.codec import Reader, Writer, name_bytes
from bpost.crypto.primitives import (
    KEY,
    SIGNATURE,
    Ed25519Private,
    Random,
    check_x25519,
    equal,
    generate_ed25519,
    random_bytes,
    verify_ed25519,
)
from bpost.errors import SecurityError, UsageError

FORMAT = 1
DEVICE_ID = 16
NAME = 32

FORMER_MOST = 16
"""So many keys of an account are kept, the present one too: who missed more renewals than that
sees a changed key."""

_DEVICE_ID = re.compile(rf"[\w-]{{{DEVICE_ID}}}", re.ASCII)


class AccountKey:
    """The private key that an account is: contacts verify and pin its public half.

    ``former`` are the keys that it took over from, newest first; they sign nothing but that (see
    :mod:`succession`), and open what was sealed under them.
    """

    def __init__(self, seed: bytes, former: tuple[AccountKey, ...] = ()) -> None:
        self._key = Ed25519Private(seed)
        self.former = former[: FORMER_MOST - 1]

    @classmethod
    def generate(cls, random: Random = random_bytes) -> AccountKey:
        """Make the key of a new account."""
        return cls(generate_ed25519(random).seed)

    @classmethod
    def from_seed(cls, seed: bytes) -> AccountKey:
        """Return the key that ``seed`` stands for."""
        return cls(seed)

    @classmethod
    def from_seeds(cls, seeds: bytes) -> AccountKey:
        """Return the key that :attr:`seeds` stands for, with those before it.

        Raises:
            SecurityError: ``bad-encoding``.
        """
        reader, count = Reader(seeds, "account key"), len(seeds) // KEY
        found = [reader.fixed(KEY) for _ in range(max(1, min(count, FORMER_MOST)))]
        reader.end()
        return cls(found[0], tuple(cls(seed) for seed in found[1:]))

    def renewed(self, random: Random = random_bytes) -> AccountKey:
        """Make a key that takes over from this one."""
        return AccountKey(generate_ed25519(random).seed, (self, *self.former))

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes to store, sealed."""
        return self._key.seed

    @property
    def seeds(self) -> bytes:
        """The secret bytes of this key and of those before it, newest first; stored sealed."""
        return b"".join((self.seed, *(one.seed for one in self.former)))

    @property
    def all(self) -> tuple[AccountKey, ...]:
        """This key, and those before it, newest first."""
        return (self, *self.former)

    @property
    def public(self) -> bytes:
        """The 32 bytes that frames 4, 6 and 7 carry as ``Public-key``."""
        return self._key.public

    def sign(self, label: bytes, content: bytes) -> bytes:
        """Sign ``content`` for the one use that ``label`` (of :mod:`labels`) names."""
        return self._key.sign(label + content)

    def __repr__(self) -> str:
        return "AccountKey(…)"


def verify_account(public: bytes, signature: bytes, label: bytes, content: bytes) -> None:
    """Check what :meth:`AccountKey.sign` made.

    Raises:
        SecurityError: ``bad-signature`` or ``bad-key``.
    """
    verify_ed25519(public, signature, label + content)


def check_device_id(text: str) -> str:
    """Return ``text`` if it has the form of a device id; raise SecurityError ``bad-encoding``."""
    if not _DEVICE_ID.fullmatch(text):
        raise SecurityError("bad-encoding", f"A device id has {DEVICE_ID} characters of base64url.")
    return text


@dataclass(frozen=True)
class DeviceEntry:
    """One device: its id, its X25519 identity key, and when it was added (milliseconds)."""

    id: str
    identity: bytes
    since: int


@dataclass(frozen=True)
class DeviceList:
    """All devices of one account, sorted by id; every change has a higher ``version``."""

    username: str
    version: int
    devices: tuple[DeviceEntry, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "username", self.username.lower())
        object.__setattr__(self, "devices", tuple(sorted(self.devices, key=lambda one: one.id)))

    def find(self, device: str) -> DeviceEntry | None:
        """Return the entry of a device, or None."""
        return next((entry for entry in self.devices if entry.id == device), None)

    def with_device(self, entry: DeviceEntry) -> DeviceList:
        """Return the next version, with one device more."""
        return DeviceList(self.username, self.version + 1, (*self.devices, entry))

    def without_device(self, device: str) -> DeviceList:
        """Return the next version, with one device less."""
        left = tuple(entry for entry in self.devices if entry.id != device)
        return DeviceList(self.username, self.version + 1, left)

    def to_bytes(self) -> bytes:
        """Return what is signed: the only encoding of this list."""
        writer = Writer().number(FORMAT, 1).text(self.username)
        writer.number(self.version, 4).number(len(self.devices), 1)
        for entry in self.devices:
            writer.fixed(entry.id.encode("ascii"), DEVICE_ID)
            writer.fixed(entry.identity, KEY).number(entry.since, 8)
        return writer.done()

    @classmethod
    def read(cls, reader: Reader) -> DeviceList:
        """Take a list off a reader, and refuse what no :meth:`to_bytes` writes."""
        reader.version(FORMAT)
        username, version = reader.text(NAME), reader.number(4)
        devices = tuple(_read_entry(reader) for _ in range(reader.number(1)))
        found = cls(username, version, devices)
        if version < 1 or found.username != username or found.devices != devices:
            raise SecurityError("bad-encoding", "A device list is not in its canonical form.")
        _check_one_to_one(devices)
        return found


@dataclass(frozen=True)
class SignedDeviceList:
    """A device list under the signature of its account key."""

    list: DeviceList
    signature: bytes

    def to_bytes(self) -> bytes:
        """Return the list, then the signature."""
        return self.list.to_bytes() + self.signature

    @classmethod
    def from_bytes(cls, data: bytes) -> SignedDeviceList:
        """Read what :meth:`to_bytes` wrote, without checking the signature.

        For what this device stored itself; what comes from outside is for
        :func:`open_device_list`.
        """
        reader = Reader(data, "device list")
        found = cls(DeviceList.read(reader), reader.fixed(SIGNATURE))
        reader.end()
        return found


def sign_device_list(account: AccountKey, devices: DeviceList) -> SignedDeviceList:
    """Sign a list with one's own account key.

    Raises:
        UsageError: two devices of the list have the same id or the same identity.
    """
    try:
        _check_one_to_one(devices.devices)
    except SecurityError as error:
        raise UsageError(str(error)) from error
    return SignedDeviceList(devices, account.sign(labels.DEVICE_LIST, devices.to_bytes()))


def open_device_list(raw: bytes, account_public: bytes, username: str) -> SignedDeviceList:
    """Read a list from outside, and check that the account key signed it for ``username``.

    Pass the result to :func:`newer_list` before believing it.

    Raises:
        SecurityError: ``bad-signature``, ``bad-key``, ``bad-encoding``, ``bad-bundle``, …
    """
    found = SignedDeviceList.from_bytes(raw)
    verify_account(account_public, found.signature, labels.DEVICE_LIST, found.list.to_bytes())
    if name_bytes(username) != name_bytes(found.list.username):
        text = f"A device list is of {found.list.username!r}, but came as that of {username!r}."
        raise SecurityError("bad-bundle", text)
    return found


def newer_list(
    known: SignedDeviceList | None, offered: SignedDeviceList, seen: Iterable[DeviceEntry] = ()
) -> SignedDeviceList:
    """Return the list to keep: ``offered``, when it may follow ``known``.

    Both have been opened with the same account key. ``seen`` holds every entry that was ever on a
    list of this account, so that an id which comes back is known.

    Raises:
        SecurityError: ``old-device-list``, when it goes back or another has the same version;
            ``device-changed``, when an id or an identity changed hands.
    """
    if known is not None:
        _check_follows(known, offered)
        seen = (*seen, *known.list.devices)
    _check_one_to_one({*offered.list.devices, *seen})
    return offered


def _check_follows(known: SignedDeviceList, offered: SignedDeviceList) -> None:
    """Refuse a list that goes back, and a second one with the same version."""
    name, old, new = known.list.username, known.list.version, offered.list.version
    if new < old:
        text = f"The device list of {name!r} went back from version {old} to {new}: it is refused."
        raise SecurityError("old-device-list", text)
    if new == old and not equal(known.list.to_bytes(), offered.list.to_bytes()):
        text = f"There are two different device lists of {name!r} with version {old}."
        raise SecurityError("old-device-list", text + " The one known first is kept.")


def _check_one_to_one(entries: Iterable[DeviceEntry]) -> None:
    """Refuse entries in which an id has two identities, or an identity two ids, or one is twice."""
    ids: set[str] = set()
    identities: set[bytes] = set()
    for entry in entries:
        if entry.id in ids or entry.identity in identities:
            text = f"The device id {entry.id!r} or its key stands for two devices."
            raise SecurityError("device-changed", text + " The device list is refused.")
        ids.add(entry.id)
        identities.add(entry.identity)


def _read_entry(reader: Reader) -> DeviceEntry:
    """Take one entry, with an id of the right form and a canonical key."""
    device = check_device_id(reader.fixed(DEVICE_ID).decode("latin-1"))
    return DeviceEntry(device, check_x25519(reader.fixed(KEY)), reader.number(8))
