from __future__ import annotations

import json
import math
import time
import unittest
from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost import b64
from bpost.errors import SecurityError, UsageError
from bpost.limits import Limits
from bpost.protocol.envelope import Envelope, pad, padded_size, parse_envelope, unpad
from tests.protocol import strategies
from tests.protocol.nasty import NASTY_BY_NAME
from tests.support import patience

LIMITS = Limits()
A, B = "a" * 16, "b" * 16
EXAMPLE = Envelope(A, {A: b"sealed for a", B: b"sealed for b"}, b"the body")


def spelled(**changes: object) -> str:
    """Return the text of EXAMPLE with parts replaced, in canonical JSON otherwise."""
    value = {**json.loads(EXAMPLE.text()), **changes}
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def other_spellings(text: str) -> tuple[tuple[str, str], ...]:
    """Return spellings that a lenient reader takes for the same bytes; text has unused bits."""
    return (
        ("a line break", text[:4] + "\n" + text[4:]),
        ("an exclamation mark", text[:4] + "!" + text[4:]),
        ("a NUL", text[:4] + "\0" + text[4:]),
        ("a space", text[:4] + " " + text[4:]),
        ("padding", text + "=" * (-len(text) % 4)),
        ("more padding", text + "===="),
        ("the other alphabet", text.replace("-", "+").replace("_", "/")),
        ("changed unused bits", text[:-1] + chr(ord(text[-1]) + 1)),
    )


