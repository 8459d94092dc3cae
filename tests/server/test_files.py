"""Private files (S57)."""

from __future__ import annotations

import os
import stat
import tempfile
import unittest
from pathlib import Path

from bpost.errors import BPostError, SecurityError, StoreError
from bpost.server.config import Config
from bpost.server.files import lock_folder, private_file, private_folder
from bpost.server.log import EventLog
from bpost.server.post_office import PostOffice
from bpost.server.store import FILE, Store
from tests.server.parts import OPEN


class FilesTest(unittest.TestCase):
    """What the server makes and what it refuses."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "data"
        self.addCleanup(os.umask, os.umask(0o000))

    def start(self) -> PostOffice:
        """Start a post office, to be stopped at the end."""
        with open(os.devnull, "w", encoding="utf-8") as sink:
            config = Config(self.folder, port=0, limits=OPEN)
            office = PostOffice(config, EventLog(level="error", stream=sink)).start()
        office.stop()
        return office

    def test_s57_everything_is_private_from_the_first_byte_whatever_the_umask(self) -> None:
        self.start()
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)
        public = {"ca.pem", "server.pem"}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name not in public:
                with self.subTest(path=path.name):
                    self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0)

    def test_s57_a_database_or_key_that_others_can_read_is_refused(self) -> None:
        self.start()
        for name in (FILE, "certificate/server-key.pem", "certificate/ca-key.pem"):
            path = self.folder / name
            path.chmod(0o644)
            with self.subTest(name=name):
                with self.assertRaisesRegex(SecurityError, f"chmod 600 .*{path.name}"):
                    self.start()
            path.chmod(0o600)
        self.start()

    def test_s57_a_folder_that_everybody_can_write_to_is_refused(self) -> None:
        self.folder.mkdir()
        self.folder.chmod(0o777)
        with self.assertRaisesRegex(SecurityError, "chmod 700"):
            private_folder(self.folder)

    def test_s57_a_link_in_place_of_the_database_is_refused(self) -> None:
        private_folder(self.folder)
        (self.folder / "elsewhere").touch(0o600)
        (self.folder / FILE).symlink_to(self.folder / "elsewhere")
        with self.assertRaises(BPostError):
            Store(self.folder)

    def test_a_folder_that_cannot_be_is_told_plainly(self) -> None:
        for path in (Path("/proc/nowhere"), Path("/dev/null/x"), Path("/dev/null")):
            with self.subTest(path=path), self.assertRaises(StoreError):
                private_folder(path)

    def test_one_server_at_a_time_uses_a_folder(self) -> None:
        private_folder(self.folder)
        held = lock_folder(self.folder)
        with self.assertRaisesRegex(StoreError, "Another server"):
            self.start()
        os.close(held)
        self.start()

    def test_private_files_are_made_so(self) -> None:
        path = private_file(private_folder(self.folder) / "x")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)


if __name__ == "__main__":
    unittest.main()
