"""Takeouts of what the pages must say."""

from __future__ import annotations

from tests.takeouts import Takeout

TAKEOUTS = [
    Takeout(
        "E37",
        "docs/threats.md",
        "attack the *steps* of the ratchet,\nwhich are classical",
        "attack nothing",
        "tests.test_docs.DocsTest.test_e37_the_page_of_threats_says_what_is_classical",
    ),
]
