"""Run the test suite: ``python -m tests [--workers N] [NAME ...]``.

All tests run in worker processes, as many as there are processors. Named ones (a name is a
module, class or test) run in this process, unless --workers is given.
The last line counts: ``N passed, N failed, N skipped``.
"""

from __future__ import annotations

import argparse
import atexit
import faulthandler
import os
import shutil
import signal
import sys
import tempfile
import unittest
from pathlib import Path

from tests import parallel
from tests.tally import Tally
from tests.worker import Reporter

ROOT = Path(__file__).resolve().parents[1]


def keep_compiled() -> None:
    """Let the many programs that tests start be compiled once, also where that is switched off."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        folder = tempfile.mkdtemp(prefix="bpost-compiled-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["PYTHONPYCACHEPREFIX"] = folder


def main(arguments: list[str]) -> int:
    """Run the named tests, or all of them; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--workers", type=int, metavar="N")
    options = parser.parse_args(arguments)
    faulthandler.enable()
    # Who ends a run that takes too long gets to see which test it was, like by Ctrl+C; and that
    # one works also for a run that a script put into the background.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    loader = unittest.TestLoader()
    if options.names:
        suite = loader.loadTestsFromNames(options.names)
    else:
        suite = loader.discover(str(ROOT / "tests"), top_level_dir=str(ROOT))
    if options.names and not options.workers:
        tally = Tally()
        suite.run(Reporter(tally.take))
        return 0 if tally.sum_up() else 1
    keep_compiled()
    return 0 if parallel.run(suite, options.workers or parallel.default_workers()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
