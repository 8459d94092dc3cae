"""The store's devices: their cursors, their key bundles, and their one-time keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bpost.server import bulk
from bpost.server.models import RANDOM, Client, Departed, Device, Prekey, removal
from bpost.server.records import PLAIN, Handed, Kept, Keys, Mailbox, Publication, PublishedKey
from bpost.server.store_accounts import publish_key
from bpost.server.store_keylog import hand_out_key
from bpost.server.store_settings import announce
from bpost.server.table import Table, one, portions

_CURSOR = "SELECT cursor FROM devices WHERE client_id = ? AND device = ?"
_MOVE = """
UPDATE devices SET cursor = v.column3, last_seen = v.column4 FROM (VALUES {rows}) AS v
WHERE devices.client_id = v.column1 AND devices.device = v.column2
    AND devices.cursor <= v.column3"""


UNFINISHED_MS = 3_600_000
"""Who has not published keys so long after the last log-in was cut off while joining."""


class Devices(Table):
    """The devices of all accounts. A client that names none is the device ``plain``."""

    def mailbox(self, account: int, device: str) -> Mailbox | None:
        """Return where ``device`` is in its mailbox; ``plain`` begins at the beginning."""
        with self._reading() as database:
            row = one(database, _CURSOR, account, device)
        if row is None:
            return Mailbox(account, PLAIN, 0) if device == PLAIN else None
        return Mailbox(account, device, row[0])

    def add(self, account: int, device: str, now: int, most: int) -> Mailbox | None:
        """Add a device whose mail begins now; None where the account has ``most`` of them.

        Those that never came as far as publishing their keys make room for it.
        """
        with self._transaction() as database:
            others = (Device.client == account) & (Device.device != PLAIN)
            if Device.select().where(others).count(database) >= most:
                unfinished = (Device.bundle == "") & (Device.last_seen < now - UNFINISHED_MS)
                if not removal(Device).where(others & unfinished).execute(database):
                    return None
            alive = (Client.id == account) & Client.deleted.is_null()
            last = Client.select(Client.last_seq).where(alive).scalar(database)
            if last is None:
                return None
            row = {"client": account, "device": device, "cursor": last}
            made = Device.insert(**row, created=now, last_seen=now)
            made.on_conflict_ignore().execute(database)  # two connections may bring one back
        return Mailbox(account, device, last)

    def move_cursors(self, cursors: Mapping[tuple[int, str], int], now: int) -> None:
        """Store how far devices are, by (account, device); a cursor never goes back."""
        with self._transaction() as database:
            for account in [account for account, device in cursors if device == PLAIN]:
                _make_plain(database, account, now)
            rows = [(*key, cursor, now) for key, cursor in sorted(cursors.items())]
            bulk.run(database, _MOVE, rows)

    def all(self, account: int) -> tuple[Kept, ...]:
        """Return the account's devices, oldest first, without ``plain``."""
        query = (
            Device.select(Device.device, Device.name, Device.created, Device.last_seen)
            .where((Device.client == account) & (Device.device != PLAIN))
            .order_by(Device.id)
        )
        with self._reading() as database:
            return tuple(Kept(*row) for row in query.tuples().execute(database))

    def name(self, account: int, device: str, name: str) -> bool:
        """Store a device's sealed name; False where there is no such device."""
        with self._transaction() as database:
            return bool(Device.update(name=name).where(_mine(account, device)).execute(database))

    def remove(self, account: int, device: str) -> bool:
        """Remove a device with its keys, for good; False where there is no such device."""
        with self._transaction() as database:
            announce(database)
            if not removal(Device).where(_mine(account, device)).execute(database):
                return False
            if device != PLAIN:
                Departed.insert(client=account, device=device).execute(database)
            return True

    def is_unknown(self, device: str) -> bool:
        """Tell whether no account has a device of this id, nor ever removed one here."""
        gone = Departed.select().where(Departed.device == device)
        there = Device.select().where(Device.device == device)
        with self._reading() as database:
            return not (gone.exists(database) or there.exists(database))

    def there(self, among: Collection[int]) -> set[tuple[int, str]]:
        """Return the devices that some accounts have, as (account, device)."""
        found: set[tuple[int, str]] = set()
        for some in portions(among):
            query = Device.select(Device.client, Device.device).where(Device.client.in_(some))
            with self._reading() as database:
                found.update(query.tuples().execute(database))
        return found

    def drop_plain(self, before: int) -> list[int]:
        """Forget devices ``plain`` that were not seen since, of users who have real ones.

        Such a row would hold back the removal of what all real devices have, and its client could
        not read that anyway: it is sealed for the others. Returns the accounts.
        """
        real = Device.alias()
        others = real.select(real.client).where(real.bundle != "")
        idle = (Device.device == PLAIN) & (Device.last_seen < before) & Device.client.in_(others)
        with self._transaction() as database:
            query = Device.select(Device.client).where(idle)
            accounts = [int(row[0]) for row in query.tuples().execute(database)]
            removal(Device).where(idle).execute(database)
        return accounts

    def drop_keys(self) -> int:
        """Remove the one-time keys of all devices; return how many. Clients make new ones."""
        with self._transaction() as database:
            return int(removal(Prekey).execute(database))

    def publish(self, account: int, key: PublishedKey, device: str, bundle: str) -> Publication:
        """Publish the account's key with a device's bundle, both or neither."""
        with self._transaction() as database:
            if _number(database, account, device) is None:
                return Publication.NO_DEVICE
            outcome = publish_key(database, account, key)
            if outcome is Publication.DONE:
                Device.update(bundle=bundle).where(_mine(account, device)).execute(database)
            return outcome

    def add_keys(self, account: int, device: str, keys: Sequence[str], most: int) -> int | None:
        """Add one-time keys, as many as there is room for; return how many are there then."""
        with self._transaction() as database:
            number = _number(database, account, device)
            if number is None:
                return None
            room = max(0, most - _stock(database, number))
            rows = [{"device": number, "key": key} for key in keys[:room]]
            if rows:
                Prekey.insert_many(rows).on_conflict_ignore().execute(database)
            return _stock(database, number)

    def count_keys(self, account: int, device: str) -> int | None:
        """Return how many one-time keys of a device are left; None for no such device."""
        with self._reading() as database:
            number = _number(database, account, device)
            return None if number is None else _stock(database, number)

    def published(self, account: int) -> list[str]:
        """Return the devices of an account that have published a bundle."""
        query = Device.select(Device.device)
        mine = query.where((Device.client == account) & (Device.bundle != ""))
        with self._reading() as database:
            return [row[0] for row in mine.tuples().execute(database)]

    def take_keys(
        self, account: int, tag: bytes, known: Collection[str] = (), without: str | None = None
    ) -> Handed:
        """Return each device's bundle, with a one-time key of each device that is not ``known``.

        The keys are gone then: no two callers get the same. Devices that published nothing are
        left out, as is ``without``. The account's key is in the log, under ``tag``, afterwards.
        """
        query = (
            Device.select(Device.id, Device.device, Device.bundle)
            .where((Device.client == account) & (Device.bundle != ""))
            .order_by(Device.id)
        )
        taken: list[Keys] = []
        left: dict[str, int] = {}
        with self._transaction() as database:
            for number, device, bundle in list(query.tuples().execute(database)):
                if device == without:
                    continue
                one_time = None
                if device not in known:
                    one_time = _take(database, number)
                    left[device] = _stock(database, number)
                taken.append(Keys(device, bundle, one_time))
            key, logged = hand_out_key(database, account, tag)
        return Handed(key, tuple(taken), left, logged)


def _mine(account: int, device: str) -> Any:
    return (Device.client == account) & (Device.device == device)


def _number(database: Any, account: int, device: str) -> int | None:
    number = Device.select(Device.id).where(_mine(account, device)).scalar(database)
    return None if number is None else int(number)


def _stock(database: Any, number: int) -> int:
    return int(Prekey.select().where(Prekey.device == number).count(database))


def _take(database: Any, number: int) -> str | None:
    """Take a one-time key out of the stock, in no order that others could count by."""
    query = Prekey.select(Prekey.id, Prekey.key).where(Prekey.device == number).order_by(RANDOM)
    row = query.limit(1).tuples().first(database)
    if row is None:
        return None
    removal(Prekey).where(Prekey.id == row[0]).execute(database)
    return str(row[1])


def _make_plain(database: Any, account: int, now: int) -> None:
    alive = Client.select().where((Client.id == account) & Client.deleted.is_null())
    if alive.exists(database):
        row = {"client": account, "device": PLAIN, "created": now, "last_seen": now}
        Device.insert(**row).on_conflict_ignore().execute(database)
