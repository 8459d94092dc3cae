"""Tests of bpost.crypto.linking: a code, and what comes of it on both sides."""

from __future__ import annotations

import unittest
from dataclasses import replace

from bpost import b64
from bpost.crypto.linking import (
    PREFIX,
    link_keys,
    make_code,
    open_hello,
    parse_code,
    seal_hello,
)
from bpost.crypto.primitives import generate_x25519
from bpost.errors import SecurityError


class LinkingTest(unittest.TestCase):
    """The device that shows the code is the old one, the other one is new."""

    def setUp(self) -> None:
        self.code, self.old = make_code()
        self.new = generate_x25519()

    def test_both_sides_come_to_the_same_keys_and_the_same_number(self) -> None:
        read = parse_code(f"  {self.code.text()[:30]}\n {self.code.text()[30:]} ")
        hello = seal_hello(read, "Alice", self.new.public, "a telephone")
        public, name = open_hello(self.code, "alice", hello)
        there = link_keys(read, "Alice", self.new, self.new.public)
        here = link_keys(self.code, "alice", self.old, public)
        self.assertEqual(name, "a telephone")
        self.assertEqual(here.open(2, there.seal(2, b"yes")), b"yes")
        self.assertEqual(here.number, there.number)
        self.assertRegex(here.number, r"\A[0-9]{6}\Z")

    def test_e60_a_request_that_was_made_without_the_code_does_not_open(self) -> None:
        other, _ = make_code()
        blind = replace(other, public=self.code.public)
        for code, user in ((other, "alice"), (blind, "alice"), (self.code, "bob")):
            with self.subTest(user), self.assertRaises(SecurityError) as caught:
                open_hello(self.code, "alice", seal_hello(code, user, self.new.public, ""))
            self.assertEqual(caught.exception.cause, "bad-token")

    def test_e60_whoever_saw_the_code_shows_another_number_and_opens_nothing(self) -> None:
        attacker = generate_x25519()
        there = link_keys(self.code, "alice", self.new, self.new.public)
        taken = link_keys(self.code, "alice", attacker, attacker.public)
        here = link_keys(self.code, "alice", self.old, attacker.public)
        self.assertEqual(taken.number, here.number)
        self.assertNotEqual(here.number, there.number)
        claimed = link_keys(self.code, "alice", attacker, self.new.public)
        self.assertNotEqual(claimed.number, there.number)
        with self.assertRaises(SecurityError):
            claimed.open(3, there.seal(3, b"key"))

    def test_a_step_does_not_open_as_another(self) -> None:
        keys = link_keys(self.code, "alice", self.new, self.new.public)
        with self.assertRaises(SecurityError):
            keys.open(3, keys.seal(2, b"yes"))

    def test_what_is_no_code_is_refused(self) -> None:
        raw = b64.decode(self.code.text().removeprefix(PREFIX))
        for text, cause in (
            ("", "bad-encoding"),
            ("hello", "bad-encoding"),
            (PREFIX, "bad-encoding"),
            (PREFIX + b64.encode(raw[:-1]), "bad-encoding"),
            (self.code.text().replace(":1:", ":2:"), "newer-version"),
        ):
            with self.subTest(text), self.assertRaises(SecurityError) as caught:
                parse_code(text)
            self.assertEqual(caught.exception.cause, cause)

    def test_no_secret_is_in_a_repr(self) -> None:
        keys = link_keys(self.code, "alice", self.new, self.new.public)
        for value in (self.code, keys):
            for secret in (self.code.secret, keys.shared):
                self.assertNotIn(repr(secret), repr(value))


if __name__ == "__main__":
    unittest.main()
