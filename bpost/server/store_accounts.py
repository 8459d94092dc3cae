"""The store's accounts: names, log-in hashes, public keys, vaults; and invitations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from bpost.server.models import (
    Client,
    Contact,
    Device,
    IntegrityError,
    Invite,
    Message,
    Prekey,
    Withheld,
    removal,
)
from bpost.server.records import NOBODY, Account, Closed, Publication, PublishedKey, Vault
from bpost.server.store_keylog import end_keys, log_key
from bpost.server.store_settings import announce
from bpost.server.table import Table, one, portions

_FIND = """
SELECT id, name, canonical, login, public_key, succession, disabled
FROM clients WHERE deleted IS NULL AND canonical = ?"""
_BY_ID = """
SELECT id, name, canonical, login, public_key, succession, disabled
FROM clients WHERE deleted IS NULL AND id = ?"""
_CLAIMED = """
SELECT id, name, canonical, login, public_key, succession, disabled
FROM clients WHERE deleted IS NULL AND canonical = ?
UNION ALL SELECT ?, '', '', '', '', '', NULL ORDER BY 1 DESC LIMIT 1"""

LEAP = 1 << 20
"""How many messages a mailbox may have got since a backup."""


class Accounts(Table):
    """Who there is. A deleted account is found nowhere, but its name stays taken."""

    def find(self, canonical: str) -> Account | None:
        """Return the account of that canonical name."""
        with self._reading() as database:
            return _account(one(database, _FIND, canonical))

    def claimed(self, canonical: str) -> Account:
        """Return the account of that canonical name, or nobody's, read with the same work."""
        with self._reading() as database:
            account = _account(one(database, _CLAIMED, canonical, NOBODY))
        assert account is not None  # noqa: S101 - there is always the row of nobody
        return account

    def by_id(self, account: int) -> Account | None:
        """Return the account of that id."""
        with self._reading() as database:
            return _account(one(database, _BY_ID, account))

    def add(
        self, name: str, canonical: str, login: str, now: int, invite: str | None = None
    ) -> Account | None:
        """Make an account and use up the invitation of that hash; None where the name is taken.

        Raises:
            LookupError: the invitation is unknown, used or expired; nothing was changed.
        """
        try:
            with self._transaction() as database:
                row = Client.insert(name=name, canonical=canonical, login=login, created=now)
                account = int(row.execute(database))
                if invite is not None and not _use_invite(database, invite, account, now):
                    raise LookupError(invite)
        except IntegrityError:
            return None
        return Account(account, name, canonical, login, "", "", disabled=False)

    def set_login(self, account: int, was: str, login: str, vault: str | None = None) -> bool:
        """Replace the log-in hash, and the vault with it; False where it is no longer ``was``."""
        values: dict[Any, Any] = {Client.login: login}
        if vault is not None:
            values |= {Client.vault: vault, Client.vault_version: Client.vault_version + 1}
        mine = (Client.id == account) & (Client.login == was)
        with self._transaction() as database:
            return bool(Client.update(values).where(mine).execute(database))

    def set_public_key(self, account: int, key: PublishedKey) -> Publication:
        """Publish the account's key."""
        with self._transaction() as database:
            return publish_key(database, account, key)

    def vault(self, account: int) -> Vault:
        """Return the sealed vault, an empty one of version 0 where none was put."""
        with self._reading() as database:
            query = Client.select(Client.vault_version, Client.vault).where(Client.id == account)
            version, text = query.tuples().first(database) or (0, "")
        return Vault(version, text)

    def put_vault(self, account: int, version: int, text: str) -> int | None:
        """Replace the vault of ``version`` and return the next one; None where it has another."""
        mine = (Client.id == account) & (Client.vault_version == version) & Client.deleted.is_null()
        change = Client.update(vault=text, vault_version=version + 1).where(mine)
        with self._transaction() as database:
            return version + 1 if change.execute(database) else None

    def disable(self, canonical: str, when: int | None) -> bool:
        """Close the account, or open it again with None; False where there is none."""
        mine = (Client.canonical == canonical) & Client.deleted.is_null()
        with self._transaction() as database:
            announce(database)
            return bool(Client.update(disabled=when).where(mine).execute(database))

    def closed(self, among: Collection[int]) -> dict[int, Closed]:
        """Return which of some accounts nobody may use any more, and why."""
        found: dict[int, Closed] = {}
        columns = (Client.id, Client.deleted)
        for some in portions(among):
            shut = Client.disabled.is_null(False) | Client.deleted.is_null(False)
            query = Client.select(*columns).where(Client.id.in_(some) & shut)
            with self._reading() as database:
                for account, deleted in query.tuples().execute(database):
                    found[account] = Closed.DISABLED if deleted is None else Closed.DELETED
        return found

    def quota(self, account: int) -> int | None:
        """Return how much the account's mailbox may hold, None where that is as for everyone."""
        query = Client.select(Client.quota).where(Client.id == account)
        with self._reading() as database:
            most = query.scalar(database)
        return None if most is None else int(most)

    def set_quota(self, account: int, most: int | None) -> None:
        """Let the account's mailbox hold so much, in characters; None: as everyone's."""
        with self._transaction() as database:
            Client.update(quota=most).where(Client.id == account).execute(database)

    def delete(self, account: int, now: int) -> dict[str, int]:
        """Remove all that the account has: devices, keys, contacts, mailbox, vault, its key.

        What it sent to others is theirs and stays; so does the row with the name. Returns how
        many of each there were.
        """
        gone = {
            Client.login: None,
            Client.public_key: "",
            Client.succession: "",
            Client.vault: "",
            Client.vault_version: 0,
            Client.disabled: None,
            Client.quota: None,
            Client.deleted: now,
        }
        with self._transaction() as database:
            keys = Prekey.select().join(Device).where(Device.client == account).count(database)
            devices = removal(Device).where(Device.client == account).execute(database)
            own = removal(Contact).where(Contact.owner == account).execute(database)
            removal(Contact).where(Contact.contact == account).execute(database)
            messages = removal(Message).where(Message.recipient == account).execute(database)
            mine = (Withheld.sender == account) | (Withheld.recipient == account)
            removal(Withheld).where(mine).execute(database)
            end_keys(database, account)
            Client.update(gone).where(Client.id == account).execute(database)
            announce(database)
        return {"contacts": own, "devices": devices, "keys": keys, "messages": messages}

    def all(self) -> list[dict[str, Any]]:
        """Return a line for each account, for the administrator."""
        columns = (
            Client.name,
            Client.created,
            Client.disabled,
            Client.deleted,
            Client.last_seq,
            Client.quota,
        )
        with self._reading() as database:
            return list(Client.select(*columns).order_by(Client.id).dicts().execute(database))

    def leap(self) -> None:
        """Let every mailbox go on with numbers that were never given, after a restore."""
        with self._transaction() as database:
            Client.update(last_seq=Client.last_seq + LEAP).execute(database)

    def add_invite(self, hashed: str, now: int, expires: int) -> None:
        """Keep the hash of an invitation."""
        with self._transaction() as database:
            removal(Invite).where(Invite.expires < now).execute(database)
            Invite.insert(hash=hashed, created=now, expires=expires).execute(database)

    def invite_is_good(self, hashed: str, now: int) -> bool:
        """Tell whether an invitation could be used now; :meth:`add` decides for good."""
        with self._reading() as database:
            return bool(Invite.select().where(_good(hashed, now)).exists(database))


