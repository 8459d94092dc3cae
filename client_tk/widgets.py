"""The building blocks of every window: themed widgets, labelled fields, dialogs, tooltips.

This module and `theme` are the only ones that know ttkbootstrap; all others take their widgets
from here. Text, Canvas and Menu are ttkbootstrap's own: the stock ones stay white in the dark.
"""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from ttkbootstrap import (
    Button,
    Canvas,
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

from client_tk.theme import Look, destroyed

__all__ = [
    "Button",
    "Canvas",
    "Entry",
    "Field",
    "Frame",
    "IconButton",
    "Label",
    "Menu",
    "Menubutton",
    "Panedwindow",
    "PasswordField",
    "Placeholder",
    "Progressbar",
    "Radiobutton",
    "Scrollbar",
    "ScrolledFrame",
    "Separator",
    "Sheet",
    "TabBar",
    "Text",
    "Timers",
    "ToolTip",
    "Toplevel",
    "Wrapped",
    "shortcut",
]

ICON = 17
LOCK = 0x2  # the bit of Caps Lock in the state of a key event


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


class Field(Frame):
    """A labelled entry; the line below says what is wrong with it, or gives a hint."""

    def __init__(
        self, parent: tkinter.Misc, look: Look, label: str, *, hint: str = "", show: str = ""
    ) -> None:
        super().__init__(parent)
        self.look = look
        self.hint = hint
        self.variable = tkinter.StringVar(self)
        self.label = Label(self, text=label)
        self.label.pack(anchor="w")
        self.line = Frame(self)
        self.line.pack(fill="x", pady=(look.px(4), 0))
        self.entry = Entry(self.line, textvariable=self.variable, show=show)
        self.entry.pack(expand=True, fill="x", side="left")
        self.note = Wrapped(self, text=hint, style="Muted.TLabel", font=look.fonts["small"])
        self.note.pack(fill="x", pady=(look.px(3), 0))
        self._callbacks: list[Callable[[], object]] = [self.clear]
        self.variable.trace_add("write", lambda *_: self._changed())

    @property
    def value(self) -> str:
        """What is in the entry."""
        return self.variable.get()

    @value.setter
    def value(self, text: str) -> None:
        self.variable.set(text)

    @property
    def error(self) -> str:
        """The sentence that says what is wrong; empty while all is well."""
        return str(self.note.cget("text")) if "invalid" in self.entry.state() else ""

    def fail(self, text: str, *, focus: bool = True) -> None:
        """Mark the entry and say what is wrong with it."""
        self.entry.state(["invalid"])
        self.note.configure(text=text, style="Danger.TLabel")
        if focus:
            self.entry.focus_set()
            self.entry.selection_range(0, "end")

    def clear(self) -> None:
        """Take the mark and the sentence away."""
        self.entry.state(["!invalid"])
        self.note.configure(text=self.hint, style="Muted.TLabel")

    def say(self, text: str, style: str = "Muted") -> None:
        """Show a remark that is no error."""
        if not self.error:
            self.note.configure(text=text, style=f"{style}.TLabel")

    def on_change(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` whenever the text changes, after what was said of it is taken away."""
        self._callbacks.append(callback)

    def _changed(self) -> None:
        for callback in self._callbacks:
            callback()


class PasswordField(Field):
    """A field for a password: hidden unless asked for, with a warning about Caps Lock."""

    def __init__(self, parent: tkinter.Misc, look: Look, label: str, *, hint: str = "") -> None:
        super().__init__(parent, look, label, hint=hint, show="•")
        self.eye = IconButton(self.line, look, "eye", "Show the password", self._toggle)
        self.eye.pack(side="left", padx=(look.px(4), 0))
        self.caps = Label(self, text="", style="Warning.TLabel", font=look.fonts["small"])
        for event in ("<KeyPress>", "<KeyRelease>"):
            self.entry.bind(event, self._watch_caps, add="+")
        self.entry.bind("<FocusOut>", lambda _: self.warn_caps(False), add="+")

    def _toggle(self) -> None:
        hidden = bool(self.entry.cget("show"))
        self.entry.configure(show="" if hidden else "•")
        self.eye.configure(icon="eye-slash" if hidden else "eye")

    def _watch_caps(self, event: tkinter.Event[tkinter.Misc]) -> None:
        locked = bool(int(event.state) & LOCK)
        if event.keysym == "Caps_Lock":
            # The state is the one before the key; only the press turns it over.
            if event.type is not tkinter.EventType.KeyPress:
                return
            locked = not locked
        self.warn_caps(locked)

    def warn_caps(self, locked: bool) -> None:
        """Show or hide the warning about Caps Lock."""
        if locked and not self.caps.winfo_manager():
            self.caps.configure(text="Caps Lock is on")
            self.caps.pack(anchor="w")
        elif not locked:
            self.caps.configure(text="")
            self.caps.pack_forget()


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
        """Show the sheet in the middle of the window it belongs to."""
        self.update_idletasks()
        above = self.master.winfo_toplevel()
        x = above.winfo_rootx() + (above.winfo_width() - self.winfo_reqwidth()) // 2
        y = above.winfo_rooty() + (above.winfo_height() - self.winfo_reqheight()) // 3
        self.geometry(f"+{max(0, x)}+{max(0, y)}")
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
