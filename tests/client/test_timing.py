"""When to send, acknowledge and reconnect, on a clock that the test moves."""

from __future__ import annotations

import unittest
from dataclasses import replace

from bpost.client.timing import Acknowledgements, Pace, Sleep, backoff
from bpost.limits import Limits, Rate

LIMITS = Limits()


class TimingTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    def test_a_burst_and_then_no_faster_than_the_server_allows(self) -> None:
        pace = Pace(replace(LIMITS, sends=Rate(10, 1, burst=20)), self.clock)
        sent = 0
        for _ in range(100):
            while pace.allowance() >= 1:
                pace.take()
                sent += 1
            self.now += 0.1
        self.assertLess(sent, 20 + 10 * 10)
        self.assertGreater(sent, 80)

    def test_without_rates_there_is_no_pace(self) -> None:
        self.assertGreater(Pace(LIMITS.without_rates(), self.clock).allowance(), 1000)

    def test_acknowledged_after_some_messages_or_a_short_time(self) -> None:
        acks = Acknowledgements(LIMITS, self.clock)
        self.assertEqual(acks.seconds(), float("inf"))
        acks.add(1)
        self.assertAlmostEqual(acks.seconds(), LIMITS.acknowledge_seconds)
        for seq in range(2, LIMITS.acknowledge_after + 1):
            acks.add(seq)
        self.assertEqual((acks.seconds(), acks.take(), acks.take()), (0.0, 64, None))
        acks.add(65)
        self.now += LIMITS.acknowledge_seconds
        self.assertEqual(acks.seconds(), 0.0)

    def test_a_sleep_is_noticed_once(self) -> None:
        wall = [5000.0]
        sleep = Sleep(lambda: wall[0], self.clock)
        self.assertFalse(sleep.is_over())
        wall[0] += 3600
        self.assertEqual([sleep.is_over(), sleep.is_over()], [True, False])

    def test_s36_the_wait_to_reconnect_doubles_up_to_a_minute_and_varies(self) -> None:
        for failures, most in ((1, 1), (2, 2), (3, 4), (7, 60), (1000, 60)):
            waits = {backoff(failures, LIMITS) for _ in range(50)}
            self.assertLessEqual(max(waits), most)
            self.assertGreaterEqual(min(waits), 0.75 * most)
            self.assertGreater(len(waits), 10)
