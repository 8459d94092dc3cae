"""The pages for users keep their promises."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

from bpost.server import admin, config, listener
from tests.server.test_limits import limits_page
from tests.takeouts.__main__ import collect

ROOT = Path(__file__).resolve().parents[1]
EVENT = re.compile(
    r'(?:log\.(?:info|warning|debug|failure)|_log|_note)\(\s*(?:session, )?"([^"]+)"'
)
METRIC = re.compile(r'(?:_count|_gauge)\(\s*"(\w+)"|"bpost_(\w+)"')
DEFINED = re.compile(r"def (test_\w+)\(")
TEST = re.compile(r"`(test_\w+)`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def pages() -> list[Path]:
    """Return every page of the project."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


class DocsTest(unittest.TestCase):
    """Links lead somewhere, and what is not given is said."""

    def test_each_link_within_the_project_leads_somewhere(self) -> None:
        for page in pages():
            for target in LINK.findall(page.read_text(encoding="utf-8")):
                if "://" not in target:
                    with self.subTest(page=page.name, target=target):
                        self.assertTrue((page.parent / target).exists())

    def test_e37_the_page_of_threats_says_what_is_classical(self) -> None:
        words = " ".join((ROOT / "docs" / "threats.md").read_text(encoding="utf-8").split())
        self.assertIn("attack the *steps* of the ratchet, which are classical", words)
        self.assertIn("The keys of Fernet give 128 bits", words)


class ReliabilityTest(unittest.TestCase):
    """Each promise names tests that there are, and one of them is known to fail without it."""

    def setUp(self) -> None:
        self.page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
        found = re.findall(r"^\| (?!---)(.+) \| (.+) \|$", self.page, re.MULTILINE)
        self.rows = {row: TEST.findall(tests) for row, tests in found if "tried by" not in tests}

    def test_each_promise_is_tried_by_tests_that_there_are(self) -> None:
        files = (ROOT / "tests").rglob("test_*.py")
        there = {name for file in files for name in DEFINED.findall(file.read_text("utf-8"))}
        self.assertGreater(len(self.rows), 60)
        for row, tests in self.rows.items():
            with self.subTest(row):
                self.assertTrue(tests)
                self.assertEqual(set(tests) - there, set())

    def test_of_each_promise_a_test_fails_when_it_is_taken_out(self) -> None:
        caught = {entry.test.rpartition(".")[2] for entry in collect()}
        for row, tests in self.rows.items():
            with self.subTest(row):
                self.assertTrue(caught & set(tests))

    def test_every_limit_of_the_protocol_is_tried(self) -> None:
        self.assertEqual(set(limits_page()) - set(self.rows), set())


class RunningTest(unittest.TestCase):
    """The page for those who run a server names what there is, and nothing else."""

    def setUp(self) -> None:
        self.page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
        self.sources = {
            path.name: path.read_text(encoding="utf-8")
            for path in (ROOT / "bpost" / "server").glob("*.py")
        }

    def test_every_event_of_the_log_is_explained(self) -> None:
        found = {name for text in self.sources.values() for name in EVENT.findall(text)}
        self.assertGreater(len(found), 30)
        for name in found:
            with self.subTest(name):
                self.assertIn(f"`{name}`", self.page)

    def test_every_metric_is_explained_and_no_other(self) -> None:
        found = {one or two for one, two in METRIC.findall(self.sources["collector.py"])}
        told = set(re.findall(r"`bpost_([a-z_]+?)(?:_total)?(?:\{\w+\})?`", self.page))
        self.assertEqual(told, found)

    def test_every_command_is_shown_and_every_setting_that_is_shown_exists(self) -> None:
        for command in admin.COMMANDS:
            with self.subTest(command.run.__name__):
                self.assertRegex(self.page, rf"bpost-admin {command.run.__name__}\b|enable undoes")
        shown = set(re.findall(r"^    (\w+) = ", self.page, re.MULTILINE))
        self.assertGreater(len(shown), 5)
        self.assertEqual(shown - set(config.setting_names()), set())

    def test_the_unit_and_the_wrapper_fit_the_page(self) -> None:
        folder = ROOT / "docs" / "deploy"
        for name in ("bpost.service", "bpost-admin", "certbot-hook"):
            self.assertIn(f"docs/deploy/{name}", self.page)
        unit = (folder / "bpost.service").read_text(encoding="utf-8")
        self.assertIn("/opt/bpost/.venv/bin/python -m bpost.server --config", unit)
        stop = re.search(r"TimeoutStopSec=(\d+)", unit)
        assert stop is not None
        self.assertGreater(int(stop[1]), listener.STOP_SECONDS + 2)


if __name__ == "__main__":
    unittest.main()
