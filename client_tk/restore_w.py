"""Restoring a backup: the file, its passphrase, and the password of the account."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from pathlib import Path

from bpost.errors import BPostError
from client_tk import account, files
from client_tk.account import Restoration
from client_tk.fields import Field, PasswordField
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Button, Progressbar, Wrapped

Restore = Callable[[Restoration, Callable[[BPostError], object]], object]

TEXT = (
    "This computer becomes a new device of the account in the backup. Your contacts see no alarm."
)


class RestoreSheet(Sheet):
    """Asks for all that a restoration needs, and shows what became of it."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        restore: Restore,
        give_up: Callable[[], object],
    ) -> None:
        super().__init__(parent, look, "Restore a backup")
        self._restore = restore
        self._give_up = give_up
        self._waiting = False
        Wrapped(self.body, text=TEXT).pack(fill="x", pady=(0, look.px(14)))
        self.file = Field(self.body, look, "File")
        self.browse = Button(self.file.line, text="Choose …", command=self._choose)
        self.browse.pack(side="left", padx=(look.px(8), 0))
        hint = "The one that was chosen for the backup"
        self.passphrase = PasswordField(self.body, look, "Passphrase", hint=hint)
        hint = "The one you log in with: the server asks for it"
        self.password = PasswordField(self.body, look, "Password of the account", hint=hint)
        for field in self.fields():
            field.pack(fill="x", pady=(0, look.px(8)))
            field.entry.bind("<Return>", lambda _: self.submit())
        self.general = Wrapped(self.body, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.general.pack(fill="x")
        self.bar = Progressbar(self.body, mode="indeterminate", bootstyle="primary")
        self.confirm = self.add_button("Restore", self.submit, "primary")
        self.cancel = self.add_button("Cancel", self.close)
        self.open(self.browse)

    def fields(self) -> tuple[Field, ...]:
        """Return the fields, in their order."""
        return (self.file, self.passphrase, self.password)

    def _choose(self) -> None:
        found = files.open_file(self, "Choose a backup")
        if found is not None:
            self.file.value = str(found)
            self.passphrase.entry.focus_set()

    def submit(self) -> None:
        """Restore, unless something is plainly missing."""
        for field in self.fields():
            field.clear()
        self.general.configure(text="")
        missing = ("Choose the file.", "Write the passphrase.", "Write the password.")
        empty = [
            (field, text)
            for field, text in zip(self.fields(), missing, strict=True)
            if not field.value
        ]
        for field, text in reversed(empty):
            field.fail(text)
        if not empty:
            self._wait(True)
            file = Path(self.file.value).expanduser()
            attempt = Restoration(file, self.passphrase.value, self.password.value)
            self._restore(attempt, self._failed)

    def _wait(self, waiting: bool) -> None:
        self._waiting = waiting
        for part in (*(field.entry for field in self.fields()), self.browse, self.confirm):
            part.state(["disabled" if waiting else "!disabled"])
        if waiting:
            self.bar.pack(fill="x", pady=(self.look.px(8), 0))
            self.bar.start(15)
        else:
            self.bar.stop()
            self.bar.pack_forget()

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            return
        self._wait(False)
        complaint = account.complaint(error)
        places = {"passphrase": self.passphrase, "password": self.password}
        if complaint.place in places:
            places[complaint.place].fail(str(error))
        elif isinstance(error, BPostError):
            self.general.configure(text=complaint.text)

    def close(self) -> None:
        """Close the sheet; what is under way comes to nothing."""
        if self._waiting:
            self._waiting = False
            self._give_up()
        super().close()
