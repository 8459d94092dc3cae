"""Takeouts of what ``run.py`` refuses to install."""

from __future__ import annotations

from tests.takeouts import Takeout

TAKEOUTS = [
    Takeout(
        "S61",
        "run.py",
        '"--require-hashes", ',
        "",
        "tests.test_run.InstallTest.test_s61_a_package_without_a_hash_is_not_installed",
    ),
    Takeout(
        "S61",
        "requirements.txt",
        "peewee==4.5.3",
        "peewee>=4.5.3",
        "tests.test_run.ListsTest.test_s61_every_package_is_pinned_with_the_hashes_of_its_files",
    ),
]
