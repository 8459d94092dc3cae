"""The account's own devices together: who comes and goes among them, and what all are told.

A removal is a new signed list without the device, told to all other devices and to the contacts in
a sealed payload; the server's part, ending its log-in, comes after that. A device that is named in
such a payload by one of its own locks itself: its keys go, its history stays. All methods are
called within a transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bpost import b64
from bpost.client.devices import Devices
from bpost.client.events import Event
from bpost.client.history import History
from bpost.client.models import (
    Addressed,
    BaseKey,
    Device,
    Entry,
    Fetch,
    Frame,
    Handover,
    KeyList,
    Outgoing,
    Prekey,
    Receipt,
)
from bpost.client.outbox import Outbox
from bpost.client.people import People
from bpost.client.profile import ACCOUNT, IDENTITY, REMOVED, RING, YES, Profile
from bpost.crypto.account import AccountKey, open_device_list, sign_device_list
from bpost.crypto.primitives import generate_x25519
from bpost.errors import UsageError
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import DEVICES, TEXT, VAULT
from bpost.protocol.fields import canonical
from bpost.protocol.payload import Payload, direct_conversation

REMOVED_TEXT = (
    "This device was removed from your account on another of your devices. Its keys are gone: it "
    "sends and receives no more. What it holds can still be read here; to use this computer again, "
    "log in with a new profile."
)

ADDED_TEXT = (
    "A new device{name} was added to your account. If that was not you, remove it in the list of "
    "your devices, and change your password."
)

VAULT_OFF_TEXT = (
    "Your account key is no longer in the server's vault. A new device joins with a code that one "
    "of your devices shows; without any of them, and without a backup, nobody can."
)
VAULT_ON_TEXT = (
    "Your account key is in the server's vault, sealed with your password: a new device needs only "
    "your name and your password."
)

NOTES = 100
"""So many notes to oneself, at most, are sent again to a device that has just joined."""

DROPPED_TEXT = "A device{name} was removed from your account."


class Ring:
    """The own devices of a profile."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        devices: Devices,
        history: History,
        outbox: Outbox,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._devices = devices
        self._history = history
        self._outbox = outbox

    # Removing

    def drop(self, device: str) -> list[Event]:
        """Put a new list without ``device`` in force, and have everyone told.

        The frame that tells the own devices is sealed for it too, before its session goes.
        """
        me, account = self._profile.name, self._profile.account
        known = self._devices.device_list(me, account.public)
        if device == self._profile.device:
            text = "This is the device that you use now. Remove it on another of your devices."
            raise UsageError(text)
        if known is None or known.list.find(device) is None:
            return []
        less = sign_device_list(account, known.list.without_device(device))
        content: dict[str, Json] = {"list": b64.encode(less.to_bytes()), "removed": [device]}
        events: list[Event] = []
        if self._devices.reachable(me):
            self._outbox.queue(me, DEVICES, content)
            count = 1
            while count:
                count, told = self._outbox.seal_for(me, 32)
                events += told
        self._devices.keep_list(me, account.public, less)
        for contact in self._people.contacts():
            if not contact.blocked and self._devices.reachable(canonical(contact.name)):
                self._outbox.queue(canonical(contact.name), DEVICES, content)
        return events

    # Being told

    def take(self, payload: Payload, key: bytes) -> list[Event]:
        """Believe a list that a device sent: of a contact, or of the own account.

        Raises:
            SecurityError: it is not signed with ``key``, or goes back.
        """
        raw = b64.decode(str(payload.content["list"]))
        offered = open_device_list(raw, key, payload.sender)
        if payload.sender != self._profile.name:
            known = self._devices.device_list(payload.sender, key)
            if known is None or offered.list.version > known.list.version:
                self._devices.keep_list(payload.sender, key, offered)
            return []
        removed, me = payload.content["removed"], self._profile.device
        assert isinstance(removed, list)  # noqa: S101 - the payload was checked
        if me in removed and offered.list.find(me) is None:
            return self._lock()
        self._devices.enlist([offered])
        return []

    def take_vault(self, payload: Payload) -> list[Event]:
        """Take over from another own device whether the server keeps a vault."""
        if payload.sender != self._profile.name:
            return []
        on = bool(payload.content["on"])
        if on is not self._profile.has_vault:
            self._profile.keep_vault(on)
            return self._notice(VAULT_ON_TEXT if on else VAULT_OFF_TEXT)
        return []

    def say_vault(self, on: bool) -> list[Event]:
        """Note that the user wants a vault, or none, and tell the other own devices."""
        self._profile.keep_vault(on)
        if self._devices.reachable(self._profile.name):
            self._outbox.queue(self._profile.name, VAULT, {"on": on})
        return self._notice(VAULT_ON_TEXT if on else VAULT_OFF_TEXT)

    def news(self) -> tuple[set[str], set[str]]:
        """Return the other devices that came and went since the last :meth:`tell`."""
        listed = set(self._devices.devices(self._profile.name))
        told = self._profile.fact(RING)
        if told is None or self._profile.removed:
            return set(), set()
        before = set(told.decode().split())
        return listed - before, before - listed

    def tell(self, names: Mapping[str, str]) -> list[Event]:
        """Write a line about each device that came or went; ``names`` are those that are known."""
        came, went = self.news()
        listed = self._devices.devices(self._profile.name)
        self._profile.know(RING, " ".join(sorted(listed)).encode())
        self._repeat_notes(came)
        events: list[Event] = []
        for text, devices in ((ADDED_TEXT, came), (DROPPED_TEXT, went)):
            for device in sorted(devices):
                name = f" (“{names[device]}”)" if names.get(device) else ""
                events += self._notice(text.format(name=name))
        return events

    def _repeat_notes(self, came: set[str]) -> None:
        """Send what was written to oneself since a device joined and before it was known here.

        Nothing was sealed for it, and no number shows that to anybody.
        """
        me = self._profile.name
        known = self._devices.device_list(me, self._profile.account.public)
        entries = known.list.devices if known else ()
        since = min((one.since for one in entries if one.id in came), default=None)
        if since is None:
            return
        margin = int(self._profile.limits.clock_error_seconds * 1000)
        mine = (Entry.own, Entry.kind == "text", Entry.device == self._profile.device)
        with_me = Entry.conversation == direct_conversation(me, me)
        recent = Entry.sent >= since - margin
        for row in self._store.all(Entry, *mine, with_me, recent, order=Entry.place)[-NOTES:]:
            self._outbox.queue(me, TEXT, {"text": row.text}, row.id, row.sent)

    def _notice(self, text: str) -> list[Event]:
        """Write a line into the conversation with oneself."""
        me = self._profile.name
        return self._history.notice(self._history.open(me), me, text)

    # Being removed

    def _lock(self) -> list[Event]:
        """Drop every key, and what waits to be sent: this device is none of the account's now."""
        events = self._give_up()
        keys = (BaseKey, Device, KeyList, Prekey)
        for table in (*keys, Addressed, Fetch, Frame, Handover, Outgoing, Receipt):
            self._store.run(cast(Any, table).delete())
        self._profile.know(ACCOUNT, AccountKey.generate().seed)
        self._profile.know(IDENTITY, generate_x25519().raw)
        self._profile.know(REMOVED, YES)
        self._store.forget()
        return events + self._notice(REMOVED_TEXT)

    def _give_up(self) -> list[Event]:
        """Say of own messages that were not sent yet that they never will be."""
        events: list[Event] = []
        failure = "This device was removed from your account before it could send this."
        for row in self._store.all(Entry, Entry.own, Entry.status == "waiting"):
            events += self._history.change(row, {"status": "failed", "failure": failure})
        return events
