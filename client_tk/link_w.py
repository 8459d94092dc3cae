"""The code for a new device: shown on one device, compared on both."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.client import LinkInfo
from bpost.errors import BPostError
from client_tk import words
from client_tk.fields import Field
from client_tk.link import ENDS, LinkDesk, spaced, time_left
from client_tk.qr import qr_picture
from client_tk.sheet import Sheet
from client_tk.theme import Look, destroyed
from client_tk.widgets import Button, Checkbutton, Frame, Label, Separator, Timers, Wrapped

WIDTH = 600
CODE = 200
BESIDE = 360
LOOK_EVERY = 300  # milliseconds

HOW_TEXT = (
    "On the other device write your name and your password, choose “Use a code from another "
    "device”, and give it this one. The picture holds the same code, for a camera. Show it to "
    "nobody else."
)
VAULT_TEXT = (
    "New devices need only the password: the server keeps the account key, sealed with it. Without "
    "this, every new device needs such a code."
)


class LinkSheet(Sheet):
    """Shows a code until a device has read it; then a number; then what became of it."""

    def __init__(self, parent: tkinter.Misc, look: Look, desk: LinkDesk) -> None:
        super().__init__(parent, look, "Add a device", WIDTH)
        self.desk = desk
        self.info = LinkInfo()
        self._timers = Timers(self)
        self.top = Frame(self.body)
        self.top.pack(fill="x")
        Frame(self.top, height=1).pack()  # so that it shrinks when nothing else is left in it
        self._draw_code()
        self._draw_number()
        self.note = Wrapped(self.body, text="Making a code …", style="Muted.TLabel")
        self.note.pack(fill="x", pady=(look.px(12), 0))
        # Apart from the note, which is written anew every moment.
        self.wrong = Wrapped(self.body, text="", style="Danger.TLabel")
        self.wrong.pack(fill="x")
        self._draw_vault()
        self.same = self.add_button("They are the same", lambda: self._decide(True), "primary")
        self.differ = self.add_button("They differ", lambda: self._decide(False))
        self.again = self.add_button("New code", self.begin, "primary")
        self.done = self.add_button("Close", self.close)
        self._choose_buttons()
        self.open(self.done)
        self.begin()
        desk.vault(self._show_vault, self._failed)

    def _draw_code(self) -> None:
        look = self.look
        self.shown = Frame(self.top)
        self.picture = Label(self.shown)
        self.picture.pack(side="right", anchor="n", padx=(look.px(24), 0))
        left = Frame(self.shown)
        left.pack(side="left", fill="both", expand=True)
        # Beside a picture no text may wrap at its own width: both would push each other for ever.
        Label(left, text=HOW_TEXT, wraplength=look.text_px(BESIDE)).pack(anchor="w")
        self.code = Field(left, look, "The code")
        self.code.pack(fill="x", pady=(look.px(14), 0))
        self.code.entry.configure(state="readonly")
        self.copy = Button(self.code.line, text="Copy", command=self._copy, bootstyle="neutral")
        self.copy.pack(side="right", padx=(look.px(8), 0))

    def _draw_number(self) -> None:
        self.compared = Frame(self.top)
        self.who = Wrapped(self.compared, text="")
        self.who.pack(fill="x")
        self.number = Label(self.compared, text="", font=self.look.fonts["huge"])
        self.number.pack(pady=self.look.px(18))

    def _draw_vault(self) -> None:
        Separator(self.body).pack(fill="x", pady=self.look.px(12))
        self.vault = tkinter.BooleanVar(self, value=True)
        self.box = Checkbutton(
            self.body,
            text="Keep my account key in the server's vault",
            variable=self.vault,
            command=self._keep_vault,
        )
        self.box.pack(anchor="w")
        Wrapped(self.body, text=VAULT_TEXT, style="Muted.TLabel").pack(fill="x")

    # The code

    def begin(self) -> None:
        """Make a new code."""
        self.desk.begin(self._began, self._failed)

    def _began(self, info: LinkInfo) -> None:
        if destroyed(self):
            self.desk.end()
            return
        self._picture = qr_picture(self, info.code, self.look.text_px(CODE))
        self.picture.configure(image=self._picture)
        self.code.value = info.code
        self.show(info)
        self._timers.set("look", LOOK_EVERY, self._look)

    def _look(self) -> None:
        self.desk.look(self._looked, self._failed)

    def _looked(self, info: LinkInfo) -> None:
        if destroyed(self):
            return
        self.show(info)
        if info.state in ("waiting", "met", "agreed"):
            self._timers.set("look", LOOK_EVERY, self._look)

    def show(self, info: LinkInfo) -> None:
        """Show how it stands."""
        self.info = info
        if info.state == "waiting":
            self.note.configure(text=time_left(info.left), style="Muted.TLabel")
        elif info.state == "met":
            name = f"“{words.printable(info.name)}”" if info.name else "without a name"
            self.who.configure(text=f"A device {name} has read the code. Does it show this number?")
            self.number.configure(text=spaced(info.number))
            self.note.configure(text=time_left(info.left), style="Muted.TLabel")
        elif info.state == "agreed":
            self.note.configure(text="Say the same on the other device …", style="Muted.TLabel")
        else:
            style = {"done": "Good.TLabel", "over": "Muted.TLabel"}.get(info.state, "Danger.TLabel")
            self.note.configure(text=ENDS.get(info.state, ENDS["over"]), style=style)
        self._choose_parts()
        self._choose_buttons()

    def _choose_parts(self) -> None:
        """Show the code, or the number, or neither."""
        parts = {self.shown: ("waiting",), self.compared: ("met", "agreed")}
        for part, states in parts.items():
            if self.info.state not in states:
                part.pack_forget()
            elif not part.winfo_manager():
                part.pack(fill="x")

    def _choose_buttons(self) -> None:
        """Offer what makes sense now."""
        state = self.info.state
        shown = {
            self.same: state == "met",
            self.differ: state == "met",
            self.again: state in ("over", "refused", "spied") and bool(self.code.value),
            self.done: True,
        }
        if [button for button in shown if button.winfo_manager()] == [
            button for button, wanted in shown.items() if wanted
        ]:
            return
        for button in shown:
            button.pack_forget()
        for button in (button for button, wanted in shown.items() if wanted):
            button.pack(side="left", padx=(0, self.look.px(8)))

    def _decide(self, yes: bool) -> None:
        self.wrong.configure(text="")
        self.desk.decide(yes, self._failed)

    def _copy(self) -> None:
        self.clipboard_clear()
        self.clipboard_append(self.code.value)
        self.code.say("The code is in the clipboard.")

    # The vault

    def _show_vault(self, on: bool) -> None:
        if not destroyed(self):
            self.vault.set(on)

    def _keep_vault(self) -> None:
        on = self.vault.get()
        self.wrong.configure(text="")

        def failed(error: BPostError) -> None:
            self._show_vault(not on)
            self._failed(error)

        self.desk.keep_vault(on, self._show_vault, failed)

    def _failed(self, error: BPostError) -> None:
        if not destroyed(self):
            self.wrong.configure(text=str(error))

    def close(self) -> None:
        """Close the sheet; the code is worth nothing then."""
        if not destroyed(self):
            self.desk.end()
        super().close()


class NumberPage(Frame):
    """On the device that joins: the number, and whether the other one shows the same."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent)
        self._answer: Callable[[bool], object] = lambda _: None
        Label(self, text="Compare the number", font=look.fonts["title"]).pack(anchor="w")
        text = "Does your other device show this number too?"
        Wrapped(self, text=text).pack(fill="x", pady=(look.px(10), 0))
        self.number = Label(self, text="", font=look.fonts["huge"])
        self.number.pack(pady=look.px(18))
        text = (
            "If it shows another one, somebody else has read the code: say so, and nothing is "
            "given away."
        )
        Wrapped(self, text=text, style="Muted.TLabel").pack(fill="x")
        row = Frame(self)
        row.pack(fill="x", pady=(look.px(20), 0))
        self.same = Button(
            row, text="They are the same", bootstyle="primary", command=lambda: self._say(True)
        )
        self.same.pack(side="right")
        self.differ = Button(row, text="They differ", command=lambda: self._say(False))
        self.differ.pack(side="right", padx=(0, look.px(8)))
        self.same.lift()  # Tab comes to it after the other
        for button in (self.same, self.differ):
            button.bind("<Escape>", lambda _: self._say(False))

    def ask(self, number: str, answer: Callable[[bool], object]) -> None:
        """Ask about a number; ``answer`` gets whether it is the same."""
        self._answer = answer
        self.number.configure(text=spaced(number))
        self.differ.focus_set()

    def _say(self, same: bool) -> None:
        answer, self._answer = self._answer, lambda _: None
        answer(same)
