"""The post office's memory."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.errors import StoreError
from bpost.server import migrations, store_mail
from bpost.server.models import VERSION
from bpost.server.records import PLAIN, Closed, Letter, Orders, Receipt, Seen
from bpost.server.store import FILE, Store
from bpost.server.store_mail import _Batch
from tests.server.parts import ROOT

NOW = 1_700_000_000_000


class StoreTest(unittest.TestCase):
    """A test with a store that knows alice (1) and bob (2), who have each other as contacts."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.store = Store(self.folder)
        self.addCleanup(self.store.close)
        for name in ("alice", "bob"):
            self.store.accounts.add(name, name, "hash", NOW)
        self.store.contacts.add(1, 2, 10)
        self.store.contacts.add(2, 1, 10)

    def post(self, *bodies: str, ref: str | None = None, to: str = "bob") -> list[Receipt | None]:
        """Store letters from alice in one transaction, all in the same moment."""
        letters = [Letter(1, "alice", PLAIN, to, body, ref) for body in bodies]
        return self.store.mail.store(letters, NOW)

    def bodies(self, after: int = 0, most: int = 100) -> list[str]:
        """Return what waits for bob."""
        return [mail.body for mail in self.store.mail.waiting(2, after, most)]


class MailboxTest(StoreTest):
    """Numbers, order and repeats (S38, S44)."""

    def test_two_messages_in_the_same_microsecond_are_two_messages(self) -> None:
        self.post("same", "same")
        self.post("same")
        self.assertEqual(self.bodies(), ["same"] * 3)

    def test_e30_the_last_message_of_a_device_is_the_one_that_was_stored_last(self) -> None:
        self.post("a", "b", "c")
        self.post("the first", ref="first")
        self.post("in the same moment", ref="second", to="alice")
        self.assertEqual(self.store.mail.last_ref(1, PLAIN), "second")
        letter = Letter(1, "alice", PLAIN, "bob", "when the clock was set back", "third")
        self.store.mail.store([letter], NOW - 3_600_000)
        self.assertEqual(self.store.mail.last_ref(1, PLAIN), "third")
        self.post("the first", ref="first")
        self.assertEqual(self.store.mail.last_ref(1, PLAIN), "third")

    def test_s44_numbers_rise_from_one_without_gaps_for_each_mailbox(self) -> None:
        first = self.post("a", "b")
        self.post("to alice", to="alice")
        second = self.post("c")
        self.assertEqual([got.seq for got in first + second if got], [1, 2, 3])
        self.assertEqual(self.bodies(), ["a", "b", "c"])

    def test_s44_a_transaction_that_fails_leaves_no_gap(self) -> None:
        self.post("a")
        finish = _Batch.finish

        def fail_late(batch: _Batch) -> None:
            finish(batch)
            raise RuntimeError

        with mock.patch.object(_Batch, "finish", fail_late):
            with self.assertRaises(RuntimeError):
                self.post("lost", "lost")
        (receipt,) = self.post("b")
        assert receipt is not None
        self.assertEqual((receipt.seq, self.bodies()), (2, ["a", "b"]))

    def test_s38_the_same_ref_is_stored_once_and_answered_alike(self) -> None:
        first = self.post("hi", ref="r1")[0]
        again = self.post("hi", "hi", ref="r1")
        assert first is not None
        self.assertEqual(again, [Receipt(first.seq, first.timestamp)] * 2)
        self.assertEqual(self.bodies(), ["hi"])

    def test_s38_the_same_ref_from_another_device_or_to_another_user_is_another_message(
        self,
    ) -> None:
        self.post("hi", ref="r1")
        self.post("copy", ref="r1", to="alice")
        self.store.mail.store([Letter(1, "alice", "x" * 16, "bob", "other", "r1")], NOW)
        self.assertEqual(self.bodies(), ["hi", "other"])
        self.assertEqual(len(self.store.mail.waiting(1, 0, 10)), 1)

    def test_s38_a_ref_is_known_also_when_its_text_is_gone(self) -> None:
        self.post("hi", ref="r1")
        self.store.devices.move_cursors({(2, PLAIN): 1}, NOW)
        self.store.mail.clear_held([2])
        (again,) = self.post("hi", ref="r1")
        self.assertEqual(again, Receipt(1, NOW))
        self.assertEqual(self.bodies(), [])

    def test_many_mailboxes_are_cleared_in_steps_of_few_rows(self) -> None:
        self.post(*["x"] * 5)
        self.post(*["y"] * 5, to="alice")
        self.store.devices.move_cursors({(1, PLAIN): 4, (2, PLAIN): 5}, NOW)
        steps: list[list[tuple[int, int, int]]] = []
        with mock.patch.object(store_mail, "CLEAR_STEP", 4):
            for part in store_mail._steps([(1, 0, 4), (2, 0, 5), (3, 1, 2), (4, 1, 2)]):
                steps.append(part)
            self.store.mail.clear_held([1, 2])
        self.assertEqual(steps, [[(1, 0, 4)], [(2, 0, 5)], [(3, 1, 2), (4, 1, 2)]])
        self.assertEqual(self.bodies(), [])
        self.assertEqual([one.body for one in self.store.mail.waiting(1, 0, 9)], ["y"])

    def test_mail_is_read_in_bounded_pieces(self) -> None:
        self.post(*map(str, range(10)))
        self.assertEqual(self.bodies(after=3, most=4), ["3", "4", "5", "6"])

    def test_text_goes_when_every_device_holds_it_and_rows_when_they_are_old(self) -> None:
        phone = self.store.devices.add(2, "p" * 16, NOW, 10)
        laptop = self.store.devices.add(2, "l" * 16, NOW, 10)
        assert phone is not None
        assert laptop is not None
        self.post("one", "two")
        self.store.devices.move_cursors({(2, phone.device): 2, (2, laptop.device): 1}, NOW)
        self.store.mail.clear_held([2])
        self.assertEqual(self.bodies(), ["two"])
        self.assertEqual(self.store.mail.expire(NOW), 0)
        self.assertEqual(self.store.mail.expire(NOW + 1), 2)
        self.assertEqual(self.bodies(), [])


