"""Token buckets and whom they count."""

from __future__ import annotations

import unittest
from unittest import mock

from bpost.limits import Limits, Rate
from bpost.server import rates
from bpost.server.addresses import meter_key, network_of
from bpost.server.rates import Meter, Rates, wait_text


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class MeterTest(unittest.TestCase):
    """One meter."""

    def setUp(self) -> None:
        self.clock = Clock()

    def test_a_burst_passes_and_then_the_rate(self) -> None:
        meter = Meter(Rate(2, 1, burst=5), self.clock)
        self.assertEqual([meter.take("a") for _ in range(6)], [0, 0, 0, 0, 0, 0.5])
        self.clock.now += 0.5
        self.assertEqual(meter.take("a"), 0)
        self.assertGreater(meter.take("a"), 0)

    def test_keys_do_not_share_and_a_bucket_never_overflows(self) -> None:
        meter = Meter(Rate(1, 60), self.clock)
        self.assertEqual((meter.take("a"), meter.take("b")), (0, 0))
        self.clock.now += 10_000
        self.assertEqual([meter.take("a") == 0 for _ in range(2)], [True, False])

    def test_what_is_given_back_can_be_taken_again(self) -> None:
        meter = Meter(Rate(1, 60), self.clock)
        meter.take("a")
        meter.give_back("a")
        self.assertEqual(meter.take("a"), 0)

    def test_full_buckets_are_forgotten(self) -> None:
        meter = Meter(Rate(1, 1), self.clock)
        with mock.patch.object(rates, "PRUNE_AT", 10):
            meter._prune_at = 10
            for number in range(100):
                meter.take(number)
                self.clock.now += 0.5
        self.assertLess(len(meter._buckets), 15)

    def test_off_means_that_nothing_is_refused(self) -> None:
        meters = Rates(Limits(sends=Rate(1, 60)).without_rates(), self.clock)
        self.assertEqual({meters.sends.take("a") for _ in range(100)}, {0})

    def test_the_text_says_how_long(self) -> None:
        self.assertEqual(wait_text(0.2), "Try again in 1 second.")
        self.assertEqual(wait_text(59.5), "Try again in 60 seconds.")


class AddressTest(unittest.TestCase):
    """Which addresses count as one."""

    def test_an_ipv4_address_counts_alone_and_an_ipv6_host_by_its_network(self) -> None:
        for peer, key in (
            ("192.0.2.7:5000", "192.0.2.7/32"),
            ("[2001:db8::1:2:3]:5000", "2001:db8::/64"),
            ("[::ffff:192.0.2.7]:5000", "192.0.2.7/32"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("local", "?"),
        ):
            with self.subTest(peer=peer):
                self.assertEqual(meter_key(peer), key)

    def test_a_network_tells_less_than_an_address(self) -> None:
        self.assertEqual(network_of("192.0.2.7:5000"), "192.0.2.0/24")


if __name__ == "__main__":
    unittest.main()
