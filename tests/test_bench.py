"""The bench runs, and what it prints can be believed. How fast anything is, is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from bench.job import Job, Outcome
from bench.latencies import Latencies
from bench.plot import draw
from bench.processes import SERVERS
from bench.report import ratios, table
from tests.support import patience

ROOT = Path(__file__).resolve().parents[1]
MESSAGES = 20


def bench(*arguments: str) -> dict[str, Any]:
    """Run the bench; return its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class RunTest(unittest.TestCase):
    """Real servers, real loads, small ones."""

    lasts = 10

    def test_each_server_answers_and_delivers_every_message(self) -> None:
        most = ["--most", str(MESSAGES), "--seconds", "20"]
        found = bench("throughput", "--connections", "2", *most)
        self.assertEqual([row["server"] for row in found["rows"]], list(SERVERS))
        for row in found["rows"]:
            with self.subTest(server=row["server"]):
                self.assertEqual((row["refused"], row["lost"]), (0, 0))
                self.assertEqual(
                    {row[name] for name in ("sent", "answered", "messages")}, {MESSAGES}
                )
                self.assertGreater(row["per_second"], 0)
                times = row["deliveries_ms"]
                self.assertTrue(0 < times["p50"] <= times["p99"] <= times["p99.9"])
        self.assertEqual([one["of"] for one in found["ratios"]["throughput"]], ["ceiling", "floor"])

    def test_log_ins_are_counted_with_old_users_and_old_mail_in_the_store(self) -> None:
        stock = ["--stored-accounts", "50", "--stored-messages", "200", "--servers", "bpost"]
        found = bench("logins", "--connections", "2", "--most", "6", "--seconds", "20", *stock)
        row = found["rows"][0]
        self.assertGreaterEqual(row["log_ins"], 6)
        self.assertGreater(row["log_ins_per_second"], 0)
        self.assertEqual(row["lost"], 0)


class FiguresTest(unittest.TestCase):
    """What becomes of the numbers."""

    def test_quantiles_are_right_to_two_per_cent(self) -> None:
        times = Latencies()
        for number in range(1, 1001):
            times.add(number / 1000)
        for part in (0.5, 0.99, 0.999):
            self.assertAlmostEqual(times.quantile(part) or 0, part, delta=part * 0.03)
        self.assertIsNone(Latencies().milliseconds())

    def test_processes_share_a_job_and_add_what_they_saw(self) -> None:
        job = Job(connections=7, talkers=3)
        parts = [job.share(part, 3) for part in range(3)]
        self.assertEqual([(one.first, one.connections) for one in parts], [(0, 2), (2, 2), (4, 3)])
        self.assertEqual(sum(one.talkers for one in parts), 3)
        one = Outcome(sent=1, answers=Latencies({3: 1}))
        one.add(Outcome.read(Outcome(sent=2, answers=Latencies({3: 2, 5: 1})).text()))
        self.assertEqual((one.sent, one.answers.buckets), (3, {3: 3, 5: 1}))

    def test_a_load_without_an_end_is_refused(self) -> None:
        for wrong in ({"seconds": 1e9}, {"connections": 10**6}):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                Job(**wrong)

    def test_figures_become_ratios_a_table_and_a_picture(self) -> None:
        rows = [
            {"run": "throughput", "server": server, "connections": 20, "per_second": speed}
            for server, speed in zip(SERVERS, (900.0, 1000.0, 300.0), strict=True)
        ]
        self.assertEqual([one["per_second"] for one in ratios(rows)], [0.9, 3.0])
        self.assertEqual(len(table(rows).splitlines()), 5)
        with tempfile.TemporaryDirectory() as folder:
            draw(rows, Path(folder) / "bench.png")
            self.assertTrue((Path(folder) / "bench.png").read_bytes().startswith(b"\x89PNG"))


if __name__ == "__main__":
    unittest.main()
