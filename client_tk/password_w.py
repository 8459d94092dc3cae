"""Changing the password: the current one, and the new one twice."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.errors import BPostError, Refused
from client_tk import account
from client_tk.credentials_w import compare, show_strength
from client_tk.fields import PasswordField
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Progressbar, Wrapped

Change = Callable[[str, str, Callable[[], object], Callable[[BPostError], object]], object]


class PasswordSheet(Sheet):
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
        for field in self.fields():
            field.pack(fill="x", pady=(0, look.px(8)))
            field.entry.bind("<Return>", lambda _: self.submit())
        self.new.on_change(self._judge)
        self.again.on_change(lambda: compare(self.new, self.again))
        self.general = Wrapped(self.body, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.general.pack(fill="x")
        self.bar = Progressbar(self.body, mode="indeterminate", bootstyle="primary")
        self.confirm = self.add_button("Change password", self.submit, "primary")
        self.cancel = self.add_button("Cancel", self.close)
        self.open(self.current.entry)

    def fields(self) -> list[PasswordField]:
        """Return the fields, in their order."""
        return [self.current, self.new, self.again]

    def _judge(self) -> None:
        show_strength(self.new, self._username)
        compare(self.new, self.again)

    def submit(self) -> None:
        """Change the password, unless something is plainly wrong."""
        for field in self.fields():
            field.clear()
        self.general.configure(text="")
        wrong = [
            (self.current, "" if self.current.value else "Write your current password."),
            (self.new, account.password_error(self.new.value)),
            (self.again, "" if self.again.value == self.new.value else "The two passwords differ."),
        ]
        failed = [(field, text) for field, text in wrong if text]
        for field, text in reversed(failed):
            field.fail(text)
        if not failed:
            self._wait(True)
            self._change(self.current.value, self.new.value, self._changed, self._failed)

    def _wait(self, waiting: bool) -> None:
        for field in self.fields():
            field.entry.state(["disabled" if waiting else "!disabled"])
        self.confirm.state(["disabled" if waiting else "!disabled"])
        if waiting:
            self.bar.pack(fill="x", pady=(self.look.px(8), 0))
            self.bar.start(15)
        else:
            self.bar.stop()
            self.bar.pack_forget()

    def _changed(self) -> None:
        self._say("The password has been changed.")
        self.close()

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            self._say(f"The password was not changed: {error}")
            return
        self._wait(False)
        if isinstance(error, Refused) and error.reason == "wrong-password":
            self.current.fail("This is not your current password. Try again.")
        else:
            self.general.configure(text=str(error))
