"""The store's contact lists: who may be written to, and who is not heard."""

from __future__ import annotations

from enum import Enum
from typing import Any

from bpost.server.models import Client, Contact, removal
from bpost.server.records import ContactRow
from bpost.server.table import Table


class Added(Enum):
    """What came of adding a contact."""

    DONE = "done"
    ALREADY = "already"
    FULL = "full"


class Contacts(Table):
    """A row (owner, contact) says that owner's list holds contact, perhaps blocked."""

    def add(self, owner: int, contact: int, most: int) -> Added:
        """Put ``contact`` on the list if it is not there and the list has room."""
        with self._transaction() as database:
            return _add(database, owner, contact, most)

    def remove(self, owner: int, contact: int) -> None:
        """Take ``contact`` from the list, and the blocking with it."""
        with self._transaction() as database:
            removal(Contact).where(_pair(owner, contact)).execute(database)

    def block(self, owner: int, contact: int, most: int) -> Added:
        """Hear no more from ``contact``, who is put on the list for it."""
        with self._transaction() as database:
            added = _add(database, owner, contact, most)
            Contact.update(blocked=True).where(_pair(owner, contact)).execute(database)
            return added

    def unblock(self, owner: int, contact: int) -> None:
        """Hear again from ``contact``."""
        with self._transaction() as database:
            Contact.update(blocked=False).where(_pair(owner, contact)).execute(database)

    def page(self, owner: int, after: str, most: int) -> tuple[ContactRow, ...]:
        """Return at most ``most`` contacts that come after ``after``, by canonical name."""
        query = (
            Contact.select(Client.name, Contact.blocked)
            .join(Client, on=Contact.contact == Client.id)
            .where((Contact.owner == owner) & (Client.canonical > after))
            .order_by(Client.canonical)
            .limit(most)
        )
        with self._reading() as database:
            rows = list(query.tuples().execute(database))
        return tuple(ContactRow(name, bool(blocked)) for name, blocked in rows)

    def is_heard(self, speaker: int, listener: int) -> bool:
        """Tell whether each has the other as a contact, and neither has blocked the other."""
        there = (Contact.owner == speaker) & (Contact.contact == listener)
        back = (Contact.owner == listener) & (Contact.contact == speaker)
        query = Contact.select().where((there | back) & ~Contact.blocked)
        with self._reading() as database:
            return int(query.count(database)) == 2

    def has(self, owner: int, contact: int) -> bool:
        """Tell whether ``contact`` is on the list."""
        with self._reading() as database:
            return bool(Contact.select().where(_pair(owner, contact)).exists(database))


def _pair(owner: int, contact: int) -> Any:
    return (Contact.owner == owner) & (Contact.contact == contact)


def _add(database: Any, owner: int, contact: int, most: int) -> Added:
    if Contact.select().where(_pair(owner, contact)).exists(database):
        return Added.ALREADY
    alive = Client.select().where((Client.id == owner) & Client.deleted.is_null())
    if not alive.exists(database):
        return Added.FULL  # deleted a moment ago: nothing of it is stored any more
    if Contact.select().where(Contact.owner == owner).count(database) >= most:
        return Added.FULL
    Contact.insert(owner=owner, contact=contact).execute(database)
    return Added.DONE
