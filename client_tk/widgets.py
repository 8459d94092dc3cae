"""The building blocks of every window: themed widgets, and small ones of our own.

This module and `theme` are the only ones that know ttkbootstrap; all others take their widgets
from here. Text, Canvas and Menu are ttkbootstrap's own: the stock ones stay white in the dark.
"""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from ttkbootstrap import (
    Button,
    Canvas,
    Checkbutton,
    Entry,
    Frame,
    Label,
    Menu,
    Menubutton,
    Panedwindow,
    Progressbar,
    Radiobutton,
    Scrollbar,
    ScrolledFrame,
    Separator,
    Text,
    ToolTip,
    Toplevel,
)

from client_tk.theme import Look

__all__ = [
    "Button",
    "Canvas",
    "Checkbutton",
    "Entry",
    "Frame",
    "IconButton",
    "Label",
    "Menu",
    "Menubutton",
    "Panedwindow",
    "Placeholder",
    "Progressbar",
    "Radiobutton",
    "Scrollbar",
    "ScrolledFrame",
    "Separator",
    "TabBar",
    "Text",
    "Timers",
    "ToolTip",
    "Toplevel",
    "Wrapped",
    "shortcut",
]

ICON = 17


def shortcut(root: tkinter.Misc) -> str:
    """Return the key that shortcuts are held with on this machine."""
    return "Command" if root.tk.call("tk", "windowingsystem") == "aqua" else "Control"


class Timers:
    """Named timers of one widget, which end with it."""

    def __init__(self, widget: tkinter.Misc) -> None:
        self._widget = widget
        self._running: dict[str, str] = {}
        widget.bind("<Destroy>", self._destroyed, add="+")

    def set(self, name: str, milliseconds: int, action: Callable[[], object]) -> None:
        """Do something later; a timer of the same name is replaced."""

        def act() -> None:
            self._running.pop(name, None)
            action()

        self.clear(name)
        self._running[name] = self._widget.after(milliseconds, act)

    def soon(self, name: str, action: Callable[[], object]) -> None:
        """Do something once Tk has nothing else to do; once, however often this is called."""

        def act() -> None:
            self._running.pop(name, None)
            action()

        if name not in self._running:
            self._running[name] = self._widget.after_idle(act)

    def clear(self, name: str) -> None:
        """Take a timer back."""
        if name in self._running:
            self._widget.after_cancel(self._running.pop(name))

    def _destroyed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if event.widget is self._widget:
            for name in list(self._running):
                self.clear(name)


class Wrapped(Label):
    """A label whose text wraps at the label's own width, whatever that becomes.

    It asks for little width itself; it must be packed with ``fill="x"``.
    """

    def __init__(self, parent: tkinter.Misc, **options: object) -> None:
        super().__init__(parent, wraplength=200, **options)  # type: ignore[arg-type]
        self.bind("<Configure>", self._wrap, add="+")

    def _wrap(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if abs(event.width - int(str(self.cget("wraplength")) or 0)) > 2:
            self.configure(wraplength=event.width)


class Placeholder(Label):
    """Words in an empty entry that say what it is for."""

    def __init__(self, entry: Entry, look: Look, text: tkinter.StringVar, words: str) -> None:
        super().__init__(entry, text=words, style="Input.TLabel", cursor="xterm")
        self._text = text
        self._inset = look.px(10)
        self.bind("<Button-1>", lambda _: entry.focus_set())
        text.trace_add("write", lambda *_: self._show())
        self._show()

    def _show(self) -> None:
        if self._text.get():
            self.place_forget()
        else:
            self.place(x=self._inset, rely=0.5, anchor="w")


class IconButton(Button):
    """A button that is an icon, with a tooltip that says what it does."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        icon: str,
        tip: str,
        command: Callable[[], object],
        style: str = "ghost",
    ) -> None:
        super().__init__(
            parent, icon=icon, icon_only=True, bootstyle=style, command=command, icon_size=ICON
        )
        self.tip = tip
        self._look, self._zoom = look, 100
        ToolTip(self, text=tip, delay=500, padding=look.px(6))
        look.follow(self._resize)
        self.bind("<Destroy>", lambda _: look.forget(self._resize), add="+")
        self._resize()

    def _resize(self) -> None:
        """Be as large as the text."""
        if self._look.zoom != self._zoom:
            self._zoom = self._look.zoom
            self.configure(icon_size=round(ICON * self._zoom / 100))


class TabBar(Frame):
    """Tabs side by side; the pages are the caller's to show."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        labels: tuple[str, ...],
        on_change: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self._number = tkinter.IntVar(self, value=0)
        self._on_change = on_change
        self.tabs = [
            Radiobutton(
                self,
                text=label,
                value=number,
                variable=self._number,
                command=on_change,
                bootstyle="primary outline toolbutton",
                padding=look.px(7),
            )
            for number, label in enumerate(labels)
        ]
        for tab in self.tabs:
            tab.pack(side="left", fill="x", expand=True)

    @property
    def chosen(self) -> int:
        """The number of the tab that is shown."""
        return self._number.get()

    def choose(self, number: int) -> None:
        """Show another tab."""
        self._number.set(number)
        self._on_change()

    def enable(self, enabled: bool) -> None:
        """Allow or forbid to choose."""
        for tab in self.tabs:
            tab.state(["!disabled" if enabled else "disabled"])