class CursorTest(StoreTest):
    """How far devices are."""

    def test_a_cursor_never_goes_back(self) -> None:
        for seq in (3, 2):
            self.store.devices.move_cursors({(2, PLAIN): seq}, NOW)
        mailbox = self.store.devices.mailbox(2, PLAIN)
        assert mailbox is not None
        self.assertEqual(mailbox.cursor, 3)

    def test_the_plain_device_begins_at_the_beginning_and_another_at_the_end(self) -> None:
        self.post("one")
        plain = self.store.devices.mailbox(2, PLAIN)
        phone = self.store.devices.add(2, "p" * 16, NOW, 10)
        assert plain is not None
        assert phone is not None
        self.assertEqual((plain.cursor, phone.cursor), (0, 1))
        self.assertIsNone(self.store.devices.mailbox(2, "x" * 16))


class FailureTest(StoreTest):
    """Disks that are full, files that are not ours."""

    def sabotage(self, sql: str) -> Any:
        """Run a statement on the store's own connection."""
        with self.store.reading() as database:
            connection: Any = database
            return connection.execute_sql(sql).fetchone()

    def test_a_full_disk_is_an_error_that_says_so_and_passes(self) -> None:
        pages = self.sabotage("PRAGMA page_count")[0]
        self.sabotage(f"PRAGMA max_page_count = {pages}")
        with self.assertRaisesRegex(StoreError, "Make room"):
            self.post("x" * 1_000_000)
        self.post("small")
        self.assertEqual(self.bodies(), ["small"])

    def test_s41_what_is_no_database_is_told_plainly_and_left_as_it_is(self) -> None:
        self.store.close()
        path = self.folder / FILE
        for name in os.listdir(self.folder):
            (self.folder / name).unlink()
        path.touch(0o600)
        path.write_bytes(b"something else entirely " * 100)
        with self.assertRaisesRegex(StoreError, "damaged"):
            Store(self.folder)
        self.assertTrue(path.read_bytes().startswith(b"something else"))

    def test_s46_a_newer_database_is_refused_and_left_as_it_is(self) -> None:
        self.sabotage("UPDATE schema_version SET version = version + 1")
        self.store.close()
        with self.assertRaisesRegex(StoreError, "newer"):
            Store(self.folder)
        with sqlite3.connect(self.folder / FILE) as other:
            row = other.execute("SELECT version FROM schema_version").fetchone()
        other.close()
        self.assertEqual(row, (VERSION + 1,))

    def test_migrations_bring_an_old_database_forward_in_one_step_or_not_at_all(self) -> None:
        def grow(database: Any) -> None:
            database.execute_sql("ALTER TABLE clients ADD COLUMN motto TEXT")

        def fail(database: Any) -> None:
            database.execute_sql("ALTER TABLE clients ADD COLUMN half TEXT")
            raise RuntimeError

        with self.assertRaises(RuntimeError), self.store.transaction() as database:
            migrations.migrate(database, {VERSION + 1: grow, VERSION + 2: fail}, VERSION + 2)
        with self.store.transaction() as database:
            self.assertEqual(migrations.version_of(database), VERSION)
            migrations.migrate(database, {VERSION + 1: grow}, VERSION + 1)
            self.assertEqual(migrations.version_of(database), VERSION + 1)
        self.assertIsNone(self.sabotage("SELECT motto FROM clients LIMIT 1")[0])

    def test_a_database_of_version_1_is_brought_forward(self) -> None:
        self.age()
        self.store = Store(self.folder)
        self.addCleanup(self.store.close)
        self.assertIsNone(self.store.clocks.seen())
        self.store.clocks.note(Seen(5, 0))
        self.assertEqual(self.store.clocks.seen(), Seen(5, 0))
        self.store.settings.set_retention(60)
        self.assertEqual(self.store.settings.orders(), Orders(1, 60))
        self.assertIsNone(self.store.accounts.quota(1))
        self.assertTrue(self.store.devices.is_unknown("a" * 16))

    def age(self) -> None:
        """Make the database one of version 1, with the accounts that it has."""
        with sqlite3.connect(self.folder / FILE) as other:
            for table in ("clock", "settings", "buckets", "departed"):
                other.execute(f"DROP TABLE {table}")
            for column in ("quota", "succession"):
                other.execute(f"ALTER TABLE clients DROP COLUMN {column}")
            other.execute("DROP INDEX device_device")
            other.execute("UPDATE schema_version SET version = 1")
        other.close()
        self.store.close()

    def test_s46_an_update_keeps_what_was_there_before(self) -> None:
        self.age()
        self.store = Store(self.folder)
        self.addCleanup(self.store.close)
        kept = self.folder / f"{FILE}.version-1"
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        with sqlite3.connect(kept) as other:
            self.assertEqual(other.execute("SELECT version FROM schema_version").fetchone(), (1,))
            self.assertEqual(other.execute("SELECT COUNT(*) FROM clients").fetchone(), (2,))
        other.close()
        before = kept.read_bytes()
        self.store.close()
        Store(self.folder).close()  # which has nothing to bring forward
        self.assertEqual(kept.read_bytes(), before)

    def test_s46_without_room_for_a_copy_nothing_is_brought_forward(self) -> None:
        self.age()
        with mock.patch.object(Store, "copy_to", side_effect=StoreError("disk is full")):
            with self.assertRaises(StoreError):
                Store(self.folder)
        self.assertEqual(list(self.folder.glob("*version-*")), [])
        with sqlite3.connect(self.folder / FILE) as other:
            self.assertEqual(other.execute("SELECT version FROM schema_version").fetchone(), (1,))
        other.close()

    def test_s46_a_kill_in_the_middle_of_an_update_leaves_the_old_or_the_new(self) -> None:
        self.age()
        code = (
            "import os, pathlib, sys; from bpost.server import migrations, store\n"
            "whole = migrations.migrate\n"
            "def killed(database):\n"
            "    whole(database)\n"
            "    os.kill(os.getpid(), 9)\n"
            "migrations.migrate = killed\n"
            "store.Store(pathlib.Path(sys.argv[1]))\n"
        )
        command = [sys.executable, "-c", code, str(self.folder)]
        self.assertEqual(subprocess.run(command, cwd=ROOT, check=False).returncode, -9)
        with sqlite3.connect(self.folder / FILE) as other:
            self.assertEqual(other.execute("SELECT version FROM schema_version").fetchone(), (1,))
        other.close()
        self.store = Store(self.folder)
        self.addCleanup(self.store.close)
        self.assertEqual(self.store.check(), [])
        self.assertIsNone(self.store.accounts.quota(1))

    def test_another_program_may_look_and_write_meanwhile(self) -> None:
        with sqlite3.connect(self.folder / FILE) as other:
            self.assertEqual(other.execute("SELECT COUNT(*) FROM clients").fetchone(), (2,))
            other.execute("UPDATE clients SET disabled = 1 WHERE id = 2")
        other.close()
        self.assertEqual(self.store.accounts.closed([1, 2]), {2: Closed.DISABLED})

    def test_s42_the_log_of_changes_shrinks_when_a_long_reader_is_gone(self) -> None:
        most, wal = 64 * 1024 * 1024, self.folder / f"{FILE}-wal"
        with contextlib.closing(sqlite3.connect(self.folder / FILE)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM clients").fetchone()
            while wal.stat().st_size <= most:
                self.post(*["x" * 190_000] * 50)
        for _ in range(3):
            self.post("after")
        self.assertLessEqual(wal.stat().st_size, most)

    def test_s41_who_waits_too_long_for_another_program_is_told_and_goes_on_later(self) -> None:
        self.sabotage("PRAGMA busy_timeout = 100")
        with contextlib.closing(sqlite3.connect(self.folder / FILE)) as other:
            other.execute("BEGIN IMMEDIATE")
            with self.assertRaisesRegex(StoreError, "Another program holds it"):
                self.post("early")
            self.assertEqual(self.bodies(), [])
        self.post("late")
        self.assertEqual(self.bodies(), ["late"])

    def test_s41_a_damaged_page_is_told_plainly_and_the_rest_can_be_read(self) -> None:
        self.post("hello")
        page = self.sabotage("SELECT rootpage FROM sqlite_master WHERE name = 'messages'")[0]
        size = self.sabotage("PRAGMA page_size")[0]
        self.store.close()
        with (self.folder / FILE).open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * 512)
        before = (self.folder / FILE).read_bytes()
        self.store = Store(self.folder)
        self.addCleanup(self.store.close)
        self.assertIn("damaged", " ".join(self.store.check()))
        for what in (self.bodies, lambda: self.post("new")):
            with self.assertRaisesRegex(StoreError, "damaged: leave it as it is"):
                what()
        self.assertEqual(self.store.accounts.by_id(1), self.store.accounts.find("alice"))
        self.store.close()
        self.assertEqual((self.folder / FILE).read_bytes(), before)

    def test_s41_a_file_that_was_cut_short_is_refused_and_left_as_it_is(self) -> None:
        self.post("x" * 100_000)
        self.store.close()
        path = self.folder / FILE
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
        before = path.read_bytes()
        with self.assertRaisesRegex(StoreError, "damaged"):
            Store(self.folder)
        self.assertEqual(path.read_bytes(), before)

    def test_s41_a_database_that_cannot_be_written_to_says_what_to_do(self) -> None:
        self.sabotage("PRAGMA query_only = on")
        with self.assertRaisesRegex(StoreError, "Give the folder to the user"):
            self.post("x")

    def test_s37_the_database_is_synced_at_each_commit(self) -> None:
        self.assertEqual(self.sabotage("PRAGMA synchronous")[0], 2)
        self.assertEqual(self.sabotage("PRAGMA journal_mode")[0], "wal")
        self.assertEqual(self.sabotage("PRAGMA foreign_keys")[0], 1)


if __name__ == "__main__":
    unittest.main()
