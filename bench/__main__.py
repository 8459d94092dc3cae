"""``python -m bench RUN``: measure, and print the figures as tables or as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import report, runs
from bench.plot import draw
from bench.processes import SERVERS
from bench.runs import Row, Settings

Run = Callable[[Settings, argparse.Namespace], Iterator[Row]]

RUNS: dict[str, Run] = {
    "throughput": lambda settings, asked: runs.throughput(
        settings, asked.counts or (20, 1000, 4000)
    ),
    "latency": lambda settings, asked: runs.latency(settings, _count(asked, 100), 10.0),
    "connections": lambda settings, asked: runs.connections(
        settings, _count(asked, 10_000), 100, 10.0
    ),
    "logins": lambda settings, asked: runs.logins(settings, _count(asked, 32)),
    "mixed": lambda settings, asked: runs.mixed(settings, _count(asked, 1000), 200, 5.0),
    "mailbox": lambda settings, _: runs.mailbox(settings, 100_000),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; return the exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.plot and asked.run not in ("throughput", "all"):
        parser.error("--plot draws the throughput: ask for throughput, or for all")
    settings = Settings(
        seconds=asked.seconds,
        size=asked.size,
        processes=asked.processes,
        servers=tuple(asked.servers),
        accounts=asked.stored_accounts,
        messages=asked.stored_messages,
        most=asked.most,
        idle_seconds=asked.idle_seconds,
    )
    there = report.machine()
    rows: list[Row] = []
    for name in RUNS if asked.run == "all" else (asked.run,):
        found = list(RUNS[name](settings, asked))
        rows += found
        if not asked.json:
            _show(name, found)
    text = report.as_json(there, rows)
    if asked.json:
        print(text)
    if asked.save:
        asked.save.write_text(text + "\n", encoding="utf-8")
    if asked.plot:
        draw(rows, asked.plot)
    return 0


def _show(name: str, rows: Sequence[Row]) -> None:
    """Print one kind of run."""
    print(f"\n{name}\n\n{report.table(rows)}")
    for one in report.ratios(rows):
        what, ratio = next(reversed(one.items()))
        print(f"{one['connections']:,} connections: {ratio} of the {one['of']} in {what}")
    print(flush=True)


def _count(asked: argparse.Namespace, default: int) -> int:
    return int(asked.counts[0]) if asked.counts else default


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("run", choices=[*RUNS, "all"])
    parser.add_argument("--connections", dest="counts", type=int, nargs="+", help="how many")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each load lasts")
    parser.add_argument(
        "--idle-seconds", type=float, default=30.0, help="idle time that is watched"
    )
    parser.add_argument(
        "--most", type=int, default=1 << 60, help="end a load after so many messages"
    )
    parser.add_argument("--size", type=int, default=1024, help="bytes of a message")
    parser.add_argument("--processes", type=int, default=1, help="processes of the load")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--stored-accounts", type=int, default=0, help="accounts that are there")
    parser.add_argument("--stored-messages", type=int, default=0, help="old messages in mailboxes")
    parser.add_argument("--json", action="store_true", help="print JSON and no tables")
    parser.add_argument("--save", type=Path, help="write the JSON to this file as well")
    parser.add_argument("--plot", type=Path, help="draw throughput and latency into this PNG")
    return parser


if __name__ == "__main__":
    sys.exit(main())
