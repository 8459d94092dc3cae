"""The page that asks about a certificate that nobody vouches for."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from client_tk import words
from client_tk.theme import Look
from client_tk.widgets import Button, Entry, Frame, Label, Wrapped

MEANING = (
    "Compare it with the one that the server printed when it started, or that its owner gave you. "
    "If it is the same, trust it: BPost will remember it, and refuse any other. "
    "If it differs, somebody may be between you and the server."
)


class CertificatePage(Frame):
    """Shows the pin and what it means; Trust or Cancel."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent)
        self._answer: Callable[[bool], object] = lambda _: None
        Label(self, text="Do you know this server?", font=look.fonts["title"]).pack(anchor="w")
        self.reason = Wrapped(self, text="")
        self.reason.pack(fill="x", pady=(look.px(10), look.px(12)))
        Label(self, text="Its pin").pack(anchor="w")
        self.shown = tkinter.StringVar(self)
        # An entry, so that it can be selected and copied.
        self.fingerprint = Entry(
            self,
            textvariable=self.shown,
            font=look.fonts["mono"],
            state="readonly",
            justify="center",
        )
        self.fingerprint.pack(fill="x", pady=(look.px(4), look.px(10)))
        self.meaning = Wrapped(self, text=MEANING, style="Muted.TLabel")
        self.meaning.pack(fill="x")
        row = Frame(self)
        row.pack(fill="x", pady=(look.px(20), 0))
        self.trust = Button(
            row, text="Trust this server", bootstyle="primary", command=lambda: self._say(True)
        )
        self.trust.pack(side="right")
        self.refuse = Button(row, text="Cancel", command=lambda: self._say(False))
        self.refuse.pack(side="right", padx=(0, look.px(8)))
        self.trust.lift()  # Tab comes to it after the other
        for button in (self.trust, self.refuse, self.fingerprint):
            button.bind("<Escape>", lambda _: self._say(False))

    def ask(self, server: str, pin: str, text: str, answer: Callable[[bool], object]) -> None:
        """Ask about one certificate; ``answer`` gets whether it is trusted."""
        self._answer = answer
        self.reason.configure(text=text or f"Nobody vouches for the certificate of {server}.")
        self.shown.set(words.fingerprint(pin))
        self.refuse.focus_set()

    def _say(self, trusted: bool) -> None:
        answer, self._answer = self._answer, lambda _: None
        answer(trusted)
