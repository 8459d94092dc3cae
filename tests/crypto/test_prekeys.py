"""Tests of bpost.crypto.prekeys."""

from __future__ import annotations

import unittest
from dataclasses import replace

from bpost import b64
from bpost.crypto import labels, prekeys
from bpost.crypto.account import DeviceEntry, sign_device_list
from bpost.crypto.prekeys import Prekey, PrekeyKind, make_prekey
from bpost.crypto.primitives import KemPrivate, X25519Private, generate_x25519
from bpost.limits import Limits
from tests.crypto.people import DAY, LAPTOP, NOW, PHONE, CryptoTest, Person, one_bit_off

ALICE = Person.named("alice")
MALLORY = Person.named("mallory")


class MakeTest(CryptoTest):
    def test_the_secret_fits_the_public_key(self) -> None:
        for kind in PrekeyKind:
            secret, public = make_prekey(kind, ALICE.account, "alice", PHONE, now=NOW)
            private = KemPrivate if kind is PrekeyKind.KEM else X25519Private
            self.assertEqual(private(secret.secret).public, public.key)
            self.assertEqual((secret.id, secret.kind, secret.created), (public.id, kind, NOW))

    def test_ids_are_random(self) -> None:
        ids = {
            make_prekey(PrekeyKind.ONE_TIME, ALICE.account, "alice", PHONE, now=NOW)[0].id
            for _ in range(100)
        }
        self.assertEqual(len(ids), 100)
        self.assertGreater(len({one[0] for one in ids}), 50)

    def test_keys_fit_into_their_frames(self) -> None:
        limits = Limits()
        entries = (DeviceEntry(f"{at:016}", generate_x25519().public, NOW) for at in range(10))
        devices = replace(ALICE.devices.list, devices=tuple(entries))
        bundle = ALICE.bundle(device_list=sign_device_list(ALICE.account, devices))
        self.assertLess(len(bundle.text()), limits.device_bundle)
        self.assertLess(len(ALICE.one_time.text()), limits.one_time_key)

    def test_an_unknown_kind_is_refused(self) -> None:
        raw = ALICE.signed.to_bytes()
        with self.refused("bad-encoding"):
            Prekey.from_bytes(raw[:1] + b"\x09" + raw[2:])


