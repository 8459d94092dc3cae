"""What was known under an account key, moved to the one that took over from it.

Devices stay what they are when the key above them is renewed: their sessions go on, and so do the
numbers that they count their messages with. Called within a transaction of the profile.
"""

from __future__ import annotations

from dataclasses import replace

from bpost.client.models import Chain, Device, End, Entry, Gap, KeyList, Want
from bpost.client.store import Store
from bpost.crypto.primitives import equal
from bpost.crypto.session import Sessions
from bpost.limits import Limits


def carry_over(store: Store, name: str, old: bytes, new: bytes) -> None:
    """Let what ``name`` had under the account key ``old`` go on under ``new``.

    What came under ``new`` before it was known to follow is put together with it.
    """
    for row in store.all(Device, Device.peer == name, Device.account_key == old):
        _move_device(store, row, new)
    store.remove(KeyList, KeyList.peer == name, KeyList.account_key == old)
    for chain in store.all(Chain, Chain.sender == name, Chain.account_key == old):
        _move_chain(store, chain, new)
    for end in store.all(End, End.sender == name, End.account_key == old):
        _move_end(store, end, new)
    moved = Gap.update(account_key=new)
    store.run(moved.where(Gap.sender == name, Gap.account_key == old))
    store.forget()


def _move_device(store: Store, row: Device, new: bytes) -> None:
    """Move one device with its sessions; a row that is there already keeps its own in front."""
    mine = (Device.peer == row.peer) & (Device.id == row.id)
    store.remove(Device, mine, Device.account_key == row.account_key)
    there = store.one(Device, mine, Device.account_key == new)
    before = None if row.sessions is None else Sessions.from_bytes(bytes(row.sessions)).under(new)
    if there is None:
        values = {"id": row.id, "identity": row.identity, "since": row.since}
        sessions = None if before is None else before.to_bytes()
        store.run(Device.insert(peer=row.peer, account_key=new, sessions=sessions, **values))
    elif before is not None and equal(bytes(there.identity), bytes(row.identity)):
        merged = before
        if there.sessions is not None:
            front = Sessions.from_bytes(bytes(there.sessions))
            most = Limits().sessions_per_device
            merged = replace(front, sessions=(front.sessions + before.sessions)[:most])
        change = Device.update(sessions=merged.to_bytes())
        store.run(change.where(mine, Device.account_key == new))


def _move_chain(store: Store, chain: Chain, new: bytes) -> None:
    """Move one chain; of two the one that is further goes on, and no gap is left before it."""
    whose = (chain.sender, chain.device, chain.conversation)
    there = store.one(Chain, *_is(Chain, whose), Chain.account_key == new)
    if there is not None:
        for gap in store.all(Gap, *_is(Gap, whose), Gap.account_key == new):
            if gap.first <= chain.number:  # it was counted from the start, not from where we were
                _forget_gap(store, gap)
        if there.number >= chain.number:
            store.remove(Chain, *_is(Chain, whose), Chain.account_key == chain.account_key)
            return
        store.remove(Chain, *_is(Chain, whose), Chain.account_key == new)
    moved = Chain.update(account_key=new)
    store.run(moved.where(*_is(Chain, whose), Chain.account_key == chain.account_key))


def _move_end(store: Store, end: End, new: bytes) -> None:
    """Move the end of a run; of two the one that is further stays."""
    here = (*_is(End, (end.sender, end.device, end.conversation)), End.epoch == end.epoch)
    store.remove(End, *here, End.account_key == end.account_key)
    there = store.one(End, *here, End.account_key == new)
    if there is None or there.number < end.number:
        row = {**end.__data__, "account_key": new}
        store.run(End.insert(row).on_conflict_replace())


def _forget_gap(store: Store, gap: Gap) -> None:
    """Take back a notice that messages are missing which came under the old key."""
    store.remove(Gap, Gap.id == gap.id)
    store.remove(Want, Want.entry == gap.notice, Want.number.is_null(False))
    text = "Nothing is missing here any more."
    store.run(Entry.update(text=text).where(Entry.row == gap.notice, Entry.kind == "notice"))


def _is(
    table: type[Chain] | type[End] | type[Gap], whose: tuple[str, str, str]
) -> tuple[object, ...]:
    sender, device, conversation = whose
    return (table.sender == sender, table.device == device, table.conversation == conversation)
