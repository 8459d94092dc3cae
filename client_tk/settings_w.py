"""The settings, and what keys on the keyboard do."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass

import bpost
from bpost.client import KeyLogState
from client_tk.safety import log_line
from client_tk.settings import LOCK_MINUTES
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
    ("Delete  in the messages", "Delete the picked message"),
    ("Ctrl+↑", "Edit your last message"),
    ("Page Up  Page Down", "Scroll"),
    ("Ctrl++  Ctrl+−  Ctrl+0", "Size of the text"),
    ("F2  in a password", "Show it, or hide it"),
    ("Ctrl+L", "Lock"),
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
    show_devices: Callable[[], object]
    show_keys: Callable[[], object]
    log_out: Callable[[], object]
    lock_minutes: int
    lock_after: Callable[[int], object]
    lock: Callable[[], object]
    backup: Callable[[], object]
    delete: Callable[[], object]
    read_log: Callable[[Callable[[KeyLogState], object]], object]


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
        self._draw_lock()
        self._heading("Account")
        Wrapped(self.body, text=account, style="Muted.TLabel").pack(fill="x")
        self.log_line = Wrapped(self.body, text="", style="Muted.TLabel")
        self.log_line.pack(fill="x")
        self._draw_account()
        Separator(self.body).pack(fill="x", pady=(0, look.px(12)))
        about = f"BPost {bpost.__version__} · a private messenger that anyone can host"
        Wrapped(self.body, text=about, style="Muted.TLabel").pack(fill="x")
        self.done = self.add_button("Close", self.close, "primary")
        self.open(self.modes[choices.appearance])
        choices.read_log(self._show_log)

    def _show_log(self, log: KeyLogState) -> None:
        """Say how it stands with the server's log of keys."""
        if self.winfo_exists():
            sentence, style = log_line(log)
            self.log_line.configure(text=sentence, style=f"{style}.TLabel")

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

    def _draw_lock(self) -> None:
        self._heading("Lock when nobody is there")
        row = Frame(self.body)
        row.pack(anchor="w", pady=(0, self.look.px(16)))
        self.minutes = tkinter.IntVar(self, value=self.choices.lock_minutes)
        self.locks: dict[int, Radiobutton] = {}
        for minutes in LOCK_MINUTES:
            button = Radiobutton(
                row,
                text=f"{minutes} min" if minutes else "Never",
                value=minutes,
                variable=self.minutes,
                command=lambda: self.choices.lock_after(self.minutes.get()),
            )
            button.pack(side="left", padx=(0, self.look.px(14)))
            self.locks[minutes] = button

    def _draw_account(self) -> None:
        choices, first, second = self.choices, Frame(self.body), Frame(self.body)
        first.pack(anchor="w", pady=(self.look.px(8), self.look.px(8)))
        second.pack(anchor="w", pady=(0, self.look.px(18)))
        self.password = self._button(first, "Change password …", choices.change_password)
        self.list_keys = self._button(first, "Keyboard …", choices.show_keys)
        self.lock = self._button(first, "Lock now", choices.lock)
        self.log_out = self._button(first, "Log out", choices.log_out)
        self.devices = self._button(second, "Devices …", choices.show_devices)
        self.backup = self._button(second, "Backup …", choices.backup)
        self.delete = self._button(second, "Delete the account …", choices.delete)

    def _button(self, row: Frame, text: str, action: Callable[[], object]) -> Button:
        """Put a button into ``row`` that leaves the settings for something else."""
        button = Button(row, text=text, command=lambda: self._leave(action))
        button.pack(side="left", padx=(0, self.look.px(8)))
        return button

    def _enlarge(self, steps: int) -> None:
        self.choices.enlarge(steps)
        self.zoom.configure(text=f"{self.look.zoom} %")

    def _leave(self, action: Callable[[], object]) -> None:
        self.close()
        action()


class KeysSheet(Sheet):
    """Lists the keys."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent, look, "Keyboard", width=520)
        table = Frame(self.body)
        table.pack(fill="x")
        for row, (keys, meaning) in enumerate(KEYS):
            name = Label(table, text=keys, font=look.fonts["name"])
            name.grid(row=row, column=0, sticky="w", pady=look.px(3), padx=(0, look.px(20)))
            Label(table, text=meaning, style="Muted.TLabel").grid(row=row, column=1, sticky="w")
        self.done = self.add_button("Close", self.close, "primary")
        self.open(self.done)
