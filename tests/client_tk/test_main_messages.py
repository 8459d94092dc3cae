"""Writing and reading in the main window."""

from __future__ import annotations

import time
import unittest

from bpost.client import (
    MessageAdded,
)
from bpost.errors import UsageError
from tests.client_tk.gui import texts
from tests.client_tk.test_main_w import MainTest


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


if __name__ == "__main__":
    unittest.main()
