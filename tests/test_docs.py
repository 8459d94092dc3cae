"""The pages for users keep their promises."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
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


if __name__ == "__main__":
    unittest.main()
