"""The small window above the main one, that all dialogs are made from."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from client_tk.scrolled import Scrolled
from client_tk.theme import Look, destroyed
from client_tk.widgets import Button, Frame, Label, Toplevel

EDGE = 24
DECORATION = 60  # what the desktop draws around a window, and a bar of its own


class Sheet(Toplevel):
    """A small window above the main one; Esc closes it, and the focus goes back where it was.

    It is as high as what is in it, and never higher than the screen: then its middle scrolls.
    """

    def __init__(self, parent: tkinter.Misc, look: Look, title: str, width: int = 420) -> None:
        super().__init__(title=title, master=parent, iconphoto=None, resizable=(False, False))
        self.withdraw()
        self.look = look
        self._came_from = parent.focus_get()
        self._width = look.text_px(width)
        self.transient(parent.winfo_toplevel())
        self._whole = Frame(self, style="Edge.TFrame", padding=1)
        self._whole.pack(fill="both", expand=True)
        inside, edge = Frame(self._whole), look.px(EDGE)
        inside.pack(fill="both", expand=True)
        heading = Label(inside, text=title, font=look.fonts["title"])
        heading.pack(anchor="w", padx=edge, pady=(edge, look.px(14)))
        self.body = Scrolled(inside, padding=0, width=self._width, height=1)
        self.body.show_part(self._width, 1)
        lane = self.body.keep_apart(look.px(6))
        self.body.pack(fill="both", expand=True, padx=(edge, max(0, edge - lane)))
        self.buttons = Frame(inside)
        self.buttons.pack(fill="x", padx=edge, pady=(look.px(20), edge))
        self.body.bind("<Configure>", lambda _: self._fit(), add="+")
        self.bind("<FocusIn>", lambda event: self.body.reveal(event.widget), add="+")
        # While it keeps the window below from being used, clicks there come here.
        self.bind("<Button-1>", self._clicked, add="+")
        self.bind("<Escape>", lambda _: self.close())
        self.protocol("WM_DELETE_WINDOW", self.close)

    def add_button(
        self, text: str, command: Callable[[], object], style: str = "neutral"
    ) -> Button:
        """Put a button at the right of those already there."""
        button = Button(self.buttons, text=text, command=command, bootstyle=style)
        gap = (self.look.px(8), 0) if self.buttons.winfo_children()[:-1] else 0
        button.pack(side="left", padx=gap)
        return button

    def open(self, focus: tkinter.Misc | None = None) -> None:
        """Show the sheet in the middle of the window it belongs to, and wholly on the screen."""
        self.update_idletasks()
        self._fit()
        self.update_idletasks()
        above = self.master.winfo_toplevel()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        x = above.winfo_rootx() + (above.winfo_width() - width) // 2
        y = above.winfo_rooty() + (above.winfo_height() - height) // 3
        self._put(x, y)
        self.deiconify()
        self.lift()
        self.bind("<Map>", lambda _: self._take_over(focus), add="+")
        if self.winfo_viewable():
            self._take_over(focus)

    def _fit(self) -> None:
        """Be as large as what is in it, or as the screen allows."""
        if destroyed(self):
            return
        view = self.body.view
        self._width = max(self._width, self.body.winfo_reqwidth())
        around = self._whole.winfo_reqheight() - view.winfo_reqheight()
        room = self.winfo_screenheight() - self.look.px(DECORATION) - around
        wanted = self.body.winfo_reqheight()
        height = max(1, min(wanted, room))
        self.body.show_bar(wanted > room)
        if (view.winfo_reqwidth(), view.winfo_reqheight()) != (self._width, height):
            self.body.show_part(self._width, height)
            if self.winfo_viewable():
                self._put(self.winfo_rootx(), self.winfo_rooty(), height + around)

    def _put(self, x: int, y: int, height: int = 0) -> None:
        """Move the sheet to a place, or as near as it is wholly seen."""
        low = self.winfo_screenheight() - (height or self.winfo_reqheight())
        wide = self.winfo_screenwidth() - self.winfo_reqwidth()
        moved = max(0, min(x, wide)), max(0, min(y, low))
        if not height or moved != (x, y):
            self.geometry(f"+{moved[0]}+{moved[1]}")

    def _take_over(self, focus: tkinter.Misc | None) -> None:
        """Keep the rest of the program from being used, once the sheet can be seen."""
        if destroyed(self) or not self.winfo_viewable():
            return
        self.grab_set()
        (focus or self).focus_force()

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        """Come to the front again when somebody clicks beside the sheet."""
        left, top = self.winfo_rootx(), self.winfo_rooty()
        right, bottom = left + self.winfo_width(), top + self.winfo_height()
        if not (left <= event.x_root < right and top <= event.y_root < bottom):
            self.lift()
            (self.focus_lastfor() or self).focus_force()

    def close(self) -> None:
        """Close the sheet."""
        if destroyed(self):
            return
        self.grab_release()
        self.destroy()
        if self._came_from is not None and not destroyed(self._came_from):
            self._came_from.focus_set()
