"""What the store holds, counted: of everybody, and of one user, whom it concerns."""

from __future__ import annotations

from typing import Any

from bpost.server.migrations import version_of
from bpost.server.models import (
    Client,
    Contact,
    Departed,
    Device,
    Invite,
    KeyLogEntry,
    Message,
    Prekey,
    Withheld,
    least_of,
    length,
    most_of,
    number_of,
    sum_of,
)
from bpost.server.records import PLAIN
from bpost.server.table import Table

Found = dict[str, Any]

_LETTERS = {
    "count": number_of(Message.seq),
    "waiting": number_of(Message.body),
    "characters": sum_of(length(Message.body)),
    "oldest": least_of(Message.timestamp),
    "newest": most_of(Message.timestamp),
}


class Survey(Table):
    """Counts and sizes; nothing here hands out a body, a key or a password's hash."""

    def counts(self, now: int) -> Found:
        """Return how much there is of everything."""
        living, shut = Client.deleted.is_null(), Client.disabled.is_null(False)
        with self._reading() as database:
            return {
                "accounts": _count(database, Client, living & ~shut),
                "disabled": _count(database, Client, living & shut),
                "deleted": _count(database, Client, ~living),
                "devices": _count(database, Device, Device.device != PLAIN),
                "plain_devices": _count(database, Device, Device.device == PLAIN),
                "contacts": _count(database, Contact),
                "one_time_keys": _count(database, Prekey),
                "invitations": _count(
                    database, Invite, Invite.used.is_null() & (Invite.expires > now)
                ),
                "messages": _letters(database, None),
                "version": version_of(database),
            }

    def about(self, account: int) -> Found:
        """Return all that is stored about one account, a key for each table or part of one.

        ``others`` is what belongs to other users as well.
        """
        with self._reading() as database:
            return {
                "account": _account(database, account),
                "contacts": _contacts(database, account),
                "departed": _count(database, Departed, Departed.client == account),
                "devices": _devices(database, account),
                "invitation": _one(database, _invitation(account)),
                "logged": _count(database, KeyLogEntry, KeyLogEntry.client == account),
                "mailbox": _letters(database, Message.recipient == account),
                "mailbox_by_sender": _by_user(database, Message.sender, Message.recipient, account),
                "sent": _letters(database, Message.sender == account),
                "sent_by_recipient": _by_user(database, Message.recipient, Message.sender, account),
                "others": {
                    "on_lists": _count(database, Contact, Contact.contact == account),
                    "blocked_by": _count(
                        database, Contact, (Contact.contact == account) & Contact.blocked
                    ),
                    "withheld_from": _count(database, Withheld, Withheld.recipient == account),
                    "withheld_by": _count(database, Withheld, Withheld.sender == account),
                },
            }


def _account(database: Any, account: int) -> Found:
    row = _one(
        database,
        Client.select(
            Client.name,
            Client.canonical,
            Client.created,
            Client.disabled,
            Client.quota,
            Client.last_seq,
            Client.cleared,
            Client.vault_version,
            length(Client.login).alias("login_size"),
            length(Client.public_key).alias("public_key_size"),
            length(Client.succession).alias("succession_size"),
            length(Client.vault).alias("vault_size"),
        ).where(Client.id == account),
    )
    assert row is not None  # noqa: S101 - the caller has found it
    return row


def _contacts(database: Any, account: int) -> list[Found]:
    query = (
        Contact.select(Client.name, Contact.blocked)
        .join(Client, on=Contact.contact == Client.id)
        .where(Contact.owner == account)
        .order_by(Client.canonical)
    )
    return list(query.dicts().execute(database))


def _devices(database: Any, account: int) -> list[Found]:
    stock = Prekey.select(number_of(Prekey.id)).where(Prekey.device == Device.id)
    query = (
        Device.select(
            Device.device,
            Device.created,
            Device.last_seen,
            Device.cursor,
            length(Device.name).alias("name_size"),
            length(Device.bundle).alias("bundle_size"),
            stock.alias("one_time_keys"),
        )
        .where(Device.client == account)
        .order_by(Device.id)
    )
    return list(query.dicts().execute(database))


def _invitation(account: int) -> Any:
    return Invite.select(Invite.created, Invite.used, Invite.expires).where(
        Invite.client == account
    )


def _letters(database: Any, where: Any) -> Found:
    query = Message.select(*(what.alias(name) for name, what in _LETTERS.items()))
    found = _one(database, query if where is None else query.where(where)) or {}
    return _told(found)


def _by_user(database: Any, other: Any, mine: Any, account: int) -> list[Found]:
    columns = [what.alias(name) for name, what in _LETTERS.items()]
    query = (
        Message.select(Client.name, *columns)
        .join(Client, on=other == Client.id)
        .where(mine == account)
        .group_by(Client.id, Client.name, Client.canonical)
        .order_by(Client.canonical)
    )
    return [_told(row) for row in query.dicts().execute(database)]


def _told(row: Found) -> Found:
    return {**row, "characters": row["characters"] or 0}


def _count(database: Any, table: Any, where: Any = None) -> int:
    query = table.select()
    return int((query if where is None else query.where(where)).count(database))


def _one(database: Any, query: Any) -> Found | None:
    row: Found | None = query.dicts().first(database)
    return row
