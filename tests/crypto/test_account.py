"""Tests of bpost.crypto.account."""

from __future__ import annotations

import unittest
from dataclasses import replace

from bpost.crypto import labels
from bpost.crypto.account import (
    AccountKey,
    DeviceEntry,
    DeviceList,
    SignedDeviceList,
    check_device_id,
    newer_list,
    open_device_list,
    sign_device_list,
    verify_account,
)
from bpost.crypto.primitives import generate_x25519
from bpost.errors import SecurityError, UsageError
from tests.crypto.people import LAPTOP, NOW, PHONE, CryptoTest, one_bit_off, stream

ALICE = AccountKey.generate(stream("alice"))
SERVER = AccountKey.generate(stream("server"))


def entry(device: str, key: str | None = None, since: int = NOW) -> DeviceEntry:
    """Return an entry whose identity depends on ``key`` alone."""
    return DeviceEntry(device, generate_x25519(stream(key or device)).public, since)


PHONE_ONLY = DeviceList("Alice", 1, (entry(PHONE),))
BOTH = PHONE_ONLY.with_device(entry(LAPTOP))


def signed(devices: DeviceList, account: AccountKey = ALICE) -> SignedDeviceList:
    return sign_device_list(account, devices)


class AccountKeyTest(CryptoTest):
    def test_a_key_comes_back_from_its_seed(self) -> None:
        self.assertEqual(AccountKey.from_seed(ALICE.seed).public, ALICE.public)

    def test_a_signature_is_for_one_label(self) -> None:
        signature = ALICE.sign(labels.PREKEY, b"words")
        verify_account(ALICE.public, signature, labels.PREKEY, b"words")
        with self.refused("bad-signature"):
            verify_account(ALICE.public, signature, labels.DEVICE_LIST, b"words")


class DeviceListTest(CryptoTest):
    def test_a_signed_list_opens(self) -> None:
        offered = signed(BOTH)
        opened = open_device_list(offered.to_bytes(), ALICE.public, "ALICE")
        self.assertEqual(opened, offered)
        self.assertEqual(opened.list.find(LAPTOP), entry(LAPTOP))

    def test_a_list_has_one_form(self) -> None:
        reversed_list = DeviceList("ALICE", 2, BOTH.devices[::-1])
        self.assertEqual(reversed_list.to_bytes(), BOTH.to_bytes())

    def test_each_change_is_a_new_version(self) -> None:
        removed = BOTH.without_device(PHONE)
        self.assertEqual((removed.version, removed.find(PHONE)), (3, None))

    def test_an_altered_list_is_refused(self) -> None:
        for altered in one_bit_off(signed(BOTH).to_bytes()):
            with self.refused():
                open_device_list(altered, ALICE.public, "alice")

    def test_a_list_of_another_user_is_refused(self) -> None:
        with self.refused("bad-bundle"):
            open_device_list(signed(BOTH).to_bytes(), ALICE.public, "bob")

    def test_a_list_in_another_order_is_refused(self) -> None:
        raw = BOTH.to_bytes()
        head, entries = raw[:-112], (raw[-112:-56], raw[-56:])
        swapped = head + entries[1] + entries[0]
        with self.refused("bad-encoding"):
            SignedDeviceList.from_bytes(swapped + bytes(64))

    def test_e53_a_device_that_the_server_adds_is_refused(self) -> None:
        ghost = PHONE_ONLY.with_device(entry("ghost-ghost-ghos"))
        for offered in (signed(ghost, SERVER), SignedDeviceList(ghost, signed(BOTH).signature)):
            with self.refused("bad-signature"):
                open_device_list(offered.to_bytes(), ALICE.public, "alice")

    def test_e53_a_list_that_goes_back_is_refused(self) -> None:
        revoked = signed(BOTH.without_device(PHONE))
        self.assertEqual(newer_list(signed(BOTH), revoked), revoked)
        for older in (signed(BOTH), signed(PHONE_ONLY)):
            with self.refused("old-device-list"):
                newer_list(revoked, older)

    def test_e53_a_second_list_of_the_same_version_is_refused(self) -> None:
        other = signed(PHONE_ONLY.with_device(entry("other-other-othe")))
        self.assertEqual(newer_list(signed(BOTH), signed(BOTH)), signed(BOTH))
        with self.refused("old-device-list"):
            newer_list(signed(BOTH), other)

    def test_the_first_list_is_taken(self) -> None:
        self.assertEqual(newer_list(None, signed(BOTH)), signed(BOTH))

    def test_e54_an_id_keeps_its_identity(self) -> None:
        changed = replace(BOTH, version=3, devices=(entry(PHONE), entry(LAPTOP, "other key")))
        with self.refused("device-changed"):
            newer_list(signed(BOTH), signed(changed))

    def test_e54_an_identity_keeps_its_id(self) -> None:
        renamed = replace(
            BOTH, version=3, devices=(entry(PHONE), entry("laptop-the-secon", LAPTOP))
        )
        with self.refused("device-changed"):
            newer_list(signed(BOTH), signed(renamed))

    def test_e54_an_id_that_was_removed_does_not_come_back_with_other_keys(self) -> None:
        removed = BOTH.without_device(LAPTOP)
        back = removed.with_device(entry(LAPTOP, "other key"))
        with self.refused("device-changed"):
            newer_list(signed(removed), signed(back), seen=[entry(LAPTOP)])
        newer_list(signed(removed), signed(removed.with_device(entry("third-third-thir"))))

    def test_e54_a_list_names_each_device_once(self) -> None:
        twice = (entry(PHONE), entry(PHONE, "other key"))
        shared = (entry(PHONE), entry(LAPTOP, PHONE))
        for devices in (twice, shared, (entry(PHONE), entry(PHONE))):
            raw = DeviceList("alice", 1, devices).to_bytes()
            offered = raw + ALICE.sign(labels.DEVICE_LIST, raw)
            with self.subTest(devices), self.refused("device-changed"):
                open_device_list(offered, ALICE.public, "alice")
            with self.assertRaises(UsageError):
                signed(DeviceList("alice", 1, devices))

    def test_e54_an_id_that_looks_like_something_else_is_refused(self) -> None:
        check_device_id(PHONE)
        bad = ["", "plain", "new", "A" * 15, "A" * 17, "A" * 43, "A" * 15 + "=", "é" * 16]
        for text in (*bad, "A" * 15 + "\n", "A" * 15 + "\x1f"):
            with self.subTest(text), self.refused("bad-encoding"):
                check_device_id(text)
            if len(text) == 16 and text.isascii():
                with self.refused("bad-encoding"):
                    raw = DeviceList("alice", 1, (entry(text),)).to_bytes()
                    SignedDeviceList.from_bytes(raw + bytes(64))

    def test_an_identity_that_is_no_key_is_refused(self) -> None:
        raw = DeviceList("alice", 1, (DeviceEntry(PHONE, b"\xff" * 32, NOW),)).to_bytes()
        with self.assertRaises(SecurityError) as raised:
            open_device_list(raw + ALICE.sign(labels.DEVICE_LIST, raw), ALICE.public, "alice")
        self.assertEqual(raised.exception.cause, "bad-key")


if __name__ == "__main__":
    unittest.main()
