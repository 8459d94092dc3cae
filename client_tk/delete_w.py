"""Deleting the account: the username, the password, and whether the profile goes too."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.errors import BPostError, Refused
from client_tk.fields import Field, PasswordField
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Checkbutton, Progressbar, Wrapped

Delete = Callable[[str, bool, Callable[[BPostError], object]], object]

TEXT = (
    "The server forgets your mailbox, your contacts and your keys, for all your devices. There is "
    "no way back, and nobody can have the name again. What others received from you stays theirs."
)


class DeleteSheet(Sheet):
    """Asks to type the username, so that nobody deletes by accident."""

    def __init__(self, parent: tkinter.Misc, look: Look, username: str, delete: Delete) -> None:
        super().__init__(parent, look, "Delete the account")
        self._username = username
        self._delete = delete
        Wrapped(self.body, text=TEXT).pack(fill="x", pady=(0, look.px(14)))
        self.name = Field(self.body, look, f"Type {username} to go on")
        self.password = PasswordField(self.body, look, "Password")
        for field in (self.name, self.password):
            field.pack(fill="x", pady=(0, look.px(8)))
            field.entry.bind("<Return>", lambda _: self.submit())
        self.remove = tkinter.BooleanVar(self, value=False)
        self.box = Checkbutton(
            self.body,
            text="Remove all messages from this computer too",
            variable=self.remove,
        )
        self.box.pack(anchor="w", pady=(look.px(4), look.px(6)))
        self.general = Wrapped(self.body, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.general.pack(fill="x")
        self.bar = Progressbar(self.body, mode="indeterminate", bootstyle="primary")
        self.confirm = self.add_button("Delete the account", self.submit, "danger")
        self.cancel = self.add_button("Cancel", self.close, "primary")
        self.open(self.name.entry)

    def submit(self) -> None:
        """Delete, unless the name was not typed."""
        self.name.clear()
        self.password.clear()
        self.general.configure(text="")
        if self.name.value.strip().lower() != self._username.lower():
            self.name.fail(f"Type {self._username}, which is your username.")
        elif not self.password.value:
            self.password.fail("Write your password.")
        else:
            self._wait(True)
            self._delete(self.password.value, self.remove.get(), self._failed)

    def _wait(self, waiting: bool) -> None:
        for part in (self.name.entry, self.password.entry, self.box, self.confirm, self.cancel):
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
        if isinstance(error, Refused) and error.reason == "wrong-password":
            self.password.fail("This is not your password. Nothing was deleted.")
        else:
            self.general.configure(text=str(error))
