"""Tests of bpost.crypto.login."""

from __future__ import annotations

import unittest
from unittest.mock import patch

from bpost import b64
from bpost.crypto import login
from bpost.crypto.login import hash_login, verify_login
from bpost.crypto.primitives import random_bytes, scrypt
from bpost.errors import UsageError

FIELD = b64.encode(random_bytes(32))
STORED = hash_login(FIELD)


class LoginTest(unittest.TestCase):
    def test_only_the_right_field_logs_in(self) -> None:
        self.assertTrue(verify_login(STORED, FIELD))
        for field in ("", FIELD[:-1], FIELD + "A", b64.encode(random_bytes(32)), "\ud800"):
            self.assertFalse(verify_login(STORED, field))

    def test_equal_fields_are_stored_differently(self) -> None:
        self.assertNotEqual(hash_login(FIELD), STORED)

    def test_e68_what_is_stored_is_no_log_in(self) -> None:
        for part in (STORED, STORED.split("$")[-1], STORED.split("$")[-2]):
            self.assertFalse(verify_login(STORED, part))
        self.assertNotIn(FIELD, STORED)

    def test_e68_the_hash_is_slow_and_salted(self) -> None:
        with patch.object(login, "scrypt", return_value=bytes(32)) as stretch:
            stored = [hash_login(FIELD) for _ in range(2)]
        self.assertEqual(stretch.call_args.kwargs, {"n": 2048, "r": 8, "p": 1, "length": 32})
        self.assertNotEqual(*stored)

    def test_a_user_who_does_not_exist_costs_the_same_work(self) -> None:
        with patch.object(login, "scrypt", wraps=scrypt) as stretch:
            self.assertFalse(verify_login(None, FIELD))
            self.assertFalse(verify_login(STORED, "wrong"))
        missing, wrong = stretch.call_args_list
        self.assertEqual(missing.kwargs, wrong.kwargs)

    def test_nobody_cannot_log_in(self) -> None:
        with patch.object(login, "_NOBODY", STORED):
            self.assertFalse(verify_login(None, FIELD))

    def test_a_stored_text_that_is_none_is_refused(self) -> None:
        parts = STORED.split("$")
        bad = [
            "",
            FIELD,
            STORED + "A",
            STORED.replace("scrypt", "plain"),
            "$".join([parts[0], "2047", *parts[2:]]),
            "$".join([parts[0], "67108864", *parts[2:]]),
            "$".join([*parts[:3], "0", *parts[4:]]),
            "$".join([*parts[:4], parts[4][:-1] + "_", parts[5]]),
        ]
        for stored in bad:
            with self.subTest(stored), self.assertRaises(UsageError):
                verify_login(stored, FIELD)


if __name__ == "__main__":
    unittest.main()
