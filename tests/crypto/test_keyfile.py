"""Tests of bpost.crypto.keyfile."""

from __future__ import annotations

import unittest

from bpost.crypto.keyfile import (
    generate_database_key,
    open_with_account,
    open_with_password,
    seal_key_file,
)
from bpost.crypto.primitives import random_bytes
from tests.crypto.people import CryptoTest, Person, one_bit_off

ALICE = Person.named("alice").account
MALLORY = Person.named("mallory").account
WRAPPING, DATABASE = random_bytes(32), generate_database_key()
FILE = seal_key_file(DATABASE, WRAPPING, ALICE)


class KeyFileTest(CryptoTest):
    def test_both_ways_open_it(self) -> None:
        self.assertEqual(open_with_password(FILE, WRAPPING), DATABASE)
        self.assertEqual(open_with_account(FILE, ALICE), DATABASE)

    def test_no_other_key_opens_it(self) -> None:
        with self.refused("bad-token"):
            open_with_password(FILE, random_bytes(32))
        with self.refused("bad-token"):
            open_with_account(FILE, MALLORY)
        with self.refused("bad-token"):
            open_with_password(FILE, ALICE.seed)

    def test_a_password_changed_elsewhere_locks_nobody_out(self) -> None:
        new = random_bytes(32)
        with self.refused("bad-token"):
            open_with_password(FILE, new)
        sealed_again = seal_key_file(open_with_account(FILE, ALICE), new, ALICE)
        self.assertEqual(open_with_password(sealed_again, new), DATABASE)
        with self.refused("bad-token"):
            open_with_password(sealed_again, WRAPPING)

    def test_an_altered_file_never_opens_to_another_key(self) -> None:
        for altered in one_bit_off(FILE):
            with self.refused():
                self.assertEqual(open_with_password(altered, WRAPPING), DATABASE)
                open_with_account(altered, ALICE)

    def test_a_file_of_a_newer_program_is_told(self) -> None:
        with self.refused("newer-version"):
            open_with_password(b"\x02" + FILE[1:], WRAPPING)

    def test_neither_key_is_in_it(self) -> None:
        self.assertNotIn(DATABASE, FILE)
        self.assertNotIn(WRAPPING, FILE)


if __name__ == "__main__":
    unittest.main()
