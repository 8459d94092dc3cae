"""The left side: who one is, the search, and the list of conversations."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from client_tk.conversations_w import ConversationList
from client_tk.model import Row
from client_tk.pictures import Pictures
from client_tk.theme import Look
from client_tk.widgets import Entry, Frame, IconButton, Label, Placeholder, Wrapped


class Side(Frame):
    """Chooses conversations by mouse, by arrow keys, or by what is typed into the search."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        pictures: Pictures,
        on_choose: Callable[[str], object],
    ) -> None:
        super().__init__(parent, bootstyle="@chrome")
        self.look = look
        self.on_search: Callable[[str], object] = lambda _: None
        self.on_new: Callable[[], object] = lambda: None
        self.on_settings: Callable[[], object] = lambda: None
        self.on_leave: Callable[[], object] = lambda: None
        self._draw_head()
        self._draw_search()
        self.list = ConversationList(self, look, pictures, on_choose)
        self.list.pack(fill="both", expand=True, pady=(look.px(6), 0))
        self.empty = Wrapped(self, text="", bootstyle="@chrome secondary", justify="center")

    def _draw_head(self) -> None:
        px = self.look.px
        head = Frame(self, bootstyle="@chrome")
        head.pack(fill="x", padx=(px(16), px(10)), pady=(px(12), px(4)))
        self.me = Label(head, text="", bootstyle="@chrome", font=self.look.fonts["title"])
        self.me.pack(side="left")
        self.settings = IconButton(
            head,
            self.look,
            "gear",
            "Settings (Ctrl+,)",
            lambda: self.on_settings(),
            "@chrome ghost",
        )
        self.settings.pack(side="right")
        self.new = IconButton(
            head,
            self.look,
            "person-plus",
            "New contact (Ctrl+N)",
            lambda: self.on_new(),
            "@chrome ghost",
        )
        self.new.pack(side="right", padx=(0, px(2)))
        self.settings.lift()  # Tab comes to it after the other

    def _draw_search(self) -> None:
        px = self.look.px
        self.wanted = tkinter.StringVar(self)
        self.wanted.trace_add("write", lambda *_: self._searched())
        self.search = Entry(self, textvariable=self.wanted)
        Placeholder(self.search, self.look, self.wanted, "Search")
        self.search.pack(fill="x", padx=px(14), pady=(px(4), 0))
        self.search.bind("<Down>", lambda _: self._into_list())
        self.search.bind("<Return>", lambda _: self._first())
        self.search.bind("<Escape>", lambda _: self._leave())

    def show_rows(self, rows: list[Row]) -> None:
        """Show the conversations."""
        self.list.show(rows)
        text = ""
        if not rows:
            text = (
                "Nothing found."
                if self.wanted.get().strip()
                else "No conversations yet.\nAdd somebody with Ctrl+N: you need their username."
            )
        self.empty.configure(text=text)
        if text:
            self.empty.place(relx=0.1, rely=0.4, relwidth=0.8)
        else:
            self.empty.place_forget()

    def focus_search(self) -> None:
        """Put the focus into the search, to jump somewhere."""
        self.search.focus_set()
        self.search.selection_range(0, "end")

    def _searched(self) -> None:
        self.on_search(self.wanted.get())

    def _into_list(self) -> str:
        self.list.canvas.focus_set()
        if self.list.chosen() < 0:
            self.list.choose(0)
        return "break"

    def _first(self) -> None:
        if self.list.rows:
            self.list.choose(0)
            self._leave()

    def _leave(self) -> None:
        self.wanted.set("")
        self.on_leave()
