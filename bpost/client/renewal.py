"""Renewing the account key: a new one takes over, and the old one signs for it (CRYPTO, section 7).

The new key is first noted in the profile, then put into the vault, then in force here, then
published: interrupted anywhere, the next log-in goes on (:mod:`renewing`). The account's other
devices get it sealed, contacts the proof; who misses that finds both at the server. All methods but
:meth:`Renewal.switch` are called within a transaction of the profile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, cast

from bpost import b64
from bpost.client.devices import Devices
from bpost.client.errands import Errands
from bpost.client.events import Event
from bpost.client.models import Device
from bpost.client.outbox import Outbox
from bpost.client.people import People
from bpost.client.profile import REMINDED, RENEWING, Profile
from bpost.client.stock import Stock
from bpost.crypto.account import (
    AccountKey,
    DeviceList,
    SignedDeviceList,
    open_device_list,
    sign_device_list,
)
from bpost.crypto.primitives import equal
from bpost.crypto.session import Sessions
from bpost.crypto.succession import Succession, make_succession, prove
from bpost.errors import SecurityError
from bpost.limits import DAY
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import INHERIT, RENEWAL
from bpost.protocol.fields import canonical
from bpost.protocol.payload import Payload

log = logging.getLogger(__name__)

MADE, GIVEN = b"\1", b"\0"
"""Whether a noted key was made by this device, which tells the others, or given to it."""


class Renewal:
    """A change of the own account key, and those of contacts."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        devices: Devices,
        stock: Stock,
        outbox: Outbox,
        errands: Errands,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._devices = devices
        self._stock = stock
        self._outbox = outbox
        self._errands = errands

    # The key that is to come

    def begin(self) -> None:
        """Make a key, unless one is on its way already."""
        if self.pending() is None:
            self._profile.know(RENEWING, MADE + self._profile.account.renewed().seeds)

    def cancel(self) -> None:
        """Stay with the key there is."""
        self._profile.unknow(RENEWING)

    def give(self, account: AccountKey) -> bool:
        """Note a key that another own device made; False for one that does not follow ours."""
        ours = self._profile.account.public
        if not any(equal(one.public, ours) for one in account.former):
            return False
        self._profile.know(RENEWING, GIVEN + account.seeds)
        return True

    def pending(self) -> AccountKey | None:
        """Return the key that is to take over, if there is one."""
        noted = self._profile.fact(RENEWING)
        return None if noted is None else AccountKey.from_seeds(noted[1:])

    def made_here(self) -> bool:
        """Say whether this device made the key that is to take over."""
        return (self._profile.fact(RENEWING) or GIVEN)[:1] == MADE

    # Taking over

    def switch(self) -> None:
        """Put the noted key in force on this device, in one transaction of its own."""
        profile = self._profile
        with profile.store.lock:
            with profile.store.reading():
                account, made = self.pending(), self.made_here()
            if account is None:
                return
            before = profile.account.public
            with profile.under(account) as events:
                told = self._friends() if made else []
                events += self._take_over(before, account, newer=made)
                if made:
                    self._tell(told, account)
                self.cancel()

    def _take_over(self, before: bytes, account: AccountKey, *, newer: bool) -> list[Event]:
        """Move all that is under the old key to the new one, and sign it anew.

        Only the device that made the key makes a newer list: what another has may be out of date.
        """
        profile, me = self._profile, self._profile.name
        known = self._devices.device_list(me, before)
        keys = [one.public for one in account.all[::-1]]
        events = self._people.take_over(me, keys[keys.index(before) :])
        if known is not None:
            listed = DeviceList(me, known.list.version + newer, known.list.devices)
            signed = sign_device_list(account, listed)
            self._devices.keep_list(me, account.public, signed)
        self._retire_greetings()
        self._stock.replace_all()
        log.info("the account key of %s was renewed", profile.username)
        return events

    def _friends(self) -> list[str]:
        """Return the contacts with whom there are sessions."""
        rows = self._store.all(Device, cast(Any, Device.sessions).is_null(False))
        known = {row.peer for row in rows}
        contacts = [canonical(one.name) for one in self._people.contacts() if not one.blocked]
        return [name for name in contacts if name in known]

    def _retire_greetings(self) -> None:
        """Send no more first messages that name the old key."""
        for row in self._store.all(Device, cast(Any, Device.sessions).is_null(False)):
            current = Sessions.from_bytes(bytes(cast(bytes, row.sessions))).current
            if current is not None and current.greeting:
                self._devices.retire(row.peer, row.id)

    def _tell(self, friends: Sequence[str], account: AccountKey) -> None:
        """Send the key to the own other devices, and what proves it to contacts."""
        me = self._profile.name
        self._give_to(self._devices.devices(me), account)
        signed = self._devices.device_list(me, account.public)
        if signed is not None:
            for name in friends:
                self._outbox.queue(name, RENEWAL, self._proof(account, signed))

    def introduce(self, peer: str) -> bool:
        """Put the proof in front of all that waits for ``peer``, where a session is to begin.

        Whoever has not heard of a renewal then sees no changed key, whatever the server says.
        """
        account = self._profile.account
        signed = self._devices.device_list(self._profile.name, account.public)
        if not account.former or signed is None or peer == self._profile.name:
            return False
        current = [one.current for one in self._devices.reachable(peer).values()]
        if not any(one is not None and one.is_fresh for one in current):
            return False
        self._outbox.queue(peer, RENEWAL, self._proof(account, signed), first=True)
        return True

    def remind(self, late: Iterable[str]) -> None:
        """Send the key, once a day, to own devices that have not got it and find it in no vault."""
        profile, now = self._profile, self._profile.now()
        last = int(profile.fact(REMINDED) or 0)
        listed = set(self._devices.devices(profile.name)).intersection(late)
        if profile.has_vault or not listed or last <= now < last + DAY * 1000:
            return
        self._give_to(sorted(listed), profile.account)

    def _give_to(self, devices: Iterable[str], account: AccountKey) -> None:
        """Have a key sealed for other devices of this account."""
        me, seeds = self._profile.name, b64.encode(account.seeds)
        self._profile.know(REMINDED, str(self._profile.now()).encode())
        for device in devices:
            self._errands.send(me, device, me, INHERIT, {"seeds": seeds})

    def _proof(self, account: AccountKey, signed: SignedDeviceList) -> dict[str, Json]:
        """Return what shows that a key took over, and which devices are under it."""
        proof = make_succession(account, self._profile.name)
        return {"succession": proof, "list": b64.encode(signed.to_bytes())}

    # Being told

    def inherit(self, payload: Payload) -> list[Event]:
        """Take the key that another device of this account has made."""
        if payload.sender == self._profile.name:
            account = AccountKey.from_seeds(b64.decode(str(payload.content["seeds"])))
            if not self.give(account):
                log.info("a key that was given does not follow ours")
        return []

    def take(self, payload: Payload) -> list[Event]:
        """Believe that a contact has renewed the account key, if the pinned one signed for that.

        Raises:
            SecurityError: it did not, or the list of devices is not signed with the new key.
        """
        peer = self._people.know(payload.sender)
        if payload.sender == self._profile.name or peer.account_key is None:
            return []
        proof = str(payload.content["succession"])
        newest = Succession.from_text(proof).keys[-1]
        if newest in self._people.former(peer.name) or equal(newest, bytes(peer.account_key)):
            return []
        keys = prove(proof, peer.name, bytes(peer.account_key), newest)
        listed = open_device_list(b64.decode(str(payload.content["list"])), newest, peer.name)
        events = self._people.take_over(peer.name, keys)
        self._keep(peer.name, newest, listed)
        return events

    def _keep(self, name: str, key: bytes, listed: SignedDeviceList) -> None:
        """Keep the list that came with a key, unless a newer one did before."""
        known = self._devices.device_list(name, key)
        if known is None or listed.list.version > known.list.version:
            self._devices.keep_list(name, key, listed)


def is_proof(payload: Payload, pinned: bytes, key: bytes) -> bool:
    """Say whether a payload under the account key ``key`` proves that it follows ``pinned``."""
    if payload.type != RENEWAL:
        return False
    try:
        prove(str(payload.content["succession"]), payload.sender, pinned, key)
    except SecurityError:
        return False
    return True
