"""The main window: the conversations, one of them, and where the connection stands."""

from __future__ import annotations

import functools
import itertools
import time
import tkinter
from collections.abc import Callable

from bpost.client import Client
from client_tk.composer_w import Composer
from client_tk.controller import Controller
from client_tk.handover import HandoverDesk
from client_tk.handover_w import HandoverBar
from client_tk.header_w import Banner, Header, Person
from client_tk.keys import Keys
from client_tk.messages_w import MessagesView
from client_tk.second_thoughts import SecondThoughts
from client_tk.sheets import Sheets
from client_tk.shell import Shell
from client_tk.side_w import Side
from client_tk.status_w import StatusLine
from client_tk.widgets import Button, Frame, Label, Panedwindow, Timers

SIDE = 310


class MainWindow(Frame):
    """The views of one account; a `Controller` decides what they show."""

    def __init__(self, parent: tkinter.Misc, shell: Shell, client: Client) -> None:
        super().__init__(parent)
        self.shell = shell
        self.look = shell.look
        self.client = client
        self.controller = Controller(client, shell.lanes, self)
        self._timers = Timers(self)
        self._serial = itertools.count()
        self.status = StatusLine(self, self.look, self.controller.reconnect)
        self.status.pack(side="bottom", fill="x")
        Frame(self, style="Line.TFrame", height=1).pack(side="bottom", fill="x")
        self.panes = Panedwindow(self, orient="horizontal")
        self.panes.pack(fill="both", expand=True)
        self.side = Side(self.panes, self.look, shell.pictures, self.open)
        self.right = Frame(self.panes)
        self.panes.add(self.side, weight=0)
        self.panes.add(self.right, weight=1)
        desk = HandoverDesk(client, shell.lanes, self.say)
        self.sheets = Sheets(self, shell, client, self.controller, desk)
        self._draw_right()
        self.handover = HandoverBar(self, self.look, desk, self.panes)
        self._connect()
        self._order_focus()
        self.shortcuts = self._make_keys()
        self._zoom = self.look.zoom
        self.look.follow(self._restyle)
        self.bind("<Destroy>", lambda _: self.look.forget(self._restyle), add="+")

    def _draw_right(self) -> None:
        look = self.look
        Frame(self.right, style="Line.TFrame", width=1).pack(side="left", fill="y")
        self.nobody = Frame(self.right)
        self._draw_nobody()
        self.talk = Frame(self.right)
        self.header = Header(self.talk, look, self.shell.pictures)
        self.header.pack(fill="x")
        self.edge = Frame(self.talk, style="Line.TFrame", height=1)
        self.edge.pack(fill="x")
        self.banner = Banner(self.talk, look)
        self.foot = Frame(self.talk)
        Frame(self.foot, style="Line.TFrame", height=1).pack(fill="x")
        self.composer = Composer(self.foot, look)
        self.composer.pack(fill="x")
        self.messages = MessagesView(self.talk, look, self.shell.pictures)
        self.messages.pack(fill="both", expand=True)
        self.nobody.pack(fill="both", expand=True)

    def _draw_nobody(self) -> None:
        """Draw what is seen while no conversation is open."""
        middle = Frame(self.nobody)
        middle.place(relx=0.5, rely=0.45, anchor="center")
        self._icon = self.shell.pictures.program(self.look.px(72))
        Label(middle, image=self._icon).pack()
        text = "Choose a conversation, or add somebody"
        Label(middle, text=text, style="Muted.TLabel").pack(pady=self.look.px(16))
        self.first = Button(middle, text="New contact …", command=self.sheets.new_contact)
        self.first.configure(bootstyle="primary")
        self.first.pack()

    def _connect(self) -> None:
        """Let the views ask the controller."""
        self.side.me.configure(text=self.client.username)
        self.side.on_search = self.controller.search
        self.side.on_new = self.sheets.new_contact
        self.side.on_settings = self.sheets.open_settings
        self.side.on_leave = self.focus_composer
        self.header.ask_safety = self.sheets.open_safety
        self.header.ask_change = self.act
        self.banner.act = self.act
        self.messages.ask_older = self.controller.older
        self.messages.ask_retry = self.controller.retry
        self.messages.tell_seen = self.controller.seen
        self.composer.on_send = self.controller.send
        self.composer.on_draft = self.controller.keep_draft
        parts = (self.composer, self.messages, self.say)
        self.second_thoughts = SecondThoughts(self.client, self.shell.lanes, *parts)

    def _restyle(self) -> None:
        """Make the list wider when the text grows."""
        if self.look.zoom != self._zoom:
            wide = round(self.panes.sashpos(0) * self.look.zoom / self._zoom)
            self._zoom = self.look.zoom
            self.panes.sashpos(0, min(wide, self.winfo_width() * 45 // 100))

    def start(self, conversation: str = "") -> None:
        """Show the account, and a conversation if one is named."""
        self.update_idletasks()
        self.panes.sashpos(0, self.shell.settings.side or self.look.text_px(SIDE))
        self.side.list.canvas.focus_set()
        self.controller.start(conversation)
        self.later(60_000, functools.partial(self._each_minute, time.localtime().tm_yday))

    def _each_minute(self, day: int) -> None:
        today = time.localtime().tm_yday
        if today != day:
            self.controller.new_day()
        self.later(60_000, functools.partial(self._each_minute, today))

    # Keys

    def _order_focus(self) -> None:
        """Let Tab go from the list to the messages, to the composer, to the line below."""
        order = (self.side, self.right, self.status)
        for part in (*order, self.header, self.banner, self.messages, self.foot):
            part.lift()

    def _make_keys(self) -> Keys:
        """Say which key does what, whatever in the window has the focus."""
        actions: dict[str, Callable[[], object]] = {
            "<Shortcut-n>": self.sheets.new_contact,
            "<Shortcut-k>": self.side.focus_search,
            "<Shortcut-comma>": self.sheets.open_settings,
            "<Shortcut-l>": self.shell.lock,
            "<Shortcut-slash>": self.sheets.open_keys,
            "<Control-Tab>": lambda: self.step(1),
            "<Control-Shift-Tab>": lambda: self.step(-1),
            "<Alt-Down>": lambda: self.step(1),
            "<Alt-Up>": lambda: self.step(-1),
            "<Escape>": self.escape,
        }
        sizes = {1: ("plus", "equal", "KP_Add"), -1: ("minus", "KP_Subtract"), 0: ("0", "KP_0")}
        for steps, names in sizes.items():
            for name in names:
                enlarge = functools.partial(self.shell.enlarge, steps)
                actions[f"<Shortcut-Key-{name}>"] = enlarge
        for number in range(1, 10):
            choose = functools.partial(self.side.list.choose, number - 1)
            actions[f"<Shortcut-Key-{number}>"] = choose
        if self.tk.call("tk", "windowingsystem") == "x11":
            actions["<Control-ISO_Left_Tab>"] = lambda: self.step(-1)
        return Keys(self, actions, self.composer.type_on, self.focus_composer)

    def step(self, step: int) -> None:
        """Go to the next conversation, or to an earlier one."""
        self.side.list.step(step, around=True)

    def escape(self) -> None:
        """Cancel what is under way: the search, a picked message; then go to the end."""
        if self.second_thoughts.cancel():
            return
        if self.side.wanted.get():
            self.side.wanted.set("")
        elif self.messages.painter.chosen:
            self.messages.leave_pick()
        else:
            self.messages.to_end()
        self.focus_composer()

    def focus_composer(self) -> None:
        """Put the focus where one writes, or into the list."""
        if self.talk.winfo_manager() and self.composer.enabled:
            self.composer.text.focus_set()
        else:
            self.side.list.canvas.focus_set()

    # What one does

    def open(self, name: str) -> None:
        """Open a conversation."""
        in_list = self.focus_get() is self.side.list.canvas
        self.controller.open(name)
        if not in_list:
            self.focus_composer()

    def act(self, action: str) -> None:
        """Do what a button or menu about the other person says."""
        name, client = self.controller.book.current, self.client
        changes: dict[str, tuple[Callable[[str], object], str]] = {
            "add": (client.add_contact, f"{name} is in your contacts now."),
            "remove": (client.remove_contact, f"{name} is not in your contacts any more."),
            "block": (client.block, f"{name} is blocked."),
            "unblock": (client.unblock, f"{name} is not blocked any more."),
        }
        if action in changes:
            self.controller.change_contact(*changes[action])
        elif action == "html":
            self.sheets.export("html")
        elif action == "json":
            self.sheets.export("json")
        elif action == "safety":
            self.sheets.open_safety()
        elif action == "trust":
            self.controller.trust()
        elif action == "dismiss":
            self.controller.dismiss_notice()

    # What the controller asks for (`view.View`)

    def show_list(self) -> None:
        """Show the conversations anew."""
        book = self.controller.book
        self.side.show_rows(book.rows(self.controller.clock()))
        unread = sum(one.unread for one in book.conversations.values())
        self.shell.set_title(self.client.username, unread)

    def show_conversation(self) -> None:
        """Show another conversation."""
        if not self.talk.winfo_manager():
            self.nobody.pack_forget()
            self.talk.pack(fill="both", expand=True)
        timeline = self.controller.timeline
        name = timeline.name
        empty = (
            f"No messages yet.\nWhat you write here, only you and {name} can read: it is sealed on "
            f"this computer and opened on theirs."
        )
        self.messages.show_timeline(timeline, empty)
        if self.composer.conversation != name:
            self.composer.load(name, self.controller.conversation().draft)
        self.show_person()

    def show_person(self) -> None:
        """Show anew what is known of the other person."""
        book = self.controller.book
        if not book.current:
            return
        notice = self.controller.notices.get(book.current.lower(), "")
        own = book.is_own(book.current)
        person = Person(book.current, self.controller.contact(), notice, own)
        if own:
            self.foot.pack_forget()
        else:
            self.foot.pack(side="bottom", fill="x", before=self.messages)
        self.header.show_person(person)
        if self.banner.show_person(person):
            self.banner.pack(fill="x", after=self.edge)
        else:
            self.banner.pack_forget()
        self.composer.enable(person.may_write and not self.controller.turned_away)

    def show_handover(self) -> None:
        """Show anew what other devices ask for, or send."""
        self.handover.desk.load()

    def lines_changed(self) -> None:
        """Show the lines of the timeline anew."""
        self.messages.refresh()

    def line_added(self, own: bool) -> None:
        """Show a line that has been added to the timeline."""
        self.messages.added(own)

    def show_connection(self) -> None:
        """Show anew where the connection stands."""
        self.status.show_connection(self.controller.book.connection)

    def say(self, sentence: str, alarming: bool = False) -> None:
        """Show a sentence for a while."""
        self.status.say(sentence, alarming)

    def give_back(self, text: str, sentence: str) -> None:
        """Put a text that was not sent back into the composer, and say why."""
        self.composer.give_back(text, sentence)

    def signed_out(self, sentence: str) -> None:
        """Leave the main window: the account is logged in no more."""
        self.shell.log_out(sentence)

    def looking(self) -> bool:
        """Tell whether somebody looks at the window: it has the focus and is not hidden."""
        return bool(self.winfo_viewable()) and self.focus_get() is not None

    def later(self, milliseconds: int, action: Callable[[], object]) -> None:
        """Do something later, unless the window is gone by then."""
        self._timers.set(f"later {next(self._serial)}", milliseconds, action)

    def leave(self) -> None:
        """Keep what was written, and how wide the list was."""
        self.composer.flush_draft()
        self.shell.settings.side = self.panes.sashpos(0)
