"""The list of conversations: a picture with initials, the name, the last line, the time."""

from __future__ import annotations

import functools
import tkinter
from collections.abc import Callable, Hashable

from client_tk import words
from client_tk.bubbles import TICKS
from client_tk.model import Row
from client_tk.pictures import Box, Pictures
from client_tk.scroller import Scroller
from client_tk.theme import DISCS, Look
from client_tk.widgets import Canvas

HEIGHT = 64


class RowPainter:
    """Draws the rows of the list."""

    def __init__(self, canvas: Canvas, look: Look, pictures: Pictures) -> None:
        self.canvas = canvas
        self.look = look
        self.pictures = pictures
        self.pointed = ""
        self.focused = False

    def estimate(self, row: Row, width: int) -> int:
        """Return the height of a row: all are alike."""
        return self.measure(row, width)

    def measure(self, row: Row, width: int) -> int:  # noqa: ARG002 (as Painter has it)
        """Return the height of a row."""
        return max(self.look.px(HEIGHT), self.look.text_px(HEIGHT))

    def stamp(self, row: Row) -> Hashable:
        """Return what the drawing of a row depends on."""
        return row, row.key == self.pointed, self.focused and row.chosen, self.look.version

    def draw(self, row: Row, top: int, width: int, tag: str) -> None:
        """Draw a row."""
        px, height = self.look.px, self.measure(row, width)
        self._draw_ground(row, top, width, tag)
        size = round(height * 0.66)
        draw_face(self, row.name, px(14), top + (height - size) // 2, size, tag)
        left, right = px(14) + size + px(12), width - px(14)
        self._draw_name(row, (left, right), top + round(height * 0.33), tag)
        self._draw_text(row, (left, right), top + round(height * 0.68), tag)

    def _draw_ground(self, row: Row, top: int, width: int, tag: str) -> None:
        palette, px, height = self.look.palette, self.look.px, self.measure(row, width)
        if not row.chosen and row.key != self.pointed:
            return
        color = palette.chosen if row.chosen else palette.hover
        box = (px(6), top + px(1), width - px(6), top + height - px(1))
        if self.focused and row.chosen:
            self._round(box, palette.accent, tag)
            box = (box[0] + px(2), box[1] + px(2), box[2] - px(2), box[3] - px(2))
        self._round(box, color, tag)

    def _round(self, box: Box, color: str, tag: str) -> None:
        radius = self.look.px(10)
        self.pictures.draw_box(self.canvas, box, (radius, radius, radius, radius), color, tag)

    def _draw_name(self, row: Row, span: tuple[int, int], y: int, tag: str) -> None:
        palette, fonts, (left, right) = self.look.palette, self.look.fonts, span
        color = palette.accent if row.unread else palette.muted
        self.canvas.create_text(
            right, y, text=row.time, font=fonts["tiny"], fill=color, anchor="e", tags=tag
        )
        room = right - left - (fonts["tiny"].measure(row.time) + self.look.px(10)) * bool(row.time)
        for sign, tint in self._signs(row):
            icon = self.look.icon(sign, 13, tint)
            room -= self.look.text_px(18)
            self.canvas.create_image(left + room, y, image=icon, anchor="w", tags=tag)
        self.canvas.create_text(
            left,
            y,
            text=elide(fonts["name"].measure, row.title or row.name, room),
            font=fonts["name"],
            fill=palette.text,
            anchor="w",
            tags=tag,
        )

    def _signs(self, row: Row) -> list[tuple[str, str]]:
        signs = []
        if row.alert:
            signs.append(("shield-exclamation", self.look.palette.warning))
        if row.verified:
            signs.append(("shield-check", self.look.palette.good))
        if row.blocked:
            signs.append(("slash-circle", self.look.palette.muted))
        return signs

    def _draw_text(self, row: Row, span: tuple[int, int], y: int, tag: str) -> None:
        palette, font, (left, right) = self.look.palette, self.look.fonts["small"], span
        if row.unread:
            right = self._draw_badge(row.unread, right, y, tag) - self.look.px(6)
        if row.status:
            tint = palette.read if row.status == "read" else palette.muted
            tint = palette.danger if row.status == "failed" else tint
            icon = self.look.icon(TICKS.get(row.status, "check2"), 13, tint)
            self.canvas.create_image(left, y, image=icon, anchor="w", tags=tag)
            left += self.look.text_px(18)
        if row.draft:
            self.canvas.create_text(
                left, y, text="Draft:", font=font, fill=palette.danger, anchor="w", tags=tag
            )
            left += font.measure("Draft: ")
        self.canvas.create_text(
            left,
            y,
            text=elide(font.measure, row.text, right - left),
            font=font,
            fill=palette.text if row.unread else palette.muted,
            anchor="w",
            tags=tag,
        )

    def _draw_badge(self, unread: int, right: int, y: int, tag: str) -> int:
        """Draw the number of new messages; return where it begins."""
        font, px = self.look.fonts["badge"], self.look.px
        text = str(unread) if unread < 1000 else "999+"
        height = self.look.text_px(19)
        width = max(height, font.measure(text) + px(12))
        picture = self.pictures.pill(width, height, self.look.palette.accent)
        self.canvas.create_image(right, y, image=picture, anchor="e", tags=tag)
        self.canvas.create_text(
            right - width // 2,
            y,
            text=text,
            font=font,
            fill=self.look.palette.on_accent,
            tags=(tag, "badge"),
        )
        return right - width


def draw_face(painter: RowPainter, name: str, x: int, y: int, size: int, tag: str) -> None:
    """Draw the picture of a person: a disc with initials."""
    disc = painter.pictures.disc(size, DISCS[words.color_number(name, len(DISCS))])
    painter.canvas.create_image(x, y, image=disc, anchor="nw", tags=tag)
    painter.canvas.create_text(
        x + size // 2,
        y + size // 2,
        text=words.initials(name),
        font=painter.look.fonts["name"],
        fill="#ffffff",
        tags=tag,
    )


def elide(measure: Callable[[str], int], text: str, room: int) -> str:
    """Cut ``text`` so that it fits into ``room`` pixels."""
    if measure(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle].rstrip() + "…") <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low else ""


