"""What has to be in order at the server before mail can flow, and is looked at after each log-in.

The vault holds the account key; the signed list of devices has this one; its bundle is published,
with fresh prekeys and the newest list; there are one-time keys; the contact list is known; and own
devices and contacts have heard of this device. Each step finds out by itself whether it is needed,
so an interrupted set-up goes on at the next log-in. Runs in the courier's thread.
"""

from __future__ import annotations

import logging
import platform
import threading
from contextlib import suppress
from dataclasses import replace
from typing import cast

from bpost.client.credentials import Credentials
from bpost.client.enrol import BEGUN_TEXT
from bpost.client.events import ContactsChanged, SecurityNotice
from bpost.client.link import Link
from bpost.client.models import Device, Seen
from bpost.client.parts import Parts
from bpost.client.people import check_answer
from bpost.client.profile import ANNOUNCED, BEGUN, FOUNDER, NAMED, RING, VAULT, YES
from bpost.client.renewing import Renewing
from bpost.crypto.account import SignedDeviceList
from bpost.crypto.device_name import open_device_name, seal_device_name
from bpost.crypto.keylog import list_statement
from bpost.crypto.primitives import equal
from bpost.crypto.session import Sessions, tidy
from bpost.crypto.vault import open_vault, seal_vault
from bpost.errors import Refused, SecurityError
from bpost.protocol.codes import Reason
from bpost.protocol.fields import canonical
from bpost.protocol.replies import (
    Bundles,
    ContactAdded,
    ContactBlocked,
    ContactRecord,
    ContactRecords,
    DeviceNamed,
    DeviceRecords,
    DeviceRevoked,
    KeyCount,
    KeyStored,
    VaultStored,
)
from bpost.protocol.requests import (
    AddContact,
    BlockContact,
    CountKeys,
    GetBundles,
    GetVault,
    ListContacts,
    ListDevices,
    NameDevice,
    PutVault,
    RevokeDevice,
    UploadKeys,
)

log = logging.getLogger(__name__)

ROUNDS = 10
"""So often, at most, a new device looks for others that join in the same moment."""


