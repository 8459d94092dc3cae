"""A renewal of the account key at the server, over one link at a time (see :mod:`renewal`).

Of two devices that renew at once, one is first: the vault, or where there is none the published
key, changes only from what it was. The other takes over the key of the first.
"""

from __future__ import annotations

import threading

from bpost import b64
from bpost.client.credentials import Credentials
from bpost.client.link import Link
from bpost.client.parts import Parts
from bpost.client.profile import VAULT
from bpost.crypto.account import AccountKey
from bpost.crypto.primitives import KEY, equal
from bpost.crypto.succession import make_succession, prove
from bpost.crypto.vault import open_vault, seal_vault
from bpost.errors import Refused, SecurityError
from bpost.protocol.codes import Reason
from bpost.protocol.replies import Bundles, KeyStored, VaultStored
from bpost.protocol.requests import GetVault, PutKey, PutVault

BEHIND_TEXT = (
    "Your account key was renewed on another of your devices, and this one has not got the new "
    "one yet. Open BPost on that device. If you did not renew it, somebody else has the old key: "
    "begin anew with a reset of the account."
)

OTHER_TEXT = (
    "The server holds another account key as yours than this device has: the account was begun "
    "anew somewhere else, or the server lies. Nothing is sent under that key."
)

TRIES = 3


class Renewing:
    """What server and vault have to do with a renewal."""

    def __init__(self, parts: Parts, credentials: Credentials) -> None:
        self._renewal = parts.renewal
        self._profile = parts.profile
        self._credentials = credentials
        self._working = threading.Lock()  # held while a key changes; taken before the store's lock
        self.published = ""
        """The account key that the server shows as ours, as it was last seen."""

    def publication(self, bundle: str | None = None) -> PutKey:
        """Return the request that publishes our key, with the bundle of this device."""
        profile = self._profile
        key = b64.encode(profile.account.public)
        return PutKey(
            username=profile.username,
            public_key=key,
            device=profile.device if bundle else None,
            bundle=bundle,
            succession=make_succession(profile.account, profile.name) or None,
            replacing=self.published or key,
        )

    def work(self, link: Link) -> bool:
        """Go on with a renewal, if there is one; say whether the key has changed.

        Raises:
            SecurityError: the vault does not open, or is of another account.
            Refused, TransportError.
        """
        with self._working:
            with self._profile.store.reading():
                pending, made = self._renewal.pending(), self._renewal.made_here()
            if pending is None:
                return False
            if made:
                self._claim(link, pending)
            self._renewal.switch()
            return True

    def newest(self, link: Link) -> AccountKey:
        """Return the account key for a new vault: ours, unless the vault has one that follows."""
        ours, found = self._profile.account, link.request(GetVault(), VaultStored)
        try:
            there = open_vault(self._wrapping_key, self._profile.name, found.vault)
        except SecurityError:
            return ours
        return there if any(equal(one.public, ours.public) for one in there.former) else ours

    def _claim(self, link: Link, pending: AccountKey) -> None:
        """Have the server know that this is the next key; what it refuses is given up here too."""
        with self._profile.store.reading():
            has_vault = self._profile.fact(VAULT) is not None
        try:
            if has_vault:
                self._claim_vault(link, pending)
            else:
                self._claim_key(link, pending)
        except (Refused, SecurityError):
            with self._profile.store.transaction():
                self._renewal.cancel()
            raise

    def inherit(self, account: AccountKey) -> None:
        """Note a key that the vault holds in place of ours; :meth:`work` puts it in force.

        Raises:
            SecurityError: it did not take over from ours.
        """
        ours = self._profile.account
        if any(equal(one.public, account.public) for one in ours.former):
            return  # the server is behind
        with self._profile.store.transaction():
            if not self._renewal.give(account):
                raise SecurityError("account-key-changed", OTHER_TEXT)

    def compare(self, link: Link, own: Bundles) -> bool:
        """Compare the key that the server shows as ours; say whether ours has changed with that.

        Raises:
            SecurityError: ``account-key-changed``: it is none of ours.
        """
        self.published = own.public_key
        if not own.public_key:
            return False
        public, account = b64.decode(own.public_key, KEY), self._profile.account
        if any(equal(public, one.public) for one in account.all):
            return False
        try:
            prove(own.succession or "", self._profile.name, account.public, public)
        except SecurityError:
            raise SecurityError("account-key-changed", OTHER_TEXT) from None
        self._catch_up(link, public)
        return self.work(link)

    def _catch_up(self, link: Link, public: bytes) -> None:
        """Get from the vault the key that took over from ours, unless a device sent it."""
        with self._profile.store.reading():
            pending = self._renewal.pending()
        if pending is not None and equal(pending.public, public):
            return
        found = link.request(GetVault(), VaultStored)
        if not found.vault:
            raise SecurityError("account-key-changed", BEHIND_TEXT)
        account = open_vault(self._wrapping_key, self._profile.name, found.vault)
        if not equal(account.public, public):
            raise SecurityError("account-key-changed", BEHIND_TEXT)
        self.inherit(account)

    def _claim_vault(self, link: Link, pending: AccountKey) -> None:
        """Put the new key into the vault; if another device was first, its key is noted instead.

        Raises:
            Refused: the vault changes all the time.
        """
        for _ in range(TRIES):
            found = link.request(GetVault(), VaultStored)
            if found.version and not found.vault:  # another device has taken it out
                self._claim_key(link, pending)
                return
            if found.vault:
                there = open_vault(self._wrapping_key, self._profile.name, found.vault)
                if equal(there.public, pending.public):
                    return
                if not any(equal(there.public, one.public) for one in self._profile.account.all):
                    self.inherit(there)
                    return
            sealed = seal_vault(self._wrapping_key, self._profile.name, pending)
            try:
                link.request(PutVault(found.version, sealed), VaultStored)
            except Refused as error:
                if error.reason != Reason.CONFLICT:
                    raise
            else:
                return
        raise Refused(Reason.CONFLICT, "Another device changes the vault. Try again in a while.")

    def _claim_key(self, link: Link, pending: AccountKey) -> None:
        """Publish the new key alone, where there is no vault to decide who is first."""
        profile = self._profile
        key, before = (b64.encode(one.public) for one in (pending, profile.account))
        proof = make_succession(pending, profile.name)
        request = PutKey(profile.username, key, None, None, proof, self.published or before)
        link.request(request, KeyStored)
        self.published = key

    @property
    def _wrapping_key(self) -> bytes:
        return self._credentials.keys.wrapping_key
