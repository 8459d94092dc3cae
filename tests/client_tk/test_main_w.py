"""The main window, as a person uses it."""

from __future__ import annotations

import time
import tkinter
import unittest
from collections.abc import Callable

from bpost.client import (
    Contact,
    EventsLost,
)
from client_tk.app import App
from client_tk.main_w import MainWindow
from client_tk.messages_w import MessagesView
from client_tk.sheet import Sheet
from tests.client_tk.gui import GuiTest, texts
from tests.client_tk.simulator import SimulatedClient

DAY = 24 * 3600


def three_people(client: SimulatedClient) -> None:
    """Let there be three contacts, and some messages."""
    now = time.time()
    for name in ("bob", "carol", "dave"):
        client.know(Contact(name=name, added=0, has_key=True))
    client.put("carol", "About the garden", sent=now - DAY, quiet=True)
    client.put("carol", "Tomorrow is fine", sent=now - DAY + 60, quiet=True)
    client.put("bob", "Did you see the letter?", sent=now - 120, quiet=True)
    client.seen("bob")
    client.put("bob", "Yes", own=True, status="read", sent=now - 60, quiet=True)


class MainTest(GuiTest):
    """One account with three contacts."""

    prepare: Callable[[SimulatedClient], None] = staticmethod(three_people)

    def setUp(self) -> None:
        super().setUp()
        self.app: App = self.open_main(self.prepare)
        self.window: MainWindow = self.main(self.app)
        self.client: SimulatedClient = self.world.client

    @property
    def view(self) -> MessagesView:
        return self.window.messages

    def open(self, name: str) -> None:
        """Open a conversation, and wait until it is drawn."""
        self.window.open(name)
        self.settle(self.app)

    def press(self, widget: tkinter.Misc, keys: str) -> None:
        """Press keys while a widget has the focus."""
        widget.focus_force()
        self.app.root.update()
        widget.event_generate(keys)
        self.app.root.update()

    def shown(self) -> list[str]:
        """Return all that is drawn among the messages."""
        return texts(self.view.canvas)

    def listed(self) -> list[str]:
        """Return the names in the list, from the top."""
        return [row.name for row in self.window.side.list.rows]

    def sheet(self) -> Sheet:
        """Return the small window that is open."""
        return next(one for one in self.window.winfo_children() if isinstance(one, Sheet))

    def sheets(self) -> list[Sheet]:
        """Return all small windows that are open."""
        return [one for one in self.window.winfo_children() if isinstance(one, Sheet)]