class Upkeep:
    """Keeps an account in order over one link at a time."""

    def __init__(self, parts: Parts, credentials: Credentials) -> None:
        self._parts = parts
        self._profile = parts.profile
        self._store = parts.profile.store
        self._credentials = credentials
        self.renewing = Renewing(parts, credentials)
        self._published = 0  # the version of the list in the published bundle
        self._publishing = threading.Lock()  # lists leave in their order; held while asking

    def settle(self, link: Link) -> None:
        """Do all of it, after a log-in.

        Raises:
            SecurityError: the server's vault, or the key it shows as ours, is not ours.
            Refused, TransportError, StoreError.
        """
        self._keep_vault(link)
        self._renew_key(link)
        with self._store.reading():
            is_new = not (self._profile.fact(ANNOUNCED) or self._profile.fact(FOUNDER))
        self._published = 0  # the server may have lost what it had
        self._name_device(link)
        if is_new:
            self._settle_list(link)
        self._join_list(link)
        self.renew(link)
        self._revoke_removed(link)
        self._fetch_contacts(link)
        self._announce()
        self._tell_begun()
        self._tidy()

    def renew(self, link: Link) -> None:
        """Make weekly keys where they are due, publish what is new, and refill one-time keys."""
        with self._store.transaction():
            if self._parts.stock.renew():
                self._published = 0
        self.publish(link)
        self.refill(link)
        self.sweep()

    def keep(self, link: Link) -> None:
        """Publish what is new, and go on with a renewal of the account key."""
        if self._renew_key(link):
            self.refill(link)
        self.publish(link)
        self.sweep()

    def _renew_key(self, link: Link) -> bool:
        """Go on with a renewal of the account key; say whether another one is in force now."""
        with self._store.reading():
            behind, self._parts.devices.behind = self._parts.devices.behind, False
        if behind:
            self._join_list(link)
        if not self.renewing.work(link):
            return False
        self._published = 0
        self._join_list(link)
        self.publish(link)
        return True

    def publish(self, link: Link) -> None:
        """Publish the bundle of this device if it has new keys or the list has changed."""
        try:
            self._publish(link)
        except Refused as error:
            if error.reason != Reason.CONFLICT:
                raise
            self._join_list(link)  # the account key was renewed on another device
            self._publish(link)

    def _publish(self, link: Link) -> None:
        with self._publishing:
            with self._store.reading():
                own = self._own_list()
                if own is None or own.list.version == self._published:
                    return
                bundle = self._parts.stock.bundle(own)
                version, device = own.list.version, self._profile.device
                stated = list_statement(version, own.to_bytes(), device)
                request = replace(self.renewing.publication(bundle), statement=stated)
            link.request(request, KeyStored)
            self.renewing.published = request.public_key
            self._published = own.list.version

    def refill(self, link: Link) -> None:
        """Bring the server's stock of one-time keys to its full number if it runs low."""
        device, limits = self._profile.device, self._profile.limits
        left = link.request(CountKeys(device), KeyCount).count
        if left >= limits.one_time_keys_low:
            return
        with self._store.transaction():
            keys = self._parts.stock.make_one_time(limits.one_time_keys - left)
        link.request(UploadKeys(device, keys), KeyCount)

    def sweep(self) -> None:
        """Leave nothing of removed keys, and of deleted words, in the write-ahead log."""
        parts = self._parts
        if parts.stock.leftovers or parts.revisions.leftovers:
            parts.stock.leftovers = parts.revisions.leftovers = False
            self._store.checkpoint()

    def _keep_vault(self, link: Link) -> None:
        """Put the account key into the vault, or see that it is there; or that it is not."""
        profile, wrapping_key = self._profile, self._credentials.keys.wrapping_key
        with self._store.reading():
            wanted, known = profile.has_vault, profile.fact(VAULT)
        if wanted and known:
            return
        found = link.request(GetVault(), VaultStored)
        if not wanted or (found.version and not found.vault):  # an own device took it out
            self._empty_vault(link, found)
            return
        if not found.vault:
            sealed = seal_vault(wrapping_key, profile.name, profile.account)
            try:
                link.request(PutVault(found.version, sealed), VaultStored)
            except Refused as error:
                if error.reason != Reason.CONFLICT:
                    raise
                found = link.request(GetVault(), VaultStored)
        if found.vault:
            account = open_vault(wrapping_key, profile.name, found.vault)
            if not equal(account.public, profile.account.public):
                self.renewing.inherit(account)
        with self._store.transaction():
            profile.know(VAULT, YES)

    def _empty_vault(self, link: Link, found: VaultStored) -> None:
        """Take out what an old copy of the server, or an other device, has put there again."""
        if found.vault:
            with suppress(Refused):  # somebody was faster; it is looked at after the next log-in
                link.request(PutVault(found.version, ""), VaultStored)
        with self._store.transaction():
            self._profile.keep_vault(False)

    def _tell_begun(self) -> None:
        """Show, once, that this device made the account's key: nobody is to take that for usual."""
        history, me = self._parts.history, self._profile.name
        with self._profile.change() as events:
            if self._profile.fact(BEGUN) is None:
                return
            self._profile.unknow(BEGUN)
            events.append(SecurityNotice("", "vault-missing", BEGUN_TEXT))
            events += history.notice(history.open(me), me, BEGUN_TEXT)

    def tell(self, link: Link) -> None:
        """Show which own devices came and went, with the names that the server keeps of them."""
        ring = self._parts.ring
        with self._store.reading():
            came, went = ring.news()
            if not came and not went and self._profile.fact(RING) is not None:
                return
        names = self._device_names(link) if came else {}
        with self._profile.change() as events:
            events += ring.tell(names)

    def _device_names(self, link: Link) -> dict[str, str]:
        """Return the names of the own devices, by id."""
        names: dict[str, str] = {}
        for record in link.request(ListDevices(), DeviceRecords).devices:
            with suppress(SecurityError):  # not sealed by us
                name = open_device_name(self._profile.account, record.device, record.name)
                names[record.device] = name
        return names

    def _name_device(self, link: Link) -> None:
        """Give this device the name of its computer, until somebody gives it another."""
        profile = self._profile
        with self._store.reading():
            if profile.fact(NAMED):
                return
        name = seal_device_name(profile.account, profile.device, platform.node()[:40] or "Device")
        link.request(NameDevice(profile.device, name), DeviceNamed)
        with self._store.transaction():
            profile.know(NAMED, YES)

    def _revoke_removed(self, link: Link) -> None:
        """Have the server end the log-ins of removed devices, if a removal was interrupted."""
        with self._store.reading():
            removed = self._parts.devices.removed()
        if not removed:
            return
        known = {one.device for one in link.request(ListDevices(), DeviceRecords).devices}
        for device in sorted(removed & known):
            with suppress(Refused):  # another own device was faster
                link.request(RevokeDevice(device), DeviceRevoked)

    def _settle_list(self, link: Link) -> None:
        """Agree on one list with devices that join in the same moment, before any hears of this.

        Each publishes its list and then looks for others, until there is nothing to add: of two
        at least one sees the other. Only then are sessions started, which carry the list.
        """
        for _ in range(ROUNDS):
            with self._store.reading():
                before = self._own_list()
            self._join_list(link, start=False)
            with self._store.reading():
                if before is not None and before == self._own_list():
                    return
            with self._store.transaction():
                self._parts.stock.renew()
            self.publish(link)

    def _join_list(self, link: Link, *, start: bool = True) -> None:
        """Learn of the own other devices, and put this one on the signed list."""
        profile, devices = self._profile, self._parts.devices
        with self._store.reading():
            known = devices.reachable(profile.name) if start else devices.devices(profile.name)
        own = link.request(GetBundles(profile.username, profile.username, tuple(known)), Bundles)
        check_answer(profile.name, own.contact)
        if self.renewing.compare(link, own):
            self._published = 0
        with profile.change() as events:
            if own.public_key:
                learned = devices.learn(profile.name, own, start=start)
                events += learned.events
                self._parts.renewal.remind(learned.late)
            devices.enlist()

    def _own_list(self) -> SignedDeviceList | None:
        profile = self._profile
        return self._parts.devices.device_list(profile.name, profile.account.public)

    def _fetch_contacts(self, link: Link) -> None:
        """Take over the contact list, which an own other device may have changed.

        Where there is none, only the server can have lost what is missing: it gets that again.
        """
        records = self._listed_contacts(link)
        with self._store.reading():
            alone = not self._parts.devices.devices(self._profile.name)
            missing = self._parts.people.missing_in(records) if alone else []
        records += [one for one in missing if self._list_again(link, one)]
        with self._profile.change() as events:
            if self._parts.people.keep_contacts(records):
                events.append(ContactsChanged())

    def _list_again(self, link: Link, contact: ContactRecord) -> bool:
        """Put a name on the server's contact list; False where there is no such user any more."""
        try:
            link.request(AddContact(self._profile.username, contact.name), ContactAdded)
            if contact.blocked:
                link.request(BlockContact(contact.name), ContactBlocked)
        except Refused as error:
            log.info("a contact is not listed again: %s", error.reason)
            return False
        return True

    def _listed_contacts(self, link: Link) -> list[ContactRecord]:
        """Return the server's contact list."""
        records: list[ContactRecord] = []
        after: str | None = None
        while True:
            page = link.request(ListContacts(after), ContactRecords)
            records += page.contacts
            after = page.after
            if after is None or not page.contacts:
                return records

    def _announce(self) -> None:
        """Greet own devices and contacts, so that they know of this device before they write."""
        with self._store.transaction():
            if self._profile.fact(ANNOUNCED):
                return
            if not self._profile.fact(FOUNDER):
                self._parts.outbox.greet(self._profile.name)
                for contact in self._parts.people.contacts():
                    self._parts.outbox.greet(canonical(contact.name))
            self._profile.know(ANNOUNCED, YES)

    def _tidy(self) -> None:
        """Drop skipped keys and hashes of frames that are too old to be of use."""
        now, limits = self._profile.now(), self._profile.limits
        left = limits.skipped_total
        with self._store.transaction():
            for row in self._store.all(Device, Device.sessions.is_null(False)):
                before = Sessions.from_bytes(bytes(cast(bytes, row.sessions)))
                after = tidy(before, now, most=left, limits=limits)
                left -= after.skipped_keys
                if after != before:
                    self._parts.devices.put_sessions(bytes(row.account_key), after)
            old = now - int(2 * limits.retention_seconds * 1000)
            self._store.remove(Seen, Seen.taken < old)
            self._parts.journal.tidy()
            self._parts.wants.tidy()
            self._parts.revisions.tidy()
