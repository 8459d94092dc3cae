"""Beginning an account anew: what follows from it, and the username typed to go on."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.client import RESET_WARNING
from client_tk.fields import Field
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Wrapped


class ResetSheet(Sheet):
    """Says all that a reset means; ``begin`` is called once the username was typed."""

    def __init__(
        self, parent: tkinter.Misc, look: Look, username: str, begin: Callable[[], object]
    ) -> None:
        super().__init__(parent, look, "Begin anew")
        self._username = username
        self._begin = begin
        for sentence in _paragraphs(RESET_WARNING.format(name=username)):
            Wrapped(self.body, text=sentence).pack(fill="x", pady=(0, look.px(10)))
        self.name = Field(self.body, look, f"Type {username} to go on")
        self.name.pack(fill="x", pady=(look.px(4), 0))
        self.name.entry.bind("<Return>", lambda _: self.submit())
        self.confirm = self.add_button("Begin anew", self.submit, "danger")
        self.cancel = self.add_button("Cancel", self.close, "primary")
        self.open(self.cancel)

    def submit(self) -> None:
        """Begin, unless the name was not typed."""
        if self.name.value.strip().lower() != self._username.lower():
            self.name.fail(f"Type {self._username}, which is your username.")
            return
        self.close()
        self._begin()


def _paragraphs(text: str) -> tuple[str, str]:
    """Split the warning before its last sentence, which says what to try instead."""
    meant, _, instead = text.rpartition(" If a device ")
    return meant, f"If a device {instead}"
