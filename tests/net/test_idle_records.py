"""TLS records that bring no data: each costs work, and perhaps an answer, so there is an end."""

from __future__ import annotations

import contextlib
import ssl
import unittest
from collections.abc import Callable
from unittest import mock

from bpost.net import tls_stream
from tests.net.race import request_key_update
from tests.net.test_tls_stream import Background, streams, tcp_pair, unread
from tests.support import patience


class IdleRecordsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.client, self.server = streams(*tcp_pair(1 << 18))
        self.addCleanup(self.server.close)
        self.addCleanup(self.client.close)

    def ask_for_new_keys(self) -> None:
        request_key_update(self.client)
        with self.client._tls_lock, contextlib.suppress(ssl.SSLWantReadError):
            self.client._tls.read(1)  # which makes the record

    def rekey(self, going_on: Callable[[], bool]) -> None:
        """Ask for new keys over and over, and read no answer."""
        with contextlib.suppress(OSError):
            while going_on():
                for _ in range(20):
                    self.ask_for_new_keys()
                self.client.try_send()

    def test_s26_a_peer_that_only_asks_for_new_keys_is_cut_off(self) -> None:
        reading = Background(lambda: self.server.receive(patience(20)))
        self.rekey(lambda: reading.goes_on_for(0))
        self.assertIsInstance(reading.wait(), ConnectionAbortedError)

    def test_s26_who_asks_for_new_keys_with_each_message_may(self) -> None:
        for _ in range(3000):
            self.ask_for_new_keys()
            self.client.send(b"x")
            self.assertEqual(self.server.receive(patience(20)), b"x")

    def test_s26_data_in_drops_is_data(self) -> None:
        for _ in range(3000):
            self.client.send(b"x")
        got = 0
        while got < 3000:
            got += len(self.server.receive(patience(20)))

    def test_s1_records_without_data_do_not_hold_back_the_deadline(self) -> None:
        size = 0
        while not self.client.try_send():
            self.ask_for_new_keys()
            size += 1
        with mock.patch.object(tls_stream, "IDLE", 1 << 40), self.assertRaises(TimeoutError):
            self.server.receive(0.01)
        self.assertTrue(unread(self.server._sock), f"all {size} records were read first")


if __name__ == "__main__":
    unittest.main()