class EnvelopeTest(unittest.TestCase):
    lasts = 12

    def refuse(self, text: str, cause: str) -> None:
        with self.assertRaises(SecurityError) as caught:
            parse_envelope(text, LIMITS)
        self.assertEqual(caught.exception.cause, cause, caught.exception)

    @settings(max_examples=200, deadline=None)
    @given(strategies.envelopes)
    def test_e49_every_envelope_survives_writing_and_reading(self, original: Envelope) -> None:
        text = original.text()
        self.assertEqual(parse_envelope(text, LIMITS), original)
        self.assertEqual(parse_envelope(text, LIMITS).text(), text)

    @settings(max_examples=400, deadline=None)
    @given(
        st.text()
        | st.sampled_from(list(NASTY_BY_NAME.values()))
        | strategies.altered(strategies.envelopes.map(lambda found: found.text()))
    )
    def test_e49_any_text_is_an_envelope_in_one_spelling_or_a_security_error(
        self, text: str
    ) -> None:
        try:
            found = parse_envelope(text, LIMITS)
        except SecurityError:
            return
        self.assertEqual(found.text(), text)

    def test_e49_nothing_may_be_missing_added_or_trail(self) -> None:
        text = EXAMPLE.text()
        for bad in (
            text + "\n",
            text + "{}",
            " " + text,
            text[:-1],
            spelled(more=1),
            spelled(to={}),
            spelled(to=[]),
            spelled(to={A: 1}),
            spelled(body=None),
            spelled(body=""),
            spelled(**{"from": "plain"}),
            spelled(to={"new": "AAAA"}),
            "[]",
            "1",
            "null",
            text.replace('"v":1', '"v": 1'),
            json.dumps(json.loads(text)),
        ):
            with self.subTest(text=bad):
                self.refuse(bad, "bad-encoding")
        for key in ("v", "from", "to", "body"):
            value = json.loads(text)
            del value[key]
            self.refuse(json.dumps(value, separators=(",", ":")), "bad-encoding")

    def test_e47_other_spellings_of_base64_are_refused(self) -> None:
        body = b"\xfb\xff\xbf~~~\xfb"
        text = b64.encode(body)
        self.assertEqual(parse_envelope(spelled(body=text), LIMITS).body, body)
        for name, other in other_spellings(text):
            with self.subTest(what=name):
                self.refuse(spelled(body=other), "bad-encoding")
                self.refuse(spelled(to={A: other}), "bad-encoding")

    def test_e48_everything_is_bounded_before_anything_is_decoded(self) -> None:
        with patch("bpost.b64.decode", side_effect=AssertionError("it was decoded")):
            for name, (text, cause) in self.oversized().items():
                with self.subTest(what=name):
                    self.refuse(text, cause)

    def test_e48_whatever_is_out_of_bounds_is_refused_within_10_ms(self) -> None:
        for name, (text, cause) in self.oversized().items():
            with self.subTest(what=name):
                self.assertLess(min(self.seconds(text, cause) for _ in range(5)), patience(0.01))

    def seconds(self, text: str, cause: str) -> float:
        start = time.thread_time()
        self.refuse(text, cause)
        return time.thread_time() - start

    def oversized(self) -> dict[str, tuple[str, str]]:
        """Return envelopes that are too large in one way each, and the cause each must name."""
        many = {f"{number:016}": "AA" for number in range(100_000)}
        most = LIMITS.message
        return {
            "100,000 devices": (spelled(to=many), "too-large"),
            "devices up to the size allowed": (
                spelled(to=dict(list(many.items())[:7000])),
                "too-large",
            ),
            "one device too many": (spelled(to=dict(list(many.items())[:25])), "too-large"),
            "a body too large": (spelled(body="A" * most), "too-large"),
            "characters of four bytes": (spelled(body="😀" * (most // 3)), "too-large"),
            "a device named twice": (
                EXAMPLE.text().replace(f'"{B}"', f'"{A}"'),
                "bad-encoding",
            ),
            "nested deep": ("[" * most, "bad-encoding"),
            "nested deep, inside": ('{"body":' + "[" * (most // 2), "bad-encoding"),
            "many lists": ("[]," * (most // 3), "bad-encoding"),
            "backslashes": ('"' + "\\" * (most - 2), "bad-encoding"),
            "a long number": ('{"v":' + "9" * (most - 9) + "}", "bad-encoding"),
        }

    def test_as_many_devices_as_allowed_are_read(self) -> None:
        to = {f"{number:016}": b"x" for number in range(LIMITS.envelope_devices)}
        full = replace(EXAMPLE, to=to)
        self.assertEqual(parse_envelope(full.text(), LIMITS), full)

    def test_a_newer_version_says_so_and_an_older_one_never_was(self) -> None:
        self.refuse(spelled(v=2), "newer-version")
        self.refuse(spelled(v=2, what=[{"else": "x"}]), "newer-version")
        for version in (0, -1, True, None, "1", "2"):
            with self.subTest(version=version):
                self.refuse(spelled(v=version), "bad-encoding")

    def test_what_could_not_be_read_is_not_written(self) -> None:
        for bad in (
            replace(EXAMPLE, device="plain"),
            replace(EXAMPLE, to={}),
            replace(EXAMPLE, to={"x": b"y"}),
            replace(EXAMPLE, to={A: b""}),
            replace(EXAMPLE, body=b""),
        ):
            with self.subTest(envelope=bad), self.assertRaises(UsageError):
                bad.text()

    def test_repr_shows_neither_keys_nor_body(self) -> None:
        self.assertEqual(repr(EXAMPLE), f"Envelope(device='{A}')")


class PaddingTest(unittest.TestCase):
    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=2000) | st.integers(0, 99).map(lambda size: b"\x80" + b"\0" * size))
    def test_what_is_padded_comes_back(self, data: bytes) -> None:
        self.assertEqual(unpad(pad(data)), data)

    def test_e45_sizes_grow_by_256_up_to_4_kib_and_then_by_12_percent_at_most(self) -> None:
        for size in range(0, 200_000, 7):
            padded = padded_size(size)
            if size < 1024:
                self.assertEqual(padded, 1024)
            else:
                self.assertEqual(padded % 256, 0)
                self.assertLess(size, padded)
                self.assertLessEqual(padded - size, max(256, size * 0.12))

    def test_above_8_kib_it_is_padme_as_published(self) -> None:
        for size in (8192, 9000, 65_535, 65_536, 100_000, 1_000_000):
            least = size + 1
            exponent = math.floor(math.log2(least))
            low_bits = exponent - (math.floor(math.log2(exponent)) + 1)
            self.assertEqual(padded_size(size), math.ceil(least / 2**low_bits) * 2**low_bits)

    def test_other_paddings_are_refused(self) -> None:
        padded = pad(b"data")
        for bad in (
            b"",
            b"\0" * 1024,
            b"data",
            padded[:-1],
            padded + b"\0",
            padded + padded,
            pad(b"x" * 1024)[:1024],
            b"data\x81" + padded[5:],
            padded[:-1] + b"\1",
        ):
            with self.subTest(size=len(bad)), self.assertRaises(SecurityError) as caught:
                unpad(bad)
            self.assertEqual(caught.exception.cause, "bad-encoding")

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=99), st.sampled_from([0, 1, 255, 256, 923, 1023, 1024, 1279]))
    def test_any_bytes_are_padded_in_one_way_or_refused(self, data: bytes, zeros: int) -> None:
        try:
            found = unpad(data + b"\0" * zeros)
        except SecurityError:
            return
        self.assertEqual(pad(found), data + b"\0" * zeros)
