"""The main window, as a person uses it."""

from __future__ import annotations

import dataclasses
import time
import tkinter
import unittest
from collections.abc import Callable

from bpost.client import (
    ConnectionState,
    Contact,
    EventsLost,
    Message,
    MessageAdded,
    SecurityNotice,
    SignedOut,
)
from bpost.errors import UsageError
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


class MessagesTest(MainTest):
    """Writing and reading."""

    def setUp(self) -> None:
        super().setUp()
        self.open("bob")

    def test_enter_sends_and_shift_enter_breaks_the_line(self) -> None:
        text = self.window.composer.text
        text.insert("1.0", "one")
        self.press(text, "<Shift-Return>")
        text.insert("insert", "two")
        self.press(text, "<Return>")
        self.settle(self.app)
        self.assertIn("one\ntwo", self.shown())
        self.assertEqual(self.window.composer.value, "")

    def test_nothing_blank_is_sent(self) -> None:
        self.window.composer.text.insert("1.0", " \n ")
        self.press(self.window.composer.text, "<Return>")
        self.settle(self.app)
        self.assertNotIn("send", self.client.calls)

    def test_the_composer_grows_to_six_lines(self) -> None:
        for lines, height in ((1, 1), (3, 3), (20, 6), (2, 2)):
            self.window.composer.load("bob", "\n".join("x" * lines))
            self.app.root.update()
            with self.subTest(lines=lines):
                self.assertEqual(int(self.window.composer.text.cget("height")), height)

    def test_ticks_follow_a_message(self) -> None:
        message = self.client.put("bob", "on its way", own=True, status="waiting")
        self.settle(self.app)
        seen = set()
        for status in ("waiting", "stored", "delivered", "read", "failed"):
            self.client.change(message.id, status=status)
            self.settle(self.app)
            self.view.paint()
            images = [item for item in self.view.canvas.find_all() if self._is_image(item)]
            seen.add(
                str(self.view.canvas.tk.call(self.view.canvas, "itemcget", images[-1], "-image"))
            )
        self.assertEqual(len(seen), 5)

    def _is_image(self, item: int) -> bool:
        return str(self.view.canvas.type(item)) == "image"

    def test_a_failed_message_says_why_and_can_be_sent_again(self) -> None:
        why = "The server refused it."
        self.client.put("bob", "no luck", own=True, status="failed", failure=why)
        self.settle(self.app)
        self.assertIn(f"{why}  Retry", self.shown())
        self.screenshot(self.app, f"main-failed-{self.appearance}")
        x, y = self._place_of(f"{why}  Retry")
        self.view.canvas.event_generate("<Button-1>", x=x - 10, y=y + 5)
        self.settle(self.app)
        self.assertIn("retry", self.client.calls)
        self.assertNotIn(f"{why}  Retry", self.shown())

    def _place_of(self, text: str) -> tuple[int, int]:
        canvas = self.view.canvas
        for item in canvas.find_all():
            is_text = str(canvas.type(item)) == "text"
            if is_text and str(canvas.tk.call(canvas, "itemcget", item, "-text")) == text:
                x, y = canvas.coords(item)
                return round(x), round(y)
        raise AssertionError(f"{text!r} is not drawn")

    def test_a_failed_message_can_be_sent_again_by_keyboard(self) -> None:
        self.client.put("bob", "no luck", own=True, status="failed")
        self.settle(self.app)
        self.press(self.view.canvas, "<Up>")
        self.press(self.view.canvas, "<Return>")
        self.settle(self.app)
        self.assertIn("retry", self.client.calls)

    def test_a_message_is_picked_and_copied_by_keyboard(self) -> None:
        self.press(self.view.canvas, "<Up>")
        self.press(self.view.canvas, "<Up>")
        self.press(self.view.canvas, "<Control-c>")
        self.assertEqual(self.app.root.clipboard_get(), "Did you see the letter?")

    def test_what_could_not_be_read_is_said_and_never_shown_as_words(self) -> None:
        self.client.put("bob", "ATTACK", kind="unreadable", failure="It was changed on its way.")
        self.client.put("bob", "ATTACK", kind="unsupported")
        self.settle(self.app)
        self.assertIn("It was changed on its way.", self.shown())
        self.assertIn(
            "This message needs a newer BPost. Update it to read such messages.", self.shown()
        )
        self.assertNotIn("ATTACK", " ".join(self.shown()))
        self.assertNotIn("ATTACK", " ".join(texts(self.window.side.list.canvas)))

    def test_a_doubt_about_a_message_is_said_below_it(self) -> None:
        doubt = "This came under a new account key, which you have not trusted yet."
        self.client.put("bob", "it is me, really", failure=doubt)
        self.settle(self.app)
        self.assertIn("it is me, really", self.shown())
        self.assertIn(doubt, self.shown())

    def test_a_message_that_cannot_be_sent_comes_back_to_the_composer(self) -> None:
        self.world.fail["send"] = UsageError("The text is too long. Send it in two parts.")
        self.window.composer.text.insert("1.0", "too long")
        self.press(self.window.composer.text, "<Return>")
        self.settle(self.app)
        self.assertEqual(self.window.composer.value, "too long")
        self.assertIn("two parts", self.window.composer.note.cget("text"))
        self.assertTrue(self.window.composer.note.winfo_ismapped())

    def test_days_are_separated_and_times_are_local(self) -> None:
        drawn = self.shown()
        self.assertIn("Today", drawn)
        sent = self.window.controller.timeline.lines[0].message.sent
        self.assertIn(time.strftime("%H:%M", time.localtime(sent / 1000)), drawn)

    def test_a_message_that_comes_while_nobody_looks_is_marked_as_new(self) -> None:
        looking = self.window.looking
        self.window.looking = lambda: False  # type: ignore[method-assign]
        self.client.put("bob", "are you there?")
        self.settle(self.app)
        self.assertIn("1 new message", self.shown())
        self.assertNotIn("mark_read bob", self.client.calls)
        self.window.looking = looking  # type: ignore[method-assign]
        self.window.messages.paint()
        self.settle(self.app)
        self.assertIn("mark_read bob", self.client.calls)
        self.window.composer.text.insert("1.0", "yes")
        self.press(self.window.composer.text, "<Return>")
        self.settle(self.app)
        self.assertNotIn("1 new message", self.shown())

    def test_two_events_for_one_message_show_it_once(self) -> None:
        message = self.client.put("bob", "once")
        self.client.tell(MessageAdded(message))
        self.settle(self.app)
        self.assertEqual(self.shown().count("once"), 1)

    def test_controls_in_a_text_do_no_harm(self) -> None:
        self.client.put("bob", "a\x00b\x1b[31m\ud800\u202ec")
        self.settle(self.app)
        self.assertIn("ab[31mc", self.shown())


