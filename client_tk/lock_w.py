"""The lock screen: whose account it is, and the password that opens it again.

While it is shown the account is closed: no key, no message and no name of a contact is in memory
or on the screen, and nothing is received.
"""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from client_tk.account import Complaint
from client_tk.fields import PasswordField
from client_tk.pictures import Pictures
from client_tk.start_w import ProgressLine
from client_tk.theme import Look
from client_tk.widgets import Button, Frame, Label, Wrapped

WIDTH = 320


class LockWindow(Frame):
    """Asks for the password; ``on_unlock`` gets it, `complain` answers unless it was right."""

    def __init__(
        self, parent: tkinter.Misc, look: Look, pictures: Pictures, username: str, server: str
    ) -> None:
        super().__init__(parent)
        self.look = look
        self.on_unlock: Callable[[str], object] = lambda _: None
        self.on_log_out: Callable[[], object] = lambda: None
        self.on_cancel: Callable[[], object] = lambda: None
        card = Frame(self)
        card.place(relx=0.5, rely=0.42, anchor="center")
        Frame(card, width=look.text_px(WIDTH)).pack()
        self._icon = pictures.program(look.px(54))
        Label(card, image=self._icon).pack()
        Label(card, text=username, font=look.fonts["title"]).pack(pady=(look.px(12), 0))
        text = f"Locked · {server}"
        Label(card, text=text, style="Muted.TLabel").pack(pady=(0, look.px(18)))
        self.password = PasswordField(card, look, "Password")
        self.password.pack(fill="x")
        self.password.entry.bind("<Return>", lambda _: self.submit())
        self.password.entry.bind("<KP_Enter>", lambda _: self.submit())
        self.general = Wrapped(card, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.general.pack(fill="x", pady=(look.px(4), look.px(8)))
        self._foot = Frame(card)
        self._foot.pack(fill="x")
        self.button = Button(self._foot, text="Unlock", bootstyle="primary", command=self.submit)
        self.log_out = Button(
            self._foot, text="Use another account", bootstyle="link", command=self._leave
        )
        self.progress = ProgressLine(self._foot, look, self.cancel)
        self.trying = True
        self.set_trying(False)

    def submit(self) -> None:
        """Try the password."""
        self.password.clear()
        self.general.configure(text="")
        if not self.password.value:
            self.password.fail("Write your password.")
        elif not self.trying:
            self.set_trying(True)
            self.on_unlock(self.password.value)

    def set_trying(self, trying: bool) -> None:
        """Show progress in place of the buttons, or the buttons."""
        if trying == self.trying:
            return
        self.trying = trying
        self.password.entry.state(["disabled" if trying else "!disabled"])
        for child in (self.button, self.log_out, self.progress):
            child.pack_forget()
        if trying:
            self.progress.pack(fill="x")
            self.progress.start()
        else:
            self.progress.stop()
            self.button.pack(fill="x")
            self.log_out.pack(pady=(self.look.px(6), 0))
            self.password.entry.focus_set()

    def complain(self, complaint: Complaint) -> None:
        """Say why it was not opened."""
        self.set_trying(False)
        if complaint.place == "password":
            self.password.fail("This is not the password of this account. Try again.")
        else:
            self.general.configure(text=complaint.text)

    def cancel(self) -> None:
        """Give the attempt up."""
        self.set_trying(False)
        self.on_cancel()

    def _leave(self) -> None:
        if not self.trying:
            self.on_log_out()
