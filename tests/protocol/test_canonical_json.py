from __future__ import annotations

import contextlib
import json
import unittest

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost.protocol.canonical_json import INTEGER, NotCanonical, read, write
from tests.protocol.nasty import NASTY_BY_NAME
from tests.protocol.strategies import json_values_of_any_depth


class CanonicalJsonTest(unittest.TestCase):
    @settings(max_examples=200, deadline=None)
    @given(json_values_of_any_depth)
    def test_what_is_written_is_read(self, value: object) -> None:
        text = write(value)  # type: ignore[arg-type]
        self.assertEqual(read(text, depth=9, containers=99), value)
        self.assertEqual(json.loads(text), value)

    @settings(max_examples=300, deadline=None)
    @given(st.text(alphabet='[]{}":,\\0129eE.-tfn ul\n\x1f\ud800aé', max_size=40))
    def test_any_text_is_read_in_its_one_spelling_or_refused(self, text: str) -> None:
        try:
            value = read(text, depth=4, containers=9)
        except NotCanonical:
            return
        self.assertEqual(write(value), text)

    def test_nasty_texts_are_refused_or_written_back(self) -> None:
        for name, text in NASTY_BY_NAME.items():
            with self.subTest(nasty=name):
                with contextlib.suppress(NotCanonical):
                    self.assertEqual(write(read(text, depth=4, containers=9)), text)

    def test_other_spellings_of_the_same_value_are_refused(self) -> None:
        for text in (
            '{"a": 1}',
            '{"b":1,"a":2}',
            '{"a":1,"a":1}',
            '"\\u0041"',
            '"\\/"',
            "1.0",
            "1e0",
            "-0",
            "01",
            "NaN",
            "Infinity",
            "[1,]",
            " 1",
            "1 ",
            "\ufeff1",
            '"\\u00E9"',
            '"\\ud83d\\ude00"',
            '"\\ud800"',
            str(INTEGER + 1),
            str(-INTEGER - 1),
        ):
            with self.subTest(text=text), self.assertRaises(NotCanonical):
                read(text, depth=4, containers=9)

    def test_depth_and_containers_are_bounded_exactly(self) -> None:
        self.assertEqual(read('[{"[[":["]"]}]', depth=3, containers=3), [{"[[": ["]"]}])
        for depth, containers in ((2, 3), (3, 2)):
            with self.assertRaises(NotCanonical):
                read('[{"[[":["]"]}]', depth=depth, containers=containers)

    def test_what_could_not_be_read_is_not_written(self) -> None:
        for value in ("\ud800", float("nan"), float("inf"), b"x", {1: 2, "1": 3}, object()):
            with self.subTest(value=value), self.assertRaises(NotCanonical):
                write(value)  # type: ignore[arg-type]