class BundleTest(CryptoTest):
    def test_a_bundle_opens(self) -> None:
        opened = ALICE.open(ALICE.bundle(), ALICE.one_time)
        self.assertEqual(opened.device, ALICE.devices.list.devices[0])
        self.assertEqual((opened.signed, opened.kem), (ALICE.signed, ALICE.kem))
        self.assertEqual(opened.one_time, ALICE.one_time)
        self.assertIsNone(ALICE.open(ALICE.bundle()).one_time)

    def test_e1_a_bit_off_anywhere_is_refused(self) -> None:
        for altered in one_bit_off(b64.decode(ALICE.bundle().text())):
            with self.refused():
                ALICE.open(b64.encode(altered))
        for altered in one_bit_off(ALICE.one_time.to_bytes()):
            with self.refused():
                ALICE.open(ALICE.bundle(), b64.encode(altered))

    def test_e1_each_signature_is_verified_in_each_byte(self) -> None:
        for name in ("signed", "kem"):
            prekey: Prekey = getattr(ALICE, name)
            for signature in one_bit_off(prekey.signature):
                with self.refused("bad-signature"):
                    ALICE.open(ALICE.bundle(**{name: replace(prekey, signature=signature)}))
        for signature in one_bit_off(ALICE.devices.signature):
            with self.refused("bad-signature"):
                ALICE.open(ALICE.bundle(device_list=replace(ALICE.devices, signature=signature)))

    def test_e1_the_keys_of_another_account_are_refused(self) -> None:
        forged = make_prekey(PrekeyKind.SIGNED, MALLORY.account, "alice", PHONE, now=NOW)[1]
        with self.refused("bad-signature"):
            ALICE.open(ALICE.bundle(signed=forged))
        with self.refused("bad-signature"):
            ALICE.open(MALLORY.bundle())

    def test_e2_a_key_in_the_place_of_another_kind_is_refused(self) -> None:
        for bundle, one_time in (
            (ALICE.bundle(kem=ALICE.signed), None),
            (ALICE.bundle(signed=ALICE.kem), None),
            (ALICE.bundle(signed=ALICE.one_time), None),
            (ALICE.bundle(), ALICE.kem),
            (ALICE.bundle(), ALICE.signed),
        ):
            with self.refused("bad-bundle"):
                ALICE.open(bundle, one_time)

    def test_e2_the_kind_is_signed(self) -> None:
        renamed = replace(ALICE.signed, kind=PrekeyKind.ONE_TIME)
        with self.refused("bad-signature"):
            ALICE.open(ALICE.bundle(), renamed)

    def test_e2_the_id_is_signed(self) -> None:
        renamed = replace(ALICE.one_time, id=bytes(8))
        with self.refused("bad-signature"):
            ALICE.open(ALICE.bundle(), renamed)

    def test_e2_the_device_is_signed(self) -> None:
        _, elsewhere = make_prekey(PrekeyKind.SIGNED, ALICE.account, "alice", LAPTOP, now=NOW)
        with self.refused("bad-signature"):
            ALICE.open(ALICE.bundle(signed=elsewhere))

    def test_e2_the_username_is_signed(self) -> None:
        _, another = make_prekey(PrekeyKind.SIGNED, ALICE.account, "alice2", PHONE, now=NOW)
        with self.refused("bad-signature"):
            ALICE.open(ALICE.bundle(signed=another))

    def test_e2_a_signature_of_a_list_is_none_of_a_prekey(self) -> None:
        content = ALICE.devices.list.to_bytes()
        as_list, as_prekey = (
            ALICE.account.sign(label, content) for label in (labels.DEVICE_LIST, labels.PREKEY)
        )
        self.assertNotEqual(as_list, as_prekey)
        with self.refused("bad-signature"):
            ALICE.open(ALICE.bundle(device_list=replace(ALICE.devices, signature=as_prekey)))

    def test_e8_a_kem_key_beyond_the_modulus_is_refused_though_signed(self) -> None:
        with self.refused("bad-key"):
            ALICE.open(ALICE.bundle(kem=self.signed_anew(ALICE.kem, b"\xff" * 1184)))
        ALICE.open(ALICE.bundle(kem=self.signed_anew(ALICE.kem, MALLORY.kem.key)))

    def test_e5_a_prekey_that_is_not_canonical_is_refused_though_signed(self) -> None:
        with self.refused("bad-key"):
            ALICE.open(ALICE.bundle(signed=self.signed_anew(ALICE.signed, b"\xff" * 32)))

    def test_e15_a_bundle_expires(self) -> None:
        for days in (0, 59, 60, 61):
            ALICE.open(ALICE.bundle(), now=NOW + days * DAY)
        for later in (61 * DAY + 1, 365 * DAY):
            with self.refused("bundle-expired"):
                ALICE.open(ALICE.bundle(), ALICE.one_time, now=NOW + later)

    def test_e15_each_key_expires(self) -> None:
        for kind, name in ((PrekeyKind.SIGNED, "signed"), (PrekeyKind.KEM, "kem")):
            _, old = make_prekey(kind, ALICE.account, "alice", PHONE, now=NOW - 62 * DAY)
            with self.subTest(name), self.refused("bundle-expired"):
                ALICE.open(ALICE.bundle(**{name: old}))

    def test_e15_a_bundle_from_the_future_is_refused(self) -> None:
        ALICE.open(ALICE.bundle(), now=NOW - DAY)
        with self.refused("bundle-expired"):
            ALICE.open(ALICE.bundle(), now=NOW - DAY - 1)

    def test_e15_the_time_is_signed(self) -> None:
        with self.refused("bad-signature"):
            ALICE.open(ALICE.bundle(signed=replace(ALICE.signed, created=NOW + 1)))

    def test_e53_a_device_that_is_not_on_the_signed_list_is_refused(self) -> None:
        ghost = Person.named("alice", LAPTOP)
        bundle = replace(ghost.bundle(), device_list=ALICE.devices)
        with self.refused("unknown-device"):
            ghost.open(bundle)

    def test_a_bundle_of_another_device_is_refused(self) -> None:
        with self.refused("unknown-device"):
            ALICE.open(ALICE.bundle(device=LAPTOP))

    def test_e49_a_bundle_has_one_form(self) -> None:
        raw = b64.decode(ALICE.bundle().text())
        for altered in (raw + b"\0", raw[:-1], raw[:40], b""):
            with self.refused("bad-encoding"):
                ALICE.open(b64.encode(altered))

    def signed_anew(self, prekey: Prekey, key: bytes) -> Prekey:
        """Return a prekey with another key that the account key signed all the same."""
        unsigned = replace(prekey, key=key)
        content = prekeys._signed_bytes(unsigned, "alice", PHONE)
        return replace(unsigned, signature=ALICE.account.sign(labels.PREKEY, content))


if __name__ == "__main__":
    unittest.main()
