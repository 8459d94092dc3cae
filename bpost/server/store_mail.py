"""The store's mailboxes: what was posted, in the order in which it is to be delivered.

This is the hot path, so the statements are written out: one message costs two or three short
ones, in a transaction shared with all that was posted at the same time. ``?`` becomes what the
database at hand wants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bpost.server import bulk
from bpost.server.models import Message, Withheld, removal
from bpost.server.records import FULL, Letter, Mail, Receipt
from bpost.server.table import Access, Table, one, run

COUNT_MS = 10_000
"""How often a mailbox that seems full is counted."""

CLEAR_STEP = 500
EXPIRE_STEP = 500
"""About how many rows one transaction cleans, so that no sender has to wait for it."""

_RELATION = """
SELECT v.column1, v.column2, c.id, c.last_seq, c.quota,
    EXISTS (SELECT 1 FROM contacts WHERE owner_id = v.column1 AND contact_id = c.id),
    EXISTS (SELECT 1 FROM contacts WHERE owner_id = c.id AND contact_id = v.column1 AND blocked)
FROM (VALUES {rows}) AS v JOIN clients c ON c.canonical = v.column2 WHERE c.deleted IS NULL"""
_STORED = """
SELECT m.sender_id, m.sender_device, m.ref, m.recipient_id, m.seq, m.timestamp
FROM (VALUES {rows}) AS v JOIN messages m ON m.sender_id = v.column1
    AND m.sender_device = v.column2 AND m.ref = v.column3 AND m.recipient_id = v.column4"""
_TOLD = """
SELECT m.sender_id, m.sender_device, m.ref, m.recipient_id, m.seq, m.timestamp
FROM (VALUES {rows}) AS v JOIN withheld m ON m.sender_id = v.column1
    AND m.sender_device = v.column2 AND m.ref = v.column3 AND m.recipient_id = v.column4"""
_LAST_REF = """
SELECT ref FROM messages WHERE sender_id = ? AND sender_device = ? AND ref IS NOT NULL
ORDER BY rowid DESC LIMIT 1"""  # in the order of storing: clocks go back, and stand still
_LAST_TOLD = "SELECT MAX(seq) FROM withheld WHERE sender_id = ? AND recipient_id = ?"
_TELL = """
INSERT INTO withheld (sender_id, sender_device, ref, recipient_id, seq, timestamp)
VALUES (?, ?, ?, ?, ?, ?)"""
_STORE = """
INSERT INTO messages (sender_id, sender_device, ref, recipient_id, seq, timestamp, body)
VALUES {rows}"""
_ADVANCE = """
UPDATE clients SET last_seq = v.column2 FROM (VALUES {rows}) AS v WHERE clients.id = v.column1"""
_WAITING = """
SELECT m.seq, s.name, m.body, m.timestamp
FROM messages m JOIN clients s ON s.id = m.sender_id
WHERE m.recipient_id = ? AND m.seq > ? AND m.body IS NOT NULL ORDER BY m.seq LIMIT ?"""
_SIZE = """
SELECT SUM(LENGTH(body)) FROM messages
WHERE recipient_id = ? AND seq > (SELECT cleared FROM clients WHERE id = ?)"""
_DEVICES = """
SELECT client_id, device FROM devices WHERE bundle <> '' AND client_id IN (VALUES {rows})
ORDER BY client_id, device"""
_HELD = """
SELECT c.id, c.cleared, MIN(d.cursor) FROM (VALUES {rows}) AS v
JOIN clients c ON c.id = v.column1 JOIN devices d ON d.client_id = c.id
GROUP BY c.id, c.cleared HAVING MIN(d.cursor) > c.cleared"""
_CLEAR = """
UPDATE messages SET body = NULL FROM (VALUES {rows}) AS v
WHERE messages.recipient_id = v.column1 AND messages.seq > v.column2
    AND messages.seq <= v.column3"""
_CLEARED = """
UPDATE clients SET cleared = v.column3 FROM (VALUES {rows}) AS v
WHERE clients.id = v.column1 AND clients.cleared = v.column2"""


@dataclass
class _Relation:
    """What stands between a sender and a recipient, in one batch."""

    recipient: int
    listed: bool
    blocked: bool
    most: int


class MailTable(Table):
    """Mailboxes: numbered from 1, without gaps, each number given in the storing transaction."""

    most = 1 << 62
    """How much text a mailbox may hold, in characters, where its account has no quota."""

    def __init__(self, transaction: Access, reading: Access) -> None:
        super().__init__(transaction, reading)
        # How much mailboxes hold at most, and when that was counted; used in transactions alone.
        self._sizes: dict[int, tuple[int, int]] = {}

    def store(self, letters: Sequence[Letter], now: int) -> list[Receipt | None]:
        """Store letters in one transaction; return a receipt each, or None for no contact.

        A letter that is there already gets the receipt that it got then.
        """
        with self._transaction() as database:
            batch = _Batch(database, now, self.most, self._sizes)
            batch.look_up(letters)
            receipts = [batch.take(letter) for letter in letters]
            batch.finish()
        return receipts

    def waiting(self, account: int, after: int, most: int, size: int = 1 << 62) -> list[Mail]:
        """Return what lies beyond ``after``, in order: at most ``most``, until ``size`` is passed.

        Where anything waits, something is returned.
        """
        mails: list[Mail] = []
        with self._reading() as database:
            with closing(run(database, _WAITING, account, after, most)) as rows:
                for seq, sender, body, when in rows:
                    mails.append(Mail(account, seq, sender, body, when))
                    size -= len(body)
                    if size <= 0:
                        break
        return mails

    def last_ref(self, sender: int, device: str) -> str | None:
        """Return the ``ref`` of the newest message of a device that is known here."""
        with self._reading() as database:
            row = one(database, _LAST_REF, sender, device)
        return None if row is None else str(row[0])

    def clear_held(self, accounts: Sequence[int]) -> None:
        """Remove the text of what every device of its recipient holds, in those mailboxes."""
        with self._reading() as database:
            held = bulk.run(database, _HELD, [(account,) for account in sorted(accounts)])
        for rows in _steps(held):
            with self._transaction() as database:
                bulk.run(database, _CLEAR, rows)
                bulk.run(database, _CLEARED, rows)

    def expire(self, before: int) -> int:
        """Remove what was stored before that time; return how many. Call it again until 0."""
        columns = (Message.recipient, Message.seq)
        old = Message.select(*columns).where(Message.timestamp < before).limit(EXPIRE_STEP)
        told = Withheld.select(Withheld.id).where(Withheld.timestamp < before).limit(EXPIRE_STEP)
        with self._transaction() as database:
            rows = list(old.tuples().execute(database))
            for recipient, seq in rows:
                mine = (Message.recipient == recipient) & (Message.seq == seq)
                removal(Message).where(mine).execute(database)
            gone = int(removal(Withheld).where(Withheld.id.in_(told)).execute(database))
        return len(rows) + gone


def _steps(held: Sequence[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Part (account, cleared, held) so that each part clears about ``CLEAR_STEP`` rows."""
    part: list[tuple[int, int, int]] = []
    size = 0
    for account, cleared, upto in held:
        part.append((account, cleared, upto))
        size += upto - cleared
        if size >= CLEAR_STEP:
            yield part
            part, size = [], 0
    if part:
        yield part


