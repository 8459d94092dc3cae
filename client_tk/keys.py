"""The keys of the main window, and where they go when what had the focus is gone."""

from __future__ import annotations

import functools
import tkinter
from collections.abc import Callable, Mapping

from client_tk.widgets import Button, Entry, Text, Timers, shortcut

TAG = "BPostKeys"
WITH_CONTROL_OR_ALT = 0x4 | 0x8


class Keys:
    """Lets keys of the window come before those of whatever in it has the focus.

    Who types where nothing can be written, writes: ``typed`` gets the character. When the focus
    fell back on the whole window, because the widget that had it is gone, ``lost`` is called.
    """

    def __init__(
        self,
        window: tkinter.Misc,
        actions: Mapping[str, Callable[[], object]],
        typed: Callable[[str], object],
        lost: Callable[[], object],
    ) -> None:
        self._window = window
        self._timers = Timers(window)
        self._typed = typed
        self._lost = lost
        held = shortcut(window)
        for keys, action in actions.items():
            sequence = keys.replace("<Shortcut-", f"<{held}-")
            window.bind_class(TAG, sequence, functools.partial(_act, action))
        window.bind_class(TAG, "<Key>", self._any)
        # When what had the focus is gone, Tk gives it to the root window, without an event there.
        window.bind_class(TAG, "<Destroy>", lambda _: self._look_soon())

    def focus_came(self, widget: tkinter.Misc) -> None:
        """Take in that ``widget`` has the focus now: the root window, or one that lies in it."""
        if widget is self._window.winfo_toplevel() or self._above():
            self._look_soon()
        elif str(widget).startswith(f"{self._window}.") and TAG not in widget.bindtags():
            widget.bindtags((TAG, *widget.bindtags()))

    def _look_soon(self) -> None:
        self._timers.soon("focus", self._fetch_focus)

    def _fetch_focus(self) -> None:
        """Give the focus to what is to have it: what lies above the window, else ``lost`` says."""
        root, above = self._window.winfo_toplevel(), self._above()
        if above:
            root.tk.call("focus", "-force", root.tk.call("focus", "-lastfor", above))
        elif root.focus_get() is root:
            self._lost()

    def _above(self) -> str:
        """Return the path of the sheet that keeps the window from being used, or nothing."""
        return str(self._window.tk.call("grab", "current", self._window))

    def _any(self, event: tkinter.Event[tkinter.Misc]) -> str | None:
        """Let who types over a list, the messages or a button write."""
        widget, char = event.widget, event.char
        if isinstance(widget, (tkinter.Entry, Entry, Text)) or not char or not char.isprintable():
            return None
        if int(event.state) & WITH_CONTROL_OR_ALT or (char == " " and isinstance(widget, Button)):
            return None
        self._typed(char)
        return "break"


def _act(action: Callable[[], object], _: tkinter.Event[tkinter.Misc]) -> str:
    """Do what a key asks for, and let nobody else see the key."""
    action()
    return "break"
