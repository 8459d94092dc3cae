"""What a person types or pastes as a server's address."""

from __future__ import annotations

import unittest

from bpost.errors import SecurityError, UsageError
from bpost.net.address import DEFAULT_PORT, ServerAddress, parse_address

PIN = "A" * 43


class AddressTest(unittest.TestCase):
    def test_the_usual_spellings_are_understood(self) -> None:
        for text, expected in {
            "chat.example": ServerAddress("chat.example", DEFAULT_PORT),
            " chat.example:99 ": ServerAddress("chat.example", 99),
            "wss://chat.example:99/": ServerAddress("chat.example", 99),
            "https://chat.example:99": ServerAddress("chat.example", 99),
            "127.0.0.1:99": ServerAddress("127.0.0.1", 99),
            "[::1]:99": ServerAddress("::1", 99),
            f"bpost://chat.example:99/#{PIN}": ServerAddress("chat.example", 99, PIN),
            f"bpost://chat.example:99/#{PIN}.t-1": ServerAddress("chat.example", 99, PIN, "t-1"),
            "bpost://chat.example:99/#.t-1": ServerAddress("chat.example", 99, None, "t-1"),
        }.items():
            with self.subTest(text):
                self.assertEqual(parse_address(text), expected)

    def test_what_is_no_address_is_refused(self) -> None:
        for text in (
            "",
            ":99",
            "chat.example:0",
            "chat.example:65536",
            "chat.example:port",
            "chat example",
            "user@chat.example",
            "wss://chat.example/path",
            "wss://chat.example/?q",
            f"wss://chat.example/#{PIN}",
            "bpost://chat.example/#short",
            "ftp://chat.example",
            "wss://[::1",
            "chat\n.example",
            "-x.example:1",
            "chat..example",
            "chat.example.",
            f"{'x' * 64}.example",
            "x." * 130 + "example",
        ):
            with self.subTest(text), self.assertRaises(UsageError):
                parse_address(text)

    def test_s65_an_address_without_encryption_is_refused(self) -> None:
        for text in ("ws://chat.example:99/", "WS://chat.example", "http://chat.example"):
            with self.subTest(text), self.assertRaises(SecurityError) as caught:
                parse_address(text)
            self.assertEqual(caught.exception.cause, "plaintext-server")

    def test_an_invite_says_all_that_a_guest_needs(self) -> None:
        address = ServerAddress("::1", 99, PIN, "token")
        self.assertEqual(parse_address(address.invite), address)
        self.assertEqual(address.url, "wss://[::1]:99/")

    def test_the_token_is_not_shown(self) -> None:
        self.assertNotIn("secret", repr(ServerAddress("h", 1, PIN, "secret")))
        with self.assertRaises(UsageError) as caught:
            parse_address("bpost://bad host/#secret")
        self.assertNotIn("secret", str(caught.exception))
