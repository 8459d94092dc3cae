"""What runs the suite loses no test, whatever the tests do to it."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from tests import misbehaving, parallel
from tests.parallel import Queue, Unit
from tests.support import patience

ROOT = Path(__file__).resolve().parents[1]


class RunTest(unittest.TestCase):
    """Whole runs of tests that misbehave."""

    def run_tests(self, *kinds: str, count: int = 2) -> bool:
        """Run classes of `misbehaving` in workers; keep what was printed."""
        names = [f"{misbehaving.__name__}.{kind}" for kind in kinds]
        suite = unittest.TestLoader().loadTestsFromNames(names)
        out, self.told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(self.told):
            good = parallel.run(suite, count)
        self.lines = out.getvalue().splitlines()
        return good

    def assert_counts(self, passed: int, failed: int, skipped: int) -> None:
        self.assertEqual(self.lines[-1], f"{passed} passed, {failed} failed, {skipped} skipped")

    def assert_failed(self, *names: str) -> None:
        self.assertEqual({line for line in self.lines if line.startswith("failed: ")},
                         {f"failed: {name}" for name in names})  # fmt: skip

    def test_sound_tests_pass(self) -> None:
        self.assertTrue(self.run_tests("Sound"))
        self.assert_counts(2, 0, 0)

    def test_a_name_given_twice_is_run_once(self) -> None:
        self.run_tests("Sound", "Sound.test_one")
        self.assert_counts(2, 0, 0)

    def test_an_empty_run_is_no_success(self) -> None:
        self.assertFalse(self.run_tests())
        self.assert_counts(0, 0, 0)

    def test_each_outcome_is_counted_and_failures_are_shown_whole(self) -> None:
        self.assertFalse(self.run_tests("Mixed", "Sound"))
        self.assert_counts(3, 4, 1)
        self.assertIn("AssertionError: 1 != 2 : one is not two", self.told.getvalue())
        self.assertIn("Traceback (most recent call last)", self.told.getvalue())
        self.assertIn(
            f"skipped: {misbehaving.__name__}.Mixed.test_is_skipped: it is told to", self.lines
        )

    def test_a_test_that_ends_its_process_has_failed_and_the_others_go_on(self) -> None:
        self.assertFalse(self.run_tests("Deadly", "Sound", count=1))
        self.assert_counts(5, 2, 0)
        deadly = f"{misbehaving.__name__}.Deadly"
        self.assert_failed(f"{deadly}.test_b_exits", f"{deadly}.test_d_is_killed")
        self.assertIn("ended with exit status 3", self.told.getvalue())
        self.assertIn("ended by signal 9", self.told.getvalue())

    def test_a_process_that_ends_outside_a_test_is_a_failure_of_its_class(self) -> None:
        self.assertFalse(self.run_tests("DeadlyFixture", "Sound", count=1))
        self.assert_counts(2, 1, 0)
        self.assert_failed(f"{misbehaving.__name__}.DeadlyFixture")

    def test_a_process_that_ends_badly_after_all_tests_is_a_failure(self) -> None:
        self.assertFalse(self.run_tests("DeadlyEnd"))
        self.assert_counts(1, 1, 0)
        self.assert_failed(f"{misbehaving.__name__}.DeadlyEnd.test_leaves_something_behind")

    def test_a_fixture_that_fails_or_skips_is_counted(self) -> None:
        self.assertFalse(self.run_tests("BrokenFixture", "SkippedFixture"))
        self.assert_counts(0, 1, 1)
        self.assert_failed(f"setUpClass ({misbehaving.__name__}.BrokenFixture)")

    def test_a_module_that_cannot_be_imported_is_a_failure(self) -> None:
        self.assertFalse(self.run_tests("NoSuchClass", "Sound"))
        self.assert_counts(2, 1, 0)


class InterruptTest(unittest.TestCase):
    """A run that is broken off."""

    def interrupted(self, number: int, whole_group: bool) -> list[str]:
        """Break a run off in the middle of a test; return what it printed."""
        names = [f"{misbehaving.__name__}.{kind}" for kind in ("Sound", "Waiting")]
        command = [sys.executable, "-m", "tests", "--workers", "1", *names]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as run:
            assert run.stdout is not None
            while "waiting" not in (line := run.stdout.readline()):
                self.assertTrue(line, "the run ended")
            (os.killpg if whole_group else os.kill)(run.pid, number)
            try:
                printed, _ = run.communicate(timeout=patience(60))
            finally:
                run.kill()
        self.assertEqual(run.returncode, 1)
        return printed.splitlines()

    def test_ctrl_c_and_a_polite_end_name_the_test_that_ran(self) -> None:
        ways = [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGTERM, True)]
        for number, whole_group in ways:
            with self.subTest(number=number, whole_group=whole_group):
                lines = self.interrupted(number, whole_group)
                self.assertIn(f"failed: {misbehaving.__name__}.Waiting.test_waits", lines)
                self.assertTrue(any("in test_waits" in line for line in lines), lines)
                self.assertEqual(lines[-1], "2 passed, 1 failed, 0 skipped")


class QueueTest(unittest.TestCase):
    """Who gets what, when."""

    def test_the_longest_comes_first(self) -> None:
        queue = Queue([Unit("tests.a.A", 1), Unit("tests.b.B", 3), Unit("tests.c.C", 2)])
        taken = [queue.take(None) for _ in range(4)]
        self.assertEqual([unit and unit.lasts for unit in taken], [3, 2, 1, None])

    def test_only_one_has_the_display(self) -> None:
        windows = [Unit(f"tests.client_tk.test_{name}.W", 1) for name in "ab"]
        queue = Queue([*windows, Unit("tests.b.B", 3)])
        first = queue.take(None)
        self.assertEqual(first, windows[0])
        other = queue.take(None)
        self.assertEqual(other and other.name, "tests.b.B")
        self.assertIsNone(queue.take(other))
        self.assertEqual(queue.take(first), windows[1])

    def test_what_waits_can_be_dropped(self) -> None:
        queue = Queue([Unit("tests.a.A", 1, ["one", "two"])])
        self.assertEqual(queue.empty(), 2)
        self.assertIsNone(queue.take(None))

    def test_a_class_may_say_how_long_it_lasts(self) -> None:
        suite = unittest.TestLoader().loadTestsFromModule(misbehaving)
        lasts = {unit.name: unit.lasts for unit in parallel.divide(suite)[0]}
        self.assertEqual(lasts[f"{misbehaving.__name__}.Waiting"], misbehaving.Waiting.lasts)
        self.assertEqual(lasts[f"{misbehaving.__name__}.Sound"], 2 * parallel.SHORT)


if __name__ == "__main__":
    unittest.main()
