"""Asking for files, with the dialogs of the desktop."""

from __future__ import annotations

import tkinter
from pathlib import Path
from tkinter import filedialog

ALL = ("All files", "*")


def save_as(parent: tkinter.Misc, title: str, name: str) -> Path | None:
    """Ask where to write a file that is called ``name`` at first; it warns of one that exists."""
    kinds = [(f"*{Path(name).suffix}", f"*{Path(name).suffix}"), ALL]
    found = filedialog.asksaveasfilename(
        parent=parent, title=title, initialdir=Path.home(), initialfile=name, filetypes=kinds
    )
    return Path(found) if found else None


def open_file(parent: tkinter.Misc, title: str, suffix: str) -> Path | None:
    """Ask for a file that exists, those with the ending first."""
    kinds = [(f"*{suffix}", f"*{suffix}"), ALL]
    found = filedialog.askopenfilename(
        parent=parent, title=title, initialdir=Path.home(), filetypes=kinds
    )
    return Path(found) if found else None
