"""Scrolling: long histories, staying at the end, and finding the first unread message."""

from __future__ import annotations

import itertools
import threading
import time
import unittest
from collections.abc import Callable
from unittest import mock

from bpost.client import Contact
from client_tk.pump import Pump
from tests.client_tk.gui import texts
from tests.client_tk.simulator import SimulatedClient
from tests.client_tk.test_main_w import MainTest
from tests.support import patience

SCREENFUL = 60  # rows measured or drawn; the window has room for some twenty


def many_messages(client: SimulatedClient, count: int = 10_000) -> None:
    """Let there be a long history with bob."""
    client.know(Contact("bob", 0, has_key=True))
    begun = time.time() - 30 * 24 * 3600
    for number in range(count):
        text = f"{number} " + "word " * (number * 7 % 60)
        own = number % 3 == 0
        status = "read" if own else "received"
        sent = begun + number * 200
        client.put("bob", text, own=own, status=status, sent=sent, quiet=True)
    client.seen("bob")


class LongHistoryTest(MainTest):
    """Ten thousand messages."""

    prepare = staticmethod(many_messages)

    def load_all(self) -> None:
        """Scroll up until the first message is there."""
        timeline = self.window.controller.timeline
        deadline = time.monotonic() + patience(60)
        while not timeline.complete and time.monotonic() < deadline:
            self.view.to_row(0)
            self.until(lambda: not timeline.loading)
        self.assertEqual(len(timeline.lines), 10_000)

    def numbers(self) -> list[int]:
        """Return which messages are drawn."""
        return [int(text.split()[0]) for text in self.shown() if text.split()[0].isdigit()]

    def rows_touched(self, action: Callable[[], object]) -> int:
        """Return how many times a row was measured or drawn for ``action``."""
        painter = self.view.painter
        with (
            mock.patch.object(painter, "measure", wraps=painter.measure) as measure,
            mock.patch.object(painter, "draw", wraps=painter.draw) as draw,
        ):
            action()
        return measure.call_count + draw.call_count

    def test_it_opens_at_the_end_and_at_once(self) -> None:
        self.assertLess(self.rows_touched(lambda: self.open("bob")), 3 * SCREENFUL)
        self.assertEqual(self.numbers()[-1], 9_999)
        self.assertLess(len(self.view.canvas.find_all()), 1_000)

    def test_it_loads_as_one_scrolls_up_and_nothing_jumps(self) -> None:
        self.open("bob")
        timeline = self.window.controller.timeline
        for _ in range(40):
            self.view.page(-1)
            self.app.root.update()
            first = self.numbers()[0]
            self.settle(self.app)
            self.assertEqual(self.numbers()[0], first)
        self.assertGreaterEqual(len(timeline.lines), 300)
        self.assertEqual(self.numbers(), sorted(self.numbers()))

    def test_all_of_it_scrolls_smoothly(self) -> None:
        self.open("bob")
        self.load_all()
        for step in range(120):
            pixels = -333 if step % 2 else 700
            touched = self.rows_touched(lambda pixels=pixels: self.view.scroll(pixels))  # type: ignore[misc]
            self.assertLess(touched, SCREENFUL)
        self.client.put("bob", "one more")
        self.assertLess(self.rows_touched(lambda: self.settle(self.app)), SCREENFUL)
        self.view.to_end()
        self.assertIn("one more", self.shown())
        self.assertLess(len(self.view.canvas.find_all()), 1_000)

    def test_the_scroll_bar_reaches_the_first_and_the_last(self) -> None:
        self.open("bob")
        self.load_all()
        self.view._bar_moved("moveto", "0.0")
        self.assertEqual(self.numbers()[0], 0)
        self.view._bar_moved("moveto", "1.0")
        self.assertEqual(self.numbers()[-1], 9_999)
        self.assertTrue(self.view.at_end)

    def test_resizing_and_text_size_keep_the_place(self) -> None:
        self.open("bob")
        self.view.scroll(-5_000)
        self.settle(self.app)
        first = self.numbers()[1]
        self.app.root.geometry("760x600")
        self.settle(self.app)
        self.until(lambda: self.view.canvas.winfo_width() < 600)
        self.app.root.update()
        self.assertIn(first, self.numbers())
        self.app.enlarge(2)
        self.settle(self.app)
        self.assertIn(first, self.numbers())


