"""Conversations and their lines, as plain values."""

from __future__ import annotations

import itertools
import sys
import unittest
from collections.abc import Callable

from bpost.client import Contact, Conversation, Message
from client_tk.model import Book, Line, Timeline
from tests.client_tk.test_words import DAY, NOON, message


def page(count: int, first: int = 1, **fields: object) -> list[Message]:
    """Return messages, a minute apart."""
    return [
        message(
            id=f"m{number}",
            text=str(number),
            place=float(number),
            sent=round((NOON + 60 * number) * 1000),
            **fields,
        )
        for number in range(first, first + count)
    ]


def opened(messages: list[Message], unread: int = 0, asked: int = 100) -> Timeline:
    """Return a timeline of these messages."""
    timeline = Timeline("bob")
    timeline.open(messages, asked, unread, NOON)
    return timeline


def calls(work: Callable[[], object]) -> int:
    """Return how many functions were called for some work: its cost, on a machine of any speed."""
    count = itertools.count()
    sys.setprofile(lambda _frame, event, _argument: next(count) if event.endswith("call") else None)
    try:
        work()
    finally:
        sys.setprofile(None)
    return next(count)


def ids(timeline: Timeline) -> list[str]:
    """Return which messages a timeline shows, in its order."""
    return [line.key for line in timeline.lines]


