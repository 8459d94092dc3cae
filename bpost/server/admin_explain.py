"""``bpost-admin explain``: exactly what is stored about one user, in words for that user."""

from __future__ import annotations

import argparse

from bpost.server.admin_command import (
    Command,
    Found,
    add_user,
    date,
    found_user,
    many,
    opened,
    size,
)
from bpost.server.records import PLAIN

_END = (
    "Elsewhere: the log of the server may name this user, with times and network addresses, and a "
    "backup holds what there was when it was made. Hashes without a name count recent tries to "
    "log in.",
    "What messages say can be read on the devices of those who write and get them, and nowhere "
    "else; but what a client that seals nothing wrote lies here as it was written.",
)


def explain(options: argparse.Namespace) -> Found:
    """Tell what is stored about one user: every table, with sizes instead of contents."""
    with opened(options) as store:
        account = found_user(store, options.user)
        return {"user": account.name, "stored": store.survey.about(account.id)}


def _lines(found: Found) -> list[str]:
    stored = found["stored"]
    return [
        f"What this server has stored about {found['user']}:",
        "",
        *_account_lines(stored["account"], stored["invitation"]),
        f"Log of keys: {many(stored['logged'], 'entry', 'entries')}, with account keys and what "
        "devices stated about their list. Contacts are told them; all others see hashes.",
        *_contact_lines(stored["contacts"]),
        *_device_lines(stored["devices"], stored["departed"]),
        *_mail_lines(stored),
        *_END,
        "",
        "About others too, so leave it out when you answer the user:",
        *_other_lines(stored["others"]),
    ]


def _account_lines(row: Found, invitation: Found | None) -> list[str]:
    lines = [
        f"Account: the username {row['name']} (compared as {row['canonical']}), made "
        f"{date(row['created'])}.",
        f"Password: none; a salted hash of a key that the device derives from it "
        f"({size(row['login_size'] or 0)}).",
        f"Keys: the public account key ({size(row['public_key_size'])}), and how it followed on "
        f"earlier ones ({size(row['succession_size'])}); contacts are given both.",
        f"Vault: version {row['vault_version']}, {size(row['vault_size'])}, sealed with the "
        "password: it lets a new device join.",
        f"Mailbox numbers: {row['last_seq']} given so far; all devices have what is up to "
        f"{row['cleared']}.",
    ]
    if row["disabled"] is not None:
        lines.append(f"Disabled: since {date(row['disabled'])}.")
    if row["quota"] is not None:
        lines.append(f"Quota: the mailbox may hold {size(row['quota'])}.")
    if invitation is not None:
        lines.append(
            f"Invitation: made {date(invitation['created'])}, used {date(invitation['used'])}, "
            f"kept as a hash until after {date(invitation['expires'])}."
        )
    return lines


def _contact_lines(rows: list[Found]) -> list[str]:
    told = [f"{row['name']} (blocked)" if row["blocked"] else row["name"] for row in rows]
    return [f"Contact list: {', '.join(told) or 'empty'}."]


def _device_lines(rows: list[Found], departed: int) -> list[str]:
    lines = [_device_line(row) for row in rows] or ["Devices: none."]
    if departed:
        lines.append(f"Removed devices: {many(departed, 'id')}, so that none comes back.")
    return lines


def _device_line(row: Found) -> str:
    seen = (
        f"since {date(row['created'])}, last seen {date(row['last_seen'])}, has the mailbox up to "
        f"{row['cursor']}"
    )
    if row["device"] == PLAIN:
        return f"Device: a client that names none, {seen}."
    return (
        f"Device {row['device']}: {seen}; its name, sealed ({size(row['name_size'])}); its public "
        f"keys ({size(row['bundle_size'])}) and {many(row['one_time_keys'], 'one-time key')}."
    )


def _mail_lines(stored: Found) -> list[str]:
    lines = [_box_line("Mailbox", "to this user", stored["mailbox"])]
    lines += [f"  from {_part(row)}" for row in stored["mailbox_by_sender"]]
    lines.append(_box_line("In other mailboxes", "from this user", stored["sent"]))
    lines += [f"  to {_part(row)}" for row in stored["sent_by_recipient"]]
    return lines


def _box_line(where: str, which: str, row: Found) -> str:
    if not row["count"]:
        return f"{where}: no messages {which}."
    return (
        f"{where}: {many(row['count'], 'message')} {which}, from {date(row['oldest'])} to "
        f"{date(row['newest'])}. The text, sealed, is still there of {row['waiting']} "
        f"({size(row['characters'])}), because a device has not fetched it; of the others only "
        "sender, device, number and time are left, until the retention time is over."
    )


def _part(row: Found) -> str:
    return f"{row['name']}: {many(row['count'], 'message')}, {row['waiting']} with their text"


def _other_lines(row: Found) -> list[str]:
    return [
        f"On the contact lists of {many(row['on_lists'], 'user')}, blocked by {row['blocked_by']}.",
        f"Not delivered, because one had blocked the other: {row['withheld_from']} to this user "
        f"and {row['withheld_by']} from this user, kept without their text.",
    ]


COMMANDS = (Command(explain, _lines, add_user),)