class EndTest(MainTest):
    """What happens when something is added."""

    prepare = staticmethod(lambda client: many_messages(client, 60))

    def setUp(self) -> None:
        super().setUp()
        self.open("bob")

    def test_at_the_end_it_follows(self) -> None:
        self.client.put("bob", "follow me")
        self.settle(self.app)
        self.assertIn("follow me", self.shown())
        self.assertFalse(self.view.jump.winfo_ismapped())

    def test_elsewhere_it_stays_and_a_button_counts(self) -> None:
        self.view.scroll(-2_000)
        before = self.shown()
        for text in ("one", "two", "three"):
            self.client.put("bob", text)
        self.settle(self.app)
        self.assertEqual(self.shown(), before)
        self.assertEqual(self.view.jump.cget("text"), "3 new")
        self.screenshot(self.app, f"main-jump-{self.appearance}")
        self.view.jump.invoke()
        self.app.root.update()
        self.assertIn("three", self.shown())
        self.assertFalse(self.view.jump.winfo_ismapped())

    def test_ones_own_message_is_always_shown(self) -> None:
        self.view.scroll(-2_000)
        self.window.composer.text.insert("1.0", "mine")
        self.press(self.window.composer.text, "<Return>")
        self.settle(self.app)
        self.assertIn("mine", self.shown())

    def test_escape_goes_to_the_end(self) -> None:
        self.view.scroll(-2_000)
        self.press(self.window.composer.text, "<Escape>")
        self.assertTrue(self.view.at_end)

    def test_the_growing_composer_hides_nothing_at_the_end(self) -> None:
        last = self.shown()[-2:]
        self.window.composer.text.insert("1.0", "1\n2\n3\n4\n5")
        self.settle(self.app)
        self.until(lambda: int(self.window.composer.text.cget("height")) == 5)
        self.app.root.update()
        self.assertEqual(self.shown()[-2:], last)

    def test_keys_scroll(self) -> None:
        self.press(self.view.canvas, "<Prior>")
        self.assertFalse(self.view.at_end)
        self.press(self.view.canvas, "<End>")
        self.assertTrue(self.view.at_end)
        self.press(self.view.canvas, "<Home>")
        self.assertTrue(self.shown()[1].startswith("0"))

    def test_the_wheel_scrolls(self) -> None:
        self.view.canvas.event_generate("<Button-4>")
        self.app.root.update()
        self.assertFalse(self.view.at_end)
        self.view.canvas.event_generate("<Button-5>")
        self.app.root.update()
        self.assertTrue(self.view.at_end)

    def test_a_flood_does_not_stop_the_window(self) -> None:
        for number in range(9_000):
            self.client.put("bob", f"flood {number}")
        pump = self.app.pump
        done: list[str] = []

        def beat() -> None:
            done.append("a beat")
            if self.client._events:
                self.app.root.after(5, beat)

        def drain() -> bool:
            done.append("a look")
            return Pump.drain(pump)

        with mock.patch.object(pump, "drain", drain):
            beat()
            self.until(lambda: not self.client._events, "the flood to end")
            self.settle(self.app)
        # The pump itself stops after 10 ms: in between, everything else gets its turn.
        looks = [len(list(run)) for what, run in itertools.groupby(done) if what == "a look"]
        self.assertGreater(len(looks), 5)
        self.assertLessEqual(max(looks[:-1]), 2)
        self.assertIn("flood 8999", self.shown())

    def test_a_very_long_message_is_cut_and_can_be_read_whole(self) -> None:
        self.client.put("bob", "start " + "x" * 150_000 + " stop")
        self.settle(self.app)
        more = next(text for text in self.shown() if text.startswith("Show all"))
        self.assertIn("more characters", more)
        self.press(self.view.canvas, "<Up>")
        self.press(self.view.canvas, "<Return>")
        self.assertEqual(len(self.sheets()), 0)  # it is the messages' own
        sheet = next(one for one in self.view.winfo_children() if hasattr(one, "body"))
        text = sheet.body.winfo_children()[0].get("1.0", "end")
        self.assertIn("stop", text)
        sheet.event_generate("<Escape>")


class FirstUnreadTest(MainTest):
    """A conversation with more unread messages than fit."""

    prepare = staticmethod(lambda client: many_messages(client, 300))

    def test_it_opens_at_the_first_unread_message(self) -> None:
        for number in range(150):
            self.client.put("bob", f"unread {number}")
        self.settle(self.app)
        self.open("bob")
        drawn = self.shown()
        self.assertIn("150 new messages", drawn)
        self.assertIn("unread 0", drawn)
        self.assertNotIn("unread 149", drawn)
        self.screenshot(self.app, f"main-unread-{self.appearance}")
        self.assertNotIn("mark_read bob", self.client.calls)
        self.view.to_end()
        self.settle(self.app)
        self.assertIn("mark_read bob", self.client.calls)

    def test_nothing_is_marked_as_read_before_it_is_drawn(self) -> None:
        self.client.put("bob", "unread")
        self.settle(self.app)
        self.world.hold["history"] = release = threading.Event()
        self.window.open("bob")
        for _ in range(20):
            self.app.root.update()
        self.assertNotIn("mark_read bob", self.client.calls)
        release.set()
        self.settle(self.app)
        self.assertIn("mark_read bob", self.client.calls)


class ListTest(MainTest):
    """A long list of conversations."""

    @staticmethod
    def _many_people(client: SimulatedClient) -> None:
        for number in range(2_000):
            client._contacts[f"user{number:04}"] = Contact(f"user{number:04}", 0, has_key=True)

    prepare = _many_people

    def test_two_thousand_contacts_scroll_and_are_found(self) -> None:
        rows = self.window.side.list
        self.assertEqual(len(rows.rows), 2_000)
        self.assertLess(len(rows.canvas.find_all()), 300)
        rows.to_end()
        self.assertIn("user1999", texts(rows.canvas))
        self.window.side.wanted.set("user1234")
        self.settle(self.app)
        self.assertEqual(self.listed(), ["user1234"])


if __name__ == "__main__":
    unittest.main()
