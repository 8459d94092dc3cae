"""Where the window is to be."""

from __future__ import annotations

import re
import tkinter
from collections.abc import Iterable

from client_tk.theme import Look

SIZE = (1020, 700)
GEOMETRY = re.compile(r"\d{2,5}x\d{2,5}\+(-?\d{1,5})\+(-?\d{1,5})")


def find_place(root: tkinter.Tk, look: Look, wanted: Iterable[str]) -> str:
    """Return the first of ``wanted`` that is on the screen, or the middle of it."""
    for one in wanted:
        found = GEOMETRY.fullmatch(one)
        if found is None:
            continue
        x, y = int(found[1]), int(found[2])
        if x < root.winfo_screenwidth() - 50 and y < root.winfo_screenheight() - 50:
            return one
    return _middle(root, look)


def _middle(root: tkinter.Tk, look: Look) -> str:
    """Return the usual size, in the middle of the screen, and not larger than it."""
    width = min(look.px(SIZE[0]), root.winfo_screenwidth())
    height = min(look.px(SIZE[1]), root.winfo_screenheight())
    x = (root.winfo_screenwidth() - width) // 2
    y = (root.winfo_screenheight() - height) // 3
    return f"{width}x{height}+{x}+{y}"
