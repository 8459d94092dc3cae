"""Tests of bpost.b64."""

from __future__ import annotations

import unittest

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost import b64
from bpost.errors import SecurityError


class Base64Test(unittest.TestCase):
    def test_what_is_encoded_decodes(self) -> None:
        for length in range(70):
            data = bytes(range(200, 200 - length, -1))
            self.assertEqual(b64.decode(b64.encode(data)), data)

    def test_the_length_is_checked(self) -> None:
        self.assertEqual(b64.decode("AAAA", 3), bytes(3))
        with self.assertRaises(SecurityError):
            b64.decode("AAAA", 4)

    def test_e47_other_spellings_of_a_text_are_refused(self) -> None:
        text = b64.encode(b"\xfb\xff\xfe canonical")
        spellings = {
            "a line break": text[:8] + "\n" + text[8:],
            "a sign of no alphabet": text[:8] + "!" + text[8:],
            "NUL": text + "\0",
            "a space": text + " ",
            "padding": text + "=" * (-len(text) % 4),
            "too much padding": text + "====",
            "the other alphabet": text.replace("-", "+").replace("_", "/"),
            "unused bits": text[:-1] + chr(ord(text[-1]) + 1),
            "a letter that is none": text[:-1] + "ａ",
            "a lone letter": text[:16] + "A",
        }
        self.assertEqual(b64.decode(text), b"\xfb\xff\xfe canonical")
        for what, spelling in spellings.items():
            with self.subTest(what), self.assertRaises(SecurityError) as raised:
                b64.decode(spelling)
            self.assertEqual(raised.exception.cause, "bad-encoding")

    @settings(deadline=None)
    @given(st.text(alphabet="AZaz09-_+/=\n !ä", max_size=12))
    def test_e47_a_text_is_refused_or_the_only_spelling(self, text: str) -> None:
        try:
            data = b64.decode(text)
        except SecurityError:
            return
        self.assertEqual(b64.encode(data), text)


if __name__ == "__main__":
    unittest.main()
