"""The commands of ``bpost-admin`` about accounts and their devices."""

from __future__ import annotations

import argparse
import os
import sys

from bpost.errors import UsageError
from bpost.net.certificates import pin_of_file
from bpost.protocol.fields import canonical
from bpost.server.admin_command import (
    DEFAULT,
    Command,
    Found,
    add_user,
    date,
    days,
    found_user,
    many,
    opened,
    size,
    size_or_default,
)
from bpost.server.entry import hash_invite, new_invite
from bpost.server.post_office import CERTIFICATE
from bpost.server.records import PLAIN
from bpost.server.store import now_ms

DAY_MS = 24 * 3600 * 1000


def users(options: argparse.Namespace) -> Found:
    """List the accounts."""
    with opened(options) as store:
        rows = store.accounts.all()
    return {"users": [row for row in rows if options.all or row["deleted"] is None]}


def invite(options: argparse.Namespace) -> Found:
    """Make an invitation for one new account."""
    if options.public and not options.no_pin:
        _pin(options)  # before anything is stored
    token, now = new_invite(), now_ms()
    expires = now + options.days * DAY_MS
    with opened(options) as store:
        store.accounts.add_invite(hash_invite(token), now, expires)
    found = {"token": token, "expires": expires}
    if options.public:
        pin = "" if options.no_pin else _pin(options)
        found["link"] = f"bpost://{options.public}/#{pin}.{token}"
    return found


def disable(options: argparse.Namespace) -> Found:
    """Close an account: nobody can log in to it; its connections end."""
    return _set_disabled(options, now_ms())


def enable(options: argparse.Namespace) -> Found:
    """Open a disabled account again."""
    return _set_disabled(options, None)


def delete(options: argparse.Namespace) -> Found:
    """Delete an account with all that it has; its name stays taken. This cannot be undone."""
    with opened(options) as store:
        account = found_user(store, options.user)
        if not options.yes:
            _ask_for_name(account.name)
        gone = store.accounts.delete(account.id, now_ms())
    return {"user": account.name, "deleted": gone}


def devices(options: argparse.Namespace) -> Found:
    """List the devices of a user, or remove one."""
    with opened(options) as store:
        account = found_user(store, options.user)
        if options.remove is None:
            return {"user": account.name, "devices": store.survey.about(account.id)["devices"]}
        if not store.devices.remove(account.id, options.remove):
            raise UsageError(f"{account.name} has no device {options.remove}.")
    return {"user": account.name, "removed": options.remove}


def quota(options: argparse.Namespace) -> Found:
    """Show or set how much the mailbox of a user may hold."""
    with opened(options) as store:
        account = found_user(store, options.user)
        if options.size is not None:
            most = None if options.size == DEFAULT else options.size
            store.accounts.set_quota(account.id, most)
        held = store.survey.about(account.id)["mailbox"]["characters"]
        return {"user": account.name, "quota": store.accounts.quota(account.id), "held": held}


def _pin(options: argparse.Namespace) -> str:
    """Return the pin of the certificate that the server made."""
    certificate = options.data / CERTIFICATE / "server.pem"
    if not certificate.exists():
        raise UsageError(
            f"There is no certificate {certificate}. Start the server first; or, where it has one "
            "of an authority that clients know, say --no-pin."
        )
    return pin_of_file(certificate)


def _set_disabled(options: argparse.Namespace, when: int | None) -> Found:
    with opened(options) as store:
        if not store.accounts.disable(canonical(options.user), when):
            raise UsageError(f"There is no user {options.user} on this server.")
    return {"user": options.user, "disabled": when is not None}


def _ask_for_name(name: str) -> None:
    """Have whoever sits there type the name of what is to go."""
    if not sys.stdin.isatty():
        raise UsageError(f"Deleting {name} cannot be undone. Say so with --yes.")
    print(f"Type the username to delete {name} for good: ", end="", file=sys.stderr, flush=True)
    if canonical(sys.stdin.readline().strip()) != canonical(name):
        raise UsageError("That is another name. Nothing was deleted.")


def _user_lines(found: Found) -> list[str]:
    return [_user_line(row) for row in found["users"]] or ["There are no users yet."]


def _user_line(row: Found) -> str:
    state = "deleted" if row["deleted"] else "disabled" if row["disabled"] else "active"
    most = "" if row["quota"] is None else f", may hold {size(row['quota'])}"
    return f"{row['name']:32} {state:8} since {date(row['created'])}{most}"


def _invite_lines(found: Found) -> list[str]:
    until = f"Good for one account, until {date(found['expires'])}."
    return [found.get("link") or found["token"], until]


def _disabled_lines(found: Found) -> list[str]:
    return [f"{found['user']} is {'disabled' if found['disabled'] else 'enabled'}."]


def _deleted_lines(found: Found) -> list[str]:
    gone = found["deleted"]
    told = ", ".join(
        (
            many(gone["devices"], "device"),
            many(gone["keys"], "one-time key"),
            many(gone["contacts"], "contact"),
            many(gone["messages"], "message"),
        )
    )
    return [f"{found['user']} is deleted: {told}. The name stays taken."]


def _device_lines(found: Found) -> list[str]:
    if "removed" in found:
        return [f"The device {found['removed']} of {found['user']} is removed."]
    return [_device_line(row) for row in found["devices"]] or [f"{found['user']} has no devices."]


def _device_line(row: Found) -> str:
    seen = f"since {date(row['created'])}, last seen {date(row['last_seen'])}"
    if row["device"] == PLAIN:
        return f"{PLAIN:16} {seen}, for clients that name no device"
    return f"{row['device']:16} {seen}, {many(row['one_time_keys'], 'one-time key')}"


def _quota_lines(found: Found) -> list[str]:
    most = "as much as everyone's" if found["quota"] is None else size(found["quota"])
    return [f"The mailbox of {found['user']} may hold {most}; it holds {size(found['held'])}."]


def _users_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="deleted ones too")


def _invite_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=days, default=7, help="how long it is good (default: 7)")
    parser.add_argument(
        "--public",
        metavar="HOST:PORT",
        default=os.environ.get("BPOST_PUBLIC", ""),
        help="where clients reach the server: makes a link of it",
    )
    parser.add_argument(
        "--no-pin",
        action="store_true",
        help="leave the pin out of the link: the server's certificate is from an authority",
    )


def _delete_arguments(parser: argparse.ArgumentParser) -> None:
    add_user(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _devices_arguments(parser: argparse.ArgumentParser) -> None:
    add_user(parser)
    parser.add_argument("--remove", metavar="DEVICE", help="end its log-in, and remove its keys")


def _quota_arguments(parser: argparse.ArgumentParser) -> None:
    add_user(parser)
    parser.add_argument(
        "size",
        metavar="SIZE",
        nargs="?",
        type=size_or_default,
        help=f"such as 64K, 500M or 2G; or {DEFAULT}",
    )


COMMANDS = (
    Command(users, _user_lines, _users_arguments),
    Command(invite, _invite_lines, _invite_arguments),
    Command(disable, _disabled_lines, add_user),
    Command(enable, _disabled_lines, add_user),
    Command(delete, _deleted_lines, _delete_arguments),
    Command(devices, _device_lines, _devices_arguments),
    Command(quota, _quota_lines, _quota_arguments),
)