class PeopleTest(MainTest):
    """What has to be known about the other person."""

    def change(self, name: str, **fields: object) -> None:
        """Let something become known of somebody."""
        known = self.client._contacts[name]
        self.client.know(dataclasses.replace(known, **fields))  # type: ignore[arg-type]
        self.settle(self.app)

    def answers(self) -> dict[str, tkinter.Misc]:
        """Return the buttons of the banner."""
        buttons = self.window.banner.buttons.winfo_children()
        return {str(button.cget("text")): button for button in buttons}

    def answer(self, label: str) -> None:
        """Press a button of the banner."""
        self.answers()[label].invoke()  # type: ignore[attr-defined]
        self.settle(self.app)

    def test_a_changed_key_holds_messages_until_it_is_trusted(self) -> None:
        self.open("bob")
        self.assertFalse(self.window.banner.winfo_ismapped())
        self.change("bob", key_changed=True)
        self.client.put("bob", "held", own=True, status="waiting", failure="Held: trust the key.")
        self.settle(self.app)
        self.assertIn("The key of bob has changed", self.window.banner.text.cget("text"))
        self.assertIn("Held: trust the key.", self.shown())
        self.screenshot(self.app, f"main-key-changed-{self.appearance}")
        self.answer("Continue")
        self.assertIn("trust_new_key", self.client.calls)
        self.assertFalse(self.window.banner.winfo_ismapped())

    def test_who_is_not_a_contact_cannot_be_answered_until_added(self) -> None:
        self.client.put("frank", "hello, I am new here")
        self.world.people.add("frank")
        self.settle(self.app)
        self.open("frank")
        self.assertIn("is not in your contacts", self.window.banner.text.cget("text"))
        self.assertFalse(self.window.composer.enabled)
        self.answer("Add")
        self.assertTrue(self.window.composer.enabled)

    def test_blocking_and_unblocking(self) -> None:
        self.open("bob")
        self.window.act("block")
        self.settle(self.app)
        self.assertIn("You have blocked bob", self.window.banner.text.cget("text"))
        self.assertFalse(self.window.composer.enabled)
        self.answer("Unblock")
        self.assertTrue(self.window.composer.enabled)

    def test_a_removed_contact_can_be_added_again(self) -> None:
        self.open("bob")
        self.window.act("remove")
        self.settle(self.app)
        self.assertIn("is not in your contacts", self.window.banner.text.cget("text"))

    def test_a_security_notice_is_shown_until_it_is_understood(self) -> None:
        self.client.tell(SecurityNotice("bob", "bad-signature", "A false device was refused."))
        self.settle(self.app)
        self.open("bob")
        self.assertIn("A false device", self.window.banner.text.cget("text"))
        self.answer("Understood")
        self.assertFalse(self.window.banner.winfo_ismapped())

    def test_a_notice_about_the_server_is_said_below(self) -> None:
        self.client.tell(SecurityNotice("", "bad-vault", "The vault was altered."))
        self.settle(self.app)
        self.assertIn("The vault was altered", self.window.status.said.cget("text"))

    def test_the_header_tells_whether_it_is_sealed_and_verified(self) -> None:
        self.open("bob")
        self.assertIn("Sealed end to end", self.window.header.below.cget("text"))
        self.change("bob", verified=True)
        self.assertIn("Verified", self.window.header.below.cget("text"))
        self.change("bob", verified=False, has_key=False)
        self.assertIn("No key yet", self.window.header.below.cget("text"))


