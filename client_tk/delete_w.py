"""Deleting the account: the username, the password, and whether the profile goes too."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from tkinter import ttk

from bpost.errors import BPostError, Refused
from client_tk.fields import Field, PasswordField
from client_tk.form import FormSheet
from client_tk.theme import Look
from client_tk.widgets import Checkbutton

Delete = Callable[[str, bool, Callable[[BPostError], object]], object]

TEXT = (
    "The server forgets your mailbox, your contacts and your keys, for all your devices. There is "
    "no way back, and nobody can have the name again. What others received from you stays theirs."
)


class DeleteSheet(FormSheet):
    """Asks to type the username, so that nobody deletes by accident."""

    def __init__(self, parent: tkinter.Misc, look: Look, username: str, delete: Delete) -> None:
        super().__init__(parent, look, "Delete the account", TEXT)
        self._username = username
        self._delete = delete
        self.name = Field(self.body, look, f"Type {username} to go on")
        self.password = PasswordField(self.body, look, "Password")
        self.add(self.name, self.password)
        self.remove = tkinter.BooleanVar(self, value=False)
        self.box = Checkbutton(
            self.body,
            text="Remove all messages from this computer too",
            variable=self.remove,
        )
        self.box.pack(anchor="w", pady=(look.px(4), look.px(6)))
        self.end("Delete the account", "danger", cancel="primary")
        self.open(self.name.entry)

    def submit(self) -> None:
        """Delete, unless the name was not typed."""
        self.clear()
        if self.name.value.strip().lower() != self._username.lower():
            self.name.fail(f"Type {self._username}, which is your username.")
        elif not self.password.value:
            self.password.fail("Write your password.")
        else:
            self.wait(True)
            self._delete(self.password.value, self.remove.get(), self._failed)

    def parts(self) -> list[ttk.Widget]:
        """Return what is not to be touched while it works: nothing takes a deletion back."""
        return [*super().parts(), self.box, self.cancel]

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            return
        self.wait(False)
        if isinstance(error, Refused) and error.reason == "wrong-password":
            self.password.fail("This is not your password. Nothing was deleted.")
        else:
            self.general.configure(text=str(error))
