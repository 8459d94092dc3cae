"""What one is known by: the fields for logging in, and those for a new account."""

from __future__ import annotations

import tkinter

from client_tk import account, words
from client_tk.account import Complaint
from client_tk.fields import Field, PasswordField
from client_tk.theme import Look
from client_tk.widgets import Frame


class LogInTab(Frame):
    """Name and password."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent)
        self.username = Field(self, look, "Username")
        self.password = PasswordField(self, look, "Password")
        for field in self.fields():
            field.pack(fill="x", pady=(0, look.px(8)))

    def fields(self) -> list[Field]:
        """Return the fields of this tab, in their order."""
        return [self.username, self.password]

    def places(self) -> dict[str, Field]:
        """Return the fields by the names that complaints call them."""
        return {"username": self.username, "password": self.password}

    def complaints(self) -> list[Complaint]:
        """Return what is plainly wrong."""
        wrong = {
            "username": account.username_error(self.username.value.strip()),
            "password": "" if self.password.value else "Write your password.",
        }
        return [Complaint(place, text) for place, text in wrong.items() if text]


class CreateTab(Frame):
    """Name and password, the password twice."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent)
        self.username = Field(self, look, "Username", hint="What others add you by")
        hint = "Nobody can reset it: without it your messages stay sealed."
        self.password = PasswordField(self, look, "Password", hint=hint)
        self.again = PasswordField(self, look, "Password again")
        for field in self.fields():
            field.pack(fill="x", pady=(0, look.px(8)))
        self.password.on_change(self._judge)
        self.again.on_change(self._compare)

    def fields(self) -> list[Field]:
        """Return the fields of this tab, in their order."""
        return [self.username, self.password, self.again]

    def places(self) -> dict[str, Field]:
        """Return the fields by the names that complaints call them."""
        return {"username": self.username, "password": self.password, "again": self.again}

    def complaints(self) -> list[Complaint]:
        """Return what is plainly wrong."""
        wrong = {
            "username": account.username_error(self.username.value.strip()),
            "password": account.password_error(self.password.value),
            "again": "" if self.same else "The two passwords differ.",
        }
        return [Complaint(place, text) for place, text in wrong.items() if text]

    @property
    def same(self) -> bool:
        """Whether both passwords are the same."""
        return self.password.value == self.again.value

    def _judge(self) -> None:
        show_strength(self.password, self.username.value.strip())
        self._compare()

    def _compare(self) -> None:
        compare(self.password, self.again)


def show_strength(field: PasswordField, username: str) -> None:
    """Say below a new password how strong it is."""
    judged = words.strength(field.value, username)
    if judged.level:
        style = {1: "Danger", 2: "Warning"}.get(judged.level, "Good")
        field.say(judged.hint, style)


def compare(first: Field, second: Field) -> None:
    """Say below the second of two passwords whether it is the same, while it is typed."""
    second.clear()
    if not second.value:
        return
    if first.value == second.value:
        second.say("Both are the same.", "Good")
    elif not first.value.startswith(second.value):
        second.fail("The two passwords differ.", focus=False)
