"""A sheet with fields to fill in, and work that follows."""

from __future__ import annotations

import tkinter
from tkinter import ttk

from client_tk.fields import Field
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Progressbar, Wrapped


class FormSheet(Sheet):
    """Fields, a line for what failed, and a bar while it works; Enter in a field submits.

    A form adds its fields, then calls :meth:`end`; it overrides :meth:`submit`.
    """

    def __init__(self, parent: tkinter.Misc, look: Look, title: str, text: str = "") -> None:
        super().__init__(parent, look, title)
        if text:
            Wrapped(self.body, text=text).pack(fill="x", pady=(0, look.px(14)))
        self.general = Wrapped(self.body, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.bar = Progressbar(self.body, mode="indeterminate", bootstyle="primary")
        self.waiting = False
        self._fields: tuple[Field, ...] = ()

    def add(self, *fields: Field) -> None:
        """Show the fields, one below the other."""
        self._fields = fields
        for field in fields:
            field.pack(fill="x", pady=(0, self.look.px(8)))
            field.entry.bind("<Return>", lambda _: self.submit())

    def end(self, label: str, style: str = "primary", cancel: str = "neutral") -> None:
        """Show the line for what failed, and the buttons."""
        self.general.pack(fill="x")
        self.confirm = self.add_button(label, self.submit, style)
        self.cancel = self.add_button("Cancel", self.close, cancel)

    def submit(self) -> None:
        """Do it, unless something is plainly wrong."""
        raise NotImplementedError

    def clear(self) -> None:
        """Take away what was said of an earlier try."""
        for field in self._fields:
            field.clear()
        self.general.configure(text="")

    def parts(self) -> list[ttk.Widget]:
        """Return what is not to be touched while it works."""
        return [*(field.entry for field in self._fields), self.confirm]

    def wait(self, waiting: bool) -> None:
        """Show that it works, or let the form be changed again."""
        self.waiting = waiting
        for part in self.parts():
            part.state(["disabled" if waiting else "!disabled"])
        if waiting:
            self.bar.pack(fill="x", pady=(self.look.px(8), 0))
            self.bar.start(15)
        else:
            self.bar.stop()
            self.bar.pack_forget()
