"""The commands of ``bpost-admin`` about the post office as a whole."""

from __future__ import annotations

import argparse
from pathlib import Path

from bpost.errors import SecurityError
from bpost.limits import DAY
from bpost.server.admin_command import (
    DEFAULT,
    Command,
    Found,
    date,
    days_or_default,
    many,
    opened,
    size,
)
from bpost.server.files import refuse_exposed
from bpost.server.store import FILE, now_ms


def retention(options: argparse.Namespace) -> Found:
    """Show or set for how many days undelivered messages are kept."""
    with opened(options) as store:
        if options.days is not None:
            seconds = None if options.days == DEFAULT else options.days * DAY
            store.settings.set_retention(seconds)
        kept = store.settings.orders().retention
    return {"days": None if kept is None else kept // DAY}


def stats(options: argparse.Namespace) -> Found:
    """Count what the server has stored."""
    with opened(options) as store:
        counts = store.survey.counts(now_ms())
    return {**counts, "files": {path.name: path.stat().st_size for path in _files(options.data)}}


def check(options: argparse.Namespace) -> Found:
    """Look the database and the files over."""
    with opened(options) as store:
        problems = store.check()
    for path in sorted({*_files(options.data), *options.data.rglob("*key*.pem")}):
        try:
            refuse_exposed(path)
        except SecurityError as error:
            problems.append(str(error))
    return {"ok": not problems, "problems": problems}


def _files(folder: Path) -> list[Path]:
    """Return the files of the database that there are, also one kept before an update."""
    return sorted(folder.glob(f"{FILE}*"))


def _retention_lines(found: Found) -> list[str]:
    if found["days"] is None:
        how = "as long as the server was started with (--retention, 30 days unless told)"
    else:
        how = many(found["days"], "day")
    return [f"Undelivered messages are kept {'' if found['days'] is None else 'for '}{how}."]


def _stats_lines(found: Found) -> list[str]:
    letters = found["messages"]
    waiting = f"{letters['waiting']} of them with their text, {size(letters['characters'])}"
    oldest = "" if letters["oldest"] is None else f", the oldest of {date(letters['oldest'])}"
    files = ", ".join(f"{name} {size(count)}" for name, count in found["files"].items())
    return [
        f"Accounts:      {found['accounts']} active, {found['disabled']} disabled, "
        f"{found['deleted']} deleted",
        f"Devices:       {found['devices']}, and {found['plain_devices']} for clients that name "
        "none",
        f"Messages:      {letters['count']}, {waiting}{oldest}",
        f"Contacts:      {found['contacts']}",
        f"One-time keys: {found['one_time_keys']}",
        f"Invitations:   {found['invitations']} unused",
        f"Files:         {files}; schema version {found['version']}",
    ]


def _check_lines(found: Found) -> list[str]:
    return list(found["problems"]) or ["Everything is in order."]


def _retention_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "days",
        metavar="DAYS",
        nargs="?",
        type=days_or_default,
        help=f"how many; or {DEFAULT}: as the server was started with",
    )


COMMANDS = (
    Command(retention, _retention_lines, _retention_arguments),
    Command(stats, _stats_lines),
    Command(check, _check_lines),
)
