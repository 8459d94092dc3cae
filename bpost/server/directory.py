"""The rules about other users: codes 4, 7, 9, 12 and 15."""

from __future__ import annotations

from collections.abc import Callable

from bpost import b64
from bpost.errors import Refused
from bpost.limits import Limits
from bpost.protocol.canonical_json import spelled_size
from bpost.protocol.codes import Reason
from bpost.protocol.fields import canonical
from bpost.protocol.replies import (
    Bundles,
    ContactAdded,
    ContactBlocked,
    ContactRecord,
    ContactRecords,
    ContactRemoved,
    ContactUnblocked,
    DeviceKeys,
    EntriesFound,
    LinksFound,
    LogEntry,
    SignalDelivery,
)
from bpost.protocol.requests import (
    AddContact,
    BlockContact,
    GetBundles,
    GetEntries,
    GetLinks,
    ListContacts,
    RemoveContact,
    Signal,
    UnblockContact,
)
from bpost.server.bus import Signalled, StockLow
from bpost.server.rates import wait_text
from bpost.server.records import Account
from bpost.server.session import Session
from bpost.server.store_contacts import Added

_AROUND = 128
"""What names the device and its fields in the JSON of one device."""

PAGE = 1000
"""How many contacts one answer lists."""


def add_contact(session: Session, request: AddContact) -> ContactAdded:
    """Rule of code 4."""
    contact = _user(session, request.contact)
    _put(session, contact, session.office.store.contacts.add)
    if session.mine.plain:
        return ContactAdded(contact.public_key)
    return ContactAdded(contact.public_key, contact.name)


def get_bundles(session: Session, request: GetBundles) -> Bundles:
    """Rule of code 7: the keys of a contact's devices, or of the user's own other ones.

    A one-time key is taken of each device but those that the asker knows; only that is metered,
    for the asker and for the asker with this contact, so that nobody can drain a stock.
    """
    me, store = session.me, session.office.store
    contact = _user(session, request.contact)
    own = contact.id == me.id
    if not own and not store.contacts.has(me.id, contact.id):
        raise Refused(Reason.NOT_A_CONTACT, "This user is not in your contacts.")
    known = set(request.known or ())
    without = session.mine.device if own else None
    if set(store.devices.published(contact.id)) - known - {without}:
        _count_taking(session, contact)
    tag = store.keylog.tag(contact)
    handed = store.devices.take_keys(contact.id, tag, known, without)
    for device, stock in handed.left.items():
        if stock < session.office.limits.one_time_keys_low:
            session.office.bus.publish(StockLow(contact.id, device, stock))
    keys = tuple(DeviceKeys(key.device, key.bundle, key.one_time) for key in handed.keys)
    fitting = _fitting(keys, session.office.limits)
    key = handed.key
    return Bundles(contact.name, key.text, fitting, key.succession or None, handed.logged)


def get_links(session: Session, request: GetLinks) -> LinksFound:
    """Rule of code 15, links: everybody may read all of them; they name nobody."""
    office = session.office
    page = office.store.keylog.page(request.after, office.limits.log_links)
    head = b64.encode(page.head)
    return LinksFound(b64.encode(page.log), page.size, head, page.links or None)


def get_entries(session: Session, request: GetEntries) -> EntriesFound:
    """Rule of code 15, entries: for those who have the contact, or whose name it is."""
    me, office = session.me, session.office
    contact = _user(session, request.contact)
    if contact.id != me.id and not office.store.contacts.has(me.id, contact.id):
        raise Refused(Reason.NOT_A_CONTACT, "This user is not in your contacts.")
    most = office.limits.log_entries
    rows = office.store.keylog.entries(contact.id, request.after, most)
    found = tuple(LogEntry(position, *content) for position, *content in rows)
    return EntriesFound(contact.name, found)


def list_contacts(session: Session, request: ListContacts) -> ContactRecords:
    """Rule of code 9, list: a page of it."""
    after = canonical(request.after or "")
    rows = session.office.store.contacts.page(session.me.id, after, PAGE + 1)
    records = tuple(ContactRecord(row.name, row.blocked) for row in rows[:PAGE])
    return ContactRecords(records, records[-1].name if len(rows) > PAGE else None)


def remove_contact(session: Session, request: RemoveContact) -> ContactRemoved:
    """Rule of code 9, remove."""
    contact = _user(session, request.contact)
    session.office.store.contacts.remove(session.me.id, contact.id)
    return ContactRemoved(contact.name)


def block_contact(session: Session, request: BlockContact) -> ContactBlocked:
    """Rule of code 9, block: who is blocked is on the list, also where nobody added the name."""
    contact = _user(session, request.contact)
    _put(session, contact, session.office.store.contacts.block)
    return ContactBlocked(contact.name)


def unblock_contact(session: Session, request: UnblockContact) -> ContactUnblocked:
    """Rule of code 9, unblock."""
    contact = _user(session, request.contact)
    session.office.store.contacts.unblock(session.me.id, contact.id)
    return ContactUnblocked(contact.name)


def signal(session: Session, request: Signal) -> None:
    """Rule of code 12: for those who have each other as contacts, and for the own devices."""
    me, store = session.me, session.office.store
    if len(request.body) > session.office.limits.signal:
        return
    contact = store.accounts.find(canonical(request.to))
    if contact is None:
        return
    if contact.id == me.id or store.contacts.is_heard(me.id, contact.id):
        text = SignalDelivery(request.body, me.name).text()
        session.office.bus.publish(Signalled(contact.id, text, spare=session.wire.id))


def _user(session: Session, name: str) -> Account:
    account = session.office.store.accounts.find(canonical(name))
    if account is None:
        raise Refused(Reason.NO_SUCH_USER, f"There is no user {name} on this server.")
    return account


def _put(session: Session, contact: Account, how: Callable[[int, int, int], Added]) -> None:
    """Put a contact on the list by the store's ``add`` or ``block``."""
    me, most = session.me, session.office.limits.contacts
    if contact.id == me.id:
        raise Refused(Reason.CONFLICT, "This is you; you can write to yourself as it is.")
    if how(me.id, contact.id, most) is Added.FULL:
        raise Refused(Reason.QUOTA, f"You have {most} contacts, as many as may be.")


def _fitting(keys: tuple[DeviceKeys, ...], limits: Limits) -> tuple[DeviceKeys, ...]:
    """Return as many devices, oldest first, as one frame holds beside the account's own key."""
    room = limits.frame - 2 * limits.public_key - limits.succession
    for at, key in enumerate(keys):
        room -= spelled_size(key.bundle) + spelled_size(key.one_time or "") + _AROUND
        if room < 0:
            return keys[:at]
    return keys


def _count_taking(session: Session, contact: Account) -> None:
    me, rates = session.me, session.office.rates
    for meter, key in ((rates.bundles, me.id), (rates.bundles_pair, (me.id, contact.id))):
        wait = meter.take(key)
        if wait:
            session.office.log.warning("bundles limited", connection=session.wire.id, user=me.name)
            raise Refused(Reason.RATE_LIMITED, f"Too many key bundles. {wait_text(wait)}")
