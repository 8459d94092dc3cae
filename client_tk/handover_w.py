"""Above the conversations: what other devices of the account ask for, and what comes from them."""

from __future__ import annotations

import tkinter

from client_tk.handover import NOTHING, Card, HandoverDesk
from client_tk.theme import Look
from client_tk.widgets import Button, Frame, Progressbar, Wrapped

BAR = 180


class HandoverBar(Frame):
    """A sentence, how far it is, and the buttons that answer it; there only when it says something.

    The window packs it above ``below``.
    """

    def __init__(
        self, parent: tkinter.Misc, look: Look, desk: HandoverDesk, below: tkinter.Misc
    ) -> None:
        super().__init__(parent, style="Notice.TFrame", padding=(look.px(20), look.px(10)))
        self.look = look
        self.desk = desk
        self._below = below
        self.card = NOTHING
        self.text = Wrapped(self, text="", style="Notice.TLabel")
        self.buttons = Frame(self, style="Notice.TFrame")
        self.buttons.pack(side="right", padx=(look.px(12), 0))
        self.bar = Progressbar(self, maximum=1.0, length=look.px(BAR), bootstyle="primary")
        self.text.pack(side="left", fill="x", expand=True)
        desk.show = self.show
        desk.load()

    def show(self, card: Card) -> None:
        """Show a card, or nothing."""
        if not self.winfo_exists():
            return
        if card.answers != self.card.answers:
            self._draw_buttons(card)
        self.card = card
        self.text.configure(text=card.text)
        if card.part is None:
            self.bar.pack_forget()
        else:
            self.bar.configure(value=card.part)
            self.bar.pack(side="right", before=self.text)
        if card.text:
            self.pack(side="top", fill="x", before=self._below)
        else:
            self.pack_forget()

    def _draw_buttons(self, card: Card) -> None:
        """Draw the answers, the first of them the likely one."""
        for button in self.buttons.winfo_children():
            button.destroy()
        for number, (label, action) in enumerate(card.answers):
            style = "primary" if number == 0 and action != "hide" else "neutral"
            button = Button(
                self.buttons,
                text=label,
                bootstyle=style,
                command=lambda action=action: self.desk.act(action),
            )
            button.pack(side="left", padx=(self.look.px(8) if number else 0, 0))
