"""Tests of bpost.crypto.primitives, with the vectors of the standards."""

from __future__ import annotations

import base64
import unittest

from bpost.crypto.primitives import (
    FIELD,
    KEM_CIPHERTEXT,
    TOKEN_OVERHEAD,
    Ed25519Private,
    KemPrivate,
    X25519Private,
    argon2id,
    check_ed25519,
    check_kem,
    check_x25519,
    encapsulate,
    equal,
    generate_ed25519,
    generate_kem,
    generate_x25519,
    hkdf,
    hmac_sha256,
    open_sealed,
    random_bytes,
    scrypt,
    seal,
    sha256,
    verify_ed25519,
)
from bpost.errors import SecurityError
from tests.crypto.people import CryptoTest, one_bit_off, stream
from tests.vectors import wycheproof

Q = 3329
"""The modulus of ML-KEM."""


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text)


def with_coefficient(public: bytes, index: int, value: int) -> bytes:
    """Return an encapsulation key with one of its 768 12-bit numbers replaced."""
    number = int.from_bytes(public[:1152], "little")
    number &= ~(0xFFF << 12 * index)
    return (number | value << 12 * index).to_bytes(1152, "little") + public[1152:]


def encodings(y: int) -> list[bytes]:
    """Return the keys with this coordinate: both signs, and the value plus p where it fits."""
    values = [value for value in (y, y + FIELD) if value < 2**255]
    return [(value | sign << 255).to_bytes(32, "little") for value in values for sign in (0, 1)]


class StandardsTest(unittest.TestCase):
    def test_x25519_agrees_with_rfc_7748(self) -> None:
        scalar = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"
        point = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"
        shared = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
        found = X25519Private(from_hex(scalar)).exchange(from_hex(point))
        self.assertEqual(found.hex(), shared)

    def test_x25519_iterated_agrees_with_rfc_7748(self) -> None:
        scalar = point = (9).to_bytes(32, "little")
        for _ in range(1000):
            scalar, point = X25519Private(scalar).exchange(point), scalar
        expected = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"
        self.assertEqual(scalar.hex(), expected)

    def test_signatures_agree_with_rfc_8032(self) -> None:
        key = Ed25519Private(
            from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
        )
        public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        signature = (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        )
        self.assertEqual((key.public.hex(), key.sign(b"\x72").hex()), (public, signature))

    def test_hkdf_agrees_with_rfc_5869(self) -> None:
        okm = hkdf(b"\x0b" * 22, info=bytes(range(0xF0, 0xFA)), length=42, salt=bytes(range(0x0D)))
        self.assertTrue(okm.hex().startswith("3cb25f25faacd57a90434f64d0362f2a"))
        no_salt = hkdf(b"\x0b" * 22, info=b"", length=42)
        self.assertTrue(no_salt.hex().startswith("8da4e775a563c18f715f802a063c5a31"))

    def test_hmac_agrees_with_rfc_4231(self) -> None:
        found = hmac_sha256(b"Jefe", b"what do ya want for nothing?")
        self.assertTrue(found.hex().startswith("5bdcc146bf60754e6a042426089575c7"))

    def test_scrypt_agrees_with_rfc_7914(self) -> None:
        found = scrypt(b"", b"", n=16, r=1, p=1, length=64)
        self.assertTrue(found.hex().startswith("77d6576238657b203b19ca42c18a0497"))

    def test_argon2id_agrees_with_the_reference_implementation(self) -> None:
        # phc-winner-argon2, src/test.c, version 0x13.
        found = argon2id(b"password", b"somesalt", memory_kib=65536, passes=2, lanes=1)
        expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        self.assertEqual(found.hex(), expected)

    def test_hashes_join_their_parts(self) -> None:
        self.assertEqual(sha256(b"a", b"b"), sha256(b"ab"))
        self.assertTrue(equal(b"same", b"same"))
        self.assertFalse(equal(b"same", b"other"))


class AgreementTest(CryptoTest):
    def test_both_sides_agree(self) -> None:
        one, other = generate_x25519(stream("one")), generate_x25519()
        self.assertEqual(one.exchange(other.public), other.exchange(one.public))

    def test_e5_keys_that_lead_to_nothing_are_refused(self) -> None:
        private = generate_x25519()
        low_order = [case for case in wycheproof("x25519") if "LowOrderPublic" in case["flags"]]
        self.assertEqual(len(low_order), 31)
        for case in low_order:
            with self.subTest(case["id"]), self.refused("bad-key"):
                private.exchange(case["public"])

    def test_e5_other_spellings_of_a_key_are_refused(self) -> None:
        public = generate_x25519(stream("spelled")).public
        top_bit = public[:31] + bytes([public[31] | 0x80])
        too_large = [value.to_bytes(32, "little") for value in range(FIELD, 2**255)]
        self.assertEqual(check_x25519(public), public)
        for key in (top_bit, *too_large, public[:31], public + b"\0", b""):
            with self.subTest(key.hex()), self.refused("bad-key"):
                check_x25519(key)
            with self.refused("bad-key"):
                generate_x25519().exchange(key)

    def test_private_keys_have_one_length(self) -> None:
        for make in (X25519Private, Ed25519Private, KemPrivate):
            for length in (0, 31, 33, 63, 65):
                with self.subTest(make.__name__, length=length), self.refused("bad-key"):
                    make(bytes(length))


