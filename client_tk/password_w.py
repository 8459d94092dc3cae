"""Changing the password: the current one, and the new one twice."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.errors import BPostError, Refused
from client_tk import account
from client_tk.credentials_w import compare, show_strength
from client_tk.fields import PasswordField
from client_tk.form import FormSheet
from client_tk.theme import Look

Change = Callable[[str, str, Callable[[], object], Callable[[BPostError], object]], object]


class PasswordSheet(FormSheet):
    """Asks for the passwords, and changes."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        username: str,
        change: Change,
        say: Callable[[str], object],
    ) -> None:
        super().__init__(parent, look, "Change password")
        self._username = username
        self._change = change
        self._say = say
        hint = "Your other devices ask for it when they next connect."
        self.current = PasswordField(self.body, look, "Current password")
        self.new = PasswordField(self.body, look, "New password", hint=hint)
        self.again = PasswordField(self.body, look, "New password again")
        self.add(*self.fields())
        self.new.on_change(self._judge)
        self.again.on_change(lambda: compare(self.new, self.again))
        self.end("Change password")
        self.open(self.current.entry)

    def fields(self) -> list[PasswordField]:
        """Return the fields, in their order."""
        return [self.current, self.new, self.again]

    def _judge(self) -> None:
        show_strength(self.new, self._username)
        compare(self.new, self.again)

    def submit(self) -> None:
        """Change the password, unless something is plainly wrong."""
        self.clear()
        wrong = [
            (self.current, "" if self.current.value else "Write your current password."),
            (self.new, account.password_error(self.new.value)),
            (self.again, "" if self.again.value == self.new.value else "The two passwords differ."),
        ]
        failed = [(field, text) for field, text in wrong if text]
        for field, text in reversed(failed):
            field.fail(text)
        if not failed:
            self.wait(True)
            self._change(self.current.value, self.new.value, self._changed, self._failed)

    def _changed(self) -> None:
        self._say("The password has been changed.")
        self.close()

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            self._say(f"The password was not changed: {error}")
            return
        self.wait(False)
        if isinstance(error, Refused) and error.reason == "wrong-password":
            self.current.fail("This is not your current password. Try again.")
        else:
            self.general.configure(text=str(error))
