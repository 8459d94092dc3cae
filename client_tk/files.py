"""Asking for files, with the dialogs of the desktop."""

from __future__ import annotations

import tkinter
from pathlib import Path
from tkinter import filedialog


def save_as(parent: tkinter.Misc, title: str, name: str) -> Path | None:
    """Ask where to write a file that is called ``name`` at first; it warns of one that exists."""
    folder = Path.home()
    found = filedialog.asksaveasfilename(
        parent=parent, title=title, initialdir=folder, initialfile=name
    )
    return Path(found) if found else None


def open_file(parent: tkinter.Misc, title: str) -> Path | None:
    """Ask for a file that exists."""
    found = filedialog.askopenfilename(parent=parent, title=title, initialdir=Path.home())
    return Path(found) if found else None
