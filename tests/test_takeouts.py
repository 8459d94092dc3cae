"""The takeouts stay true: each edit still fits its source, and names a test that there is."""

from __future__ import annotations

import unittest
from pathlib import Path

from tests.takeouts.__main__ import collect

ROOT = Path(__file__).resolve().parents[1]


class TakeoutsTest(unittest.TestCase):
    """What can be checked without running them."""

    def test_each_edit_fits_its_source_once(self) -> None:
        for entry in collect():
            with self.subTest(number=entry.number, test=entry.test):
                source = (ROOT / entry.path).read_text(encoding="utf-8")
                self.assertEqual(source.count(entry.old), 1, f"in {entry.path}: {entry.old!r}")
                self.assertNotEqual(entry.old, entry.new)

    def test_each_names_a_test_that_bears_its_number(self) -> None:
        loader = unittest.TestLoader()
        for entry in collect():
            with self.subTest(number=entry.number, test=entry.test):
                suite = loader.loadTestsFromName(entry.test)
                self.assertEqual(suite.countTestCases(), 1)
                self.assertIn(entry.number.lower(), entry.test.rpartition(".")[2].split("_"))
        self.assertEqual(loader.errors, [])


if __name__ == "__main__":
    unittest.main()
