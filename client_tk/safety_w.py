"""The window about a key: number and code to compare, the mark, and what happened to it."""

from __future__ import annotations

import tkinter

from bpost.client import Verdict
from bpost.errors import BPostError
from client_tk import words
from client_tk.fields import Field
from client_tk.qr import qr_picture
from client_tk.safety import Known, SafetyDesk, verdict_line
from client_tk.sheet import Sheet
from client_tk.theme import Look, destroyed
from client_tk.widgets import Button, Frame, Label, Text

WIDTH = 640
CODE = 212
BESIDE = 390
LINES = 4


class SafetySheet(Sheet):
    """Shows what two people compare; every button says what it does to the key that is shown."""

    def __init__(self, parent: tkinter.Misc, look: Look, desk: SafetyDesk) -> None:
        super().__init__(parent, look, f"Safety number with {desk.name}", WIDTH)
        self.desk = desk
        self.known: Known | None = None
        top = Frame(self.body)
        top.pack(fill="x")
        self.code = Label(top)
        self.code.pack(side="right", anchor="n", padx=(look.px(24), 0))
        self._draw_number(top)
        self._draw_compare()
        self._draw_history()
        self.mark = self.add_button("Mark as verified", self._mark, "primary")
        self.unmark = self.add_button("Take the mark away", self._unmark)
        self.trust = self.add_button("Continue without comparing", self._trust)
        self.done = self.add_button("Close", self.close)
        self._choose_buttons()
        self.open(self.done)
        self._look()

    def _draw_number(self, parent: Frame) -> None:
        px, name = self.look.px, self.desk.name
        left = Frame(parent)
        left.pack(side="left", fill="both", expand=True)
        text = (
            f"Compare this number with {name}, face to face or on the telephone. If you both have "
            "the same, nobody sits between you. The picture holds your code, for a camera."
        )
        # Beside a picture no text may wrap at its own width: both would push each other for ever.
        Label(left, text=text, wraplength=self.look.text_px(BESIDE)).pack(anchor="w")
        self.number = Label(left, text="…", font=self.look.fonts["digits"], justify="center")
        self.number.pack(pady=px(14))
        state = Frame(left)
        state.pack(fill="x")
        self.shield = Label(state)
        self.shield.pack(side="left", anchor="n", padx=(0, px(8)))
        self.state_line = Label(state, wraplength=self.look.text_px(BESIDE - 40))
        self.state_line.pack(side="left")

    def _draw_compare(self) -> None:
        px, name = self.look.px, self.desk.name
        hint = f"{name} copies it from this same window, and sends it to you some other way."
        self.theirs = Field(self.body, self.look, f"The code that {name} sees", hint=hint)
        self.theirs.pack(fill="x", pady=(px(14), 0))
        self.copy = Button(
            self.theirs.line, text="Copy my code", command=self._copy, bootstyle="neutral"
        )
        self.copy.pack(side="right", padx=(px(8), 0))
        self.compare = Button(
            self.theirs.line, text="Compare", command=self._compare, bootstyle="neutral"
        )
        self.compare.pack(side="right", padx=(px(8), 0))
        self.copy.lift()  # Tab comes to it after the other
        self.theirs.entry.bind("<Return>", lambda _: self._compare())

    def _draw_history(self) -> None:
        px = self.look.px
        heading = Label(self.body, text="What happened to the key", font=self.look.fonts["name"])
        heading.pack(anchor="w", pady=(px(12), px(4)))
        self.history = Text(
            self.body,
            height=LINES,
            wrap="word",
            font=self.look.fonts["small"],
            takefocus=False,
        )
        self.history.pack(fill="x")
        self.history.configure(state="disabled")

    # What is known

    def _look(self) -> None:
        self.desk.look(self._show, self._failed)

    def _show(self, known: Known) -> None:
        """Show what is known of the key."""
        if destroyed(self):
            return
        self.known = known
        icon, sentence, style = known.line
        palette = self.look.palette
        tint = {"Warning": palette.warning, "Good": palette.good}.get(style, palette.muted)
        self.shield.configure(image=self.look.icon(icon, 16, tint))
        self.state_line.configure(text=sentence, style=f"{style}.TLabel")
        self.number.configure(text=words.digits(known.safety.number) or "…")
        if known.safety.code:
            self._picture = qr_picture(self, known.safety.code, self.look.text_px(CODE))
            self.code.configure(image=self._picture)
        self.history.configure(state="normal")
        self.history.delete("1.0", "end")
        self.history.insert("1.0", "\n".join(known.dated) or "Nothing yet.")
        self.history.configure(state="disabled")
        self._choose_buttons()

    def _choose_buttons(self) -> None:
        """Offer what makes sense now; a key that was verified is not given up by a light click."""
        safety = self.known.safety if self.known else None
        there = safety is not None and bool(safety.key)
        shown = {
            self.mark: there and safety is not None and not safety.verified,
            self.unmark: there and safety is not None and safety.verified,
            self.trust: there and safety is not None and safety.key_changed,
        }
        anyway = safety is not None and safety.was_verified
        self.trust.configure(
            text="Trust anyway" if anyway else "Continue without comparing",
            bootstyle="danger" if anyway else "neutral",
        )
        for button in (*shown, self.done):
            button.pack_forget()
        for button in (*(one for one, wanted in shown.items() if wanted), self.done):
            button.pack(side="left", padx=(0, self.look.px(8)))
        for field in (self.compare, self.copy, self.theirs.entry):
            field.state(["!disabled" if there else "disabled"])

    # What is done

    def _mark(self) -> None:
        if self.known:
            self.desk.mark(self.known.safety.key, lambda _: self._look(), self._failed)

    def _unmark(self) -> None:
        self.desk.unmark(lambda _: self._look(), self._failed)

    def _trust(self) -> None:
        if self.known:
            self.desk.trust(self.known.safety, lambda _: self._look(), self._failed)

    def _copy(self) -> None:
        if self.known:
            self.clipboard_clear()
            self.clipboard_append(self.known.safety.code)
            self.theirs.say("Your code is in the clipboard.")

    def _compare(self) -> None:
        self.desk.compare(self.theirs.value, self._compared, self._failed)

    def _compared(self, verdict: Verdict) -> None:
        """Say what comparing has told; a mistake stands at the field."""
        if destroyed(self):
            return
        sentence, style = verdict_line(verdict, self.desk.name)
        if verdict is Verdict.SAME:
            self.theirs.clear()
            self.theirs.say(sentence, style)
            self._look()
        else:
            self.theirs.fail(sentence)
            self.theirs.note.configure(style=f"{style}.TLabel")

    def _failed(self, error: BPostError) -> None:
        """Say what went wrong, and look again: another key may have come meanwhile."""
        if destroyed(self):
            return
        self.theirs.fail(str(error))
        self.desk.look(self._show, lambda _: None)
