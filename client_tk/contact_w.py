"""The small window that adds a contact."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.errors import BPostError, Refused
from client_tk import account
from client_tk.fields import Field
from client_tk.form import FormSheet
from client_tk.theme import Look

Add = Callable[[str, Callable[[], object], Callable[[BPostError], object]], object]


class AddContactSheet(FormSheet):
    """Asks for a username, and adds it."""

    def __init__(self, parent: tkinter.Misc, look: Look, add: Add, own: str) -> None:
        super().__init__(parent, look, "New contact")
        self._add = add
        self._own = own
        hint = "Their username on this server. Upper and lower case are the same."
        self.name = Field(self.body, look, "Username", hint=hint)
        self.add(self.name)
        self.end("Add")
        self.open(self.name.entry)

    def submit(self) -> None:
        """Add the contact, unless the name is plainly wrong."""
        name = self.name.value.strip()
        wrong = account.username_error(name)
        if name.lower() == self._own.lower():
            wrong = "That is you."
        if wrong:
            self.name.fail(wrong)
            return
        self.wait(True)
        self._add(name, self.close, self._failed)

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            return
        self.wait(False)
        name = self.name.value.strip()
        if isinstance(error, Refused) and error.reason == "no-such-user":
            self.name.fail(f"Nobody on this server is called {name}. Check how it is spelled.")
        else:
            self.name.fail(str(error))
