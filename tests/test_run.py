"""``run.py``, which sets everything up: what it installs, and what not."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import run

ROOT = Path(__file__).resolve().parents[1]
WHEEL = "parcel-1.0-py3-none-any.whl"
PINNED = re.compile(r"[a-z0-9-]+==[^ ]+( ; [^-]+)?( --hash=sha256:[0-9a-f]{64})+")


class ListsTest(unittest.TestCase):
    """The lists of packages."""

    def test_s61_every_package_is_pinned_with_the_hashes_of_its_files(self) -> None:
        for path in ROOT.glob("requirements*.txt"):
            text = re.sub(r" *\\\n *", " ", path.read_text(encoding="utf-8"))
            lines = [line for line in text.splitlines() if line and not line.startswith("#")]
            self.assertGreater(len(lines), 10)
            for line in lines:
                with self.subTest(path.name, line=line[:40]):
                    self.assertRegex(line, rf"^{PINNED.pattern}$")


class InstallTest(unittest.TestCase):
    """What ``install`` does with a list, and with what it is given for it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.installed = self.folder / "installed"
        settings = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder),
            "PIP_TARGET": str(self.installed),
            "PIP_QUIET": "3",
        }
        for patch in (
            mock.patch.dict(os.environ, settings),
            mock.patch.object(run, "interpreter", return_value=Path(sys.executable)),
            mock.patch("builtins.print"),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def test_what_the_list_names_is_installed(self) -> None:
        self._install(self._wheel(b"welcome = True"))
        self.assertTrue((self.installed / "parcel.py").exists())

    def test_s61_a_package_that_was_changed_is_not_installed(self) -> None:
        known = self._wheel(b"welcome = True")
        self._wheel(b"welcome = False")
        with self.assertRaises(run.SetupError):
            self._install(known)
        self.assertFalse(self.installed.exists())

    def test_s61_a_package_without_a_hash_is_not_installed(self) -> None:
        self._wheel(b"welcome = True")
        with self.assertRaises(run.SetupError):
            self._install("")
        self.assertFalse(self.installed.exists())

    def _wheel(self, source: bytes) -> str:
        """Make the package; return what a list says of it behind its version."""
        path = self.folder / WHEEL
        about = "parcel-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("parcel.py", source)
            file.writestr(
                f"{about}/METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n"
            )
            file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            file.writestr(f"{about}/RECORD", "")
        return f" --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def _install(self, behind: str) -> None:
        path = self.folder / "list.txt"
        path.write_text(f"parcel==1.0{behind}\n", encoding="utf-8")
        run.install(self.folder, path)