_Key = tuple[int, str, str | None, int]
"""What makes a letter the same as one before: sender, device, ref, recipient."""


class _Batch:
    """Letters on their way into the mailboxes, in one transaction: look up, take each, finish."""

    def __init__(
        self, database: Any, now: int, most: int, sizes: dict[int, tuple[int, int]]
    ) -> None:
        self._database = database
        self._most = most
        self._sizes = sizes
        self._now = now
        self._relations: dict[tuple[int, str], _Relation] = {}
        self._known: dict[_Key, Receipt] = {}
        self._devices: dict[int, list[str]] = {}
        self._last: dict[int, int] = {}
        self._rows: list[tuple[Any, ...]] = []

    def look_up(self, letters: Sequence[Letter]) -> None:
        """Find out about all letters at once what there is to know about them."""
        self._relate({(letter.sender, letter.to) for letter in letters})
        sent: list[_Key] = []
        blocked: list[_Key] = []
        accounts: set[int] = set()
        for letter in letters:
            relation = self._relations.get((letter.sender, letter.to))
            if relation is not None and relation.listed and letter.ref is not None:
                sent.append(_key(letter, relation))
                accounts |= {letter.sender, relation.recipient}
                if relation.blocked:
                    blocked.append(sent[-1])
        for sql, keys in ((_TOLD, blocked), (_STORED, sent)):
            for *key, seq, timestamp in bulk.run(self._database, sql, keys):
                self._known[key[0], key[1], key[2], key[3]] = Receipt(seq, timestamp)
        for account, device in bulk.run(self._database, _DEVICES, [(each,) for each in accounts]):
            self._devices.setdefault(account, []).append(device)

    def _relate(self, pairs: set[tuple[int, str]]) -> None:
        found = bulk.run(self._database, _RELATION, sorted(pairs))
        for sender, to, recipient, last, quota, listed, blocked in found:
            most = self._most if quota is None else quota
            mine = recipient == sender
            relation = _Relation(recipient, bool(listed) or mine, bool(blocked), most)
            self._relations[sender, to] = relation
            self._last[recipient] = last

    def take(self, letter: Letter) -> Receipt | None:
        """Store one letter, or find what became of it before."""
        relation = self._relations.get((letter.sender, letter.to))
        if relation is None or not relation.listed:
            return None
        key = _key(letter, relation)
        receipt = None if letter.ref is None else self._known.get(key)
        if receipt is None:
            if not self._has_room(letter, relation):
                return FULL
            receipt = self._withhold(key) if relation.blocked else self._store(letter, key)
            self._known[key] = Receipt(receipt.seq, receipt.timestamp)
        return receipt if letter.ref is None else self._with_devices(letter, relation, receipt)

    def finish(self) -> None:
        """Write the letters and how far the mailboxes are, rows in order."""
        bulk.run(self._database, _STORE, self._rows)
        last = {row[3]: row[4] for row in self._rows}
        bulk.run(self._database, _ADVANCE, sorted(last.items()))

    def _has_room(self, letter: Letter, relation: _Relation) -> bool:
        """Tell whether the mailbox takes the letter, and count it.

        What has been read only makes the mailbox smaller, so the sum is an upper bound; it is
        counted anew when that is too high, and not too often.
        """
        recipient, most = relation.recipient, relation.most
        size, counted = self._sizes.get(recipient, (most, 0))
        if size + len(letter.body) > most and abs(self._now - counted) >= COUNT_MS:
            row = one(self._database, _SIZE, recipient, recipient)
            size, counted = int(row[0] or 0), self._now
        fits = size + len(letter.body) <= most
        self._sizes[recipient] = (size + len(letter.body) * fits, counted)
        return fits

    def _store(self, letter: Letter, key: _Key) -> Receipt:
        recipient = key[-1]
        seq = self._last[recipient] + 1
        self._rows.append((*key, seq, self._now, letter.body))
        self._last[recipient] = seq
        mail = Mail(recipient, seq, letter.sender_name, letter.body, self._now)
        return Receipt(seq, self._now, mail)

    def _withhold(self, key: _Key) -> Receipt:
        """Store nothing but what the blocked sender is told: a number that could be true."""
        row = one(self._database, _LAST_TOLD, key[0], key[-1])
        seq = max(self._last[key[-1]], row[0] or 0 if row else 0) + 1
        run(self._database, _TELL, *key, seq, self._now)
        return Receipt(seq, self._now)

    def _with_devices(self, letter: Letter, relation: _Relation, receipt: Receipt) -> Receipt:
        """Add which devices there are on both sides, as of this transaction."""
        others = self._devices.get(letter.sender, ())
        own = tuple([one for one in others if one != letter.device])
        there = own
        if relation.recipient != letter.sender:
            there = tuple(self._devices.get(relation.recipient, ()))
        return Receipt(receipt.seq, receipt.timestamp, receipt.mail, there, own)


def _key(letter: Letter, relation: _Relation) -> _Key:
    return letter.sender, letter.device, letter.ref, relation.recipient
