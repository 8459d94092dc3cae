"""People with keys, exact randomness, and a test case that names causes."""

from __future__ import annotations

import hashlib
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bpost.crypto.account import (
    AccountKey,
    DeviceEntry,
    DeviceList,
    SignedDeviceList,
    sign_device_list,
)
from bpost.crypto.prekeys import DeviceBundle, Prekey, PrekeyKind, make_prekey, open_bundle
from bpost.crypto.prekeys import VerifiedBundle as Verified
from bpost.crypto.primitives import Random, generate_x25519
from bpost.errors import SecurityError
from bpost.limits import Limits

NOW = 1_790_000_000_000
DAY = 24 * 3600 * 1000
PHONE = "phone-phone-phon"
LAPTOP = "laptop-laptop-la"


def stream(seed: str) -> Random:
    """Return randomness that is the same in every run, and never repeats itself."""
    count = 0

    def take(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed} {count}".encode()).digest(length)

    return take


def one_bit_off(data: bytes) -> Iterator[bytes]:
    """Yield ``data`` with one bit flipped, in each byte in turn."""
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 1 << at % 8
        yield bytes(altered)


class CryptoTest(unittest.TestCase):
    """A test case that says with which cause something must be refused."""

    @contextmanager
    def refused(self, *causes: str) -> Iterator[None]:
        """Demand a SecurityError with one of ``causes``, or with any when none is named."""
        with self.assertRaises(SecurityError) as raised:
            yield
        if causes:
            self.assertIn(raised.exception.cause, causes)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, one device, and its prekeys, made at ``NOW``."""

    username: str
    account: AccountKey
    device: str
    devices: SignedDeviceList
    signed: Prekey
    kem: Prekey
    one_time: Prekey

    @classmethod
    def named(cls, username: str, device: str = PHONE) -> Person:
        """Make a person, the same in each run."""
        random = stream(username)
        account = AccountKey.generate(random)
        entry = DeviceEntry(device, generate_x25519(random).public, NOW)
        devices = sign_device_list(account, DeviceList(username, 1, (entry,)))
        signed, kem, one_time = (
            make_prekey(kind, account, username, device, now=NOW, random=random)[1]
            for kind in PrekeyKind
        )
        return cls(username, account, device, devices, signed, kem, one_time)

    def bundle(self, **changes: object) -> DeviceBundle:
        """Return what the device publishes, with ``changes``."""
        bundle = DeviceBundle(self.devices, self.device, self.signed, self.kem)
        return replace(bundle, **changes)  # type: ignore[arg-type]

    def open(
        self, bundle: DeviceBundle | str, one_time: Prekey | str | None = None, now: int = NOW
    ) -> Verified:
        """Check a bundle as a contact does who has pinned this person's key."""
        return open_bundle(
            bundle if isinstance(bundle, str) else bundle.text(),
            one_time.text() if isinstance(one_time, Prekey) else one_time,
            account_public=self.account.public,
            username=self.username,
            device=self.device,
            now=now,
            limits=Limits(),
        )
