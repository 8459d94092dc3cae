"""The settings, and the list of keys."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass

import bpost
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Button, Frame, Label, Radiobutton, Separator, Wrapped

KEYS = (
    ("Ctrl+N", "New contact"),
    ("Ctrl+K", "Search, or jump to a conversation"),
    ("Ctrl+Tab  Alt+↑  Alt+↓", "Next conversation, or an earlier one"),
    ("Ctrl+1 … Ctrl+9", "The first nine conversations"),
    ("Enter", "Send"),
    ("Shift+Enter", "New line"),
    ("Tab  Shift+Tab", "From one part of the window to the next"),
    ("↑  ↓  in the messages", "Pick a message: Ctrl+C copies it, Enter sends a failed one again"),
    ("Page Up  Page Down", "Scroll"),
    ("Ctrl++  Ctrl+−  Ctrl+0", "Size of the text"),
    ("Ctrl+,", "Settings"),
    ("Ctrl+/", "These keys"),
    ("Esc", "Cancel; then to the newest message"),
)


@dataclass
class Choices:
    """What the settings can do."""

    appearance: str
    choose: Callable[[str], object]
    enlarge: Callable[[int], object]
    change_password: Callable[[], object]
    show_keys: Callable[[], object]
    log_out: Callable[[], object]


class SettingsSheet(Sheet):
    """Appearance, text size, password, keys, about."""

    def __init__(self, parent: tkinter.Misc, look: Look, account: str, choices: Choices) -> None:
        super().__init__(parent, look, "Settings")
        self.choices = choices
        self._heading("Appearance")
        self.appearance = tkinter.StringVar(self, value=choices.appearance)
        row = Frame(self.body)
        row.pack(anchor="w", pady=(0, look.px(16)))
        self.modes: dict[str, Radiobutton] = {}
        for mode, label in (("light", "Light"), ("dark", "Dark"), ("system", "Like the system")):
            button = Radiobutton(
                row,
                text=label,
                value=mode,
                variable=self.appearance,
                command=lambda: choices.choose(self.appearance.get()),
            )
            button.pack(side="left", padx=(0, look.px(18)))
            self.modes[mode] = button
        self._draw_text_size()
        self._heading("Account")
        Wrapped(self.body, text=account, style="Muted.TLabel").pack(fill="x")
        self._draw_account()
        Separator(self.body).pack(fill="x", pady=(0, look.px(12)))
        about = f"BPost {bpost.__version__} · a private messenger that anyone can host"
        Wrapped(self.body, text=about, style="Muted.TLabel").pack(fill="x")
        self.done = self.add_button("Close", self.close, "primary")
        self.open(self.modes[choices.appearance])

    def _heading(self, text: str) -> None:
        heading = Label(self.body, text=text, font=self.look.fonts["name"])
        heading.pack(anchor="w", pady=(0, self.look.px(6)))

    def _draw_text_size(self) -> None:
        self._heading("Size of the text")
        row = Frame(self.body)
        row.pack(anchor="w", pady=(0, self.look.px(16)))
        self.smaller = Button(row, text="−", width=3, command=lambda: self._enlarge(-1))
        self.smaller.pack(side="left")
        self.zoom = Label(row, text=f"{self.look.zoom} %", width=7, anchor="center")
        self.zoom.pack(side="left")
        self.larger = Button(row, text="+", width=3, command=lambda: self._enlarge(1))
        self.larger.pack(side="left")

    def _draw_account(self) -> None:
        row = Frame(self.body)
        row.pack(anchor="w", pady=(self.look.px(8), self.look.px(18)))
        gap = (0, self.look.px(8))
        self.password = Button(
            row, text="Change password …", command=lambda: self._leave(self.choices.change_password)
        )
        self.password.pack(side="left", padx=gap)
        self.list_keys = Button(
            row, text="Keys …", command=lambda: self._leave(self.choices.show_keys)
        )
        self.list_keys.pack(side="left", padx=gap)
        self.log_out = Button(
            row, text="Log out", command=lambda: self._leave(self.choices.log_out)
        )
        self.log_out.pack(side="left")

    def _enlarge(self, steps: int) -> None:
        self.choices.enlarge(steps)
        self.zoom.configure(text=f"{self.look.zoom} %")

    def _leave(self, action: Callable[[], object]) -> None:
        self.close()
        action()


class KeysSheet(Sheet):
    """Lists the keys."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent, look, "Keys", width=520)
        table = Frame(self.body)
        table.pack(fill="x")
        for row, (keys, meaning) in enumerate(KEYS):
            name = Label(table, text=keys, font=look.fonts["name"])
            name.grid(row=row, column=0, sticky="w", pady=look.px(3), padx=(0, look.px(20)))
            Label(table, text=meaning, style="Muted.TLabel").grid(row=row, column=1, sticky="w")
        self.done = self.add_button("Close", self.close, "primary")
        self.open(self.done)
