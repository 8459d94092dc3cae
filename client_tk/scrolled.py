"""A frame that scrolls where there is too little room for what is in it."""

from __future__ import annotations

import tkinter
from typing import cast

from client_tk.widgets import ScrolledFrame


class Scrolled(ScrolledFrame):
    """Shows its bar only when that is of use, and brings into view what gets the focus."""

    @property
    def view(self) -> tkinter.Canvas:
        """The part of it that is seen."""
        return cast("tkinter.Canvas", self.master)

    def keep_apart(self, gap: int) -> int:
        """Leave a gap between what is shown and the bar; return what both take, always."""
        lane = int(self.vbar.winfo_reqwidth()) + gap
        self.vbar.grid_configure(padx=(gap, 0))
        self.container.grid_columnconfigure(1, minsize=lane)
        return lane

    def show_part(self, width: int, height: int) -> None:
        """Let so much be seen; what is in it learns its width at once, before it is shown."""
        self.view.configure(width=width, height=height)
        self.view.itemconfigure("all", width=width)

    def show_bar(self, wanted: bool) -> None:
        """Show or hide the bar; the wheel turns whatever is in the frame by then."""
        if wanted:
            self.show_scrollbars()
            self.enable_scrolling()
        else:
            self.hide_scrollbars()
            self.yview_moveto(0.0)

    def reveal(self, widget: tkinter.Misc) -> None:
        """Scroll a widget of the frame into view, with some room around it."""
        if not str(widget).startswith(f"{self}."):
            return
        whole = max(1, self.winfo_height())
        top = (widget.winfo_rooty() - self.winfo_rooty()) / whole
        bottom = top + widget.winfo_height() / whole
        first, last = self.yview() or (0.0, 1.0)
        around = 0.1 * (last - first)
        if top < first + around or bottom > last - around:
            self.yview_moveto(max(0.0, (top + bottom) / 2 - (last - first) / 2))
