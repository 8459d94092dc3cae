"""Takeouts: proof that the tests of the numbered demands can fail.

Each entry names a demand, the test that shows it, and an edit that takes its defence out of the
source. ``python -m tests.takeouts`` applies every edit to a copy of the tree and demands that the
test, which passes on the untouched tree, fails on the edited one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Takeout:
    """One defence, the edit that removes it, and the test that must notice."""

    number: str
    path: str
    old: str
    new: str
    test: str