class ConnectionTest(MainTest):
    """The line below."""

    def line(self) -> str:
        """Return what the line says."""
        self.settle(self.app)
        return str(self.window.status.text.cget("text"))

    def test_it_says_where_the_connection_stands(self) -> None:
        self.assertEqual(self.line(), "Connected")
        self.client.connection(ConnectionState.WAITING, retry_in=30)
        self.assertRegex(self.line(), r"Reconnecting in (29|30) s")
        self.assertTrue(self.window.status.now.winfo_ismapped())
        self.screenshot(self.app, f"main-reconnecting-{self.appearance}")
        self.window.status.now.invoke()
        self.assertEqual(self.line(), "Connected")
        self.assertFalse(self.window.status.now.winfo_ismapped())

    def test_it_counts_down(self) -> None:
        self.client.connection(ConnectionState.WAITING, retry_in=30)
        self.line()
        self.until(lambda: "in 28 s" in str(self.window.status.text.cget("text")), "the count")

    def test_what_is_written_offline_waits(self) -> None:
        self.client.connection(ConnectionState.OFFLINE)
        self.open("bob")
        self.window.controller.send("later")
        self.until(lambda: self.line() == "Offline: 1 message waiting", "the line")

    def test_a_refused_server_is_said(self) -> None:
        self.client.connection(ConnectionState.REFUSED, text="The certificate has changed.")
        self.assertEqual(self.line(), "The certificate has changed.")

    def test_who_is_signed_out_sees_why_and_may_log_in_again(self) -> None:
        self.client.tell(SignedOut("wrong-password", "The password was changed elsewhere."))
        self.until(lambda: self.app.start is not None, "the start window")
        self.assertIn("changed elsewhere", self.start(self.app).general.cget("text"))
        self.until(lambda: self.client.closed, "the client to close")


class NobodyTest(MainTest):
    """An account without anybody."""

    prepare = staticmethod(lambda _: None)

    def test_an_empty_account_says_what_to_do(self) -> None:
        self.assertTrue(self.window.side.empty.winfo_ismapped())
        self.assertIn("Add somebody", self.window.side.empty.cget("text"))
        self.assertTrue(self.window.nobody.winfo_ismapped())
        self.screenshot(self.app, f"main-empty-{self.appearance}")

    def test_an_empty_conversation_says_who_can_read_it(self) -> None:
        self.client.know(Contact("bob", 0, has_key=True))
        self.settle(self.app)
        self.open("bob")
        self.assertIn("only you and bob can read", " ".join(self.shown()))

    def test_messages_without_known_places_are_in_the_order_they_came(self) -> None:
        self.client.know(Contact("bob", 0, has_key=True))
        self.open("bob")
        sent = [self.client.put("bob", str(number), place=0.0) for number in range(3)]
        self.settle(self.app)
        lines: list[Message] = [line.message for line in self.window.controller.timeline.lines]
        self.assertEqual([one.text for one in lines], [one.text for one in sent])


if __name__ == "__main__":
    unittest.main()
