"""The disaster drill, small enough for every day; ``python -m tests.drill`` runs all of it."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from bpost.client.causes import lost_text
from tests.drilling.drill import Drill, Plan
from tests.drilling.model import Model
from tests.drilling.verdict import Verdict, Written, judge

SEED = os.environ.get("BPOST_DRILL_SEED", "2021")
THOROUGH = bool(os.environ.get("BPOST_TEST_THOROUGH"))
MESSAGES = 10_000 if THOROUGH else 600
"""The whole of it takes some eight minutes of processor time."""

SMALL = (304, 400, 404, *((408, 413) if THOROUGH else ()))
STEPS = 60

Line = list[Any]


class DrillTest(unittest.TestCase):
    """Twenty users, five with two devices, and everything that can go wrong."""

    lasts = 60

    def test_every_message_is_everywhere_once_or_lost_on_both_sides_for_a_reason(self) -> None:
        plan = Plan(SEED, messages=MESSAGES, rounds=10)
        again = f"python -m tests.drill --seed {SEED} --messages {MESSAGES} --rounds 10"
        drill = Drill(plan)
        self.addCleanup(drill.close)
        try:
            verdict = drill.run()
        except BaseException as error:
            raise AssertionError(f"the drill broke; {again}") from error
        print(f"\n{verdict.text()}\nseed {SEED}; once more: {again}", file=sys.stderr)
        self.assertEqual(verdict.wrong, [], again)


class SmallTest(unittest.TestCase):
    """Profiles and servers that are put back in any order, without processes and waiting."""

    lasts = 15

    def test_e43_whatever_is_put_back_nothing_is_lost_in_silence(self) -> None:
        for seed in SMALL:
            with self.subTest(seed), tempfile.TemporaryDirectory() as folder:
                model = Model(str(seed), Path(folder))
                try:
                    verdict = model.run(STEPS)
                finally:
                    model.close()
                again = f"python -m tests.drill --seed {seed} --small 1 --tell"
                self.assertEqual(verdict.wrong, [], again)


class VerdictTest(unittest.TestCase):
    """What the drill would not let pass."""

    def test_a_message_that_is_everywhere_once_is_right(self) -> None:
        self.assertEqual(self._judged([line("hi", own=True)], [line("hi")]).wrong, [])

    def test_a_message_that_is_silently_missing_is_wrong(self) -> None:
        (untold, unshown) = self._judged([line("hi", own=True)], []).wrong
        self.assertIn("does not tell that 'hi' is missing at ['bob']", untold)
        self.assertIn("bob misses 1 of alice, and is shown 0 as lost", unshown)

    def test_a_message_that_is_there_twice_is_wrong(self) -> None:
        (twice,) = self._judged([line("hi", own=True)], [line("hi"), line("hi")]).wrong
        self.assertIn("bob shows 'hi' 2 times", twice)

    def test_a_message_that_is_lost_on_both_sides_is_right(self) -> None:
        failed = line("hi", own=True, failure="Not delivered. It was too old to be sent again.")
        gone = line("", kind="unreadable", failure=lost_text("too-old"))
        self.assertEqual(self._judged([failed], [gone]).wrong, [])
        notice = line("One message was lost here. The sender was told.", kind="notice")
        self.assertEqual(self._judged([failed], [notice]).wrong, [])

    def test_what_is_left_open_is_wrong(self) -> None:
        own, there = line("hi", own=True), line("hi")
        for left in (
            line("", kind="unreadable", failure="It is being asked for again."),
            line("2 messages are missing here.", kind="notice"),
            line("to come", own=True, status="waiting"),
        ):
            with self.subTest(left):
                self.assertEqual(len(self._judged([own], [there, left]).wrong), 1)

    def test_what_a_restore_took_away_must_be_told(self) -> None:
        (untold,) = self._judged([], [], restored={"alice"}).wrong
        self.assertIn("alice does not tell that 'hi' is missing", untold)
        told = line("This profile is an older copy of itself.", kind="notice")
        verdict = self._judged([], [], restored={"alice"}, noted=[told])
        self.assertEqual(verdict.wrong, [])
        self.assertEqual(verdict.figures["taken back by restores"], 1)

    def _judged(
        self,
        alice: list[Line],
        bob: list[Line],
        *,
        restored: Collection[str] = (),
        noted: Sequence[Line] = (),
    ) -> Verdict:
        """Judge that alice wrote "hi" to bob, from what both show."""
        shown: dict[str, Any] = {"alice": {"bob": alice, "alice": noted}, "bob": {"alice": bob}}
        dumps = {device: {"shown": lines} for device, lines in shown.items()}
        return judge(dumps, [Written("1", "alice", "bob", "hi")], set(restored), Counter())


def line(
    text: str, *, own: bool = False, kind: str = "text", status: str = "stored", failure: str = ""
) -> Line:
    """Return a line of a conversation as the workers tell it."""
    return ["1" if own else "2", "alice", own, kind, text, status, failure]
