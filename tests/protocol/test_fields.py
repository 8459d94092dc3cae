from __future__ import annotations

import sys
import unittest

from bpost.errors import UsageError
from bpost.protocol.fields import (
    _STRUCTURAL,
    CONTROL,
    Unfit,
    canonical,
    check_size,
    check_username,
    clean_text,
    utf8_size,
)


class UsernameTest(unittest.TestCase):
    def test_letters_digits_dots_underscores_and_hyphens_make_a_username(self) -> None:
        for name in ("al", "Alice", "a.b_c-d", "0day", "x" * 32):
            self.assertEqual(check_username(name), name)

    def test_nothing_else_is_a_username(self) -> None:
        for name in (
            "",
            "a",
            ".alice",
            "-a",
            "_a",
            "a b",
            "x" * 33,
            "alice\n",
            "al:ce",
            "аlice",
            "ａlice",
            "al\u200bice",
            "İstanbul",
            "\u212aate",
            "é1",
            "a\x1fb",
            "٣٣",
        ):
            with self.subTest(name=name), self.assertRaises(UsageError):
                check_username(name)

    def test_usernames_are_compared_without_regard_to_case(self) -> None:
        self.assertEqual(canonical("Alice.B"), canonical("aLICE.b"))


class TextTest(unittest.TestCase):
    def test_what_a_person_pasted_is_made_fit(self) -> None:
        self.assertEqual(clean_text("a\r\nb\rc\x1f\0\ud800\td"), "a\nb\nc\td")

    def test_no_forbidden_character_is_printable(self) -> None:
        for point in range(sys.maxunicode + 1):
            if _STRUCTURAL.match(chr(point)) or CONTROL.match(chr(point)):
                self.assertFalse(chr(point).isprintable(), hex(point))

    def test_sizes_are_bytes_of_utf_8(self) -> None:
        for text in ("", "abc", "é", "€", "😀", "a😀é"):
            self.assertEqual(utf8_size(text), len(text.encode()))
            check_size(text, len(text.encode()))
            if text:
                with self.assertRaises(Unfit) as caught:
                    check_size(text, len(text.encode()) - 1)
                self.assertEqual(caught.exception.reason, "too-large")
