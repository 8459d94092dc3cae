"""Tests of bpost.crypto.password."""

from __future__ import annotations

import hmac
import inspect
import subprocess
import sys
import unicodedata
import unittest
from dataclasses import fields
from pathlib import Path
from unittest.mock import patch

from bpost import b64
from bpost.crypto import labels, password
from bpost.crypto.password import derive_password_keys, password_field
from bpost.crypto.primitives import argon2id, sha256
from bpost.errors import UsageError
from bpost.limits import Limits
from tests.support import patience

ROOT = Path(__file__).resolve().parents[2]
KEYS = derive_password_keys("Alice", "correct horse battery staple")

FROZEN_LOGIN_KEY = "82122dfa0fc1ec7bc5693a3690bbeb65c1a9a7194d7cfb989e183666b053927a"
FROZEN_WRAPPING_KEY = "e6657758ee9cd57f5deaa5000ba3546d78028965a45c063370df3c0a22fb20cb"


def expand(master: bytes, label: bytes) -> bytes:
    """Return the first 32 bytes of HKDF as RFC 5869 writes it down."""
    return hmac.digest(hmac.digest(bytes(32), master, "sha256"), label + b"\x01", "sha256")


class PasswordTest(unittest.TestCase):
    def test_the_field_has_43_characters(self) -> None:
        text = password_field(KEYS.login_key)
        self.assertEqual((len(text), b64.decode(text)), (43, KEYS.login_key))

    def test_the_case_of_the_username_does_not_matter(self) -> None:
        again = derive_password_keys("aLICE", "correct horse battery staple")
        self.assertEqual(again.login_key, KEYS.login_key)

    def test_other_names_and_passwords_give_other_keys(self) -> None:
        for name, word in (("bob", "correct horse battery staple"), ("alice", "Correct horse")):
            other = derive_password_keys(name, word)
            self.assertNotEqual(other.login_key, KEYS.login_key)

    def test_composed_and_decomposed_letters_are_the_same(self) -> None:
        with patch.object(password, "argon2id", return_value=bytes(32)) as stretch:
            for form in ("NFC", "NFD"):
                derive_password_keys("alice", unicodedata.normalize(form, "Zoë ñ Å"))
        one, other = (call.args[0] for call in stretch.call_args_list)
        self.assertEqual(one, other)

    def test_a_password_that_is_none_is_refused(self) -> None:
        for word in ("", "\ud800"):
            with self.assertRaises(UsageError):
                derive_password_keys("alice", word)

    def test_two_passwords_at_once_do_not_wait_for_each_other_for_ever(self) -> None:
        program = (
            "import threading\n"
            "from bpost.crypto.password import derive_password_keys as derive\n"
            "for _ in range(3):\n"
            "    threading.Thread(target=derive, args=('alice', 'a password')).start()\n"
        )
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=ROOT, timeout=patience(60), check=False)
        self.assertEqual(done.returncode, 0)

    def test_e69_the_costs_are_those_of_the_design(self) -> None:
        with patch.object(password, "argon2id", return_value=bytes(32)) as stretch:
            derive_password_keys("alice", "word")
        costs = {"memory_kib": 64 * 1024, "passes": 3, "lanes": 4}
        self.assertEqual(stretch.call_args.kwargs, costs)

    def test_e69_nothing_that_a_server_says_reaches_the_costs(self) -> None:
        # What a server announces arrives as Limits; what it keeps, as the vault's sealed text.
        parameters = set(inspect.signature(derive_password_keys).parameters)
        self.assertEqual(parameters, {"username", "password"})
        names = " ".join(field.name for field in fields(Limits))
        for word in ("argon", "password", "memory", "passes", "lanes", "scrypt", "cost"):
            self.assertNotIn(word, names)

    def test_e70_the_two_keys_come_by_two_labels(self) -> None:
        salt = sha256(b"bpost/1 password", b"alice")
        master = argon2id(
            b"correct horse battery staple", salt, memory_kib=65536, passes=3, lanes=4
        )
        self.assertEqual(KEYS.login_key, expand(master, b"bpost/1 login"))
        self.assertEqual(KEYS.wrapping_key, expand(master, b"bpost/1 wrap"))
        self.assertNotEqual(labels.LOGIN, labels.WRAP)

    def test_e70_the_keys_are_those_of_every_release(self) -> None:
        self.assertEqual(KEYS.login_key.hex(), FROZEN_LOGIN_KEY)
        self.assertEqual(KEYS.wrapping_key.hex(), FROZEN_WRAPPING_KEY)
        self.assertNotEqual(KEYS.login_key, KEYS.wrapping_key)


if __name__ == "__main__":
    unittest.main()
