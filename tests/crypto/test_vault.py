"""Tests of bpost.crypto.vault."""

from __future__ import annotations

import unittest

from bpost import b64
from bpost.crypto.primitives import random_bytes
from bpost.crypto.vault import open_vault, seal_vault
from bpost.limits import Limits
from tests.crypto.people import CryptoTest, Person, one_bit_off

ALICE = Person.named("alice").account
KEY = random_bytes(32)
VAULT = seal_vault(KEY, "Alice", ALICE)


class VaultTest(CryptoTest):
    def test_a_vault_opens(self) -> None:
        self.assertEqual(open_vault(KEY, "aLICE", VAULT).seed, ALICE.seed)
        self.assertLess(len(VAULT), Limits().vault)

    def test_a_wrong_password_is_told(self) -> None:
        with self.refused("bad-vault"):
            open_vault(random_bytes(32), "alice", VAULT)

    def test_a_vault_is_bound_to_its_username(self) -> None:
        with self.refused("bad-vault"):
            open_vault(KEY, "bob", VAULT)

    def test_an_altered_vault_is_refused(self) -> None:
        raw = b64.decode(VAULT)
        for altered in (*one_bit_off(raw), raw + b"\0", raw[:-1], b"\x01"):
            with self.refused():
                open_vault(KEY, "alice", b64.encode(altered))

    def test_a_vault_of_a_newer_program_is_told(self) -> None:
        with self.refused("newer-version"):
            open_vault(KEY, "alice", b64.encode(b"\x03" + b64.decode(VAULT)[1:]))

    def test_a_vault_of_a_renewed_key_holds_those_before_it(self) -> None:
        renewed = ALICE.renewed().renewed()
        text = seal_vault(KEY, "alice", renewed)
        self.assertEqual(open_vault(KEY, "alice", text).seeds, renewed.seeds)
        with self.refused("bad-vault"):
            open_vault(KEY, "bob", text)

    def test_a_missing_vault_is_told(self) -> None:
        with self.refused("vault-missing"):
            open_vault(KEY, "alice", "")

    def test_the_seed_is_not_in_it(self) -> None:
        self.assertNotIn(ALICE.seed, b64.decode(VAULT))


if __name__ == "__main__":
    unittest.main()