class TimelineTest(unittest.TestCase):
    """The loaded messages of one conversation."""

    def test_a_day_is_named_once(self) -> None:
        messages = [*page(2), message(id="x", sent=round((NOON + DAY) * 1000), place=9.0)]
        days = [line.day for line in opened(messages).lines]
        self.assertEqual(days, ["Today", "", "Thursday, 5 March"])

    def test_messages_of_one_sender_hang_together_for_a_while(self) -> None:
        mine = message(id="x", own=True, sender="alice", sent=page(3)[2].sent, place=9.0)
        late = message(id="y", sent=round((NOON + 3600) * 1000), place=10.0)
        joined = [line.joined for line in opened([*page(2), mine, late]).lines]
        self.assertEqual(joined, [False, True, False, False])

    def test_the_first_unread_message_bears_their_number(self) -> None:
        mine = message(id="x", own=True, place=4.0)
        timeline = opened([*page(3), mine], unread=2)
        self.assertEqual([line.fresh for line in timeline.lines], [0, 2, 0, 0])
        timeline.all_seen(NOON)
        self.assertEqual([line.fresh for line in timeline.lines], [0, 0, 0, 0])

    def test_a_message_takes_the_line_of_its_placeholder(self) -> None:
        timeline = opened(page(3))
        timeline.rename("m2", "healed")
        timeline.put(message(id="healed", text="words", place=2.0), NOON)
        self.assertEqual(ids(timeline), ["m1", "healed", "m3"])
        self.assertEqual(timeline.lines[1].message.text, "words")

    def test_what_comes_while_nobody_looks_is_counted(self) -> None:
        timeline = opened(page(2))
        for one in page(2, first=3):
            timeline.put(one, NOON)
            timeline.count_fresh(one, NOON)
        self.assertEqual([line.fresh for line in timeline.lines], [0, 0, 2, 0])

    def test_a_message_stands_where_its_place_says(self) -> None:
        timeline = opened([page(1)[0], page(1, first=3)[0]])
        self.assertTrue(timeline.put(page(1, first=2)[0], NOON))
        self.assertEqual(ids(timeline), ["m1", "m2", "m3"])

    def test_a_known_message_is_replaced_and_may_move(self) -> None:
        timeline = opened(page(3))
        self.assertFalse(timeline.put(message(id="m1", place=1.0, text="new"), NOON))
        self.assertEqual(timeline.lines[0].message.text, "new")
        timeline.put(message(id="m1", place=7.0), NOON)
        self.assertEqual(ids(timeline), ["m2", "m3", "m1"])

    def test_older_pages_go_before_and_the_days_stay_right(self) -> None:
        timeline = opened(page(2, first=3), asked=2)
        self.assertFalse(timeline.complete)
        timeline.older(page(2), 2, NOON)
        self.assertEqual(ids(timeline), ["m1", "m2", "m3", "m4"])
        self.assertEqual([line.day for line in timeline.lines], ["Today", "", "", ""])
        timeline.older([], 2, NOON)
        self.assertTrue(timeline.complete)

    def test_a_page_that_overlaps_adds_nothing_twice(self) -> None:
        timeline = opened(page(2, first=2), asked=2)
        timeline.older(page(2), 2, NOON)
        self.assertEqual(ids(timeline), ["m1", "m2", "m3"])

    def test_what_comes_while_the_page_is_loading_is_not_lost(self) -> None:
        timeline = Timeline("bob")
        timeline.put(page(1, first=3)[0], NOON)
        timeline.open(page(2), 100, 0, NOON)
        self.assertEqual(ids(timeline), ["m1", "m2", "m3"])

    def test_a_new_day_renames_the_days(self) -> None:
        timeline = opened(page(1))
        timeline.new_day(NOON + DAY)
        self.assertEqual(timeline.lines[0].day, "Yesterday")

    def test_notices_stand_alone(self) -> None:
        messages = [*page(1), message(id="n", kind="notice", sent=page(1)[0].sent, place=2.0)]
        self.assertFalse(opened(messages).lines[1].joined)

    def test_ten_thousand_messages_take_twice_the_work_of_five_thousand(self) -> None:
        half = calls(lambda: self._long(5_000))
        self.assertLess(calls(lambda: self._long(10_000)), 2.2 * half)

    def _long(self, count: int) -> None:
        """Read back so many messages, and get some more."""
        timeline = opened(page(100, first=count - 99), asked=100)
        for first in range(count - 199, 0, -100):
            timeline.older(page(100, first=first), 100, NOON)
        for one in page(count // 20, first=count + 1):
            timeline.put(one, NOON)
        self.assertEqual(len(timeline.lines), count + count // 20)
        self.assertEqual(timeline.place_of(f"m{count // 2}"), count // 2 - 1)


class BookTest(unittest.TestCase):
    """All conversations."""

    def setUp(self) -> None:
        self.book = Book()
        conversations = [
            Conversation("carol", message(id="c", text="about the garden", sent=0), 2, ""),
            Conversation("Bob", message(id="b", own=True, status="read"), 0, ""),
            Conversation("eve", None, 0, "half a thought"),
            Conversation("mallory", message(id="e"), 1, "", request=True),
        ]
        names = ("Bob", "carol", "eve", "zoe", "adam")
        contacts = [Contact(name, 0, blocked=name == "eve", has_key=True) for name in names]
        self.book.load(conversations, contacts)

    def names(self) -> list[str]:
        return [row.name for row in self.book.rows(NOON)]

    def test_who_wrote_last_comes_first_and_the_silent_by_name(self) -> None:
        self.assertEqual(self.names(), ["carol", "Bob", "mallory", "adam", "eve", "zoe"])

    def test_the_search_finds_names_and_last_lines_in_any_case(self) -> None:
        for wanted, names in (("OB", ["Bob"]), ("garden", ["carol"]), ("xyz", [])):
            self.book.search = wanted
            with self.subTest(wanted):
                self.assertEqual(self.names(), names)

    def test_a_row_shows_draft_ticks_block_and_request(self) -> None:
        rows = {row.name: row for row in self.book.rows(NOON)}
        self.assertEqual(rows["Bob"].status, "read")
        self.assertEqual((rows["eve"].text, rows["eve"].draft), ("half a thought", True))
        self.assertTrue(rows["eve"].blocked)
        self.assertTrue(rows["mallory"].request)
        self.assertEqual(rows["carol"].unread, 2)

    def test_the_open_conversation_shows_no_draft(self) -> None:
        self.book.current = "EVE"
        row = next(row for row in self.book.rows(NOON) if row.name == "eve")
        self.assertEqual((row.draft, row.chosen), (False, True))

    def test_who_was_taken_off_the_list_and_never_wrote_is_not_shown(self) -> None:
        self.book.load([], [Contact("gone", 0, listed=False), Contact("here", 0)])
        self.assertEqual(self.names(), ["here"])

    def test_lines_are_equal_only_if_they_look_alike(self) -> None:
        self.assertEqual(Line(message()), Line(message()))
        self.assertNotEqual(Line(message()), Line(message(), day="Today"))


if __name__ == "__main__":
    unittest.main()
