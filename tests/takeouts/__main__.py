"""Run the takeouts: ``python -m tests.takeouts [NUMBER ...] [--jobs N]``."""

from __future__ import annotations

import argparse
import compileall
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests import takeouts
from tests.takeouts import Takeout

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "bpost", "client_tk", "tests", "docs")
MINUTES = 4
CAUGHT = "caught"


def collect() -> list[Takeout]:
    """Return the entries of every module in this package."""
    found: list[Takeout] = []
    for module in pkgutil.iter_modules(takeouts.__path__):
        if module.name != "__main__":
            found += importlib.import_module(f"tests.takeouts.{module.name}").TAKEOUTS
    return found


def fails(tree: Path, test: str) -> tuple[bool, str]:
    """Run one test on ``tree``; return whether it failed, and what it printed."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "unittest", test],
            cwd=tree,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=MINUTES * 60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True, "it did not end"
    ran = "Ran 1 test" in done.stderr and "skipped" not in done.stderr
    if done.returncode == 0 and not ran:
        return False, f"the test did not run: {done.stderr[-300:]}"
    return done.returncode != 0, done.stderr[-2000:]


def copy_compiled(to: Path) -> Path:
    """Copy what the tests need below ``to``, and compile it: each copy of that is ready to run."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(to / name, quiet=2)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, to / path.name)
    return to


def judge(tree: Path, test: str, entries: list[Takeout]) -> int:
    """Print a verdict for each entry of one test as it is known; return how many were caught."""
    with tempfile.TemporaryDirectory() as folder:
        failed, output = fails(shutil.copytree(tree, Path(folder, "tree")), test)
    wrong = f"WRONG: the test fails on the untouched tree: {output}" if failed else ""
    caught = 0
    for entry in entries:
        verdict = wrong or try_out(tree, entry)
        caught += verdict == CAUGHT
        print(f"{entry.number:5} {verdict:8} {entry.test}\n", end="", flush=True)
    return caught


def try_out(untouched: Path, entry: Takeout) -> str:
    """Return ``caught``, or a sentence that says what is wrong with the entry."""
    source = (ROOT / entry.path).read_text(encoding="utf-8")
    if source.count(entry.old) != 1:
        return f"WRONG: the old text occurs {source.count(entry.old)} times in {entry.path}"
    with tempfile.TemporaryDirectory() as folder:
        tree = shutil.copytree(untouched, Path(folder, "tree"))
        (tree / entry.path).write_text(source.replace(entry.old, entry.new), encoding="utf-8")
        failed, output = fails(tree, entry.test)
    if not failed:
        return f"MISSED: the test still passes: {output[-300:]}"
    if "SyntaxError" in output or "IndentationError" in output:
        return f"WRONG: the edit breaks the file: {output[-300:]}"
    return CAUGHT


def main() -> int:
    """Judge the chosen entries, and say how many were caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.takeouts", description=__doc__)
    parser.add_argument("numbers", nargs="*", help="E20 S12 …; all when none is named")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    wanted = {number.upper() for number in options.numbers}
    entries = [entry for entry in collect() if not wanted or entry.number in wanted]
    of_test: dict[str, list[Takeout]] = defaultdict(list)
    for entry in entries:
        of_test[entry.test].append(entry)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        try_test = partial(judge, copy_compiled(Path(folder)))
        caught = sum(pool.map(try_test, of_test, of_test.values()))
    print(f"{caught} caught, {len(entries) - caught} not")
    return 0 if entries and caught == len(entries) else 1


if __name__ == "__main__":
    sys.exit(main())
