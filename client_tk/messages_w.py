"""The messages of one conversation: reading, scrolling, picking one by keyboard."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.client import Message
from client_tk import words
from client_tk.bubbles import BubblePainter, action_at
from client_tk.model import Line, Timeline
from client_tk.pictures import Pictures
from client_tk.scroller import Scroller
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Button, Canvas, Menu, Text


class MessagesView(Scroller[Line]):
    """Shows a `Timeline`; what it cannot do itself it asks of its callbacks."""

    def __init__(self, parent: tkinter.Misc, look: Look, pictures: Pictures) -> None:
        super().__init__(
            parent, look, lambda canvas: self._make_painter(canvas, pictures), from_bottom=True
        )
        self.margin = look.px(12)
        self.timeline = Timeline("")
        self.ask_older: Callable[[], object] = lambda: None
        self.ask_retry: Callable[[str], object] = lambda _: None
        self.ask_edit: Callable[[Message], object] = lambda _: None
        self.ask_delete: Callable[[Message], object] = lambda _: None
        self.tell_seen: Callable[[], object] = lambda: None
        self.missed = 0
        self.empty_text = ""
        self.canvas.configure(background=self.background())
        self.jump = Button(
            self, icon="arrow-down", compound="left", bootstyle="primary", command=self.to_end
        )
        self._menu = Menu(self, tearoff=False)
        self.on_near_top = self._near_top
        self.on_scrolled = self._scrolled
        self._bind_messages()

    def _make_painter(self, canvas: Canvas, pictures: Pictures) -> BubblePainter:
        self.painter = BubblePainter(canvas, self.look, pictures)
        return self.painter

    def _bind_messages(self) -> None:
        keys: dict[str, Callable[[], object]] = {
            "Up": lambda: self.pick(-1),
            "Down": lambda: self.pick(1),
            "Prior": lambda: self.page(-1),
            "Next": lambda: self.page(1),
            "Home": lambda: self.to_row(0),
            "End": self.to_end,
            "Return": self.act,
            "Escape": self.leave_pick,
            "Control-c": self.copy,
            "Command-c": self.copy,
            "Delete": self.delete,
            "Menu": self._menu_by_key,
            "Shift-F10": self._menu_by_key,
        }
        for key, action in keys.items():
            if key != "Command-c" or self.tk.call("tk", "windowingsystem") == "aqua":
                self.canvas.bind(f"<{key}>", lambda _, action=action: _done(action))  # type: ignore[misc]
        self.canvas.bind("<Button-1>", self._clicked)
        self.canvas.bind("<Button-3>", self._menu_by_mouse)
        self.canvas.bind("<Motion>", self._moved)
        self.canvas.bind("<FocusOut>", lambda _: self.leave_pick(keep_focus=True), add="+")

    # What is shown

    def show_timeline(self, timeline: Timeline, empty_text: str) -> None:
        """Show another conversation, from the first unread message, or from its end."""
        self.timeline, self.empty_text, self.missed = timeline, empty_text, 0
        self.painter.chosen = ""
        self.show(list(timeline.lines), keep=False)
        fresh = timeline.place_of(timeline.first_fresh)
        if fresh >= 0:
            self.at_end = False
            self._anchor = (fresh, self.look.px(24))
        self._draw_jump()

    def refresh(self) -> None:
        """Show what changed in the timeline; once for many changes."""
        self._timers.soon("refresh", lambda: self.show(list(self.timeline.lines)))

    def added(self, own: bool) -> None:
        """Show a message that has just been added."""
        if own:
            self.at_end = True
        elif not self.at_end:
            self.missed += 1
        self.refresh()

    def paint(self) -> None:
        """Bring the canvas up to date now."""
        super().paint()
        self.canvas.delete("empty")
        if not self.rows:
            self.canvas.create_text(
                self.canvas.winfo_width() // 2,
                self.canvas.winfo_height() // 2,
                text="Loading …" if self.timeline.loading else self.empty_text,
                font=self.look.fonts["body"],
                fill=self.look.palette.muted,
                width=round(self.canvas.winfo_width() * 0.7),
                justify="center",
                tags="empty",
            )
        self._draw_jump()
        if self.at_end and self.rows and not self.timeline.loading:
            self.tell_seen()

    def _near_top(self) -> None:
        if self.rows and not self.timeline.complete and not self.timeline.loading:
            self.ask_older()

    def _scrolled(self) -> None:
        if self.at_end:
            self.missed = 0
        self._draw_jump()

    def _draw_jump(self) -> None:
        """Show the button that leads to the end, unless the end is seen."""
        if self.at_end or not self.rows:
            self.missed = 0
            self.jump.place_forget()
            return
        text = f"{self.missed:,} new" if self.missed else ""
        if self.jump.cget("text") != text:
            self.jump.configure(text=text)
        if not self.jump.winfo_manager():
            gap = self.look.px(16)
            self.jump.place(relx=1, rely=1, x=-2 * gap, y=-gap, anchor="se")

    # Picking one message

    def pick(self, step: int) -> None:
        """Pick the next message, or an earlier one; the first time, the lowest one seen."""
        place = self.timeline.place_of(self.painter.chosen)
        if place >= 0:
            place += step
        else:
            seen = self.row_at(self.canvas.winfo_height() - 1)
            place = len(self.rows) - 1 if seen is None else seen
        if 0 <= place < len(self.rows):
            self.painter.chosen = self.rows[place].key
            self.reveal(place)
            self.repaint()

    def picked(self) -> Message | None:
        """Return the message that is picked."""
        place = self.timeline.place_of(self.painter.chosen)
        return self.timeline.lines[place].message if place >= 0 else None

    def leave_pick(self, keep_focus: bool = False) -> None:
        """Pick none; a second time, go to the end."""
        if self.painter.chosen:
            self.painter.chosen = ""
            self.repaint()
        elif not keep_focus:
            self.to_end()

    def act(self) -> None:
        """Do the one thing that there is to do with the picked message."""
        message = self.picked()
        if message is not None:
            self._perform("retry" if message.status == "failed" else "all", message)

    def copy(self) -> None:
        """Copy the text of the picked message."""
        message = self.picked()
        if message is not None and message.kind == "text":
            self.clipboard_clear()
            self.clipboard_append(words.printable(message.text))

    def delete(self) -> None:
        """Ask whether the picked message is to be deleted."""
        message = self.picked()
        if message is not None:
            self.ask_delete(message)

    def _perform(self, action: str, message: Message) -> None:
        if action == "retry" and message.status == "failed":
            self.ask_retry(message.id)
        elif action == "all" and message.kind == "text":
            show_all(self, self.look, message)

    # The mouse

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self.canvas.focus_set()
        action, place = action_at(self.canvas, event.x, event.y), self.row_at(event.y)
        if action and place is not None:
            self._perform(action, self.rows[place].message)

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        hand = "hand2" if action_at(self.canvas, event.x, event.y) else ""
        if str(self.canvas.cget("cursor")) != hand:
            self.canvas.configure(cursor=hand)

    def _menu_by_mouse(self, event: tkinter.Event[tkinter.Misc]) -> None:
        place = self.row_at(event.y)
        if place is not None:
            self.canvas.focus_set()
            self.painter.chosen = self.rows[place].key
            self.repaint()
            self.open_menu(event.x_root, event.y_root)

    def _menu_by_key(self) -> None:
        place = self.timeline.place_of(self.painter.chosen)
        if place >= 0:
            y = self.canvas.winfo_rooty() + max(0, self.row_top(place))
            self.open_menu(self.canvas.winfo_rootx() + self.canvas.winfo_width() // 2, y)

    def open_menu(self, x: int, y: int) -> None:
        """Open the menu of the picked message."""
        message = self.picked()
        if message is None:
            return
        menu = self._menu
        menu.delete(0, "end")
        if message.kind == "text":
            menu.add_command(label="Copy text", command=self.copy)
            menu.add_command(label="Show as text", command=lambda: self._perform("all", message))
        if message.status == "failed":
            menu.add_command(label="Send again", command=lambda: self._perform("retry", message))
        if message.own and message.kind == "text":
            menu.add_command(label="Edit", command=lambda: self.ask_edit(message))
        menu.add_command(label="Delete …", accelerator="Del", command=self.delete)
        if menu.index("end") is not None:
            menu.tk_popup(x, y)


def _done(action: Callable[[], object]) -> str:
    """Do what a key asks for, and let nobody else see the key."""
    action()
    return "break"


def show_all(parent: tkinter.Misc, look: Look, message: Message) -> Sheet:
    """Show a whole message as text that can be selected."""
    who = "you" if message.own else message.sender
    sheet = Sheet(parent, look, f"Message from {who}", width=560)
    text = Text(sheet.body, width=70, height=18, wrap="word", font=look.fonts["body"])
    text.insert("1.0", words.printable(message.text))
    text.configure(state="disabled")
    text.pack(fill="both", expand=True)
    sheet.add_button("Close", sheet.close, "primary")
    sheet.open(text)
    return sheet
