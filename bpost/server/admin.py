"""``bpost-admin``: look after a post office, also while it runs.

It opens the same database, in another process; a running server acts on what was changed within
a second or two (``store_settings``).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bpost.errors import BPostError
from bpost.server import admin_accounts, admin_copies, admin_explain, admin_office
from bpost.server.admin_command import Command
from bpost.server.config import data_folder

COMMANDS = (
    *admin_accounts.COMMANDS,
    *admin_office.COMMANDS,
    *admin_copies.COMMANDS,
    *admin_explain.COMMANDS,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 when all is well."""
    os.umask(0o077)
    options = _parser().parse_args(arguments)
    try:
        found = options.command.run(options)
    except BPostError as error:
        print(f"bpost-admin: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(options.command.lines(found)))
    return 0 if found.get("ok", True) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bpost-admin", description="Look after a post office.")
    parser.add_argument("--data", type=Path, default=_default_data(), help="the server's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.arguments(_add(commands, command))
    return parser


def _add(commands: Any, command: Command) -> argparse.ArgumentParser:
    text = command.run.__doc__ or ""
    parser: argparse.ArgumentParser = commands.add_parser(
        command.run.__name__, help=text.rstrip("."), description=text
    )
    # Also after the command's name; not given there, it leaves what was given before it.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help="the server's folder")
    parser.set_defaults(command=command)
    return parser


def _default_data() -> Path:
    named = os.environ.get("BPOST_DATA")
    return Path(named) if named else data_folder(os.environ)


if __name__ == "__main__":
    sys.exit(main())