def _account(row: tuple[Any, ...] | None) -> Account | None:
    if row is None:
        return None
    number, name, canonical, login, public_key, succession, disabled = row
    shut = disabled is not None
    return Account(number, name, canonical, login, public_key, succession, shut)


def _good(hashed: str, now: int) -> Any:
    return (Invite.hash == hashed) & Invite.used.is_null() & (Invite.expires > now)


def _use_invite(database: Any, hashed: str, account: int, now: int) -> bool:
    change = Invite.update(used=now, client=account).where(_good(hashed, now))
    return bool(change.execute(database))


def publish_key(database: Any, account: int, key: PublishedKey) -> Publication:
    """Publish an account key within a transaction, if it replaces the one that it says.

    It is in the log then. One-time keys that another account key signed go with that one: nobody
    would believe them.
    """
    mine = (Client.id == account) & Client.deleted.is_null()
    known = Client.select(Client.public_key).where(mine).scalar(database)
    if known and known != key.text and key.replacing not in (None, known):
        return Publication.OTHER_KEY
    if known is not None:
        log_key(database, account, key)
    if known == key.text:
        if key.succession:
            Client.update(succession=key.succession).where(mine).execute(database)
        return Publication.DONE
    change = Client.update(public_key=key.text, succession=key.succession)
    change.where(mine).execute(database)
    if known:
        devices = Device.select(Device.id).where(Device.client == account)
        removal(Prekey).where(cast(Any, Prekey.device).in_(devices)).execute(database)
    return Publication.DONE
