"""All small windows that open above the main window."""

from __future__ import annotations

import functools
import tkinter
from typing import Literal

from bpost.client import Client
from bpost.errors import BPostError
from client_tk import files
from client_tk.backup_w import BackupSheet
from client_tk.contact_w import AddContactSheet
from client_tk.controller import Controller
from client_tk.delete_w import DeleteSheet
from client_tk.devices_w import DevicesSheet
from client_tk.handover import HandoverDesk
from client_tk.lanes import Failed
from client_tk.password_w import PasswordSheet
from client_tk.safety import SafetyDesk
from client_tk.safety_w import SafetySheet
from client_tk.settings_w import Choices, KeysSheet, SettingsSheet
from client_tk.shell import Shell
from client_tk.view import View


class Sheets:
    """Opens them, and lets each ask what it needs."""

    def __init__(
        self,
        window: tkinter.Misc,
        shell: Shell,
        client: Client,
        controller: Controller,
        desk: HandoverDesk,
    ) -> None:
        self._window = window
        self._shell = shell
        self._client = client
        self._controller = controller
        self._desk = desk

    @property
    def _view(self) -> View:
        return self._controller.view

    def new_contact(self) -> AddContactSheet:
        """Ask whom to add."""
        return AddContactSheet(
            self._window, self._shell.look, self._controller.add_contact, self._client.username
        )

    def open_settings(self) -> SettingsSheet:
        """Open the settings."""
        choices = Choices(
            appearance=self._shell.settings.appearance,
            choose=self._shell.choose_appearance,
            enlarge=self._shell.enlarge,
            change_password=self.change_password,
            show_devices=self.open_devices,
            show_keys=self.open_keys,
            log_out=lambda: self._shell.log_out(""),
            lock_minutes=self._shell.settings.lock_minutes,
            lock_after=self._shell.lock_after,
            lock=self._shell.lock,
            backup=self.open_backup,
            delete=self.open_delete,
            read_log=functools.partial(self._shell.lanes.quick, self._client.key_log),
        )
        account = f"{self._client.username} at {self._shell.server}"
        return SettingsSheet(self._window, self._shell.look, account, choices)

    def open_keys(self) -> KeysSheet:
        """List what the keys do."""
        return KeysSheet(self._window, self._shell.look)

    def change_password(self) -> PasswordSheet:
        """Ask for the new password."""
        change = self._controller.custody.change_password
        return PasswordSheet(
            self._window, self._shell.look, self._client.username, change, self._view.say
        )

    def open_backup(self) -> BackupSheet:
        """Ask for the passphrase of a backup."""
        kept = self._shell.settings.portable()
        backup = functools.partial(self._controller.custody.backup, kept)
        return BackupSheet(
            self._window, self._shell.look, self._client.username, backup, self._view.say
        )

    def open_delete(self) -> DeleteSheet:
        """Ask whether the account is to be deleted."""

        def delete(password: str, remove: bool, failed: Failed) -> None:
            custody = self._controller.custody
            custody.delete_account(password, remove, self._view.signed_out, failed)

        return DeleteSheet(self._window, self._shell.look, self._client.username, delete)

    def export(self, format_: Literal["html", "json"]) -> None:
        """Ask where to, and export the open conversation."""
        name, custody = self._controller.book.current, self._controller.custody
        file = files.save_as(self._window, "Export the conversation", f"{name}.{format_}")

        def done() -> None:
            self._view.say(f"The conversation with {name} is in {file}.")

        def failed(error: BPostError) -> None:
            self._view.say(str(error), alarming=True)

        if file is not None:
            custody.export(name, file, format_, done, failed)

    def open_devices(self) -> DevicesSheet:
        """Show the devices of the account."""
        custody = self._controller.custody
        return DevicesSheet(self._window, self._shell.look, custody, self._view.say, self._desk)

    def open_safety(self) -> SafetySheet:
        """Show what both people compare, and what is known of the key."""
        desk = SafetyDesk(self._client, self._shell.lanes, self._controller.book.current)
        return SafetySheet(self._window, self._shell.look, desk)
