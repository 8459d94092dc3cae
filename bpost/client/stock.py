"""Our own prekeys: what others start sessions from while we are away (CRYPTO, sections 2 and 3).

All methods are called within a transaction of the profile. A private half is stored before its
public one leaves, and removed in the transaction that stores the first message sealed with it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from bpost.client.models import BaseKey, Prekey
from bpost.client.profile import Profile
from bpost.crypto import prekeys
from bpost.crypto.account import SignedDeviceList
from bpost.crypto.prekeys import (
    DeviceBundle,
    PrekeyKind,
    PrekeySecret,
    make_prekey,
    verify_prekey,
)
from bpost.crypto.session import Opened
from bpost.errors import SecurityError, StoreError

RENEWED = (PrekeyKind.SIGNED, PrekeyKind.KEM)


class Stock:
    """The prekeys of this device."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._store = profile.store
        self.leftovers = False
        """Whether keys were removed since the last :meth:`Store.checkpoint`."""

    def find(self, prekey_id: bytes) -> PrekeySecret | None:
        """Return a private prekey that may still be used."""
        row = self._store.one(Prekey, Prekey.id == prekey_id)
        if row is None or (row.replaced is not None and row.replaced < self._oldest()):
            return None
        return PrekeySecret(bytes(row.id), PrekeyKind(row.kind), bytes(row.secret), row.created)

    def has_seen(self, base_key: bytes) -> bool:
        """Say whether a first message with this base key was accepted before."""
        return self._store.one(BaseKey, BaseKey.key == base_key) is not None

    def use(self, opened: Opened) -> None:
        """Note what a message that began a session used up."""
        if opened.base_key is not None:
            self._store.run(BaseKey.insert(key=opened.base_key, prekey=opened.signed_prekey))
        if opened.used_one_time is not None:
            self._remove(Prekey.id == opened.used_one_time)

    def signer(self, prekey_id: bytes) -> bytes | None:
        """Return which of our account keys signed a prekey: those from before a renewal are used
        for as long as all others."""
        row = self._store.one(Prekey, Prekey.id == prekey_id)
        profile = self._profile
        if row is None:
            return None
        key = prekeys.Prekey.from_bytes(bytes(row.public))
        for account in profile.account.all:
            with suppress(SecurityError):
                verify_prekey(key, key.kind, account.public, profile.name, profile.device)
                return account.public
        return None

    def replace_all(self) -> None:
        """Make new weekly prekeys, and count no one-time key as left: the account key is new."""
        old = cast(Any, Prekey.replaced).is_null()
        self._store.run(Prekey.update(replaced=self._profile.now()).where(old))
        for kind in RENEWED:
            self._make(kind)

    def renew(self) -> bool:
        """Make the weekly prekeys where none is fresh, and remove those that were kept long enough.

        One that was made while the clock was far ahead is not fresh: nobody would believe it.
        Returns whether there are new ones to publish. With an old signed prekey goes what is
        remembered of the first messages that used it.
        """
        made, limits = False, self._profile.limits
        fresh = self._profile.now() - int(limits.signed_prekey_seconds * 1000)
        ahead = self._profile.now() + int(limits.clock_error_seconds * 1000)
        for kind in RENEWED:
            current = self._current(kind)
            if current is None or not fresh < current.created <= ahead:
                gone = (Prekey.kind == kind) & Prekey.replaced.is_null()
                self._store.run(Prekey.update(replaced=self._profile.now()).where(gone))
                self._make(kind)
                made = True
        for row in self._store.all(Prekey, Prekey.replaced < self._oldest()):
            self._remove(Prekey.id == row.id)
            self._store.remove(BaseKey, BaseKey.prekey == row.id)
        return made

    def bundle(self, device_list: SignedDeviceList) -> str:
        """Return the bundle to publish."""
        signed, kem = (self._current(kind) for kind in RENEWED)
        if signed is None or kem is None:
            raise StoreError("The keys of this device are not in the profile. Connect again.")
        public = (prekeys.Prekey.from_bytes(bytes(row.public)) for row in (signed, kem))
        return DeviceBundle(device_list, self._profile.device, *public).text()

    def make_one_time(self, count: int) -> tuple[str, ...]:
        """Make one-time prekeys, and return the texts for frame 10."""
        return tuple(self._make(PrekeyKind.ONE_TIME).text() for _ in range(count))

    def _current(self, kind: PrekeyKind) -> Prekey | None:
        """Return the prekey of a renewed kind that is handed out now."""
        newest = cast(Any, Prekey.created).desc()
        return self._store.one(Prekey, Prekey.kind == kind, Prekey.replaced.is_null(), order=newest)

    def _make(self, kind: PrekeyKind) -> prekeys.Prekey:
        """Make a prekey and store its private half."""
        profile = self._profile
        secret, public = make_prekey(
            kind, profile.account, profile.name, profile.device, now=profile.now()
        )
        row = {
            "id": secret.id,
            "kind": int(kind),
            "secret": secret.secret,
            "public": public.to_bytes(),
            "created": secret.created,
        }
        self._store.run(Prekey.insert(row))
        return public

    def _remove(self, where: Any) -> None:
        """Remove private keys, of which the write-ahead log may still have a copy."""
        if self._store.remove(Prekey, where):
            self.leftovers = True

    def _oldest(self) -> int:
        """Return the time before which a replaced prekey is too old to be used."""
        return self._profile.now() - int(self._profile.limits.old_prekey_seconds * 1000)