class SignatureTest(CryptoTest):
    def test_what_is_signed_verifies(self) -> None:
        key = generate_ed25519()
        verify_ed25519(key.public, key.sign(b"words"), b"words")
        with self.refused("bad-signature"):
            verify_ed25519(key.public, key.sign(b"words"), b"other words")

    def test_e6_keys_of_small_order_are_refused_in_all_encodings(self) -> None:
        order_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
        points = (0, 1, FIELD - 1, order_8, FIELD - order_8)
        weak = [key for y in points for key in encodings(y)]
        self.assertEqual(len(weak), 14)
        for key in weak:
            with self.subTest(key.hex()), self.refused("bad-key"):
                check_ed25519(key)

    def test_e6_a_signature_that_fits_everything_is_refused(self) -> None:
        neutral = (1).to_bytes(32, "little")
        with self.refused("bad-key"):
            verify_ed25519(neutral, neutral + bytes(32), b"whatever one likes")

    def test_e6_keys_that_are_not_canonical_are_refused(self) -> None:
        for value in range(FIELD, 2**255):
            for key in encodings(value):
                with self.subTest(key.hex()), self.refused("bad-key"):
                    check_ed25519(key)


class KemTest(CryptoTest):
    def test_both_sides_have_the_secret(self) -> None:
        private = generate_kem(stream("kem"))
        ciphertext, secret = encapsulate(private.public)
        self.assertEqual(KemPrivate(private.seed).decapsulate(ciphertext), secret)

    def test_e8_keys_with_a_number_beyond_the_modulus_are_refused(self) -> None:
        public = generate_kem(stream("kem")).public
        self.assertEqual(check_kem(with_coefficient(public, 5, Q - 1))[1152:], public[1152:])
        bad = [with_coefficient(public, at, Q + at % (4096 - Q)) for at in range(768)]
        for key in (*bad, b"\xff" * 1184, public[:-1], public + b"\0", b""):
            with self.refused("bad-key"):
                check_kem(key)
            with self.refused("bad-key"):
                encapsulate(key)

    def test_e9_an_altered_ciphertext_gives_another_secret_silently(self) -> None:
        private = generate_kem(stream("kem"))
        ciphertext, secret = encapsulate(private.public)
        token = seal(secret, b"words")
        texts = set()
        for altered in one_bit_off(ciphertext):
            with self.assertRaises(SecurityError) as raised:
                open_sealed(private.decapsulate(altered), token)
            texts.add((raised.exception.cause, str(raised.exception)))
        with self.assertRaises(SecurityError) as raised:
            open_sealed(secret, token[:-1] + b"\0")
        self.assertEqual(texts, {(raised.exception.cause, str(raised.exception))})

    def test_a_ciphertext_of_another_length_is_refused(self) -> None:
        for length in (0, KEM_CIPHERTEXT - 1, KEM_CIPHERTEXT + 1):
            with self.refused("bad-encoding"):
                generate_kem().decapsulate(bytes(length))


class SealTest(CryptoTest):
    def test_what_is_sealed_opens(self) -> None:
        key = random_bytes(32)
        for length in (0, 1, 15, 16, 17, 1000):
            plaintext = random_bytes(length)
            token = seal(key, plaintext)
            self.assertEqual(open_sealed(key, token), plaintext)
            self.assertEqual(len(token), TOKEN_OVERHEAD + (length // 16 + 1) * 16)

    def test_a_token_carries_no_time(self) -> None:
        self.assertEqual(seal(bytes(32), b"words")[:9], b"\x80" + bytes(8))

    def test_a_token_with_a_time_is_refused(self) -> None:
        # The specification's own example, which carries one.
        key = base64.urlsafe_b64decode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
        token = base64.urlsafe_b64decode(
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64j"
            "VmpU4IwqDA=="
        )
        with self.refused("bad-token"):
            open_sealed(key, token)

    def test_an_altered_token_is_refused_with_one_text(self) -> None:
        key, texts = random_bytes(32), set()
        token = seal(key, b"words")
        for altered in (*one_bit_off(token), token[:-1], token + b"\0" * 16, token[:16], b""):
            with self.assertRaises(SecurityError) as raised:
                open_sealed(key, altered)
            texts.add(str(raised.exception))
        self.assertEqual(len(texts), 1)

    def test_equal_texts_give_different_tokens(self) -> None:
        self.assertEqual(len({seal(bytes(32), b"words") for _ in range(100)}), 100)


if __name__ == "__main__":
    unittest.main()
