"""What is done with the account as a whole: its password, devices, key, backup and end. No Tk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from bpost.client import Client, DeviceInfo, receipt_text, remove_profile, write_document
from bpost.errors import BPostError
from client_tk.lanes import Failed, Lanes

Done = Callable[[], object]


class Custody:
    """Asks the client library; answers come in the Tk thread."""

    def __init__(self, client: Client, lanes: Lanes) -> None:
        self._client = client
        self._lanes = lanes
        self.ending = False
        """Whether the account is being deleted: then it is no news that it is signed out."""

    def change_password(self, current: str, new: str, done: Done, failed: Failed) -> None:
        """Change the password of the account."""
        change = self._client.change_password
        self._lanes.slow(lambda: change(current, new), lambda _: done(), failed)

    def list_devices(self, done: Callable[[list[DeviceInfo]], object], failed: Failed) -> None:
        """Ask for the devices of the account."""
        self._lanes.slow(self._client.devices, done, failed)

    def name_device(self, name: str, done: Done, failed: Failed) -> None:
        """Name this device."""
        self._lanes.slow(lambda: self._client.name_device(name), lambda _: done(), failed)

    def remove_device(self, device: str, done: Done, failed: Failed, *, renew: bool) -> None:
        """Remove another device of the account, and renew the account key that it had, or not."""
        remove = self._client.remove_device
        self._lanes.slow(lambda: remove(device, renew=renew), lambda _: done(), failed)

    def renew_key(self, done: Done, failed: Failed) -> None:
        """Renew the account key."""
        self._lanes.slow(self._client.renew_key, lambda _: done(), failed)

    def backup(
        self, kept: Mapping[str, object], file: Path, passphrase: str, done: Done, failed: Failed
    ) -> None:
        """Write a backup; ``kept`` are the settings that it holds."""
        backup = self._client.backup
        self._lanes.slow(lambda: backup(file, passphrase, kept), lambda _: done(), failed)

    def export(
        self, name: str, file: Path, format_: Literal["html", "json"], done: Done, failed: Failed
    ) -> None:
        """Write the conversation with ``name`` to a file, in the clear."""
        export = self._client.export
        self._lanes.slow(
            lambda: write_document(file, export(name, format_)), lambda _: done(), failed
        )

    def delete_account(
        self, password: str, remove: bool, done: Callable[[str], object], failed: Failed
    ) -> None:
        """Delete the account on the server, and the profile if that is wanted.

        ``done`` gets the sentence that says what was deleted; the client is closed then.
        """
        self.ending = True
        client = self._client

        def work() -> str:
            receipt = receipt_text(client.delete_account(password))
            client.close()
            if remove:
                remove_profile(client.folder)
            return f"The account is deleted. {receipt}"

        def refused(error: BPostError) -> None:
            self.ending = False
            failed(error)

        self._lanes.slow(work, done, refused)
