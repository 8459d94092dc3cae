"""The database: what an older version made opens, and a full disk is called by its name."""

from __future__ import annotations

from typing import Any, cast

from peewee import OperationalError

from bpost.client.models import VERSION, Chain, Fact, Gap
from bpost.client.store import Store
from bpost.errors import StoreError
from tests.client.simulated import SimulatedCase, SimulatedDevice

VERSION_1 = (
    "DROP TABLE chains",
    "DROP TABLE gaps",
    "CREATE TABLE chains (sender TEXT NOT NULL, device TEXT NOT NULL, conversation TEXT NOT NULL,"
    " number INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (sender, device, conversation))",
    "CREATE TABLE gaps (id INTEGER NOT NULL PRIMARY KEY, sender TEXT NOT NULL,"
    " device TEXT NOT NULL, conversation TEXT NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, arrived INTEGER NOT NULL, notice INTEGER NOT NULL,"
    " place REAL NOT NULL)",
    "DROP TABLE key_history",
    "DROP TABLE verifications",
    "ALTER TABLE peers ADD COLUMN verified INTEGER NOT NULL DEFAULT 0",
    "DROP TABLE changes",
    "ALTER TABLE messages DROP COLUMN revision",
    "ALTER TABLE messages DROP COLUMN editor",
    "ALTER TABLE messages DROP COLUMN edited",
    "UPDATE facts SET value = x'31' WHERE name = 'version'",
)

INSERT_GAP = "INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class MigrationTest(SimulatedCase):
    """A profile of an older version goes on where it was."""

    def _back_to_1(self, device: SimulatedDevice) -> None:
        """Give a profile the tables that version 1 had, with what was in them."""
        with device.store.transaction():
            chains, gaps = device.store.all(Chain), device.store.all(Gap)
            for statement in VERSION_1:
                _run(device.store, statement)
            for one in chains:
                row = (one.sender, one.device, one.conversation, one.number, one.hash)
                _run(device.store, "INSERT INTO chains VALUES (?, ?, ?, ?, ?)", row)
            for gap in gaps:
                what = (gap.id, gap.sender, gap.device, gap.conversation, gap.first, gap.last)
                rest = (gap.arrived, gap.notice, gap.place)
                _run(device.store, INSERT_GAP, what + rest)
        device.store.close()

    def test_chains_and_gaps_of_version_1_go_on(self) -> None:
        alice, bob = self.pair()
        for text in "abcd":
            alice.write("bob", text)
        a, b, c, d = bob.pending()
        bob.take([a, d])
        before = bob.dump()
        self._back_to_1(bob)
        bob.open()
        self.assertEqual(bob.dump(), before)
        bob.take([c, b])
        alice.write("bob", "e")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-6:], ["a", "[notice]", "b", "c", "d", "e"])

    def test_an_opened_profile_is_of_this_version_and_a_newer_one_is_refused(self) -> None:
        bob = self.device("bob")
        self._back_to_1(bob)
        bob.open()
        with bob.store.transaction():
            found = bob.store.one(Fact, Fact.name == "version")
            self.assertEqual(found and int(found.value), VERSION)
            bob.profile.know("version", b"%d" % (VERSION + 1))
        bob.store.close()
        with self.assertRaisesRegex(StoreError, "newer version"):
            bob.open()


class FullDiskTest(SimulatedCase):
    """Errors of the database say what to do."""

    def test_a_full_disk_is_called_full_also_when_undoing_fails_too(self) -> None:
        bob = self.device("bob")
        with self.assertRaisesRegex(StoreError, "disk is full"), bob.store.transaction():
            try:
                raise OperationalError("database or disk is full")
            except OperationalError:
                raise OperationalError("no such savepoint: s1")  # noqa: B904 - as the library does


def _run(store: Store, statement: str, values: tuple[object, ...] = ()) -> None:
    cast(Any, store)._database.execute_sql(statement, values)