class ConversationsTest(MainTest):
    """The list, and going from one conversation to another."""

    def test_the_newest_is_first_with_last_line_time_and_unread_count(self) -> None:
        self.assertEqual(self.listed(), ["bob", "carol", "dave"])
        drawn = texts(self.window.side.list.canvas)
        for text in ("You: Yes", "Tomorrow is fine", "Yesterday", "2", "No messages yet", "B"):
            with self.subTest(text):
                self.assertIn(text, drawn)
        self.assertEqual(self.app.root.title(), "(2) BPost · alice")

    def test_a_click_opens_a_conversation_and_reading_it_is_told(self) -> None:
        self.window.side.list.canvas.event_generate("<Button-1>", x=60, y=90)
        self.settle(self.app)
        self.assertEqual(self.window.header.name.cget("text"), "carol")
        self.assertIn("2 new messages", self.shown())
        self.assertIn("mark_read carol", self.client.calls)
        self.assertEqual(self.app.root.title(), "BPost · alice")

    def test_nothing_is_marked_as_read_while_nobody_looks(self) -> None:
        self.window.looking = lambda: False  # type: ignore[method-assign]
        self.open("carol")
        self.assertNotIn("mark_read carol", self.client.calls)

    def test_keys_go_from_one_conversation_to_the_next(self) -> None:
        self.open("bob")
        writing = self.window.composer.text
        for keys, name in (
            ("<Alt-Down>", "carol"),
            ("<Control-Tab>", "dave"),
            ("<Control-Tab>", "bob"),
            ("<Alt-Up>", "dave"),
            ("<Control-Key-2>", "carol"),
        ):
            with self.subTest(keys):
                self.press(writing, keys)
                self.settle(self.app)
                self.assertEqual(self.window.header.name.cget("text"), name)

    def test_arrows_move_through_the_list_and_the_focus_stays_there(self) -> None:
        canvas = self.window.side.list.canvas
        self.press(canvas, "<Down>")
        self.press(canvas, "<Down>")
        self.settle(self.app)
        self.assertEqual(self.window.controller.book.current, "carol")
        self.assertIs(self.window.focus_get(), canvas)

    def test_control_k_jumps_by_name(self) -> None:
        self.open("bob")
        self.press(self.window.composer.text, "<Control-k>")
        search = self.window.side.search
        self.assertIs(self.window.focus_get(), search)
        self.window.side.wanted.set("gard")
        self.app.root.update()
        self.assertEqual(self.listed(), [])
        self.window.side.wanted.set("dav")
        self.app.root.update()
        self.assertEqual(self.listed(), ["dave"])
        self.press(search, "<Return>")
        self.settle(self.app)
        self.assertEqual(self.window.header.name.cget("text"), "dave")
        self.assertEqual(self.listed(), ["bob", "carol", "dave"])
        self.assertIs(self.window.focus_get(), self.window.composer.text)

    def test_a_draft_stays_with_its_conversation(self) -> None:
        self.open("bob")
        self.window.composer.text.insert("1.0", "half a thought")
        self.open("carol")
        self.assertEqual(self.window.composer.value, "")
        self.assertIn("half a thought", texts(self.window.side.list.canvas))
        self.open("bob")
        self.assertEqual(self.window.composer.value, "half a thought")

    def test_a_draft_survives_a_new_contact_and_lost_events(self) -> None:
        self.open("bob")
        self.window.composer.text.insert("1.0", "half a thought")
        self.client.tell(EventsLost(1))
        self.settle(self.app)
        self.assertEqual(self.window.composer.value, "half a thought")
        self.world.people.add("zoe")
        self.window.controller.add_contact("zoe", lambda: None, lambda _: None)
        self.until(lambda: self.window.composer.conversation == "zoe", "the new contact")
        self.settle(self.app)
        self.assertEqual(self.client.draft("bob"), "half a thought")

    def test_typing_over_the_messages_writes(self) -> None:
        self.open("bob")
        self.press(self.view.canvas, "<KeyPress-h>")
        self.press(self.window.composer.text, "<KeyPress-i>")
        self.assertEqual(self.window.composer.value, "hi")

    def test_a_draft_is_kept_when_the_window_is_closed(self) -> None:
        self.open("bob")
        self.window.composer.text.insert("1.0", "unsent")
        self.app.close()
        self.apps.clear()
        self.assertEqual(self.client.draft("bob"), "unsent")
        self.assertTrue(self.client.closed)

    def test_many_changes_read_the_list_only_now_and_then(self) -> None:
        before = self.client.calls.count("conversations")
        for number in range(300):
            self.client.put("dave", f"flood {number}")
        self.settle(self.app)
        self.assertLess(self.client.calls.count("conversations") - before, 40)
        self.assertIn("flood 299", texts(self.window.side.list.canvas))

    def test_lost_events_are_made_good(self) -> None:
        self.open("bob")
        self.client.put("bob", "you did not hear of me", quiet=True)
        self.client.tell(EventsLost(1))
        self.settle(self.app)
        self.assertIn("you did not hear of me", self.shown())


class KeyboardTest(MainTest):
    """Everything without the mouse."""

    def test_tab_reaches_everything_in_the_order_it_is_seen(self) -> None:
        self.open("bob")
        side, header = self.window.side, self.window.header
        side.new.focus_force()
        self.app.root.update()
        reached: list[tkinter.Misc] = []
        while (focus := self.window.focus_get()) is not None and focus not in reached:
            reached.append(focus)
            focus.event_generate("<Tab>")
            self.app.root.update()
        self.assertEqual(
            reached,
            [
                side.new,
                side.settings,
                side.search,
                side.list.canvas,
                header.safety,
                header.menu_button,
                self.view.canvas,
                self.window.composer.text,
                self.window.composer.button,
            ],
        )

    def test_shift_tab_goes_back(self) -> None:
        self.open("bob")
        self.press(self.window.composer.text, "<Shift-Tab>")
        self.assertIs(self.window.focus_get(), self.view.canvas)


if __name__ == "__main__":
    unittest.main()
