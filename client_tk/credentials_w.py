"""What one is known by: the fields for logging in, and those for a new account."""

from __future__ import annotations

import tkinter

from bpost.client import code_error
from client_tk import account, words
from client_tk.account import Complaint
from client_tk.fields import Field, PasswordField
from client_tk.theme import Look
from client_tk.widgets import Button, Frame


class LogInTab(Frame):
    """Name and password."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent)
        self.username = Field(self, look, "Username")
        self.password = PasswordField(self, look, "Password")
        for field in (self.username, self.password):
            field.pack(fill="x", pady=(0, look.px(8)))
        hint = "There: Settings, Devices, Add a device"
        self.code = Field(self, look, "Code from another device", hint=hint)
        text = "Use a code from another device …"
        self.use_code = Button(self, text=text, bootstyle="link", command=self.show_code)
        self.use_code.configure(padding=0)
        self.use_code.pack(anchor="w")

    def show_code(self) -> None:
        """Show the field for a code."""
        if not self.code.winfo_manager():
            self.use_code.pack_forget()
            self.code.pack(fill="x")
            self.code.entry.focus_set()

    def fields(self) -> list[Field]:
        """Return the fields of this tab that are shown, in their order."""
        code = [self.code] if self.code.winfo_manager() else []
        return [self.username, self.password, *code]

    def places(self) -> dict[str, Field]:
        """Return the fields by the names that complaints call them."""
        return {"username": self.username, "password": self.password, "code": self.code}

    def complaints(self) -> list[Complaint]:
        """Return what is plainly wrong."""
        wrong = {
            "username": account.username_error(self.username.value.strip()),
            "password": "" if self.password.value else "Write your password.",
            "code": code_error(self.code.value) if self.code.value.strip() else "",
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
