"""The devices of people: signed lists, the sessions with each device, and bundles to start them.

A device that is not on a list signed by the pinned account key is never written to, and no list
goes back (CRYPTO, section 2). All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bpost import b64
from bpost.client.bundles import open_offered
from bpost.client.events import ContactsChanged, Event, SecurityNotice
from bpost.client.models import Device, KeyList, Peer
from bpost.client.people import People, check_answer
from bpost.client.profile import Profile
from bpost.crypto.account import (
    DeviceEntry,
    DeviceList,
    SignedDeviceList,
    newer_list,
    sign_device_list,
)
from bpost.crypto.handshake import Address
from bpost.crypto.prekeys import VerifiedBundle
from bpost.crypto.primitives import KEY, equal
from bpost.crypto.session import Sender, Sessions, retire, start
from bpost.crypto.succession import Succession, prove
from bpost.errors import SecurityError
from bpost.protocol.fields import canonical
from bpost.protocol.replies import Bundles, DeviceKeys


@dataclass
class Learned:
    """What came of a set of bundles: events to tell, and why sending must wait, if it must."""

    events: list[Event] = field(default_factory=list)
    held: str = ""
    late: set[str] = field(default_factory=set)
    """Devices that have not been online since a renewal: the key before it signed their keys."""


class Devices:
    """The devices that a profile knows, its own account's too."""

    def __init__(self, profile: Profile, people: People) -> None:
        self._profile = profile
        self._people = people
        self._store = profile.store
        self._retired: set[str] = set()
        self.behind = False
        """Whether another device has renewed the account key; guarded by the store's lock."""

    def device_list(self, name: str, key: bytes) -> SignedDeviceList | None:
        """Return the newest list that this account key has signed."""
        return self._store.recall(("list", name, key), lambda: self._read_list(name, key))

    def _read_list(self, name: str, key: bytes) -> SignedDeviceList | None:
        row = self._store.one(KeyList, KeyList.peer == name, KeyList.account_key == key)
        return None if row is None else SignedDeviceList.from_bytes(bytes(row.device_list))

    def keep_list(self, name: str, key: bytes, offered: SignedDeviceList) -> bool:
        """Keep a list whose signature was checked, if it may follow the known one.

        Returns whether it was news.

        Raises:
            SecurityError: ``old-device-list`` or ``device-changed``.
        """
        known = self.device_list(name, key)
        newer_list(known, offered, self._entries(name, key))
        if known is not None and known.list.version == offered.list.version:
            return False
        row = {"peer": name, "account_key": key, "device_list": offered.to_bytes()}
        self._store.run(KeyList.insert(row).on_conflict_replace())
        for entry in offered.list.devices:
            self._store.run(
                Device.insert(
                    peer=name,
                    account_key=key,
                    id=entry.id,
                    identity=entry.identity,
                    since=entry.since,
                ).on_conflict_ignore()
            )
        listed = [entry.id for entry in offered.list.devices]
        gone = (Device.peer == name) & (Device.account_key == key) & Device.id.not_in(listed)
        self._store.run(Device.update(sessions=None).where(gone))
        self._store.forget()
        return True

    def ever_listed(self, name: str, key: bytes) -> set[str]:
        """Return the ids of all devices that ever were on a list of this key."""
        return {entry.id for entry in self._entries(name, key)}

    def _entries(self, name: str, key: bytes) -> tuple[DeviceEntry, ...]:
        """Return every device that ever was on a list of this key."""
        return self._store.recall(("entries", name, key), lambda: self._read_entries(name, key))

    def _read_entries(self, name: str, key: bytes) -> tuple[DeviceEntry, ...]:
        rows = self._store.all(Device, Device.peer == name, Device.account_key == key)
        return tuple(DeviceEntry(row.id, bytes(row.identity), row.since) for row in rows)

    def sessions(self, name: str, key: bytes, device: str) -> Sessions | None:
        """Return the sessions with a device."""
        what = ("sessions", name, key, device)
        return self._store.recall(what, lambda: self._read_sessions(name, key, device))

    def _read_sessions(self, name: str, key: bytes, device: str) -> Sessions | None:
        row = self._store.one(Device, *_is(name, key, device))
        if row is None or row.sessions is None:
            return None
        return Sessions.from_bytes(bytes(row.sessions))

    def put_sessions(self, key: bytes, sessions: Sessions) -> None:
        """Store the sessions with a device that is on a list of this account key."""
        name, device = canonical(sessions.remote.username), sessions.remote.device
        change = Device.update(sessions=sessions.to_bytes()).where(*_is(name, key, device))
        if not self._store.run(change):
            raise SecurityError("unknown-device", f"{name} has no device {device} that is listed.")
        self._store.note(("sessions", name, key, device), sessions)

    def sender(self, name: str, device: str, key: bytes | None) -> Sender:
        """Return what opening a message from a device needs to know; no key for a stranger."""
        address = Address(name, device)
        if key is None:
            return Sender(address)
        known = self.device_list(name, key)
        raw = None if known is None else known.to_bytes()
        return Sender(address, key, raw, self._entries(name, key), self._people.former(name))

    def devices(self, name: str) -> tuple[str, ...]:
        """Return the listed devices of a user, without this one."""
        peer = self._people.peer(name)
        if peer is None or peer.account_key is None:
            return ()
        known = self.device_list(peer.name, bytes(peer.account_key))
        listed = () if known is None else known.list.devices
        return tuple(one.id for one in listed if one.id != self._profile.device)

    def reachable(self, name: str) -> dict[str, Sessions]:
        """Return the sessions with the listed devices of a user that can be sent on."""
        peer, now = self._people.peer(name), self._profile.now()
        if peer is None or peer.account_key is None:
            return {}
        key = bytes(peer.account_key)
        found = {one: self.sessions(peer.name, key, one) for one in self.devices(name)}
        return {
            device: sessions
            for device, sessions in found.items()
            if sessions and not sessions.needs_new_session(now, self._profile.limits)
        }

    def retire(self, name: str, device: str) -> None:
        """Send no more on the sessions with a device of the pinned account: a new one is begun."""
        peer = self._people.peer(name)
        if peer is None or peer.account_key is None:
            return
        key = bytes(peer.account_key)
        known = self.sessions(peer.name, key, device)
        if known is not None:
            self.put_sessions(key, retire(known))
        self._retired.add(peer.name)

    def take_retired(self) -> set[str]:
        """Return of whom sessions were retired since this was last asked: ask for their keys."""
        retired, self._retired = self._retired, set()
        return retired

    def learn(self, asked: str, reply: Bundles, *, start: bool = True) -> Learned:
        """Check what the server hands out for a user, and keep the list.

        With ``start``, sessions are started with the devices that have none.
        """
        learned = Learned()
        try:
            peer = self._people.know(check_answer(asked, reply.contact))
        except SecurityError as error:
            learned.events.append(SecurityNotice(asked, error.cause, str(error)))
            learned.held = str(error)
            return learned
        key = _account_key(reply.public_key)
        if key is not None and key in self._people.former(peer.name):
            return learned  # the server has gone back: what is known goes on being used
        renewed = self._renewal(peer, key, reply.succession)
        learned.held = "" if renewed else self._check_key(peer, key, learned)
        if key is None or learned.held:
            return learned
        if not renewed:
            self._note_former(peer.name, key, reply.succession)
        bundles = self._verified(peer, key, reply.bundles, learned)
        if renewed:
            if not bundles:
                learned.held = f"No device of {peer.shown} has a renewed key yet. It is sent later."
                return learned
            learned.events += self._people.take_over(peer.name, renewed)
        self._keep_newest(peer, key, bundles, learned)
        if start:
            self._start_sessions(peer, key, bundles, learned)
        return learned

    def enlist(self, offered: Iterable[SignedDeviceList] = ()) -> None:
        """Keep the newest own list, with this device on it and none that was removed.

        ``offered`` have our signature. Where two devices joined at the same moment, each with a
        list of the same version, the next version has both; whoever merges them writes the same.
        """
        profile = self._profile
        known = self.device_list(profile.name, profile.account.public)
        signed = [*offered] if known is None else [known, *offered]
        version = max((one.list.version for one in signed), default=0)
        newest = [one for one in signed if one.list.version == version]
        entries = {entry.id: entry for one in newest for entry in one.list.devices}
        for removed in self.removed():
            entries.pop(removed, None)
        entries.setdefault(profile.device, self._own_entry())
        if newest and all(set(one.list.devices) == set(entries.values()) for one in newest):
            kept = newest[0]
        else:
            listed = DeviceList(profile.name, version + 1, tuple(entries.values()))
            kept = sign_device_list(profile.account, listed)
        self.keep_list(profile.name, profile.account.public, kept)

    def _own_entry(self) -> DeviceEntry:
        """Return what lists say of this device: the same for ever, or it would be another one."""
        profile = self._profile
        seen = self._entries(profile.name, profile.account.public)
        fresh = DeviceEntry(profile.device, profile.identity.public, profile.now())
        return next((entry for entry in seen if entry.id == profile.device), fresh)

    def removed(self) -> set[str]:
        """Return the own devices that were on the list once and are not now: ids never return."""
        key = self._profile.account.public
        known = self.device_list(self._profile.name, key)
        listed = set() if known is None else {entry.id for entry in known.list.devices}
        return self.ever_listed(self._profile.name, key) - listed - {self._profile.device}

    def _keep_newest(
        self, peer: Peer, key: bytes, bundles: Sequence[VerifiedBundle], learned: Learned
    ) -> None:
        """Keep the newest of the lists that came with bundles, or tell that it is none to keep.

        Devices that join at once each have a list of their own at first: the known one is kept.
        """
        known = self.device_list(peer.name, key)
        lists = [one.device_list for one in bundles]
        version = max((one.list.version for one in lists), default=0)
        newest = [one for one in lists if one.list.version == version]
        try:
            if peer.name == self._profile.name:  # other own devices may not know the newest yet
                self.enlist(lists)
            elif newest and known not in newest:
                self.keep_list(peer.name, key, newest[0])
        except SecurityError as error:
            learned.events.append(SecurityNotice(peer.shown, error.cause, str(error)))

    def meet(self, shown: str, public_key: str) -> list[Event]:
        """Pin the account key that came when a contact was added.

        Whether another one than the known was signed for is seen when the devices are asked for.
        """
        learned, peer = Learned(), self._people.know(shown)
        if peer.account_key is None:
            self._check_key(peer, _account_key(public_key), learned)
        return learned.events

    def _renewal(self, peer: Peer, key: bytes | None, proof: str | None) -> tuple[bytes, ...]:
        """Return the account keys from the pinned one to ``key``, if each signed for the next.

        Of the own account that is only noted: without the private key it cannot be used yet.
        """
        if key is None or not proof or peer.account_key is None:
            return ()
        pinned = bytes(peer.account_key)
        try:
            if equal(pinned, key):
                return ()
            keys = prove(proof, peer.name, pinned, key)
        except SecurityError:
            return ()
        if peer.name == self._profile.name:
            self.behind = True
            return ()
        return keys

    def _note_former(self, name: str, key: bytes, proof: str | None) -> None:
        """Note what the pinned ``key`` took over from before it was pinned."""
        with suppress(SecurityError):
            former = Succession.from_text(proof).keys[:-1] if proof else ()
            if not self._people.former(name).issuperset(former):
                self._people.note_former(name, prove(proof or "", name, former[0], key)[:-1])

    def _check_key(self, peer: Peer, key: bytes | None, learned: Learned) -> str:
        """Pin the first key; return why sending must wait, if it must."""
        if key is None:
            return f"{peer.shown} has no keys yet that this program can use. It is sent later."
        if peer.account_key is None:
            try:
                self._people.pin(peer.name, key)
            except SecurityError as error:
                learned.events.append(SecurityNotice(peer.shown, error.cause, str(error)))
                return str(error)
            learned.events.append(ContactsChanged())
        elif not equal(bytes(peer.account_key), key):
            if peer.name == self._profile.name and self.behind:
                return "Your account key was renewed on another of your devices. It is sent soon."
            if peer.name == self._profile.name:
                text = "The server shows another account key as yours. Nothing is sent under it."
                learned.events.append(SecurityNotice(peer.shown, "account-key-changed", text))
                return text
            learned.events += self._people.offer(peer.name, key)
            return self._people.changed_text(peer)
        elif peer.offered_key is not None:  # the server has come back to the pinned key
            learned.events += self._people.come_back(peer, key)
        return ""

    def _verified(
        self, peer: Peer, key: bytes, offered: Iterable[DeviceKeys], learned: Learned
    ) -> list[VerifiedBundle]:
        """Return the bundles in which everything is right, and tell of the others."""
        found: list[VerifiedBundle] = []
        pinned = self._people.know(peer.name).account_key
        former = self._people.former(peer.name) | ({bytes(pinned)} if pinned else set())
        for one in offered:
            if (peer.name, one.device) == (self._profile.name, self._profile.device):
                continue
            try:
                bundle = open_offered(self._profile, peer.name, key, former - {key}, one)
            except SecurityError as error:
                learned.events.append(SecurityNotice(peer.shown, error.cause, str(error)))
                continue
            if bundle is None:
                learned.late.add(one.device)
            else:
                found.append(bundle)
        return found

    def _start_sessions(
        self, peer: Peer, key: bytes, bundles: Sequence[VerifiedBundle], learned: Learned
    ) -> None:
        """Start a session with each listed device that has none to send on."""
        offered = {one.device.id: one for one in bundles}
        listed, there = set(self.devices(peer.name)), set(self.reachable(peer.name))
        for device in sorted(listed - there - learned.late):
            try:
                if device not in offered:
                    text = (
                        f"The server hides the keys of a device of {peer.shown}: it gets nothing."
                    )
                    raise SecurityError("bad-bundle", text)
                self._start(key, offered[device])
            except SecurityError as error:
                learned.events.append(SecurityNotice(peer.shown, error.cause, str(error)))
        # One that no kept list ever named joins just now, on a list that another overtook: the next
        # has both. It gets nothing until then, and there is nothing to warn of.
        dropped = set(offered) & self.ever_listed(peer.name, key)
        for device in sorted(dropped - listed - self._joining(peer, key, bundles)):
            text = f"The server offers a device {device} that {peer.shown} lists no more: refused."
            learned.events.append(SecurityNotice(peer.shown, "unknown-device", text))

    def _joining(self, peer: Peer, key: bytes, bundles: Iterable[VerifiedBundle]) -> set[str]:
        """Return devices that a list as new as the kept one names: the next will have them all."""
        known = self.device_list(peer.name, key)
        version = 0 if known is None else known.list.version
        fresh = [one.device_list.list for one in bundles]
        return {e.id for one in fresh if one.version == version for e in one.devices}

    def _start(self, key: bytes, bundle: VerifiedBundle) -> None:
        """Start a session, in front of those there are with the device."""
        before = self.sessions(bundle.username, key, bundle.device.id)
        local, now = self._profile.local(), self._profile.now()
        limits = self._profile.limits
        self.put_sessions(key, start(local, bundle, now, sessions=before, limits=limits))


def _account_key(spelled: str) -> bytes | None:
    """Read an account key; None for no key, and for what other clients publish as theirs."""
    try:
        return b64.decode(spelled, KEY)
    except SecurityError:
        return None


def _is(name: str, key: bytes, device: str) -> tuple[object, ...]:
    return (Device.peer == name, Device.account_key == key, Device.id == device)
