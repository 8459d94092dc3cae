"""A scrolling list of any length, of which only the rows that are seen are drawn.

A row is measured when it comes near the view and estimated before. The view hangs on an anchor,
one row and its distance from the top, so rows may change or be added anywhere without the rest
jumping. Painting compares what should be seen with what is drawn: an unchanged row is moved,
any other is drawn anew.
"""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar

from client_tk.theme import Look
from client_tk.widgets import Canvas, Frame, Scrollbar, Timers

NOTCH = 72  # what one notch of the mouse wheel scrolls
NEAR = 25  # this many rows from the top, older ones are asked for


class Row(Protocol):
    """One row: ``key`` stays the same while the row lives."""

    @property
    def key(self) -> str:
        """What names this row."""


R = TypeVar("R", bound=Row)
RowDrawn = TypeVar("RowDrawn", bound=Row, contravariant=True)


class Painter(Protocol[RowDrawn]):
    """What knows how rows look."""

    def estimate(self, row: RowDrawn, width: int) -> int:
        """Guess the height of a row, quickly."""

    def measure(self, row: RowDrawn, width: int) -> int:
        """Return the height of a row."""

    def stamp(self, row: RowDrawn) -> Hashable:
        """Return a value that changes whenever the row would look different."""

    def draw(self, row: RowDrawn, top: int, width: int, tag: str) -> None:
        """Draw a row on the canvas; everything drawn bears ``tag``."""


