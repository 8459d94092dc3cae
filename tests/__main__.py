"""Run the test suite: ``python -m tests [NAME ...]``; a name is a module, class or test.

The last line counts: ``N passed, N failed, N skipped``.
"""

from __future__ import annotations

import faulthandler
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class CountingResult(unittest.TextTestResult):
    """A text result that also counts the tests that passed, expected failures included."""

    passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addSuccess(test)
        self.passed += 1

    def addExpectedFailure(self, test: unittest.TestCase, err: object) -> None:  # noqa: N802
        super().addExpectedFailure(test, err)  # type: ignore[arg-type]
        self.passed += 1


def main(names: list[str]) -> int:
    """Run the named tests, or all of them; return the exit status."""
    faulthandler.enable()
    loader = unittest.TestLoader()
    if names:
        suite = loader.loadTestsFromNames(names)
    else:
        suite = loader.discover(str(ROOT / "tests"), top_level_dir=str(ROOT))
    runner = unittest.TextTestRunner(resultclass=CountingResult)  # type: ignore[arg-type]
    result = runner.run(suite)
    assert isinstance(result, CountingResult)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}")
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    return 0 if failed == 0 and result.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
