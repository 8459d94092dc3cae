"""Our own prekeys: made, renewed, used up, and gone for good."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest import mock

from playhouse.sqlcipher_ext import SqlCipherDatabase

from bpost import b64
from bpost.client.models import Prekey
from bpost.crypto.prekeys import Prekey as PublicPrekey
from bpost.crypto.prekeys import PrekeyKind
from bpost.limits import DAY
from bpost.protocol.requests import CountKeys, UploadKeys
from tests.client.simulated import LIMITS, SimulatedCase, SimulatedDevice


class StockTest(SimulatedCase):
    """The life of prekeys."""

    def test_e11_messages_flow_when_all_one_time_keys_are_gone_and_they_are_refilled(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        keys = self.server.account("bob").devices[bob.device].one_time
        self.assertEqual(len(keys), LIMITS.one_time_keys)
        keys.clear()
        alice.write("bob", "without a one-time key")
        bob.connect()
        bob.work()
        bob.fetch()
        self.assertEqual(bob.shown("alice"), ["without a one-time key"])
        self.assertEqual(len(keys), LIMITS.one_time_keys)

    def test_e11_the_stock_is_looked_at_on_every_log_in(self) -> None:
        bob = self.device("bob")
        bob.connect()
        bob.work()
        counts = [r for _, r in self.server.requests if isinstance(r, CountKeys)]
        self.assertEqual(len(counts), 2)

    def test_e12_prekey_ids_are_random(self) -> None:
        self.device("bob")
        (upload,) = (r for _, r in self.server.requests if isinstance(r, UploadKeys))
        ids = [PublicPrekey.from_bytes(b64.decode(text)).id for text in upload.keys]
        numbers = [int.from_bytes(one, "big") for one in ids]
        self.assertEqual(len({len(one) for one in ids}), 1)
        self.assertGreater(min(abs(a - b) for a, b in itertools.pairwise(numbers)), 1_000_000)

    def test_e12_a_device_that_has_a_session_takes_no_more_one_time_keys(self) -> None:
        alice, bob = self.pair()
        keys = self.server.account("bob").devices[bob.device].one_time
        before = list(keys)
        for _ in range(3):
            alice.connect()
            alice.write("bob", "hello")
        self.assertEqual(keys, before)

    def test_e14_a_late_message_is_read_for_one_period_and_not_after(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        carol = self.device("carol")
        self.befriend(alice, bob, carol)
        for sender in (alice, carol):
            sender.write("bob", f"late, from {sender.name}")
        from_alice, from_carol = bob.pending()
        old = _secrets(bob, PrekeyKind.SIGNED) | _secrets(bob, PrekeyKind.KEM)
        self._pass(bob, 8 * DAY)
        self.assertEqual(len(_secrets(bob, PrekeyKind.SIGNED)), 2)
        self._pass(bob, 29 * DAY)
        bob.take([from_alice])
        self.assertEqual(bob.shown("alice"), ["late, from alice"])
        self._pass(bob, 2 * DAY)
        bob.take([from_carol])
        self.assertEqual(bob.shown("carol"), ["[unreadable]"])
        left = _secrets(bob, PrekeyKind.SIGNED) | _secrets(bob, PrekeyKind.KEM)
        self.assertFalse(old.keys() & left.keys())

    def test_e14_renewed_keys_are_published(self) -> None:
        bob = self.device("bob")
        keys = self.server.account("bob").devices[bob.device]
        before = keys.bundle
        self._pass(bob, 8 * DAY)
        self.assertNotEqual(keys.bundle, before)

    def test_e14_keys_made_while_the_clock_was_far_ahead_are_renewed_when_it_is_right(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        self._pass(bob, 365 * DAY)
        self._pass(bob, -365 * DAY)
        alice.write("bob", "to the traveller")
        bob.fetch()
        self.assertEqual(bob.shown("alice"), ["to the traveller"])

    def test_a_bundle_that_the_server_lost_is_published_again(self) -> None:
        bob = self.device("bob")
        keys = self.server.account("bob").devices[bob.device]
        before, keys.bundle = keys.bundle, ""
        bob.connect()
        bob.work()
        self.assertEqual(keys.bundle, before)

    def _pass(self, device: SimulatedDevice, seconds: float) -> None:
        device.seconds += seconds
        device.connect()
        device.work()


class ForgottenTest(SimulatedCase):
    """A used key is nowhere in the files. SQLCipher seals them; these tests look underneath."""

    def setUp(self) -> None:
        super().setUp()
        plain = partial(_without_key, SqlCipherDatabase)
        patch = mock.patch("bpost.client.store.SqlCipherDatabase", plain)
        patch.start()
        self.addCleanup(patch.stop)

    def _files(self, device: SimulatedDevice) -> bytes:
        path = device.keystore.database
        return b"".join(
            Path(f"{path}{end}").read_bytes()
            for end in ("", "-wal", "-shm")
            if Path(f"{path}{end}").exists()
        )

    def test_e66_a_used_one_time_key_is_gone_from_the_files(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        before = _secrets(bob, PrekeyKind.ONE_TIME)
        self.assertTrue(all(secret in self._files(bob) for secret in before.values()))
        alice.write("bob", "uses one")
        bob.fetch()
        bob.work()
        after = _secrets(bob, PrekeyKind.ONE_TIME)
        (used,) = before.keys() - after.keys()
        self.assertNotIn(before[used], self._files(bob))
        self.assertIn(next(iter(after.values())), self._files(bob))

    def test_e66_deleted_rows_are_overwritten(self) -> None:
        bob = self.device("bob")
        with bob.store.reading():
            value = cast(Any, bob.store)._database.execute_sql("PRAGMA secure_delete").fetchone()
        self.assertEqual(value, (1,))


def _without_key(make: Any, path: str, **settings: Any) -> Any:
    """Open a database that is not sealed, to see what is written."""
    return make(path, **{**settings, "passphrase": ""})


def _secrets(device: SimulatedDevice, kind: PrekeyKind) -> dict[bytes, bytes]:
    with device.store.reading():
        rows = device.store.all(Prekey, Prekey.kind == kind)
    return {bytes(row.id): bytes(row.secret) for row in rows}
