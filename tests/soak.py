"""Soak the server: ``python -m tests.soak --seed N``; the exit status is the verdict."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from pathlib import Path

from tests.soaking.soak import Plan, Soak


def main() -> int:
    """Run one soak and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="with a kill in each")
    parser.add_argument("--last-minutes", type=float, default=20, help="without one, at the end")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--residents", type=int, default=200, help="accounts that come and go")
    parser.add_argument("--rate", type=float, default=100, help="messages a second in all")
    parser.add_argument("--processes", type=int, default=2, help="processes of the load")
    parser.add_argument("--every", type=float, default=60, help="seconds in which one kill falls")
    parser.add_argument("--folder", type=Path, help="where to make the folder (default: TMPDIR)")
    parser.add_argument("--save", type=Path, help="write each look at the server to this file")
    parser.add_argument("--keep", action="store_true", help="leave the folder where it is")
    asked = parser.parse_args()
    plan = Plan(
        asked.seed,
        kills=int(asked.minutes * 60 / asked.every),
        every=asked.every,
        last=60 * asked.last_minutes,
        residents=asked.residents,
        rate=asked.rate,
        processes=asked.processes,
        folder=asked.folder,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))
    began = time.monotonic()
    soak = Soak(plan, lambda text: print(text, flush=True))
    try:
        verdict = soak.run()
    finally:
        soak.close(keep=asked.keep)
    if asked.save:
        lives = [dataclasses.asdict(life) for life in soak.lives]
        asked.save.write_text(json.dumps(lives) + "\n", encoding="utf-8")
    for name, count in sorted(soak.state.counts.items()):
        print(f"{count:>10,}  {name}")
    print(f"seed {plan.seed}, {time.monotonic() - began:.0f} s")
    flat = "flat" if plan.judges_memory else "not looked at: the last part was too short"
    print(
        "\n".join(verdict.lines()) or f"nothing lost, nothing doubled; memory and threads: {flat}"
    )
    return 1 if verdict.found else 0


if __name__ == "__main__":
    sys.exit(main())
