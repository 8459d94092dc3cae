"""The devices of the account, as the facade shows them: listed, named, removed."""

from __future__ import annotations

from contextlib import suppress

from bpost.client import enrol
from bpost.client.account import Account
from bpost.client.records import DeviceInfo
from bpost.crypto.device_name import open_device_name, seal_device_name
from bpost.errors import ProfileError, Refused, SecurityError, TransportError, UsageError
from bpost.protocol.codes import Reason
from bpost.protocol.fields import clean_text
from bpost.protocol.replies import DeviceNamed, DeviceRecords, DeviceRevoked
from bpost.protocol.requests import ListDevices, NameDevice, RevokeDevice

LONGEST = 48
"""Characters of a device's name."""

TOLD_SECONDS = 1.0
"""So long, at most, a removal waits for the server to have told everyone of it."""


class Household(Account):
    """An account whose devices can be looked after."""

    def devices(self) -> list[DeviceInfo]:
        """Return the devices of this account, this one first, then the one seen last.

        Raises: TransportError if offline.
        """
        running = self._run
        records = running.receiver.link.request(ListDevices(), DeviceRecords).devices
        profile = running.profile
        with profile.store.reading():
            known = running.parts.devices.device_list(profile.name, profile.account.public)
        found = []
        for record in records:
            entry = known.list.find(record.device) if known else None
            name = ""
            with suppress(SecurityError):  # not sealed by us: it has no name
                name = open_device_name(profile.account, record.device, record.name)
            added = entry.since if entry else record.created
            this = record.device == profile.device
            found.append(
                DeviceInfo(record.device, name, added, record.last_seen, this, entry is not None)
            )
        return sorted(found, key=lambda one: (not one.this, -one.last_seen))

    def name_device(self, name: str, device: str = "") -> None:
        """Name this device, or another of the account; only the own devices can read the name.

        Raises: UsageError for a name that cannot be; ``Refused("no-such-device")``;
        TransportError if offline.
        """
        running = self._run
        name = " ".join(clean_text(name).split())
        if not 0 < len(name) <= LONGEST:
            raise UsageError(f"The name of a device has 1 to {LONGEST} characters.")
        device = device or running.profile.device
        sealed = seal_device_name(running.profile.account, device, name)
        running.receiver.link.request(NameDevice(device, sealed), DeviceNamed)

    def renew_key(self) -> None:
        """Renew the account key: after a theft, or where somebody may have got at the old one.

        The old key signs for the new one, so contacts go on without a pause; what they and we had
        verified is to be compared again. Interrupted, the next log-in goes on.

        Raises: TransportError if offline; SecurityError ``bad-vault`` if the password was changed
        on another device meanwhile.
        """
        running = self._writing
        link, profile = running.receiver.link, running.profile
        with profile.store.transaction():
            running.parts.renewal.begin()
        try:
            running.upkeep.keep(link)
        except TransportError as error:
            text = f"The connection ended, and the new key comes with the next one. {error}"
            raise TransportError(text) from error
        with suppress(ProfileError):  # the file opens with the old key too, which the vault holds
            enrol.reseal(self._keystore, profile.account, running.credentials.keys)
        running.courier.wake()
        running.wait_announced(TOLD_SECONDS)

    def remove_device(self, device: str, *, renew: bool = False) -> None:
        """Remove another device of this account for good.

        The signed list without it comes first, then the server ends its log-in. Interrupted in
        between, the next log-in of any of the other devices does the rest. With ``renew`` the
        account key, which the device had, is renewed: it can sign nothing any more.

        Raises: UsageError for this device, or one that there is not; TransportError if offline.
        """
        running = self._writing
        link = running.receiver.link
        if device not in {one.id for one in self.devices()}:
            raise UsageError("Your account has no such device. Look at the list again.")
        with running.profile.change() as events:
            events += running.parts.ring.drop(device)
        running.upkeep.publish(link)
        running.courier.wake()
        running.wait_announced(TOLD_SECONDS)
        try:
            link.request(RevokeDevice(device), DeviceRevoked)
        except Refused as error:
            if error.reason != Reason.NO_SUCH_DEVICE:  # an other own device may have been faster
                raise
        if renew:
            self.renew_key()
