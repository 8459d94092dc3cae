"""Sentences, times, initials, hints."""

from __future__ import annotations

import os
import time
import unittest

from bpost.client import ConnectionState, Message
from client_tk import words

NOON = time.mktime((2026, 3, 4, 12, 0, 0, 0, 0, -1))  # a Wednesday
DAY = 24 * 3600


def message(**fields: object) -> Message:
    """Return a message of bob's."""
    given = {
        "id": "m",
        "conversation": "bob",
        "sender": "bob",
        "own": False,
        "kind": "text",
        "text": "hi",
        "sent": 0,
        "received": None,
        "status": "received",
        **fields,
    }
    return Message(**given)  # type: ignore[arg-type]


class TimesTest(unittest.TestCase):
    """Times as people say them, in local time."""

    def test_a_day_has_the_name_that_one_would_say(self) -> None:
        for then, name in (
            (NOON, "Today"),
            (NOON - DAY, "Yesterday"),
            (NOON - 3 * DAY, "Sunday, 1 March"),
            (NOON - 400 * DAY, "Tuesday, 28 January 2025"),
        ):
            with self.subTest(name):
                self.assertEqual(words.day(round(then * 1000), NOON), name)

    def test_the_list_shows_the_shortest_time_that_says_enough(self) -> None:
        for then, text in (
            (NOON - 60, "11:59"),
            (NOON - DAY, "Yesterday"),
            (NOON - 3 * DAY, "Sun"),
            (NOON - 20 * DAY, "12 Feb"),
            (NOON - 400 * DAY, "28 Jan 2025"),
        ):
            with self.subTest(text):
                self.assertEqual(words.short_time(round(then * 1000), NOON), text)

    def test_times_that_no_clock_can_show_do_no_harm(self) -> None:
        for then in (10**30, -(10**30), 2**63):
            with self.subTest(then):
                self.assertRegex(words.clock(then), r"\d\d:\d\d")

    @unittest.skipUnless(hasattr(time, "tzset"), "this system has no tzset")
    def test_times_are_local(self) -> None:
        before = os.environ.get("TZ")
        self.addCleanup(self._restore, before)
        for zone, text in (("UTC0", "00:00"), ("XXX-5", "05:00")):
            os.environ["TZ"] = zone
            time.tzset()
            with self.subTest(zone):
                self.assertEqual(words.clock(0), text)

    @staticmethod
    def _restore(zone: str | None) -> None:
        if zone is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = zone
        time.tzset()


class LinesTest(unittest.TestCase):
    """Sentences and single lines."""

    def test_the_connection_line_says_where_things_stand(self) -> None:
        waiting, connected = ConnectionState.WAITING, ConnectionState.CONNECTED
        for state, retry_in, count, text, line in (
            (connected, None, 0, "", "Connected"),
            (connected, None, 2, "", "Connected · 2 messages waiting"),
            (ConnectionState.CONNECTING, None, 0, "", "Connecting …"),
            (waiting, 4.2, 0, "", "Reconnecting in 4 s"),
            (waiting, 0.1, 1, "", "Reconnecting now · 1 message waiting"),
            (ConnectionState.OFFLINE, None, 3, "", "Offline: 3 messages waiting"),
            (ConnectionState.OFFLINE, None, 0, "", "Offline"),
            (ConnectionState.REFUSED, None, 0, "The pin differs.", "The pin differs."),
        ):
            with self.subTest(line):
                self.assertEqual(words.connection(state, retry_in, count, text), line)

    def test_one_line_holds_no_controls_and_no_turn_of_direction(self) -> None:
        self.assertEqual(words.one_line("a\n\tb\x07c\u202ed"), "a bcd")
        self.assertEqual(len(words.one_line("x" * 1000)), 200)

    def test_what_cannot_be_shown_is_taken_out_of_a_message(self) -> None:
        self.assertEqual(words.printable("a\tb\r\nc\x00\x1f\ud800d"), "a    b\ncd")

    def test_emoji_are_words_where_they_cannot_be_drawn(self) -> None:
        self.addCleanup(words.emoji_in_words, False)
        text = "yes \U0001f44d\U0001f3fd \u2764\ufe0f \u2713"
        self.assertEqual(words.printable(text), text)
        words.emoji_in_words(True)
        spelled = "yes [thumbs up sign][emoji modifier fitzpatrick type-4] [heavy black heart]"
        self.assertEqual(words.printable(text), f"{spelled} [check mark]")
        self.assertEqual(words.one_line(text), words.printable(text))

    def test_the_last_line_says_whose_it_is_and_what_it_is(self) -> None:
        for shown, line in (
            (None, "No messages yet"),
            (message(text="two\nlines"), "two lines"),
            (message(own=True, text="mine"), "You: mine"),
            (message(kind="unreadable", text=""), "A message that could not be read"),
            (message(kind="unsupported", text=""), "A message for a newer BPost"),
        ):
            with self.subTest(line):
                self.assertEqual(words.last_line(shown), line)

    def test_initials_are_one_or_two_letters(self) -> None:
        for name, letters in (
            ("bob", "B"),
            ("dave.miller", "DM"),
            ("Eve_L", "EL"),
            ("x-", "X"),
            ("...", "?"),
        ):
            with self.subTest(name):
                self.assertEqual(words.initials(name), letters)

    def test_a_name_keeps_its_colour_whatever_its_case(self) -> None:
        self.assertEqual(words.color_number("Bob", 8), words.color_number("bOB", 8))

    def test_a_fingerprint_is_in_groups_of_four(self) -> None:
        self.assertEqual(words.fingerprint("abcdefghij"), "abcd efgh ij")

    def test_a_safety_number_is_three_lines_of_four_groups(self) -> None:
        lines = words.digits("12345" * 12).split("\n")
        self.assertEqual(lines, ["12345  12345  12345  12345"] * 3)


class StrengthTest(unittest.TestCase):
    """The hint below a new password."""

    def test_longer_and_more_varied_is_stronger(self) -> None:
        for password, level in (
            ("", 0),
            ("abc", 1),
            ("aaaaaaaaaaaaaaaa", 1),
            ("sunflower", 2),
            ("Sunflower22", 3),
            ("correct horse battery", 4),
        ):
            with self.subTest(password):
                self.assertEqual(words.strength(password).level, level)

    def test_the_common_and_the_username_are_very_weak(self) -> None:
        self.assertEqual(words.strength("MyPassword2026!!").level, 1)
        self.assertEqual(words.strength("alice is my name 77", "Alice").level, 1)


if __name__ == "__main__":
    unittest.main()
