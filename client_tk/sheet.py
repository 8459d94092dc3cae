"""The small window above the main one, that all dialogs are made from."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from client_tk.theme import Look, destroyed
from client_tk.widgets import Button, Frame, Label, Toplevel


class Sheet(Toplevel):
    """A small window above the main one; Esc closes it, and the focus goes back where it was."""

    def __init__(self, parent: tkinter.Misc, look: Look, title: str, width: int = 420) -> None:
        super().__init__(title=title, master=parent, iconphoto=None, resizable=(False, False))
        self.withdraw()
        self.look = look
        self._came_from = parent.focus_get()
        self.transient(parent.winfo_toplevel())
        self._edge = Frame(self, style="Edge.TFrame", padding=1)
        self._edge.pack(fill="both", expand=True)
        whole = Frame(self._edge, padding=look.px(24))
        whole.pack(fill="both", expand=True)
        Frame(whole, width=look.text_px(width)).pack()
        Label(whole, text=title, font=look.fonts["title"]).pack(anchor="w", pady=(0, look.px(14)))
        self.body = Frame(whole)
        self.body.pack(fill="both", expand=True)
        self.buttons = Frame(whole)
        self.buttons.pack(fill="x", pady=(look.px(20), 0))
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
        above = self.master.winfo_toplevel()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        x = above.winfo_rootx() + (above.winfo_width() - width) // 2
        y = above.winfo_rooty() + (above.winfo_height() - height) // 3
        x = max(0, min(x, self.winfo_screenwidth() - width))
        y = max(0, min(y, self.winfo_screenheight() - height))
        self.geometry(f"+{x}+{y}")
        self.deiconify()
        self.lift()
        self.bind("<Map>", lambda _: self._take_over(focus), add="+")
        if self.winfo_viewable():
            self._take_over(focus)

    def _take_over(self, focus: tkinter.Misc | None) -> None:
        """Keep the rest of the program from being used, once the sheet can be seen."""
        if destroyed(self) or not self.winfo_viewable():
            return
        self.grab_set()
        (focus or self).focus_force()

    def close(self) -> None:
        """Close the sheet."""
        if destroyed(self):
            return
        self.grab_release()
        self.destroy()
        if self._came_from is not None and not destroyed(self._came_from):
            self._came_from.focus_set()