class Scroller(Frame, Generic[R]):
    """A canvas with a scroll bar, that shows rows through a painter.

    With ``from_bottom`` few rows lie at the bottom, and the view stays at the end when rows are
    added while it is there (``at_end``).
    """

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        make_painter: Callable[[Canvas], Painter[R]],
        *,
        from_bottom: bool = False,
        surface: str = "",
    ) -> None:
        super().__init__(parent)
        self.look = look
        self.margin = 0  # kept free below the last row
        self.canvas = Canvas(self, highlightthickness=0, borderwidth=0, takefocus=True)
        self.canvas.pack(fill="both", expand=True)
        # Lies on the canvas, so that it can come and go without moving anything.
        self.bar = Scrollbar(
            self, orient="vertical", command=self._bar_moved, bootstyle=f"{surface} thin"
        )
        self.rows: Sequence[R] = ()
        self.at_end = from_bottom
        self.on_near_top: Callable[[], None] = lambda: None
        self.on_scrolled: Callable[[], None] = lambda: None
        self._from_bottom = from_bottom
        self._painter = make_painter(self.canvas)
        self._heights: list[int] = []
        self._sizes: dict[str, tuple[Hashable, int, bool]] = {}  # stamp, height, measured or not
        self._width = 0
        self._anchor = (0, 0)  # row, distance of its top from the top of the view
        self._drawn: dict[str, tuple[Hashable, int, str]] = {}
        self._serial = 0
        self._timers = Timers(self)
        self._bind_events()

    def _bind_events(self) -> None:
        self.canvas.bind("<Configure>", lambda _: self.repaint())
        self.canvas.bind("<MouseWheel>", self._wheel)
        self.canvas.bind("<Button-4>", lambda _: self.scroll(-self.look.px(NOTCH)))
        self.canvas.bind("<Button-5>", lambda _: self.scroll(self.look.px(NOTCH)))
        self.look.follow(self.restyle)
        self.bind("<Destroy>", lambda _: self.look.forget(self.restyle), add="+")

    def _wheel(self, event: tkinter.Event[tkinter.Misc]) -> None:
        notches = event.delta / 120 if abs(event.delta) >= 120 else event.delta / 3
        self.scroll(round(-notches * self.look.px(NOTCH)))

    # Rows

    def show(self, rows: Sequence[R], *, keep: bool = True) -> None:
        """Show other rows; with ``keep`` the row at the top of the view stays where it is.

        The caller must not change ``rows`` afterwards.
        """
        held = self._held() if keep else None
        self.rows = rows
        self._heights = [self._known_height(row) for row in rows]
        if not keep:
            self._anchor, self.at_end = (0, 0), self._from_bottom
        elif held is not None:
            place = next((n for n, row in enumerate(rows) if row.key == held[0]), None)
            self._anchor = (min(self._anchor[0], max(0, len(rows) - 1)), held[1])
            if place is not None:
                self._anchor = (place, held[1])
        self.repaint()

    def _held(self) -> tuple[str, int] | None:
        """Return the key of the anchored row and its distance from the top."""
        place, distance = self._anchor
        return (self.rows[place].key, distance) if place < len(self.rows) else None

    def _known_height(self, row: R) -> int:
        stamp, known = self._painter.stamp(row), self._sizes.get(row.key)
        if known is None or known[0] != stamp:
            guess = self._painter.estimate(row, self._width or self.look.px(600))
            known = self._sizes[row.key] = (stamp, guess, False)
        return known[1]

    def restyle(self) -> None:
        """Measure and draw everything anew, after a change of the look."""
        self.canvas.configure(background=self.background())
        self._forget_sizes()
        self.repaint()

    def background(self) -> str:
        """Return the colour behind the rows."""
        return self.look.palette.background

    def _forget_sizes(self) -> None:
        self._sizes.clear()
        self.canvas.delete("all")
        self._drawn.clear()
        self._heights = [self._known_height(row) for row in self.rows]

    # Scrolling

    def scroll(self, pixels: int) -> None:
        """Move the view down by ``pixels``, or up."""
        place, distance = self._anchor
        if pixels < 0:
            self.at_end = False
        self._anchor = (place, distance - pixels)
        self.paint()
        self.on_scrolled()

    def page(self, pages: int) -> None:
        """Move the view by almost its own height."""
        self.scroll(round(pages * self.canvas.winfo_height() * 0.9))

    def to_end(self) -> None:
        """Show the last row."""
        self.at_end = True
        if not self._from_bottom and self.rows:
            self.at_end = False
            self._anchor = (len(self.rows) - 1, 0)
        self.paint()
        self.on_scrolled()

    def to_row(self, place: int, distance: int = 0) -> None:
        """Put the top of a row ``distance`` pixels below the top of the view."""
        self.at_end = False
        self._anchor = (max(0, min(place, len(self.rows) - 1)), distance)
        self.paint()
        self.on_scrolled()

    def reveal(self, place: int) -> None:
        """Scroll just as far as needed to show a whole row."""
        top = self.row_top(place)
        bottom = top + self._heights[place]
        if top < 0:
            self.to_row(place)
        elif bottom > self.canvas.winfo_height() - self.margin:
            self.scroll(bottom - self.canvas.winfo_height() + self.margin)

    def row_top(self, place: int) -> int:
        """Return the distance of a row from the top of the view."""
        first, distance = self._anchor
        if place >= first:
            return distance + sum(self._heights[first:place])
        return distance - sum(self._heights[place:first])

    def row_at(self, y: int) -> int | None:
        """Return which row lies at ``y`` of the view."""
        place, top = self._anchor
        while place < len(self.rows) and top <= y:
            if y < top + self._heights[place]:
                return place
            top += self._heights[place]
            place += 1
        return None

    def _bar_moved(self, kind: str, amount: str, unit: str = "") -> None:
        if kind == "scroll":
            if unit == "pages":
                self.page(int(amount))
            else:
                self.scroll(int(amount) * self.look.px(NOTCH))
            return
        self.at_end = False
        target, place = round(float(amount) * sum(self._heights)), 0
        while place < len(self._heights) - 1 and target >= self._heights[place]:
            target -= self._heights[place]
            place += 1
        self._anchor = (place, -target)
        self.paint()
        self.on_scrolled()

    # Painting

    def repaint(self) -> None:
        """Paint soon, once, however often this is called."""
        self._timers.soon("paint", self.paint)

    def paint(self) -> None:
        """Bring the canvas up to date now."""
        width, height = self.canvas.winfo_width(), self.canvas.winfo_height()
        if width <= 1:
            return
        if width != self._width:
            self._width = width
            self._forget_sizes()
        self._settle(height - self.margin)
        wanted = self._seen(height)
        self._erase(set(wanted))
        for key, (place, top) in wanted.items():
            self._place_row(self.rows[place], key, top)
        self._set_bar(height - self.margin)
        if self.rows and self._anchor[0] < NEAR:
            self.on_near_top()

    def _settle(self, height: int) -> None:
        """Move the anchor to the first row seen, and keep the view within the rows."""
        if not self.rows:
            self._anchor = (0, 0)
            return
        if self.at_end:
            self._anchor = (len(self.rows) - 1, height - self._measured(len(self.rows) - 1))
        self._climb()
        self._bound(height)
        self._climb()

    def _climb(self) -> None:
        """Let the anchor be the row that lies across the top of the view."""
        place, top = self._anchor
        while top > 0 and place > 0:
            place -= 1
            top -= self._measured(place)
        while place < len(self.rows) - 1 and top + self._measured(place) <= 0:
            top += self._heights[place]
            place += 1
        self._anchor = (place, top)

    def _bound(self, height: int) -> None:
        """Leave no gap above the first row or below the last one, if there are enough rows."""
        place, top = self._anchor
        bottom, last = top, place
        while last < len(self.rows) and bottom < height:
            bottom += self._measured(last)
            last += 1
        if last == len(self.rows) and bottom <= height:
            self.at_end = self._from_bottom
            top += height - bottom
            while top > 0 and place > 0:
                place -= 1
                top -= self._measured(place)
        if place == 0 and top > 0:
            whole = sum(self._heights)
            fits = bottom <= height and whole <= height
            top = height - whole if fits and self._from_bottom else 0
        self._anchor = (place, top)

    def _measured(self, place: int) -> int:
        """Return the height of a row, measured if it was not."""
        row = self.rows[place]
        stamp = self._painter.stamp(row)
        known = self._sizes.get(row.key)
        if known is None or known[0] != stamp or not known[2]:
            known = (stamp, self._painter.measure(row, self._width), True)
            self._sizes[row.key] = known
        self._heights[place] = known[1]
        return known[1]

    def _seen(self, height: int) -> dict[str, tuple[int, int]]:
        """Return the rows within the view: their places and tops."""
        seen: dict[str, tuple[int, int]] = {}
        place, top = self._anchor
        while place < len(self.rows) and top < height:
            seen[self.rows[place].key] = (place, top)
            top += self._measured(place)
            place += 1
        return seen

    def _erase(self, kept: set[str]) -> None:
        for key in self._drawn.keys() - kept:
            self.canvas.delete(self._drawn.pop(key)[2])

    def _place_row(self, row: R, key: str, top: int) -> None:
        stamp = self._painter.stamp(row)
        drawn = self._drawn.get(key)
        if drawn is not None and drawn[0] == stamp:
            if drawn[1] != top:
                self.canvas.move(drawn[2], 0, top - drawn[1])
                self._drawn[key] = (stamp, top, drawn[2])
            return
        if drawn is not None:
            self.canvas.delete(drawn[2])
        self._serial += 1
        tag = f"row{self._serial}"
        self._painter.draw(row, top, self._width, tag)
        self._drawn[key] = (stamp, top, tag)

    def _set_bar(self, height: int) -> None:
        whole = max(1, sum(self._heights))
        above = sum(self._heights[: self._anchor[0]]) - self._anchor[1]
        if whole <= height:
            self.bar.place_forget()
            return
        self.bar.set(max(0.0, above / whole), min(1.0, (above + height) / whole))
        if not self.bar.winfo_manager():
            self.bar.place(relx=1, rely=0, relheight=1, anchor="ne")
