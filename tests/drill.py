"""Run a disaster drill: ``python -m tests.drill --seed N [--users N] [--messages N]``.

``--small N`` runs N small ones instead, with this seed and those that follow (:mod:`model`).
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path

from tests.drilling.drill import Drill, Plan
from tests.drilling.model import Model

STEPS = 60


def main() -> int:
    """Run one drill and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--no-restores", action="store_true", help="put no folder back")
    parser.add_argument("--no-alters", action="store_true", help="drop frames, alter none")
    parser.add_argument("--keep", action="store_true", help="leave the folder where it is")
    parser.add_argument("--small", type=int, default=0, help="run so many small ones")
    parser.add_argument("--tell", action="store_true", help="tell what happens in small ones")
    options = parser.parse_args()
    if options.small:
        first = int(options.seed)
        seeds = range(first, first + options.small)
        return max([_small(str(seed), tell=options.tell) for seed in seeds])
    plan = Plan(
        options.seed,
        options.users,
        options.messages,
        options.rounds,
        options.workers,
        restores=not options.no_restores,
        alters=not options.no_alters,
    )
    drill = Drill(plan, lambda text: print(text, flush=True))
    try:
        verdict = drill.run()
    finally:
        drill.close(keep=options.keep)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(verdict.text())
    print(f"seed {plan.seed}, {used.ru_utime + used.ru_stime:.0f} s of processor time")
    return 1 if verdict.wrong else 0


def _small(seed: str, *, tell: bool) -> int:
    """Run a small drill; return whether something is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        model = Model(seed, Path(folder), print if tell else lambda _text: None)
        try:
            verdict = model.run(STEPS)
        finally:
            model.close()
    print(f"seed {seed}:", ", ".join(f"{n} {what}" for what, n in verdict.figures.items()))
    print(*verdict.wrong, sep="\n", end="\n" if verdict.wrong else "", flush=True)
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
