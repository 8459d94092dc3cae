"""What lies on the disk after use: nothing that anybody could read (E75)."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from bpost.client import Client
from tests.client.test_backup import PASSPHRASE, BackupCase
from tests.client.town import password_of, wait_for_text
from tests.memory import keys_in_memory
from tests.support import wait_until

SAID, ANSWERED = "canary-said-1f6e5d", "canary-answered-9b2c4a"
DRAFT, FORGOTTEN = "canary-draft-77aa31", "canary-forgotten-d02f88"
CANARIES = (SAID, ANSWERED, DRAFT, FORGOTTEN, PASSPHRASE, password_of("alice"))


def files(*folders: Path) -> dict[Path, bytes]:
    """Return all files below ``folders``."""
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in found}


class LeftBehindTest(BackupCase):
    """Alice talks, drafts, makes a backup and restores it; her temporary folder is watched."""

    def setUp(self) -> None:
        super().setUp()
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir()
        where = dict.fromkeys(("TMPDIR", "SQLITE_TMPDIR"), str(self.temporary))
        for patch in (
            mock.patch.object(tempfile, "tempdir", str(self.temporary)),
            mock.patch.dict("os.environ", where),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def use(self) -> Client:
        """Do with a profile all that leaves a trace in it."""
        alice, bob = self.register("alice", "bob")
        alice.send("bob", SAID)
        wait_for_text(bob, "alice", SAID)
        bob.send("alice", ANSWERED)
        wait_for_text(alice, "bob", ANSWERED)
        alice.mark_read("bob")
        alice.set_draft("bob", FORGOTTEN)
        alice.set_draft("bob", DRAFT)
        for page in alice.export("bob", "html"):
            self.assertNotIn(DRAFT, page)
        alice.backup(self.file, PASSPHRASE)
        return alice

    def assert_sealed(self, *profiles: str) -> None:
        """Demand that no canary is in the profiles, the backup, or the temporary folder."""
        folders = [self.folder / name for name in profiles]
        found = files(*folders, self.temporary) | {self.file: self.file.read_bytes()}
        self.assertGreater(len(found), 4)
        for path, data in found.items():
            for canary in CANARIES:
                for spelling in (canary.encode(), canary.encode("utf-16-le")):
                    self.assertNotIn(spelling, data, f"{canary} in {path.name}")

    def test_e75_drafts_and_history_are_sealed_during_use_and_after_it(self) -> None:
        alice = self.use()
        self.assert_sealed("alice")
        alice.close()
        self.assert_sealed("alice")
        again = self.client("again")
        again.restore(self.file, PASSPHRASE, password_of("alice"))
        self.assertEqual(again.draft("bob"), DRAFT)
        self.assert_sealed("alice", "again")

    def test_e75_no_temporary_file_is_left(self) -> None:
        self.use().close()
        self.assertEqual(files(self.temporary), {})
        names = {path.name for path in self.folder.iterdir() if path.is_file()}
        self.assertEqual(names, {self.file.name})
        kept = {path.name for path in (self.folder / "alice").iterdir()}
        self.assertLessEqual(kept, {"lock", "key", "profile.json", "bpost.db"})

    def test_closed_no_key_is_in_memory(self) -> None:
        before = keys_in_memory()  # of other tests
        (alice,) = self.register("alice")
        self.assertTrue(keys_in_memory(before))
        alice.close()
        wait_until(lambda: not keys_in_memory(before), what="the keys to leave memory")


if __name__ == "__main__":
    unittest.main()
