"""Tests of bpost.crypto.succession."""

from __future__ import annotations

import unittest

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.account import FORMER_MOST, AccountKey
from bpost.crypto.keyfile import open_with_account, seal_key_file
from bpost.crypto.primitives import random_bytes
from bpost.crypto.succession import Succession, _content, make_succession, prove
from bpost.limits import Limits
from tests.crypto.people import CryptoTest, Person, one_bit_off

FIRST = Person.named("alice").account
SECOND = FIRST.renewed()
THIRD = SECOND.renewed()
PROOF = make_succession(THIRD, "Alice")
KEYS = (FIRST.public, SECOND.public, THIRD.public)


class SuccessionTest(CryptoTest):
    def test_a_key_follows_every_key_before_it(self) -> None:
        self.assertEqual(prove(PROOF, "aLICE", FIRST.public, THIRD.public), KEYS)
        self.assertEqual(prove(PROOF, "alice", SECOND.public, THIRD.public), KEYS[1:])

    def test_a_key_that_was_never_renewed_proves_nothing(self) -> None:
        self.assertEqual(make_succession(FIRST, "alice"), "")

    def test_a_chain_leads_to_no_other_key_and_from_no_other(self) -> None:
        other = AccountKey.generate().public
        for pinned, newest in ((other, THIRD.public), (FIRST.public, other), (KEYS[0], KEYS[1]),
                               (THIRD.public, FIRST.public), (KEYS[2], KEYS[2])):  # fmt: skip
            with self.refused("account-key-changed"):
                prove(PROOF, "alice", pinned, newest)

    def test_a_chain_is_bound_to_its_username(self) -> None:
        with self.refused("bad-signature"):
            prove(PROOF, "bob", FIRST.public, THIRD.public)

    def test_an_altered_chain_is_refused(self) -> None:
        raw = b64.decode(make_succession(SECOND, "alice"))
        for altered in (*one_bit_off(raw), raw + b"\0", raw[:-1], b"\x01\x01" + KEYS[0], b""):
            with self.refused():
                prove(b64.encode(altered), "alice", FIRST.public, SECOND.public)

    def test_e55_both_keys_must_have_signed(self) -> None:
        mallory, keys = AccountKey.generate(), (FIRST.public, SECOND.public)
        by_old, by_new = Succession.from_text(make_succession(SECOND, "alice")).signatures[0]
        content = _content("alice", *keys)
        for pair in (
            (mallory.sign(labels.SUCCESSION, content), by_new),
            (by_old, mallory.sign(labels.SUCCESSOR, content)),
        ):
            with self.refused("bad-signature"):
                prove(Succession(keys, (pair,)).text(), "alice", *keys)
        self.assertEqual(prove(Succession(keys, ((by_old, by_new),)).text(), "alice", *keys), keys)

    def test_a_signature_for_another_use_is_none_of_these(self) -> None:
        by_old, by_new = Succession.from_text(make_succession(SECOND, "alice")).signatures[0]
        swapped = Succession((FIRST.public, SECOND.public), ((by_new, by_old),)).text()
        with self.refused("bad-signature"):
            prove(swapped, "alice", FIRST.public, SECOND.public)
        self.assertNotEqual(labels.SUCCESSION, labels.SUCCESSOR)

    def test_a_long_chain_is_bounded_and_fits_its_field(self) -> None:
        account = FIRST
        for _ in range(FORMER_MOST + 3):
            account = account.renewed()
        text = make_succession(account, "alice")
        self.assertLessEqual(len(text), Limits().succession)
        self.assertEqual(len(Succession.from_text(text).keys), FORMER_MOST)
        self.assertEqual(AccountKey.from_seeds(account.seeds).seeds, account.seeds)

    def test_a_key_file_from_before_a_renewal_opens(self) -> None:
        key, wrapping_key = random_bytes(32), random_bytes(32)
        sealed = seal_key_file(key, wrapping_key, FIRST)
        self.assertEqual(open_with_account(sealed, THIRD), key)
        with self.refused("bad-token"):
            open_with_account(seal_key_file(key, wrapping_key, THIRD), SECOND)


if __name__ == "__main__":
    unittest.main()
