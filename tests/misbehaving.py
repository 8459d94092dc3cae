"""Tests that go wrong in every way, for the tests of what runs tests.

The name keeps them out of the suite.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import unittest


class Sound(unittest.TestCase):
    """Nothing wrong here."""

    def test_one(self) -> None:
        self.assertTrue(self)

    def test_two(self) -> None:
        self.assertTrue(self)


class Mixed(unittest.TestCase):
    """One of each."""

    def test_fails(self) -> None:
        self.assertEqual(1, 2, "one is not two")

    def test_is_skipped(self) -> None:
        self.skipTest("it is told to")

    def test_fails_in_parts(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                self.assertEqual(number, 1)

    @unittest.expectedFailure
    def test_fails_as_expected(self) -> None:
        self.fail("as expected")

    @unittest.expectedFailure
    def test_passes_against_expectation(self) -> None:
        self.assertTrue(self)


class Deadly(unittest.TestCase):
    """Two that end their process, with sound ones around them."""

    def test_a_sound(self) -> None:
        self.assertTrue(self)

    def test_b_exits(self) -> None:
        os._exit(3)

    def test_c_sound(self) -> None:
        self.assertTrue(self)

    def test_d_is_killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def test_e_sound(self) -> None:
        self.assertTrue(self)


class DeadlyFixture(unittest.TestCase):
    """Its process ends before the first test."""

    @classmethod
    def setUpClass(cls) -> None:
        os._exit(4)

    def test_nothing(self) -> None:
        self.assertTrue(self)


class DeadlyEnd(unittest.TestCase):
    """Its process ends with an error long after the last test."""

    def test_leaves_something_behind(self) -> None:
        import atexit

        atexit.register(os._exit, 5)


class BrokenFixture(unittest.TestCase):
    """Fails before the first test."""

    @classmethod
    def setUpClass(cls) -> None:
        raise RuntimeError("no such luck")

    def test_nothing(self) -> None:
        self.assertTrue(self)


class SkippedFixture(unittest.TestCase):
    """Is skipped before the first test."""

    @classmethod
    def setUpClass(cls) -> None:
        raise unittest.SkipTest("not on this machine")

    def test_nothing(self) -> None:
        self.assertTrue(self)


class Waiting(unittest.TestCase):
    """Waits until it is interrupted."""

    lasts = 0.1

    def test_waits(self) -> None:
        print("waiting", file=sys.stdout, flush=True)
        threading.Event().wait()
