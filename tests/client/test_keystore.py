"""The profile folder is private from its first byte, and one program's alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from bpost.client.keystore import (
    Keystore,
    Remembered,
    default_profile,
    remembered,
    write_atomically,
)
from bpost.client.store import Store
from bpost.errors import ProfileError, SecurityError, StoreError

HOLD = """
import sys
from pathlib import Path
from bpost.client.keystore import Keystore
keystore = Keystore(Path(sys.argv[1]))
keystore.lock()
print("locked", flush=True)
sys.stdin.read()
"""


class KeystoreCase(unittest.TestCase):
    def setUp(self) -> None:
        parent = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, parent)
        self.folder = parent / "profile"
        self.keystore = Keystore(self.folder)
        self.addCleanup(self.keystore.unlock)


class PrivacyTest(KeystoreCase):
    """Nobody else reads the files, and no file that others could write is used (E65)."""

    def test_e65_everything_is_private_whatever_the_umask(self) -> None:
        before = os.umask(0)
        try:
            self.keystore.lock()
            self.keystore.create_database()
            store = Store(self.keystore.database, b"k" * 32)
            self.keystore.write_key(b"sealed")
            self.keystore.remember(Remembered("server", "alice"))
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in self.folder.iterdir()}
            store.close()
        finally:
            os.umask(before)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)
        self.assertEqual(set(modes.values()), {0o600}, modes)
        self.assertLessEqual(
            {"bpost.db", "bpost.db-wal", "key", "lock", "profile.json"}, set(modes)
        )

    def test_e65_a_file_that_others_can_read_is_refused(self) -> None:
        self.keystore.lock()
        self.keystore.write_key(b"sealed")
        self.keystore.create_database()
        for name, use in (
            ("key", self.keystore.read_key),
            ("bpost.db", self.keystore.check_database),
        ):
            for mode in (0o644, 0o620, 0o601):
                with self.subTest(name, mode=mode), self.assertRaises(SecurityError) as raised:
                    (self.folder / name).chmod(mode)
                    use()
                self.assertEqual(raised.exception.cause, "exposed-file")

    def test_e65_a_symbolic_link_is_refused(self) -> None:
        self.keystore.lock()
        target = self.folder / "elsewhere"
        target.write_bytes(b"x")
        target.chmod(0o600)
        (self.folder / "key").symlink_to(target)
        self.keystore.database.symlink_to(target)
        for use in (self.keystore.read_key, self.keystore.create_database):
            with self.subTest(use.__name__), self.assertRaises(SecurityError):
                use()
        other = Keystore(self.folder.parent / "link")
        other.folder.symlink_to(self.folder)
        with self.assertRaises(ProfileError):
            other.lock()

    def test_e65_an_open_folder_of_ours_is_closed(self) -> None:
        self.folder.mkdir(mode=0o755)
        self.keystore.lock()
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)

    def test_e65_what_belongs_to_another_user_is_refused(self) -> None:
        self.keystore.lock()
        self.keystore.write_key(b"sealed")
        self.keystore.unlock()
        with mock.patch("os.getuid", return_value=self.folder.stat().st_uid + 1):
            with self.assertRaises(SecurityError):
                self.keystore.read_key()
            with self.assertRaises(ProfileError):
                self.keystore.lock()


class LockTest(KeystoreCase):
    """One program at a time."""

    def test_e29_a_second_program_refuses_politely(self) -> None:
        command = [sys.executable, "-c", HOLD, str(self.folder)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
            assert other.stdout is not None
            self.assertEqual(other.stdout.readline(), "locked\n")
            with self.assertRaises(ProfileError) as raised:
                self.keystore.lock()
            self.assertIn("Another program", str(raised.exception))
            other.kill()
        self.keystore.lock()

    def test_e29_a_second_client_in_this_program_refuses_too(self) -> None:
        self.keystore.lock()
        with self.assertRaises(ProfileError):
            Keystore(self.folder).lock()


class FileTest(KeystoreCase):
    """Writing and remembering."""

    def test_a_write_that_is_interrupted_leaves_the_old_file(self) -> None:
        self.keystore.lock()
        self.keystore.write_key(b"old")
        for step in ("os.fsync", "pathlib.Path.replace"):
            with self.subTest(step), mock.patch(step, side_effect=OSError(28, "No space")):
                with self.assertRaises(ProfileError):
                    self.keystore.write_key(b"new")
            self.assertEqual(self.keystore.read_key(), b"old")

    def test_a_file_is_synced_before_it_takes_the_place_of_the_old_one(self) -> None:
        self.folder.mkdir()
        steps = mock.Mock()
        steps.sync.side_effect, steps.rename.side_effect = os.fsync, Path.replace
        with (
            mock.patch("os.fsync", steps.sync),
            mock.patch.object(Path, "replace", lambda a, b: steps.rename(a, b)),
        ):
            write_atomically(self.folder / "key", b"x")
        names = [call[0] for call in steps.mock_calls]
        self.assertEqual(names, ["sync", "rename", "sync"])

    def test_what_is_remembered_comes_back(self) -> None:
        self.assertIsNone(remembered(self.folder))
        self.keystore.lock()
        facts = Remembered("host:1", "alice", "device", "pin")
        self.keystore.remember(facts)
        self.assertEqual(remembered(self.folder), facts)

    def test_a_memory_that_makes_no_sense_is_none(self) -> None:
        self.keystore.lock()
        for text in ("", "[]", "{}", "[" * 30_000, '{"server": 1, "username": "a"}', '{"x": 1}'):
            write_atomically(self.folder / "profile.json", text.encode())
            with self.subTest(text[:40]):
                self.assertIsNone(remembered(self.folder))

    def test_each_account_has_a_folder_of_its_own(self) -> None:
        with mock.patch.dict(os.environ, {"BPOST_HOME": "/home"}):
            found = {
                default_profile(server, name)
                for server in ("a", "a:1", "b", "bpost://a/#.token")
                for name in ("alice", "ALICE", "bob")
            }
        self.assertEqual(len(found), 6)


class StoreTest(KeystoreCase):
    """The database under its key."""

    def setUp(self) -> None:
        super().setUp()
        self.keystore.lock()
        self.keystore.create_database()

    def test_another_key_does_not_open_it(self) -> None:
        Store(self.keystore.database, b"a" * 32).close()
        with self.assertRaises(StoreError) as raised:
            Store(self.keystore.database, b"b" * 32)
        self.assertNotIn("62" * 32, str(raised.exception))

    def test_no_word_of_it_is_on_the_disk(self) -> None:
        store = Store(self.keystore.database, b"a" * 32)
        files = b"".join(path.read_bytes() for path in self.folder.iterdir())
        store.close()
        self.assertNotIn(b"CREATE TABLE", files)
        self.assertNotIn(b"SQLite format", files)

    def test_a_database_of_a_newer_version_is_refused(self) -> None:
        with mock.patch("bpost.client.store.VERSION", 99):
            Store(self.keystore.database, b"a" * 32).close()
        with self.assertRaises(StoreError) as raised:
            Store(self.keystore.database, b"a" * 32)
        self.assertIn("newer version", str(raised.exception))

    def test_a_closed_database_says_so(self) -> None:
        store = Store(self.keystore.database, b"a" * 32)
        store.close()
        with self.assertRaises(StoreError), store.transaction():
            pass
