"""The composer: where one writes."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from client_tk.theme import Look
from client_tk.widgets import Frame, IconButton, Label, Text, Timers, Wrapped

MOST_LINES = 6
DRAFT_AFTER = 500  # milliseconds after the last key


class Composer(Frame):
    """A text that grows to six lines; Enter sends it, Shift+Enter breaks the line."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent)
        self.look = look
        self.on_send: Callable[[str], object] = lambda _: None
        self.on_draft: Callable[[str, str], object] = lambda _, __: None
        self.on_edit: Callable[[str], object] = lambda _: None
        self.conversation = ""
        self._before: str | None = None  # what was written here before a message was edited
        self._timers = Timers(self)
        self._kept = ""
        gap = look.px(12)
        self.note = Wrapped(self, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.strip = Frame(self)
        tip = "Leave the message as it is (Esc)"
        IconButton(self.strip, look, "x-lg", tip, self.end_edit).pack(side="right")
        what = "Editing a message · Esc leaves it as it is"
        Label(self.strip, text=what, style="Muted.TLabel", font=look.fonts["small"]).pack(
            side="left"
        )
        row = Frame(self)
        row.pack(fill="x", padx=gap, pady=gap, side="bottom")
        self.text = Text(
            row, height=1, wrap="word", undo=True, maxundo=200, font=look.fonts["body"], width=10
        )
        self.button = IconButton(row, look, "send-fill", "Send (Enter)", self.submit, "primary")
        self.button.configure(padding=look.px(6))
        self.button.pack(side="right", anchor="s", padx=(look.px(8), 0))
        self.text.pack(side="left", fill="x", expand=True)
        self.hint = Label(self.text, text="Write a message", cursor="xterm", padding=0)
        self.hint.bind("<Button-1>", lambda _: self.text.focus_set())
        self._bind_events()
        look.follow(self._restyle)
        self.bind("<Destroy>", lambda _: look.forget(self._restyle), add="+")
        self._restyle()
        self.enable(False)

    def _bind_events(self) -> None:
        for key in ("<Return>", "<KP_Enter>"):
            self.text.bind(key, self._entered)
        self.text.bind("<Shift-Return>", lambda _: None)
        self.text.bind("<Tab>", lambda _: self._move_focus(self.text.tk_focusNext()))
        self.text.bind("<Shift-Tab>", lambda _: self._move_focus(self.text.tk_focusPrev()))
        self.text.bind("<<Paste>>", self._pasting)
        self.text.bind("<<Modified>>", self._modified)
        self.text.bind("<Configure>", lambda _: self._fit())

    def _restyle(self) -> None:
        px = self.look.px
        self.text.configure(padx=px(10), pady=px(8), spacing3=px(1))
        ground = self.text.cget("background")
        self.hint.configure(background=ground, foreground=self.look.palette.muted)
        self._fit()

    @property
    def value(self) -> str:
        """What has been written."""
        return self.text.get("1.0", "end-1c")

    def load(self, conversation: str, draft: str) -> None:
        """Keep what was written in the last conversation, and begin with the draft of another."""
        self.end_edit()
        self.flush_draft()
        self.conversation = conversation
        self._kept = draft
        self._put(draft)
        self.fail("")

    def _put(self, text: str) -> None:
        state = self.text.cget("state")
        self.text.configure(state="normal")
        self.text.delete("1.0", "end")
        self.text.insert("1.0", text)
        self.text.edit_reset()
        self.text.edit_modified(False)
        self.text.configure(state=state)
        self._fit()

    def type_on(self, char: str) -> None:
        """Take a character that was typed elsewhere, and the focus."""
        if self.enabled:
            self.text.focus_set()
            self.text.insert("insert", char)

    @property
    def editing(self) -> bool:
        """Whether what is written here is to take the place of a message."""
        return self._before is not None

    def begin_edit(self, text: str) -> None:
        """Let a message be changed; the draft comes back after it."""
        if self._before is None:
            self.flush_draft()
            self._before = self.value
        self._put(text)
        self.fail("")
        self.strip.pack(fill="x", padx=self.look.px(14), pady=(self.look.px(8), 0), side="top")
        self.text.focus_set()
        self.text.mark_set("insert", "end-1c")
        self.text.see("insert")

    def end_edit(self) -> None:
        """Be done with that, and go on with the draft."""
        before, self._before = self._before, None
        if before is not None:
            self.strip.pack_forget()
            self._put(before)
            self.fail("")

    def submit(self) -> None:
        """Send what has been written, unless it is blank; or change the message with it."""
        text = self.value.strip("\n")
        if not text.strip() or not self.enabled:
            return
        if self.editing:
            self.on_edit(text)
            return
        self._timers.clear("draft")
        self._kept = ""
        self._put("")
        self.fail("")
        self.on_send(text)

    def give_back(self, text: str, sentence: str) -> None:
        """Put a text that could not be sent back, and say why."""
        if not self.value and not self.editing:
            self._put(text)
        self.fail(sentence)

    def fail(self, sentence: str) -> None:
        """Say what is wrong; an empty sentence takes it back."""
        self.note.configure(text=sentence)
        if sentence and not self.note.winfo_manager():
            self.note.pack(fill="x", padx=self.look.px(14), pady=(self.look.px(8), 0))
        elif not sentence:
            self.note.pack_forget()

    @property
    def enabled(self) -> bool:
        """Whether one may write."""
        return str(self.text.cget("state")) == "normal"

    def enable(self, enabled: bool) -> None:
        """Allow or forbid to write."""
        self.text.configure(state="normal" if enabled else "disabled")
        self._show_hint()
        self.button.state(["!disabled" if enabled else "disabled"])

    def _show_hint(self) -> None:
        """Say what the field is for while nothing is in it."""
        if self.value or not self.enabled:
            self.hint.place_forget()
        else:
            self.hint.place(x=self.look.px(2), rely=0.5, anchor="w")

    def flush_draft(self) -> None:
        """Keep the draft now, if it changed."""
        self._timers.clear("draft")
        if self.value != self._kept and not self.editing:
            self._kept = self.value
            self.on_draft(self.conversation, self._kept)

    def _entered(self, event: tkinter.Event[tkinter.Misc]) -> str | None:
        if int(event.state) & 0x1:
            return None
        self.submit()
        return "break"

    def _move_focus(self, widget: tkinter.Misc | None) -> str:
        if widget is not None:
            widget.focus_set()
        return "break"

    def _pasting(self, _: tkinter.Event[tkinter.Misc]) -> None:
        # Under X11, Tk leaves the selection where it is; everywhere else pasting replaces it.
        if self.text.tag_ranges("sel"):
            self.text.delete("sel.first", "sel.last")

    def _modified(self, _: tkinter.Event[tkinter.Misc]) -> None:
        if not self.text.edit_modified():
            return
        self.text.edit_modified(False)
        self._fit()
        self._timers.set("draft", DRAFT_AFTER, self.flush_draft)

    def _fit(self) -> None:
        """Be as high as the text, but at most six lines."""
        self._show_hint()
        counted = self.text.count("1.0", "end", "displaylines")
        lines = counted[0] if isinstance(counted, tuple) else counted
        height = max(1, min(lines or 1, MOST_LINES))
        if int(self.text.cget("height")) != height:
            self.text.configure(height=height)
            self.text.see("insert")
