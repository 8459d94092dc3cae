"""Devices in memory that keep the promises a client must, and can be made to break them."""

from __future__ import annotations

from dataclasses import replace

from bpost.crypto import session
from bpost.crypto.account import (
    AccountKey,
    DeviceEntry,
    DeviceList,
    SignedDeviceList,
    sign_device_list,
)
from bpost.crypto.prekeys import (
    DeviceBundle,
    Prekey,
    PrekeyKind,
    PrekeySecret,
    VerifiedBundle,
    make_prekey,
    open_bundle,
)
from bpost.crypto.primitives import generate_x25519
from bpost.crypto.session import Address, LocalDevice, Opened, Sender, Sessions
from bpost.limits import Limits
from tests.crypto.people import NOW, stream


class SimulatedAccount:
    """An account: its key, and the device list that it signs."""

    def __init__(self, username: str, seed: str = "") -> None:
        self.username = username
        self.random = stream(f"{username} {seed}")
        self.key = AccountKey.generate(self.random)
        self.list = sign_device_list(self.key, DeviceList(username, 1, ()))

    def device(self, number: int = 1, one_time: int = 5) -> SimulatedDevice:
        """Add a device to the list and return it."""
        identity = generate_x25519(self.random)
        name = f"{self.username[:6]:_<6}-device-{number:02}"
        entry = DeviceEntry(name, identity.public, NOW)
        self.list = sign_device_list(self.key, self.list.list.with_device(entry))
        local = LocalDevice(self.username, name, identity, self.key.public, self.list.to_bytes())
        return SimulatedDevice(self, local, one_time)

    def revoke(self, device: SimulatedDevice) -> None:
        """Take a device off the list."""
        self.list = sign_device_list(self.key, self.list.list.without_device(device.local.device))


class SimulatedDevice:
    """A device with its store: everything a transaction of the client writes is in ``stored``."""

    def __init__(self, account: SimulatedAccount, local: LocalDevice, one_time: int) -> None:
        self.account = account
        self.local = local
        self.random = stream(f"{local.device} {account.key.public.hex()}")
        self.limits = Limits()
        self.now = NOW
        self.prekeys: dict[bytes, PrekeySecret] = {}
        self.sessions: dict[Address, bytes] = {}
        self.base_keys: set[bytes] = set()
        self.signed = self._prekey(PrekeyKind.SIGNED)
        self.kem = self._prekey(PrekeyKind.KEM)
        self.one_time = [self._prekey(PrekeyKind.ONE_TIME) for _ in range(one_time)]

    def _prekey(self, kind: PrekeyKind) -> Prekey:
        where = (self.account.key, self.local.username, self.local.device)
        secret, public = make_prekey(kind, *where, now=self.now, random=self.random)
        self.prekeys[secret.id] = secret
        return public

    @property
    def address(self) -> Address:
        """Whose device it is, and which."""
        return self.local.address

    def bundle(self) -> VerifiedBundle:
        """Return what the server hands out for this device, with a one-time key if any is left."""
        once = self.one_time.pop() if self.one_time else None
        return self.open_bundle(self.bundle_text(), once.text() if once else None)

    def bundle_text(self) -> str:
        """Return what this device publishes."""
        return DeviceBundle(self.account.list, self.local.device, self.signed, self.kem).text()

    def open_bundle(self, text: str, one_time: str | None) -> VerifiedBundle:
        """Read a bundle as a contact who has pinned this account's key."""
        return open_bundle(
            text,
            one_time,
            account_public=self.account.key.public,
            username=self.local.username,
            device=self.local.device,
            now=self.now,
            limits=self.limits,
        )

    def sessions_with(self, other: SimulatedDevice) -> Sessions | None:
        """Return what is stored of the sessions with a device."""
        stored = self.sessions.get(other.address)
        return Sessions.from_bytes(stored) if stored is not None else None

    def start(self, other: SimulatedDevice, bundle: VerifiedBundle | None = None) -> Sessions:
        """Start a session, and store it."""
        sessions = session.start(
            self.local,
            bundle or other.bundle(),
            self.now,
            sessions=self.sessions_with(other),
            random=self.random,
            limits=self.limits,
        )
        self.sessions[other.address] = sessions.to_bytes()
        return sessions

    def send(self, other: SimulatedDevice, plaintext: bytes) -> bytes:
        """Seal for a device, over a new session if one is needed, and store."""
        sessions = self.sessions_with(other)
        if sessions is None or sessions.needs_new_session(self.now, self.limits):
            sessions = self.start(other)
        sessions, message = session.seal(sessions, plaintext, self.now, limits=self.limits)
        self.sessions[other.address] = sessions.to_bytes()
        return message

    def open(
        self,
        sender: SimulatedDevice,
        message: bytes,
        *,
        pinned: bool = True,
        known: SignedDeviceList | None = None,
        sessions: Sessions | None = None,
    ) -> Opened:
        """Open a message, and store nothing."""
        return session.open_message(
            self.local,
            sessions or self.sessions_with(sender),
            message,
            Sender(
                sender.address,
                sender.account.key.public if pinned else None,
                known.to_bytes() if known else None,
            ),
            self.now,
            prekeys=self.prekeys.get,
            seen_base_key=self.base_keys.__contains__,
            random=self.random,
            limits=self.limits,
        )

    def receive(self, sender: SimulatedDevice, message: bytes) -> bytes:
        """Open a message and store what came of it."""
        opened = self.open(sender, message)
        self.store(sender, opened)
        return opened.plaintext

    def store(self, sender: SimulatedDevice, opened: Opened) -> None:
        """Store all that opening a message gave, as one transaction would."""
        self.sessions[sender.address] = opened.sessions.to_bytes()
        if opened.base_key is not None:
            self.base_keys.add(opened.base_key)
        if opened.used_one_time is not None:
            del self.prekeys[opened.used_one_time]

    def dump(self) -> object:
        """Return all that is stored, to be compared."""
        return dict(self.sessions), set(self.base_keys), set(self.prekeys)

    def with_limits(self, **changes: float) -> None:
        """Change some of the limits."""
        self.limits = replace(self.limits, **changes)  # type: ignore[arg-type]


def pair(seed: str = "") -> tuple[SimulatedDevice, SimulatedDevice]:
    """Return one device of alice and one of bob."""
    return SimulatedAccount("alice", seed).device(), SimulatedAccount("bob", seed).device()


def talking(seed: str = "") -> tuple[SimulatedDevice, SimulatedDevice]:
    """Return a pair that has exchanged a message in each direction."""
    alice, bob = pair(seed)
    bob.receive(alice, alice.send(bob, b"hello"))
    alice.receive(bob, bob.send(alice, b"hello yourself"))
    return alice, bob
