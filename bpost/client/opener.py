"""Opening what a device sent: which keys, which session, and what to store when it worked.

:meth:`Opener.open` changes nothing; what it moved is stored by :meth:`Opener.keep` in the same
transaction, once the payload has been checked too. So a message that fails anywhere moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bpost.client.devices import Devices
from bpost.client.events import Event
from bpost.client.models import Peer
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.sealing import open_body
from bpost.client.stock import Stock
from bpost.crypto.account import SignedDeviceList
from bpost.crypto.handshake import LocalDevice
from bpost.crypto.message import SessionMessage, parse_message
from bpost.crypto.primitives import equal
from bpost.crypto.session import Opened, Sessions, open_message
from bpost.errors import SecurityError
from bpost.protocol.envelope import Envelope
from bpost.protocol.fields import canonical


@dataclass(frozen=True)
class Unsealed:
    """A payload whose seal held, not parsed yet; ``new_key`` if it came under another account key
    than the pinned one."""

    data: bytes = field(repr=False)
    opened: Opened
    new_key: bool


class Opener:
    """The keys and sessions of a profile, used to read. Called within its transactions."""

    def __init__(self, profile: Profile, people: People, devices: Devices, stock: Stock) -> None:
        self._profile = profile
        self._people = people
        self._devices = devices
        self._stock = stock

    def open(self, peer: Peer, envelope: Envelope, sealed: bytes) -> Unsealed:
        """Open a message in its session, or in the one that it begins.

        Raises:
            SecurityError: as :func:`session.open_message` and :func:`sealing.open_body`.
        """
        message = parse_message(sealed, self._profile.limits)
        key = self._account_key(peer, envelope.device, message)
        pinned, offered = _raw(peer.account_key), _raw(peer.offered_key)
        new_key = bool(key and pinned) and not equal(key, pinned)
        is_known = bool(key) and (equal(key, pinned) or equal(key, offered))
        opened = open_message(
            self._local(message),
            self._devices.sessions(peer.name, key, envelope.device),
            sealed,
            self._devices.sender(peer.name, envelope.device, key if is_known else None),
            self._profile.now(),
            prekeys=self._stock.find,
            seen_base_key=self._stock.has_seen,
            limits=self._profile.limits,
        )
        if new_key and peer.name == self._profile.name:  # and it is no byte that was altered
            text = "A message came in your own name, under an account key that is not yours."
            raise SecurityError("account-key-changed", text)
        return Unsealed(open_body(envelope.body, opened.plaintext), opened, new_key)

    def check_recipients(self, envelope: Envelope) -> None:
        """Check that an envelope that is not for this device is for others of this account.

        Raises:
            SecurityError: ``wrong-recipient``; somebody changed whom it is for.
        """
        own = self._devices.ever_listed(self._profile.name, self._profile.account.public)
        if not set(envelope.to) <= own:
            text = "It was addressed to a device that this account never had."
            raise SecurityError("wrong-recipient", text)

    def keep(self, peer: Peer, unsealed: Unsealed) -> list[Event]:
        """Store what opening moved: pin or offer, list, sessions, used-up prekey, base key."""
        opened, events = unsealed.opened, list[Event]()
        key = opened.account_public
        if unsealed.new_key:
            events += self._people.offer(peer.name, key)
        elif peer.account_key is None:
            self._people.pin(peer.name, key)
        if opened.device_list is not None:
            newest = SignedDeviceList.from_bytes(opened.device_list)
            if peer.name == self._profile.name:  # it may not have this device yet, or another
                self._devices.enlist([newest])
            else:
                self._devices.keep_list(peer.name, key, newest)
        self._devices.put_sessions(key, opened.sessions)
        self._stock.use(opened)
        return events

    def joined(self, sessions: Sessions) -> Sessions:
        """Return these sessions with those that their device had before a renewal of the key."""
        remote = sessions.remote
        known = self._devices.sessions(
            canonical(remote.username), sessions.account_public, remote.device
        )
        if known is None:
            return sessions
        most = self._profile.limits.sessions_per_device
        return replace(sessions, sessions=(sessions.sessions + known.sessions)[:most])

    def _local(self, message: SessionMessage) -> LocalDevice:
        """Return this device, under the account key that signed the prekeys of a first message."""
        local = self._profile.local()
        if message.prekey is None or not self._profile.account.former:
            return local
        signer = self._stock.signer(message.prekey.signed_id)
        return local if signer is None else replace(local, account_public=signer)

    def _account_key(self, peer: Peer, device: str, message: SessionMessage) -> bytes:
        """Return the account key that the message is under, as it or its session says; or b""."""
        if message.prekey is not None:
            named = message.prekey.account_public
            return _raw(peer.account_key) if named in self._people.former(peer.name) else named
        for key in (_raw(peer.offered_key), _raw(peer.account_key)):
            sessions = self._devices.sessions(peer.name, key, device)
            if sessions is not None and sessions.find(message.base_key) is not None:
                return key
        return _raw(peer.account_key)


def _raw(key: bytes | None) -> bytes:
    return b"" if key is None else bytes(key)
