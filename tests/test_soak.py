"""The soak, small enough for every day, and what it would not let pass."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import unittest
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bench.stock import Stock, fill
from bpost.server.store import FILE
from tests.soaking.soak import Plan, Soak
from tests.soaking.task import SIZES, Item
from tests.soaking.verdict import History, Verdict
from tests.soaking.watch import MIB, Life, Sample, growth, left_over

SEED = os.environ.get("BPOST_SOAK_SEED", "2021")
PLAN = Plan(
    SEED,
    kills=2,
    every=5.0,
    last=5.0,
    residents=40,
    rate=80.0,
    stay=6.0,
    away=2.0,
    strangers=2,
    still=20.0,
)

JOURNAL = [
    "sent u1 1 u2",
    "sent u1 2 u2",
    "sent u3 1 u2",
    "answered u1 1 u2 1",
    "answered u1 1 u2 1",
    "got u2 1 u1 1",
    "got u2 2 u3 1",
    "answered u3 1 u2 2",
    "got u2 3 u1 2",
]
"""All is right here: one answer came twice, one message was never answered and arrived."""


class SoakTest(unittest.TestCase):
    """The real server under a mixed load, killed twice."""

    lasts = 30

    def test_s37_s38_s44_nothing_is_lost_doubled_or_out_of_order_nor_left_over(
        self,
    ) -> None:
        soak = Soak(PLAN)
        self.addCleanup(soak.close)
        verdict = soak.run()
        again = f"python -m tests.soak --seed {SEED} repeats it at full length"
        self.assertEqual(verdict.lines(), [], again)
        self.assertEqual(len(soak.lives), PLAN.kills + 1)
        self.assertGreaterEqual(soak.state.counts["log-ins"], PLAN.residents)
        self.assertGreater(soak.state.counts["messages promised"], 0)


class VerdictTest(unittest.TestCase):
    """Each kind of wrong is told from all others."""

    def test_what_is_right_is_let_pass(self) -> None:
        self.assertEqual(judged(JOURNAL).lines(), [])

    def test_each_kind_of_wrong_is_found(self) -> None:
        cases: dict[str, tuple[set[str], list[str]]] = {
            "a promised message that never came": ({"lost"}, JOURNAL[:6] + JOURNAL[7:8]),
            "a promise of another place": ({"elsewhere"}, [*JOURNAL, "answered u1 2 u2 4"]),
            "two promises": ({"elsewhere"}, [*JOURNAL, "answered u1 1 u2 9"]),
            "the same message at two places": ({"twice"}, [*JOURNAL, "got u2 4 u1 2"]),
            "a gap": (
                {"gaps", "out of order"},
                [*JOURNAL, "sent u1 3 u2", "sent u1 4 u2", "got u2 5 u1 4", "got u2 4 u1 3"],
            ),
            "an order that was not the author's": (
                {"out of order"},
                [*JOURNAL, "sent u1 3 u2", "sent u1 4 u2", "got u2 4 u1 4", "got u2 5 u1 3"],
            ),
            "a message that nobody wrote": ({"invented"}, [*JOURNAL, "got u2 4 u9 1"]),
            "a message of somebody else": (
                {"misdelivered"},
                [*JOURNAL, "sent u5 1 u6", "got u2 4 u5 1"],
            ),
            "what a resident found strange": ({"strange"}, [*JOURNAL, "strange u2 gets 9"]),
        }
        for name, (kinds, journal) in cases.items():
            with self.subTest(name):
                self.assertEqual(set(judged(journal).found), kinds)

    def test_the_mailbox_has_to_hold_what_its_owner_got(self) -> None:
        stored = [(1, "u1-1"), (2, "u3-1"), (3, "u1-2")]
        for kinds, rows in (
            (set(), stored),
            ({"kept back"}, [*stored, (4, "u1-3")]),
            ({"twice", "kept back"}, [*stored, (4, "u1-2")]),
            ({"not stored"}, stored[:2]),
        ):
            with self.subTest(kinds):
                self.assertEqual(set(judged(JOURNAL, rows).found), kinds)

    def test_the_rows_of_the_database_are_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            fill(Path(folder), Stock(3, 3, messages=3))
            history = History()
            history.read_database(Path(folder) / FILE)
            self.assertEqual(history.stored["u0"], [(1, "0" * 35 + "1 of another")])
            with closing(sqlite3.connect(Path(folder) / FILE)) as database:
                database.execute("UPDATE messages SET ref = 'u2-7' WHERE recipient_id = 1")
                database.commit()
            history = History()
            history.read_database(Path(folder) / FILE)
            self.assertEqual(history.stored["u0"], [(1, "u2-7")])

    def test_a_text_that_was_changed_is_no_message(self) -> None:
        for count in range(len(SIZES) * 2):
            item = Item("u17", count)
            body = item.body()
            self.assertEqual((Item.of_body(body), len(body)), (item, SIZES[count % len(SIZES)]))
            for wrong in (body[:-1], body + "a", body.replace("u17", "u18"), body[:50] + "!", ""):
                self.assertNotEqual(Item.of_body(wrong), item)


class FlatTest(unittest.TestCase):
    """What is called flat."""

    def test_warming_up_and_small_steps_are_flat_and_growth_is_not(self) -> None:
        for figures, flat in (
            ([10, 100, 100, 100], True),
            ([10, 100, 90, 108], True),
            ([10, 100, 110, 120], False),
            ([100, 100, 100, 90], True),
        ):
            with self.subTest(figures):
                self.assertEqual(
                    growth(life(lambda s, n: replace(s, memory=n * MIB), figures)),
                    [] if flat else ["memory grew from 104,857,600 to 125,829,120"],
                )

    def test_threads_and_descriptors_have_to_be_flat_too(self) -> None:
        threads = growth(life(lambda s, n: replace(s, threads=n), [5, 100, 110, 120]))
        self.assertEqual(threads, ["threads grew from 100 to 120"])
        files = growth(life(lambda s, n: replace(s, descriptors=n), [5, 100, 110, 120]))
        self.assertEqual(files, ["descriptors grew from 100 to 120"])

    def test_what_is_left_of_connections_that_are_gone_is_found(self) -> None:
        self.assertEqual(left_over(SAMPLE, replace(SAMPLE, threads=12, descriptors=4)), [])
        (found,) = left_over(SAMPLE, replace(SAMPLE, threads=20))
        self.assertIn("threads: 5 before anyone came, 20 in the end", found)

    def test_a_process_is_seen(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / FILE).write_bytes(b"12345")
            seen = Sample.of(os.getpid(), Path(folder))
        self.assertGreater(seen.memory, MIB)
        self.assertGreaterEqual(seen.threads, 1)
        self.assertGreaterEqual(seen.descriptors, 3)
        self.assertEqual((seen.database, seen.wal), (5, 0))


SAMPLE = Sample(memory=50 * MIB, threads=5, descriptors=10, database=0, wal=0, cpu=0.0)


def judged(journal: Sequence[str], stored: Sequence[tuple[int, str]] | None = None) -> Verdict:
    """Judge a journal; the database holds what was got, unless told otherwise."""
    history = History()
    history.read(journal)
    if stored is None:
        history.stored = {name: sorted(mails) for name, mails in history.got.items()}
    else:
        history.stored = {"u2": list(stored)}
    return Verdict(history)


def life(change: Callable[[Sample, int], Sample], figures: Sequence[int]) -> Life:
    """Return a life in which a figure stays the same for ten looks, and then is the next."""
    return Life(1, samples=[change(SAMPLE, one) for one in figures for _ in range(10)])


if __name__ == "__main__":
    unittest.main()
