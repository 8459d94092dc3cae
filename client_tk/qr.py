"""QR codes, as pictures; the only module that knows segno."""

from __future__ import annotations

import tkinter

import segno
from PIL import Image, ImageTk

BORDER = 4
"""Modules of white around a code, without which no camera finds it."""


def qr_image(text: str, size: int) -> Image.Image:
    """Draw ``text`` as a QR code about ``size`` pixels wide: black on white, in the dark too."""
    code = segno.make(text, error="m", micro=False)
    rows = [bytes(row) for row in code.matrix_iter(border=BORDER)]
    shades = bytes(0 if module else 255 for row in rows for module in row)
    image = Image.frombytes("L", (len(rows), len(rows)), shades)
    scale = max(2, round(size / len(rows)))
    return image.resize((len(rows) * scale,) * 2, Image.Resampling.NEAREST)


def qr_picture(root: tkinter.Misc, text: str, size: int) -> ImageTk.PhotoImage:
    """Return such a code for a label; whoever shows it must keep it."""
    return ImageTk.PhotoImage(qr_image(text, size), master=root)
