"""How new devices get into an account: by the server's vault, or by a code (E60)."""

from __future__ import annotations

from bpost.client.account import Account
from bpost.client.records import LinkInfo
from bpost.crypto.vault import seal_vault
from bpost.protocol.replies import VaultStored
from bpost.protocol.requests import GetVault, PutVault


class Admission(Account):
    """An account that other devices can join."""

    @property
    def has_vault(self) -> bool:
        """Whether the server keeps the account key, sealed with the password."""
        running = self._run
        with running.profile.store.reading():
            return running.profile.has_vault

    def keep_vault(self, on: bool) -> None:
        """Let the server keep the account key, sealed with the password, or no longer.

        Without it a new device joins only with a code (`show_link`). The other own devices are
        told.

        Raises: ``Refused("conflict")`` if another device was faster; TransportError if offline.
        """
        running = self._writing
        link, profile = running.receiver.link, running.profile
        wrapping_key = running.credentials.keys.wrapping_key
        found = link.request(GetVault(), VaultStored)
        if on or found.vault:
            sealed = seal_vault(wrapping_key, profile.name, profile.account) if on else ""
            link.request(PutVault(found.version, sealed), VaultStored)
        with profile.change() as events:
            if profile.has_vault is not on:
                events += running.parts.ring.say_vault(on)
        running.courier.wake()

    def show_link(self) -> LinkInfo:
        """Make a code with which one other device can join, for some minutes.

        `LinkChanged` tells when a device has read it; then compare the number, and call
        `decide_link`.

        Raises: TransportError if offline.
        """
        running = self._writing
        _ = running.receiver.link  # raises while there is none
        return running.parts.linking.begin()

    @property
    def link(self) -> LinkInfo:
        """How it stands with the code."""
        return self._run.parts.linking.info

    def decide_link(self, yes: bool) -> None:
        """Say whether the other device shows the same number: only then it gets the account key.

        Raises: UsageError if no device is waiting.
        """
        self._writing.parts.linking.decide(yes)

    def end_link(self) -> None:
        """Let the code be worth nothing from now on."""
        self._run.parts.linking.end()
