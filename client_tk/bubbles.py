"""How one message looks: its bubble, its time and ticks, and what stands above and below it."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from bpost.client import Message
from client_tk import words
from client_tk.model import Line
from client_tk.pictures import Box, Pictures
from client_tk.theme import Look
from client_tk.widgets import Canvas

MOST_CHARS, MOST_LINES = 4_000, 60  # of one message within the conversation
TICKS = {
    "waiting": "clock",
    "stored": "check2",
    "delivered": "check2-all",
    "read": "check2-all",
    "failed": "exclamation-circle-fill",
}
SAID = {
    "unreadable": "This message could not be read.",
    "unsupported": "This message needs a newer BPost. Update it to read such messages.",
}
BLANK = "\u00a0"


@dataclass(frozen=True)
class Layout:
    """The measures of one row, in pixels."""

    head: int  # what stands above: the day, the line of new messages
    gap: int
    text: str
    width: int
    height: int
    more: int  # characters left out
    below: str  # a sentence below the bubble
    foot: int


class BubblePainter:
    """Draws the lines of a conversation; `chosen` is the id of the one picked by keyboard."""

    def __init__(self, canvas: Canvas, look: Look, pictures: Pictures) -> None:
        self.canvas = canvas
        self.look = look
        self.pictures = pictures
        self.chosen = ""
        self._ruler = Canvas(canvas)
        self._measure = self._ruler.create_text(0, 0, anchor="nw")
        self._layouts: dict[str, tuple[Hashable, Layout]] = {}

    # Measures

    def stamp(self, row: Line) -> Hashable:
        """Return what the drawing of a row depends on."""
        return row, row.key == self.chosen, self.look.version

    def estimate(self, row: Line, width: int) -> int:
        """Guess the height of a row from the number of its characters."""
        px = self.look.text_px
        a_line = max(10, self._text_width(width) // px(7.6))
        text = row.message.text
        lines = min(MOST_LINES, 1 + len(text) // a_line + text.count("\n"))
        return lines * px(17) + self.look.px(30) + (px(40) if row.day else 0)

    def measure(self, row: Line, width: int) -> int:
        """Return the height of a row."""
        layout = self._layout(row, width)
        return layout.head + layout.gap + layout.height + layout.foot

    def _text_width(self, width: int) -> int:
        """Return the widest text of a bubble in a view of ``width``."""
        px = self.look.px
        whole = min(self.look.text_px(560), round(width * 0.74))
        return max(px(120), whole - 2 * px(12))

    def _layout(self, row: Line, width: int) -> Layout:
        key = (row, width, self.look.version)
        known = self._layouts.get(row.key)
        if known is None or known[0] != key:
            known = (key, self._make_layout(row, width))
            if len(self._layouts) > 2_000:
                self._layouts.clear()
            self._layouts[row.key] = known
        return known[1]

    def _make_layout(self, row: Line, width: int) -> Layout:
        px, text_px, message = self.look.px, self.look.text_px, row.message
        head = (text_px(44) if row.day else 0) + (text_px(38) if row.fresh else 0)
        gap = px(2) if row.joined else px(10)
        if message.kind == "notice":
            text_width = min(self._text_width(width), width - px(80))
            size = self.size(words.printable(message.text), "small", text_width)
            tall = size[1] + px(12)
            return Layout(head, px(8), message.text, size[0] + px(24), tall, 0, "", px(6))
        text, more = self._shown(message)
        size = self.size(self._with_room(text, message), "body", self._room(message, width))
        icon = px(26) if message.kind != "text" else 0
        more_height = text_px(22) if more else 0
        below = self._below(message)
        foot = self.size(below, "small", self._text_width(width))[1] + px(4) if below else 0
        wide = size[0] + 2 * px(12) + icon
        return Layout(head, gap, text, wide, size[1] + px(15) + more_height, more, below, foot)

    def _below(self, message: Message) -> str:
        """Return what has to be said of a message that can be read."""
        if message.kind != "text":
            return ""
        if message.status == "failed":
            return f"{message.failure or 'This message was not sent.'}  Retry"
        return message.failure

    def _room(self, message: Message, width: int) -> int:
        icon = self.look.px(26) if message.kind != "text" else 0
        return self._text_width(width) - icon

    def _shown(self, message: Message) -> tuple[str, int]:
        """Return what is shown of a message, and how many characters are left out."""
        if message.kind != "text":
            return words.printable(message.failure or SAID.get(message.kind, "")), 0
        text = message.text.rstrip("\n")
        kept = "\n".join(text[:MOST_CHARS].split("\n", MOST_LINES)[:MOST_LINES])
        return words.printable(kept), len(text) - len(kept)

    def _with_room(self, text: str, message: Message) -> str:
        """Add blanks that no line breaks in, as wide as the time and the ticks that lie on them."""
        blank = max(1, self.look.fonts["body"].measure(BLANK))
        return f"{text} {BLANK * math.ceil(self._meta_width(message) / blank)}"

    def _meta_width(self, message: Message) -> int:
        clock = self.look.fonts["tiny"].measure(_when(message))
        return clock + self.look.px(8) + (self.look.text_px(18) if _has_tick(message) else 0)

    def size(self, text: str, font: str, width: int) -> tuple[int, int]:
        """Return the width and height of a text that is wrapped at ``width``."""
        self._ruler.itemconfigure(
            self._measure, text=text, font=self.look.fonts[font], width=max(1, width)
        )
        x0, y0, x1, y1 = self._ruler.bbox(self._measure)
        return x1 - x0, y1 - y0

    # Drawing

    def draw(self, row: Line, top: int, width: int, tag: str) -> None:
        """Draw a row with its top at ``top``."""
        layout, y = self._layout(row, width), top
        if row.day:
            self._draw_day(row.day, y, width, tag)
            y += self.look.text_px(44)
        if row.fresh:
            self._draw_fresh(row.fresh, y, width, tag)
            y += self.look.text_px(38)
        y += layout.gap
        if row.message.kind == "notice":
            self._draw_notice(row.message, layout, y, width, tag)
        else:
            self._draw_bubble(row, layout, y, width, tag)

    def _draw_day(self, day: str, y: int, width: int, tag: str) -> None:
        palette, middle = self.look.palette, y + self.look.text_px(24)
        self.canvas.create_text(
            width // 2,
            middle,
            text=day,
            font=self.look.fonts["small"],
            fill=palette.muted,
            tags=tag,
        )

    def _draw_fresh(self, count: int, y: int, width: int, tag: str) -> None:
        palette, px, font = self.look.palette, self.look.px, self.look.fonts["small"]
        text = "1 new message" if count == 1 else f"{count:,} new messages"
        half, middle = font.measure(text) // 2 + px(12), y + self.look.text_px(19)
        for left, right in ((px(24), width // 2 - half), (width // 2 + half, width - px(24))):
            if right > left:
                self.canvas.create_line(left, middle, right, middle, fill=palette.accent, tags=tag)
        self.canvas.create_text(
            width // 2, middle, text=text, font=font, fill=palette.accent, tags=tag
        )

    def _draw_notice(self, message: Message, layout: Layout, y: int, width: int, tag: str) -> None:
        left = (width - layout.width) // 2
        box = (left, y, left + layout.width, y + layout.height)
        radius = self.look.px(10)
        radii = (radius, radius, radius, radius)
        self.pictures.draw_box(self.canvas, box, radii, self.look.palette.notice, tag)
        self.canvas.create_text(
            width // 2,
            y + layout.height // 2,
            text=words.printable(message.text),
            font=self.look.fonts["small"],
            fill=self.look.palette.text,
            width=layout.width - self.look.px(16),
            justify="center",
            tags=tag,
        )

    def _draw_bubble(self, row: Line, layout: Layout, y: int, width: int, tag: str) -> None:
        px, palette, message = self.look.px, self.look.palette, row.message
        left = width - px(22) - layout.width if message.own else px(22)
        box = (left, y, left + layout.width, y + layout.height)
        round_, small = px(14), px(5)
        top = small if row.joined else round_
        radii = (round_, top, small, round_) if message.own else (top, round_, round_, small)
        if row.key == self.chosen:
            ring = px(2)
            around = (box[0] - ring, box[1] - ring, box[2] + ring, box[3] + ring)
            grown = (radii[0] + ring, radii[1] + ring, radii[2] + ring, radii[3] + ring)
            self.pictures.draw_box(self.canvas, around, grown, palette.accent, tag)
        color = palette.own if message.own else palette.other
        self.pictures.draw_box(self.canvas, box, radii, color, tag)
        self._draw_text(message, layout, box, width, tag)
        self._draw_meta(message, box, tag)
        if layout.below:
            self._draw_below(message, layout, box, width, tag)

    def _draw_text(self, message: Message, layout: Layout, box: Box, width: int, tag: str) -> None:
        px, palette = self.look.px, self.look.palette
        left = box[0] + px(12)
        readable = message.kind == "text"
        if not readable:
            icon = self.look.icon("shield-exclamation", 16, palette.warning)
            if message.kind == "deleted":
                icon = self.look.icon("slash-circle", 16, self._meta_color(message))
            self.canvas.create_image(left, box[1] + px(9), image=icon, anchor="nw", tags=tag)
            left += px(26)
        self.canvas.create_text(
            left,
            box[1] + px(7),
            text=layout.text,
            font=self.look.fonts["body"],
            fill=palette.text if readable else self._meta_color(message),
            width=self._room(message, width),
            anchor="nw",
            tags=tag,
        )
        if layout.more:
            self.canvas.create_text(
                left,
                box[3] - px(8),
                text=f"Show all · {layout.more:,} more characters",
                font=self.look.fonts["small"],
                fill=palette.accent,
                anchor="sw",
                tags=(tag, "do:all"),
            )

    def _draw_meta(self, message: Message, box: Box, tag: str) -> None:
        """Draw time and ticks in the lower right corner."""
        px, palette = self.look.px, self.look.palette
        color = self._meta_color(message)
        right, bottom = box[2] - px(10), box[3] - px(5)
        if _has_tick(message):
            tick = palette.read if message.status == "read" else color
            tick = palette.danger if message.status == "failed" else tick
            icon = self.look.icon(TICKS.get(message.status, "check2"), 14, tick)
            self.canvas.create_image(right, bottom, image=icon, anchor="se", tags=tag)
            right -= self.look.text_px(18)
        self.canvas.create_text(
            right,
            bottom,
            text=_when(message),
            font=self.look.fonts["tiny"],
            fill=color,
            anchor="se",
            tags=tag,
        )

    def _meta_color(self, message: Message) -> str:
        """Return the quiet colour of a bubble."""
        palette = self.look.palette
        return palette.own_meta if message.own else palette.other_meta

    def _draw_below(self, message: Message, layout: Layout, box: Box, width: int, tag: str) -> None:
        failed, gap = message.status == "failed", self.look.px(2)
        self.canvas.create_text(
            box[2] - gap if message.own else box[0] + gap,
            box[3] + self.look.px(3),
            text=layout.below,
            font=self.look.fonts["small"],
            fill=self.look.palette.danger if failed else self.look.palette.warning,
            width=self._text_width(width),
            justify="right" if message.own else "left",
            anchor="ne" if message.own else "nw",
            tags=(tag, "do:retry") if failed else tag,
        )


def _when(message: Message) -> str:
    """Return when a message was sent, and whether it was changed since."""
    return f"{'edited ' if message.edited else ''}{words.clock(message.sent)}"


def _has_tick(message: Message) -> bool:
    """Say whether it is shown how far a message has got."""
    return message.own and message.kind != "deleted"


def action_at(canvas: Canvas, x: int, y: int) -> str:
    """Return what a click at this place of the canvas asks for; empty for nothing."""
    for item in reversed(canvas.find_overlapping(x, y, x, y)):
        for tag in canvas.gettags(item):
            if tag.startswith("do:"):
                return tag[3:]
    return ""
