"""Labelled entries that say what is wrong with them."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from client_tk.theme import Look
from client_tk.widgets import Entry, Frame, IconButton, Label, Wrapped

LOCK = 0x2  # the bit of Caps Lock in the state of a key event


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
        self.eye = IconButton(self.line, look, "eye", "Show the password (F2)", self._toggle)
        # Tab goes from the password to what is asked next; who presses no mouse has the key.
        self.eye.configure(takefocus=False)
        self.entry.bind("<F2>", lambda _: self._toggle())
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
