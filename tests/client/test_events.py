"""The event queue never blocks who tells, and says when something was lost."""

from __future__ import annotations

import threading
import unittest

from bpost.client.events import ConversationChanged, EventQueue, EventsLost
from tests.support import patience


class EventQueueTest(unittest.TestCase):
    def test_events_come_in_order(self) -> None:
        queue = EventQueue(10)
        for name in "abc":
            queue.put(ConversationChanged(name))
        self.assertEqual([queue.get() for _ in range(4)][3], None)

    def test_a_full_queue_drops_the_oldest_and_says_how_many(self) -> None:
        queue = EventQueue(2)
        for name in "abcd":
            queue.put(ConversationChanged(name))
        found = [queue.get() for _ in range(3)]
        self.assertEqual(found, [EventsLost(2), ConversationChanged("c"), ConversationChanged("d")])

    def test_a_reader_is_woken_by_an_event_and_by_the_end(self) -> None:
        queue = EventQueue(2)
        found: list[object] = []
        reader = threading.Thread(target=lambda: found.extend(queue.get(None) for _ in range(2)))
        reader.start()
        queue.put(ConversationChanged("a"))
        queue.close()
        reader.join(patience(10))
        self.assertEqual(found, [ConversationChanged("a"), None])
        self.assertTrue(queue.closed)

    def test_waiting_ends_in_time(self) -> None:
        self.assertIsNone(EventQueue(1).get(0.01))
