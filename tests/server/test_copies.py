"""Backups of a post office, made while it runs, and post offices made of them."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from bpost.errors import BPostError, StoreError, UsageError
from bpost.server import copies, copy_file
from bpost.server.config import Config
from bpost.server.copies import back_up, restore
from bpost.server.log import EventLog
from bpost.server.post_office import PostOffice
from bpost.server.store import FILE
from tests.server.parts import OPEN, PASSWORD, PlainClient, ServerTest
from tests.server.test_admin import run_admin
from tests.support import wait_until


class CopiesTest(ServerTest):
    """A server that runs, and copies of it."""

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder / "office.backup"
        self.other = self.folder / "other"

    def prepared(self) -> PlainClient:
        """Register alice and bob, who is away, and has two one-time keys and a message."""
        alice, bob = self.user("alice"), self.user("bob")
        alice.ask("4", "alice", "bob")
        bob.close()
        phone, device = self.device("bob")
        phone.ask("6", "bob", "KEY", device, "BUNDLE")
        phone.ask("10", "upload", device, '["one","two"]')
        phone.close()
        alice.ask("0", "alice", "waiting", "bob", "r1")
        return alice

    def again(self) -> PostOffice:
        """Run what was restored."""
        config = Config(data=self.other, port=0, limits=OPEN)
        office = PostOffice(config, EventLog(stream=io.StringIO())).start()
        self.addCleanup(office.stop)
        return office

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the restored database."""
        with sqlite3.connect(self.other / FILE) as database:
            found = database.execute(sql).fetchall()
        database.close()
        return found

    def test_a_backup_holds_all_and_goes_on_under_the_same_pin(self) -> None:
        self.prepared()
        status, text = run_admin(self.folder, "backup", str(self.file))
        self.assertEqual(status, 0, text)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        status, text = run_admin(self.other, "restore", str(self.file))
        self.assertEqual(status, 0, text)
        self.assertIn("2 one-time keys dropped", text)
        office = self.again()
        self.assertEqual(office.pin, self.post_office.pin)
        self.assertIn(office.pin, text)
        bob = PlainClient(office.port, self.other / "certificate" / "ca.pem")
        self.addCleanup(bob.close)
        self.assertEqual(bob.ask("1", "bob", PASSWORD), ["1", "OK"])
        self.assertEqual(bob.receive(), ["5", "waiting", "alice"])

    def test_s57_a_backup_is_private_whatever_the_umask(self) -> None:
        self.addCleanup(os.umask, os.umask(0o000))
        back_up(self.folder, self.file)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        restore(self.file, self.other)
        for path in self.other.rglob("*"):
            with self.subTest(path.name):
                self.assertEqual(path.stat().st_mode & 0o077, 0)

    def test_e10_keys_that_may_have_been_used_never_come_back(self) -> None:
        self.prepared()
        back_up(self.folder, self.file)
        self.assertEqual(restore(self.file, self.other).keys, 2)
        self.assertEqual(self.rows("SELECT COUNT(*) FROM prekeys"), [(0,)])

    def test_s44_numbers_that_were_given_after_a_backup_are_not_given_again(self) -> None:
        self.prepared()
        back_up(self.folder, self.file)
        restore(self.file, self.other)
        office = self.again()
        alice = PlainClient(office.port, self.other / "certificate" / "ca.pem")
        self.addCleanup(alice.close)
        alice.ask("1", "alice", PASSWORD)
        self.assertGreater(int(alice.ask("0", "alice", "new", "bob", "r2")[4]), 1_000_000)
        again = alice.ask("0", "alice", "waiting", "bob", "r1")
        self.assertEqual(int(again[4]), 1)  # known from before

    def test_s41_copies_made_while_messages_come_are_each_whole(self) -> None:
        alice = self.prepared()
        enough, told = threading.Event(), [1]

        def write() -> None:
            while not enough.is_set():
                number = told[0] + 1
                alice.ask("0", "alice", f"text {number}", "bob", f"r{number}")
                told[0] = number

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(3):
                before = told[0]
                back_up(self.folder, self.file)
                restore(self.file, self.other)
                seqs = [row[0] for row in self.rows("SELECT seq FROM messages ORDER BY seq")]
                self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
                self.assertGreaterEqual(len(seqs), before)
                shutil.rmtree(self.other)
                wait_until(lambda: told[0] > before + 5)  # noqa: B023
        finally:
            enough.set()
            writer.join()

    def test_nothing_is_ever_written_over(self) -> None:
        self.prepared()
        back_up(self.folder, self.file)
        back_up(self.folder, self.file)  # but an older backup
        letter = self.folder / "letter.txt"
        letter.write_text("Dear bob")
        with self.assertRaisesRegex(UsageError, "no backup"):
            back_up(self.folder, letter)
        self.assertEqual(letter.read_text(), "Dear bob")
        with self.assertRaisesRegex(StoreError, "Another server is running"):
            restore(self.file, self.folder)
        restore(self.file, self.other)
        before = (self.other / FILE).read_bytes()
        with self.assertRaisesRegex(UsageError, "Nothing was changed"):
            restore(self.file, self.other)
        self.assertEqual((self.other / FILE).read_bytes(), before)
        (self.other / FILE).rename(self.other / "moved")
        with self.assertRaisesRegex(UsageError, "certificate"):
            restore(self.file, self.other)

    def test_what_is_damaged_or_no_backup_is_refused_and_leaves_nothing(self) -> None:
        self.prepared()
        back_up(self.folder, self.file)
        good = self.file.read_bytes()
        at = good.index(b"alice")
        text = io.BytesIO()
        with tarfile.open(fileobj=text, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("../../etc/passwd"), io.BytesIO())
        bad = {
            "flipped": good[:at] + b"mallo" + good[at + 5 :],
            "cut": good[: len(good) // 2],
            "empty": b"",
            "text": b"x" * 2000,
            "foreign": text.getvalue(),
            "names": good.replace(b"certificate/ca.pem", b"certificate/../xx"),
            "newer": good.replace(b'"version": 1', b'"version": 2'),
        }
        for name, data in bad.items():
            self.file.write_bytes(data)
            with self.subTest(name), self.assertRaises(UsageError):
                restore(self.file, self.other)
        self.assertFalse((self.other / FILE).exists())
        self.assertEqual(list(self.other.glob(".restore*")), [])
        with self.assertRaises(StoreError):
            restore(self.folder / "nowhere", self.other)

    def test_a_backup_that_fails_leaves_the_older_one_and_nothing_else(self) -> None:
        self.prepared()
        back_up(self.folder, self.file)
        before, names = self.file.read_bytes(), set(self.folder.iterdir())
        for where in ("write_copy", "verify"):
            with mock.patch.object(copies, where, side_effect=OSError(28, "No space left")):
                with self.subTest(where), self.assertRaisesRegex(StoreError, "No space"):
                    back_up(self.folder, self.file)
        with mock.patch.object(copy_file, "_hash_of", return_value="0" * 64):
            with self.assertRaises(BPostError):
                back_up(self.folder, self.file)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(set(self.folder.iterdir()), names)

    def test_a_backup_says_what_is_in_it(self) -> None:
        back_up(self.folder, self.file)
        with tarfile.open(self.file) as archive:
            names = archive.getnames()
            manifest = archive.extractfile("manifest.json")
            assert manifest is not None
            told = json.load(manifest)
        self.assertEqual(names, ["manifest.json", FILE, *copy_file.CERTIFICATES])
        self.assertEqual(told["pin"], self.post_office.pin)
        self.post_office.office.clerk.stop()  # whose first round would make it anew
        shutil.rmtree(self.folder / "certificate")
        self.assertEqual(back_up(self.folder, self.file).pin, "")
        self.assertIn("--certificate", run_admin(self.folder, "backup", str(self.file))[1])
        self.assertEqual(restore(self.file, self.other).copy.pin, "")
        self.assertFalse(Path(self.other / "certificate").exists())


if __name__ == "__main__":
    unittest.main()
