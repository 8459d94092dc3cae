"""The line below the window: where the connection stands, and what has just happened."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable

from bpost.client import ConnectionState
from client_tk.model import Connection
from client_tk.theme import Look
from client_tk.widgets import Button, Canvas, Frame, Label, Timers

SAY_FOR = 6_000  # milliseconds
SAY_ALARM_FOR = 15_000


class StatusLine(Frame):
    """A dot, a sentence, "Now" while it waits to reconnect; at the right what was just said."""

    def __init__(self, parent: tkinter.Misc, look: Look, reconnect: Callable[[], object]) -> None:
        super().__init__(parent, bootstyle="@chrome")
        self.look = look
        self.connection = Connection()
        gap = look.px(6)
        self.dot = Canvas(self, highlightthickness=0)
        self.dot.pack(side="left", padx=(look.px(16), gap), pady=gap)
        self.text = Label(self, text="", bootstyle="@chrome", font=look.fonts["small"])
        self.text.pack(side="left", pady=gap)
        self.now = Button(self, text="Now", bootstyle="@chrome primary link", command=reconnect)
        self.now.configure(padding=0)
        self.said = Label(self, text="", bootstyle="@chrome", font=look.fonts["small"])
        self.said.pack(side="right", padx=look.px(16))
        self._timers = Timers(self)
        look.follow(self.restyle)
        self.bind("<Destroy>", lambda _: look.forget(self.restyle), add="+")

    def show_connection(self, connection: Connection) -> None:
        """Show where the connection stands; while it waits, count down."""
        self.connection = connection
        self.restyle()
        self._timers.clear("tick")
        if connection.retry_at is not None and connection.state is ConnectionState.WAITING:
            self._timers.set("tick", 500, lambda: self.show_connection(self.connection))

    def restyle(self) -> None:
        """Draw the line anew."""
        palette, size = self.look.palette, self.look.text_px(9)
        state = self.connection.state
        color = {
            ConnectionState.CONNECTED: palette.good,
            ConnectionState.REFUSED: palette.danger,
        }.get(state, palette.warning)
        self.dot.configure(width=size, height=size, background=palette.side)
        self.dot.delete("all")
        self.dot.create_oval(1, 1, size - 1, size - 1, fill=color, outline=color)
        self.text.configure(text=self.connection.line(time.monotonic()))
        if state is ConnectionState.WAITING:
            self.now.pack(side="left", padx=self.look.px(8), after=self.text)
        else:
            self.now.pack_forget()

    def say(self, sentence: str, alarming: bool) -> None:
        """Show a sentence for a while."""
        color = self.look.palette.danger if alarming else self.look.palette.text
        self.said.configure(text=sentence, foreground=color)
        wait = SAY_ALARM_FOR if alarming else SAY_FOR
        self._timers.set("said", wait, lambda: self.said.configure(text=""))
