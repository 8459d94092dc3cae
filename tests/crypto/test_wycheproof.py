"""Project Wycheproof's vectors, through our own wrappers."""

from __future__ import annotations

import hashlib
import hmac
import unittest

from bpost.crypto.primitives import (
    SMALL_ORDER,
    TOKEN_START,
    KemPrivate,
    X25519Private,
    encapsulate,
    hkdf,
    hmac_sha256,
    open_sealed,
    verify_ed25519,
)
from bpost.errors import SecurityError
from tests.crypto.people import CryptoTest
from tests.vectors import Case, wycheproof


class WycheproofTest(CryptoTest):
    def cases(self, name: str, count: int) -> list[Case]:
        """Return all cases of a file, and be sure that none is missing."""
        cases = list(wycheproof(name))
        self.assertEqual(len(cases), count)
        return cases

    def test_e76_x25519(self) -> None:
        for case in self.cases("x25519", 518):
            with self.subTest(case["id"], flags=case["flags"]):
                private = X25519Private(case["private"])
                if {"NonCanonicalPublic", "ZeroSharedSecret"} & set(case["flags"]) or (
                    case["public"][31] & 0x80
                ):
                    with self.refused("bad-key"):
                        private.exchange(case["public"])
                else:
                    self.assertEqual(private.exchange(case["public"]), case["shared"])

    def test_e76_ed25519(self) -> None:
        verified = 0
        for case in self.cases("ed25519", 210):
            with self.subTest(case["id"], flags=case["flags"]):
                if case["result"] == "valid":
                    verify_ed25519(case["public"], case["sig"], case["msg"])
                    verified += 1
                elif case["result"] == "invalid":
                    with self.refused("bad-signature"):
                        verify_ed25519(case["public"], case["sig"], case["msg"])
        self.assertEqual(verified, 117)

    def test_e76_ed25519_keys_of_small_order(self) -> None:
        weak = [case for case in wycheproof("ed25519") if "SmallOrderPublicKey" in case["flags"]]
        self.assertEqual(len({case["public"] for case in weak}), 8)
        for case in weak:
            y = int.from_bytes(case["public"], "little") % 2**255
            self.assertIn(y, SMALL_ORDER)
            with self.refused("bad-key"):
                verify_ed25519(case["public"], case["sig"], case["msg"])

    def test_e76_hkdf_sha_256(self) -> None:
        for case in self.cases("hkdf_sha256", 86):
            with self.subTest(case["id"]):
                parts = {"info": case["info"], "salt": case["salt"]}
                if case["result"] == "invalid":
                    with self.assertRaises(ValueError):
                        hkdf(case["ikm"], length=case["size"], **parts)
                else:
                    self.assertEqual(hkdf(case["ikm"], length=case["size"], **parts), case["okm"])

    def test_e76_hmac_sha_256(self) -> None:
        for case in self.cases("hmac_sha256", 174):
            with self.subTest(case["id"]):
                found = hmac_sha256(case["key"], case["msg"])[: len(case["tag"])]
                self.assertEqual(found == case["tag"], case["result"] == "valid")

    def test_e76_aes_cbc_pkcs5_inside_tokens(self) -> None:
        cases = [case for case in self.cases("aes_cbc_pkcs5", 183) if len(case["key"]) == 16]
        self.assertEqual(len(cases), 61)
        for case in cases:
            signing = hashlib.sha256(case["iv"]).digest()[:16]
            token = TOKEN_START + case["iv"] + case["ct"]
            token += hmac.digest(signing, token, "sha256")
            with self.subTest(case["id"]):
                if case["result"] == "valid":
                    self.assertEqual(open_sealed(signing + case["key"], token), case["msg"])
                else:
                    with self.refused("bad-token"):
                        open_sealed(signing + case["key"], token)

    def test_e76_ml_kem_768_decapsulation(self) -> None:
        for case in self.cases("mlkem_768", 201):
            with self.subTest(case["id"], flags=case["flags"]):
                if case["result"] == "valid":
                    private = KemPrivate(case["seed"])
                    public = hashlib.sha256(private.public).digest()
                    self.assertEqual(public, case["ek_sha256"])
                    self.assertEqual(private.decapsulate(case["c"]), case["K"])
                else:
                    with self.refused("bad-key", "bad-encoding"):
                        KemPrivate(case["seed"]).decapsulate(case["c"])

    def test_e76_ml_kem_768_encapsulation_keys(self) -> None:
        refused = 0
        for case in self.cases("mlkem_768_encaps", 265):
            with self.subTest(case["id"], flags=case["flags"]):
                try:
                    encapsulate(case["ek"])
                    result = "valid"
                except SecurityError:
                    result = "invalid"
                    refused += 1
                self.assertEqual(result, case["result"])
        self.assertEqual(refused, 132)

    def test_e76_ml_kem_768_key_generation(self) -> None:
        for case in self.cases("mlkem_768_keygen_seed", 100):
            public = KemPrivate(case["seed"]).public
            self.assertEqual(hashlib.sha256(public).digest(), case["ek_sha256"], case["id"])


if __name__ == "__main__":
    unittest.main()
