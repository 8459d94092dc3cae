"""Restoring a backup: the file, its passphrase, and the password of the account."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from pathlib import Path
from tkinter import ttk

from bpost.errors import BPostError
from client_tk import account, files
from client_tk.account import Restoration
from client_tk.fields import Field, PasswordField
from client_tk.form import FormSheet
from client_tk.theme import Look
from client_tk.widgets import Button

Restore = Callable[[Restoration, Callable[[BPostError], object]], object]

TEXT = (
    "This computer becomes a new device of the account in the backup. Your contacts see no alarm."
)


class RestoreSheet(FormSheet):
    """Asks for all that a restoration needs, and shows what became of it."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        restore: Restore,
        give_up: Callable[[], object],
    ) -> None:
        super().__init__(parent, look, "Restore a backup", TEXT)
        self._restore = restore
        self._give_up = give_up
        self.file = Field(self.body, look, "File")
        self.browse = Button(self.file.line, text="Choose …", command=self._choose)
        self.browse.pack(side="left", padx=(look.px(8), 0))
        hint = "The one that was chosen for the backup"
        self.passphrase = PasswordField(self.body, look, "Passphrase", hint=hint)
        hint = "The one you log in with: the server asks for it"
        self.password = PasswordField(self.body, look, "Password of the account", hint=hint)
        self.add(*self.fields())
        self.end("Restore")
        self.open(self.browse)

    def fields(self) -> tuple[Field, ...]:
        """Return the fields, in their order."""
        return (self.file, self.passphrase, self.password)

    def _choose(self) -> None:
        found = files.open_file(self, "Choose a backup", ".bpost")
        if found is not None:
            self.file.value = str(found)
            self.passphrase.entry.focus_set()

    def submit(self) -> None:
        """Restore, unless something is plainly missing."""
        self.clear()
        missing = ("Choose the file.", "Write the passphrase.", "Write the password.")
        empty = [
            (field, text)
            for field, text in zip(self.fields(), missing, strict=True)
            if not field.value
        ]
        for field, text in reversed(empty):
            field.fail(text)
        if not empty:
            self.wait(True)
            file = Path(self.file.value).expanduser()
            attempt = Restoration(file, self.passphrase.value, self.password.value)
            self._restore(attempt, self._failed)

    def parts(self) -> list[ttk.Widget]:
        """Return what is not to be touched while it works."""
        return [*super().parts(), self.browse]

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            return
        self.wait(False)
        complaint = account.complaint(error)
        places = {"passphrase": self.passphrase, "password": self.password}
        if complaint.place in places:
            places[complaint.place].fail(str(error))
        elif isinstance(error, BPostError):
            self.general.configure(text=complaint.text)

    def close(self) -> None:
        """Close the sheet; what is under way comes to nothing."""
        if self.waiting:
            self.waiting = False
            self._give_up()
        super().close()
