"""``bpost-admin``: look after a post office, also while it runs.

It opens the same database, in another process; a running server notices a disabled account within
a second or two.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bpost.errors import BPostError, SecurityError, UsageError
from bpost.net.certificates import pin_of_file
from bpost.protocol.fields import canonical
from bpost.server.config import data_folder
from bpost.server.entry import hash_invite, new_invite
from bpost.server.files import refuse_exposed
from bpost.server.post_office import CERTIFICATE
from bpost.server.store import FILE, Store, now_ms

DAY_MS = 24 * 3600 * 1000

Found = Mapping[str, Any]
Command = Callable[[argparse.Namespace, Store], Found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 when all is well."""
    os.umask(0o077)
    options = _parser().parse_args(arguments)
    try:
        store = _open(options.data)
        try:
            found = options.command(options, store)
        finally:
            store.close()
    except BPostError as error:
        print(f"bpost-admin: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(_lines(found)))
    return 0 if found.get("ok", True) else 1


def users(options: argparse.Namespace, store: Store) -> Found:
    """List the accounts."""
    rows = store.accounts.all()
    return {"users": [row for row in rows if options.all or row["deleted"] is None]}


def invite(options: argparse.Namespace, store: Store) -> Found:
    """Make an invitation for one new account."""
    token, now = new_invite(), now_ms()
    expires = now + options.days * DAY_MS
    store.accounts.add_invite(hash_invite(token), now, expires)
    found = {"token": token, "expires": expires}
    if options.public:
        certificate = options.data / CERTIFICATE / "server.pem"
        if not certificate.exists():
            raise UsageError(f"There is no certificate {certificate} yet. Start the server first.")
        found["link"] = f"bpost://{options.public}/#{pin_of_file(certificate)}.{token}"
    return found


def disable(options: argparse.Namespace, store: Store) -> Found:
    """Close an account: nobody can log in to it; its connections end."""
    return _set_disabled(options.user, store, now_ms())


def enable(options: argparse.Namespace, store: Store) -> Found:
    """Open a disabled account again."""
    return _set_disabled(options.user, store, None)


def check(options: argparse.Namespace, store: Store) -> Found:
    """Look the database and the files over."""
    problems = store.check()
    for path in sorted(_private_files(options.data)):
        try:
            refuse_exposed(path)
        except SecurityError as error:
            problems.append(str(error))
    return {"ok": not problems, "problems": problems}


def _set_disabled(user: str, store: Store, when: int | None) -> Found:
    if not store.accounts.disable(canonical(user), when):
        raise UsageError(f"There is no user {user} on this server.")
    return {"user": user, "disabled": when is not None}


def _private_files(folder: Path) -> set[Path]:
    """Return the files that hold secrets: the database's, and the keys."""
    found = {folder / f"{FILE}{end}" for end in ("", "-wal", "-shm")}
    return found | set(folder.rglob("*key*.pem"))


def _open(folder: Path) -> Store:
    """Open the store, which must be there; asking must not make one."""
    path = folder / FILE
    if not path.exists() or not stat.S_ISREG(path.stat().st_mode):
        raise UsageError(f"There is no database {path}. Give the server's folder with --data.")
    return Store(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bpost-admin", description="Look after a post office.")
    parser.add_argument("--data", type=Path, default=_default_data(), help="the server's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, users).add_argument("--all", action="store_true", help="deleted ones too")
    inviting = _command(commands, invite)
    inviting.add_argument("--days", type=_days, default=7, help="how long it is good (default: 7)")
    inviting.add_argument(
        "--public",
        metavar="HOST:PORT",
        default=os.environ.get("BPOST_PUBLIC", ""),
        help="where clients reach the server: makes a link of it",
    )
    _command(commands, disable).add_argument("user")
    _command(commands, enable).add_argument("user")
    _command(commands, check)
    return parser


def _command(commands: Any, command: Command) -> argparse.ArgumentParser:
    text = (command.__doc__ or "").rstrip(".")
    parser: argparse.ArgumentParser = commands.add_parser(
        command.__name__, help=text, description=command.__doc__
    )
    # Also after the command's name; not given there, it leaves what was given before it.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, default=argparse.SUPPRESS)
    parser.set_defaults(command=command)
    return parser


def _default_data() -> Path:
    named = os.environ.get("BPOST_DATA")
    return Path(named) if named else data_folder(os.environ)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 365:
        raise argparse.ArgumentTypeError("not a number of days from 1 to 365")
    return int(text)


def _lines(found: Found) -> list[str]:
    """Return what was found as lines for people."""
    if "users" in found:
        return [_user_line(row) for row in found["users"]] or ["There are no users yet."]
    if "problems" in found:
        return list(found["problems"]) or ["Everything is in order."]
    if "token" in found:
        until = f"Good for one account, until {_date(found['expires'])}."
        return [found.get("link") or found["token"], until]
    return [f"{found['user']} is {'disabled' if found['disabled'] else 'enabled'}."]


def _user_line(row: Found) -> str:
    state = "deleted" if row["deleted"] else "disabled" if row["disabled"] else "active"
    return f"{row['name']:32} {state:8} since {_date(row['created'])}"


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


if __name__ == "__main__":
    sys.exit(main())
