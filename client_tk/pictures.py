"""Pictures that are drawn, not loaded: round corners, discs and the icon of the program.

Tk draws shapes without smoothing, so these are drawn larger by Pillow and scaled down.
"""

from __future__ import annotations

import tkinter

from PIL import Image, ImageDraw, ImageTk

FINE = 4  # drawn this many times larger


Box = tuple[int, int, int, int]  # left, top, right, bottom
Radii = tuple[int, int, int, int]  # of the corners from the top left, clockwise


class Pictures:
    """All drawn pictures of one root window, each made once."""

    def __init__(self, root: tkinter.Misc) -> None:
        self._root = root
        self._made: dict[tuple[object, ...], ImageTk.PhotoImage] = {}

    def disc(self, size: int, color: str) -> ImageTk.PhotoImage:
        """Return a filled circle, ``size`` pixels wide."""
        key = ("disc", size, color)
        if key not in self._made:
            picture = Image.new("RGBA", (size * FINE, size * FINE), (0, 0, 0, 0))
            ImageDraw.Draw(picture).ellipse((0, 0, size * FINE - 1, size * FINE - 1), fill=color)
            self._made[key] = self._shrink(picture, size, size)
        return self._made[key]

    def pill(self, width: int, height: int, color: str) -> ImageTk.PhotoImage:
        """Return a filled bar with half-round ends."""
        key = ("pill", width, height, color)
        if key not in self._made:
            picture = Image.new("RGBA", (width * FINE, height * FINE), (0, 0, 0, 0))
            box = (0, 0, width * FINE - 1, height * FINE - 1)
            ImageDraw.Draw(picture).rounded_rectangle(box, radius=height * FINE // 2, fill=color)
            self._made[key] = self._shrink(picture, width, height)
        return self._made[key]

    def draw_box(
        self, canvas: tkinter.Canvas, box: Box, radii: Radii, color: str, tag: str
    ) -> None:
        """Draw a filled box with round corners, ``radii`` from the top left, clockwise."""
        x0, y0, x1, y1 = box
        tl, tr, br, bl = radii
        points = [x0 + tl, y0, x1 - tr, y0, x1 - tr, y0 + tr, x1, y0 + tr, x1, y1 - br, x1 - br]
        points += [y1 - br, x1 - br, y1, x0 + bl, y1, x0 + bl, y1 - bl, x0, y1 - bl, x0, y0 + tl]
        points += [x0 + tl, y0 + tl]
        canvas.create_polygon(points, fill=color, outline="", tags=tag)
        places = ((x0, y0, "nw"), (x1, y0, "ne"), (x1, y1, "se"), (x0, y1, "sw"))
        for quarter, (x, y, anchor) in enumerate(places):
            if radii[quarter]:
                picture = self._corner(radii[quarter], quarter, color)
                canvas.create_image(x, y, image=picture, anchor=anchor, tags=tag)

    def _corner(self, radius: int, quarter: int, color: str) -> ImageTk.PhotoImage:
        key = ("corner", radius, quarter, color)
        if key not in self._made:
            fine = radius * FINE
            picture = Image.new("RGBA", (fine, fine), (0, 0, 0, 0))
            left = 0 if quarter in (0, 3) else -fine
            top = 0 if quarter in (0, 1) else -fine
            box = (left, top, left + 2 * fine - 1, top + 2 * fine - 1)
            ImageDraw.Draw(picture).ellipse(box, fill=color)
            self._made[key] = self._shrink(picture, radius, radius)
        return self._made[key]

    def program(self, size: int) -> ImageTk.PhotoImage:
        """Return the icon of BPost: a sealed letter."""
        key = ("program", size)
        if key not in self._made:
            self._made[key] = self._shrink(_letter(size * FINE), size, size)
        return self._made[key]

    def _shrink(self, picture: Image.Image, width: int, height: int) -> ImageTk.PhotoImage:
        small = picture.resize((width, height), Image.Resampling.LANCZOS)
        return ImageTk.PhotoImage(small, master=self._root)


def _letter(size: int) -> Image.Image:
    """Draw the letter: a white envelope with a round seal, on blue."""
    picture = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)

    def at(*points: float) -> list[float]:
        return [point * size for point in points]

    draw.rounded_rectangle(at(0.02, 0.02, 0.98, 0.98), radius=size * 0.23, fill="#2f68c5")
    draw.rounded_rectangle(at(0.18, 0.28, 0.82, 0.73), radius=size * 0.05, fill="#ffffff")
    draw.line(
        at(0.20, 0.31, 0.50, 0.53, 0.80, 0.31), fill="#9dbcec", width=size // 26, joint="curve"
    )
    draw.ellipse(at(0.40, 0.42, 0.60, 0.62), fill="#e0605e")
    draw.ellipse(at(0.455, 0.475, 0.545, 0.565), fill="#ffd9d8")
    return picture