class ConversationList(Scroller[Row]):
    """The list: click or arrow keys choose a conversation."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        pictures: Pictures,
        on_choose: Callable[[str], object],
    ) -> None:
        super().__init__(
            parent, look, lambda canvas: self._make_painter(canvas, pictures), surface="@chrome"
        )
        self.on_choose = on_choose
        self.canvas.configure(background=self.background())
        self.canvas.bind("<Button-1>", self._clicked)
        self.canvas.bind("<Motion>", lambda event: self._point(self.row_at(event.y)))
        self.canvas.bind("<Leave>", lambda _: self._point(None))
        self.canvas.bind("<FocusIn>", lambda _: self._focus(True))
        self.canvas.bind("<FocusOut>", lambda _: self._focus(False))
        for key, step in (("Up", -1), ("Down", 1), ("Prior", -8), ("Next", 8)):
            self.canvas.bind(f"<{key}>", functools.partial(self._stepped, step))

    def _make_painter(self, canvas: Canvas, pictures: Pictures) -> RowPainter:
        self.painter = RowPainter(canvas, self.look, pictures)
        return self.painter

    def background(self) -> str:
        """Return the colour of the side."""
        return self.look.palette.side

    def chosen(self) -> int:
        """Return which row is chosen; -1 for none."""
        return next((place for place, row in enumerate(self.rows) if row.chosen), -1)

    def step(self, step: int, around: bool = False) -> None:
        """Choose the next conversation, or an earlier one."""
        if not self.rows:
            return
        place = self.chosen() + step if self.chosen() >= 0 else 0
        place = place % len(self.rows) if around else max(0, min(place, len(self.rows) - 1))
        self.choose(place)

    def _stepped(self, step: int, _: tkinter.Event[tkinter.Misc]) -> None:
        self.step(step)

    def choose(self, place: int) -> None:
        """Choose the conversation in row ``place``."""
        if 0 <= place < len(self.rows):
            self.reveal(place)
            self.on_choose(self.rows[place].name)

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        place = self.row_at(event.y)
        if place is not None:
            self.choose(place)

    def _point(self, place: int | None) -> None:
        pointed = self.rows[place].key if place is not None else ""
        if pointed != self.painter.pointed:
            self.painter.pointed = pointed
            self.repaint()

    def _focus(self, focused: bool) -> None:
        self.painter.focused = focused
        self.repaint()
