"""The commands of ``bpost-admin`` that copy a post office into a file, and back."""

from __future__ import annotations

import argparse
from pathlib import Path

from bpost.server.admin_command import Command, Found, date, many, opened, size
from bpost.server.copies import as_found, back_up
from bpost.server.copies import restore as restore_copy


def backup(options: argparse.Namespace) -> Found:
    """Copy database, certificate and keys into one file, also while the server runs."""
    with opened(options):  # says so if there is none
        pass
    return {"file": str(options.file), **as_found(back_up(options.data, options.file))}


def restore(options: argparse.Namespace) -> Found:
    """Make a post office of a backup, in a folder (--data) where there is none."""
    done = restore_copy(options.file, options.data)
    return {"folder": str(options.data), "keys_dropped": done.keys, **as_found(done.copy)}


def _backup_lines(found: Found) -> list[str]:
    lines = [f"{found['file']} holds the whole post office, {size(found['size'])}, read again."]
    if not found["pin"]:
        lines.append(
            "The server has a certificate of its own (--certificate), which is not in it: keep a "
            "copy of that yourself."
        )
    return [*lines, "Whoever has this file can pose as the server: keep it as safe as the server."]


def _restore_lines(found: Found) -> list[str]:
    pin = f" Its pin is {found['pin']}, as before." if found["pin"] else ""
    return [
        f"{found['folder']} is as it was on {date(found['made'])}.{pin}",
        f"{many(found['keys_dropped'], 'one-time key')} dropped; clients bring new ones when they "
        "connect. Start the server.",
    ]


def _file_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the backup")


COMMANDS = (
    Command(backup, _backup_lines, _file_argument),
    Command(restore, _restore_lines, _file_argument),
)
