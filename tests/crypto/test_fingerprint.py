"""Tests of bpost.crypto.fingerprint."""

from __future__ import annotations

import unittest

from bpost.crypto.fingerprint import (
    Party,
    Verdict,
    compare_code,
    digits,
    grouped,
    iterated_hash,
    join_halves,
    safety_code,
    safety_number,
)
from tests.crypto.people import CryptoTest, Person, one_bit_off

ALICE, BOB, MALLORY = (
    Party(name, Person.named(name).account.public) for name in ("alice", "bob", "mallory")
)
NUMBER = safety_number(ALICE, BOB)


class SafetyNumberTest(CryptoTest):
    def test_e56_the_numbers_are_signals(self) -> None:
        # libsignal, rust/protocol/src/fingerprint.rs, the test of version 1.
        alice = "0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868"
        bob = "05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b"
        halves = (
            digits(iterated_hash(b"\0\0", bytes.fromhex(key), name))
            for key, name in ((alice, b"+14152222222"), (bob, b"+14153333333"))
        )
        expected = "300354477692869396892869876765458257569162576843440918079131"
        self.assertEqual(join_halves(*halves), expected)

    def test_e56_both_sides_see_the_same_60_digits(self) -> None:
        self.assertEqual(safety_number(BOB, ALICE), NUMBER)
        self.assertRegex(NUMBER, r"\A[0-9]{60}\Z")

    def test_e56_another_key_gives_another_number(self) -> None:
        for key in one_bit_off(BOB.account_public):
            other = safety_number(ALICE, Party("bob", key))
            self.assertNotEqual(other, NUMBER)

    def test_e56_another_name_gives_another_number(self) -> None:
        self.assertNotEqual(safety_number(ALICE, Party("bobby", BOB.account_public)), NUMBER)

    def test_e56_the_case_of_a_name_does_not_matter(self) -> None:
        self.assertEqual(safety_number(Party("ALICE", ALICE.account_public), BOB), NUMBER)

    def test_e6_a_key_of_small_order_has_no_number(self) -> None:
        with self.refused("bad-key"):
            safety_number(ALICE, Party("bob", bytes(32)))

    def test_people_read_it_in_groups(self) -> None:
        lines = grouped(NUMBER).splitlines()
        self.assertEqual([len(line) for line in lines], [23, 23, 23])
        self.assertEqual("".join("".join(lines).split()), NUMBER)


class SafetyCodeTest(unittest.TestCase):
    def test_the_code_of_the_other_is_the_same(self) -> None:
        shown = safety_code(BOB, ALICE)
        self.assertIs(compare_code(shown, ALICE, BOB), Verdict.SAME)

    def test_a_code_made_with_another_key_is_different(self) -> None:
        impostor = Party("bob", MALLORY.account_public)
        for shown in (safety_code(impostor, ALICE), safety_code(BOB, MALLORY)):
            self.assertIs(compare_code(shown, ALICE, BOB), Verdict.DIFFERENT)

    def test_e57_what_cannot_be_compared_is_neither_same_nor_different(self) -> None:
        shown = safety_code(BOB, ALICE)
        other_version = shown.replace(":1:", ":2:")
        verdicts = {
            shown[:-1]: Verdict.UNREADABLE,
            shown[:50]: Verdict.UNREADABLE,
            shown + ":": Verdict.UNREADABLE,
            "bpost-safety": Verdict.UNREADABLE,
            "https://example.org/": Verdict.UNREADABLE,
            "": Verdict.UNREADABLE,
            other_version: Verdict.OTHER_VERSION,
            other_version + ":more": Verdict.OTHER_VERSION,
            safety_code(ALICE, BOB): Verdict.OWN_CODE,
        }
        for code, verdict in verdicts.items():
            with self.subTest(code):
                self.assertIs(compare_code(code, ALICE, BOB), verdict)

    def test_e57_codes_are_compared_in_full(self) -> None:
        shown = safety_code(BOB, ALICE)
        head = "bpost-safety:1:"
        halves = shown.removeprefix(head)
        for at, letter in enumerate(halves):
            if letter != ":" and at not in {42, 86}:
                other = "A" if letter != "A" else "B"
                altered = f"{head}{halves[:at]}{other}{halves[at + 1 :]}"
                self.assertIs(compare_code(altered, ALICE, BOB), Verdict.DIFFERENT)


if __name__ == "__main__":
    unittest.main()
