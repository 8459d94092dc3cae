"""The store's mailboxes: what was posted, in the order in which it is to be delivered.

This is the hot path, so the statements are written out: one message costs two or three short
ones, in a transaction shared with all that was posted at the same time. ``?`` becomes what the
database at hand wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

from bpost.server.models import Message, Withheld, removal
from bpost.server.records import FULL, Letter, Mail, Receipt
from bpost.server.table import Access, Table

COUNT_MS = 10_000
"""How often a mailbox that seems full is counted."""

CLEAR_STEP = 20
EXPIRE_STEP = 500
"""How many mailboxes, or rows, one transaction cleans, so that no sender has to wait for it."""

_RELATION = """
SELECT c.id, c.last_seq, c.quota,
    EXISTS (SELECT 1 FROM contacts WHERE owner_id = ? AND contact_id = c.id),
    EXISTS (SELECT 1 FROM contacts WHERE owner_id = c.id AND contact_id = ? AND blocked = ?)
FROM clients c WHERE c.canonical = ? AND c.deleted IS NULL"""
_STORED = """
SELECT seq, timestamp FROM messages
WHERE sender_id = ? AND sender_device = ? AND ref = ? AND recipient_id = ?"""
_TOLD = """
SELECT seq, timestamp FROM withheld
WHERE sender_id = ? AND sender_device = ? AND ref = ? AND recipient_id = ?"""
_LAST_REF = """
SELECT ref FROM messages WHERE sender_id = ? AND sender_device = ? AND ref IS NOT NULL
ORDER BY timestamp DESC, seq DESC LIMIT 1"""
_LAST_TOLD = "SELECT MAX(seq) FROM withheld WHERE sender_id = ? AND recipient_id = ?"
_TELL = """
INSERT INTO withheld (sender_id, sender_device, ref, recipient_id, seq, timestamp)
VALUES (?, ?, ?, ?, ?, ?)"""
_STORE = """
INSERT INTO messages (sender_id, sender_device, ref, recipient_id, seq, timestamp, body)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sender_id, sender_device, ref, recipient_id) DO NOTHING"""
_ADVANCE = "UPDATE clients SET last_seq = ? WHERE id = ?"
_WAITING = """
SELECT m.seq, s.name, m.body, m.timestamp
FROM messages m JOIN clients s ON s.id = m.sender_id
WHERE m.recipient_id = ? AND m.seq > ? AND m.body IS NOT NULL ORDER BY m.seq LIMIT ?"""
_SIZE = """
SELECT SUM(LENGTH(body)) FROM messages
WHERE recipient_id = ? AND seq > (SELECT cleared FROM clients WHERE id = ?)"""
_DEVICES = "SELECT device FROM devices WHERE client_id = ? AND bundle <> '' ORDER BY device"
_HELD = """
SELECT c.id, MIN(d.cursor) FROM clients c JOIN devices d ON d.client_id = c.id
WHERE c.id = ? GROUP BY c.id, c.cleared HAVING MIN(d.cursor) > c.cleared"""
_CLEAR = """
UPDATE messages SET body = NULL
WHERE recipient_id = ? AND seq > (SELECT cleared FROM clients WHERE id = ?) AND seq <= ?"""
_CLEARED = "UPDATE clients SET cleared = ? WHERE id = ?"


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
            receipts = [batch.take(letter) for letter in letters]
            batch.finish()
        return receipts

    def waiting(self, account: int, after: int, most: int, size: int = 1 << 62) -> list[Mail]:
        """Return what lies beyond ``after``, in order: at most ``most``, until ``size`` is passed.

        Where anything waits, something is returned.
        """
        mails: list[Mail] = []
        with self._reading() as database:
            with closing(_run(database, _WAITING, account, after, most)) as rows:
                for seq, sender, body, when in rows:
                    mails.append(Mail(account, seq, sender, body, when))
                    size -= len(body)
                    if size <= 0:
                        break
        return mails

    def last_ref(self, sender: int, device: str) -> str | None:
        """Return the ``ref`` of the newest message of a device that is known here."""
        with self._reading() as database:
            row = _one(database, _LAST_REF, sender, device)
        return None if row is None else str(row[0])

    def clear_held(self, accounts: Sequence[int]) -> None:
        """Remove the text of what every device of its recipient holds, in those mailboxes."""
        for start in range(0, len(accounts), CLEAR_STEP):
            with self._transaction() as database:
                for account in accounts[start : start + CLEAR_STEP]:
                    row = _one(database, _HELD, account)
                    if row is not None:
                        _run(database, _CLEAR, account, account, row[1])
                        _run(database, _CLEARED, row[1], account)

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


class _Batch:
    """Letters on their way into the mailboxes, in one transaction."""

    def __init__(
        self, database: Any, now: int, most: int, sizes: dict[int, tuple[int, int]]
    ) -> None:
        self._cursor = database.cursor()
        self._sign = str(database.param)
        self._most = most
        self._sizes = sizes
        self._now = now
        self._relations: dict[tuple[int, str], _Relation | None] = {}
        self._last: dict[int, int] = {}
        self._changed: set[int] = set()
        self._devices: dict[int, tuple[str, ...]] = {}

    def take(self, letter: Letter) -> Receipt | None:
        """Store one letter, or find what became of it before."""
        relation = self._relation(letter)
        if relation is None or not relation.listed:
            return None
        receipt = self._store(letter, relation)
        if receipt is FULL:
            return FULL
        return receipt if letter.ref is None else self._with_devices(letter, relation, receipt)

    def finish(self) -> None:
        """Write how far the mailboxes are, rows in order."""
        rows = [(self._last[account], account) for account in sorted(self._changed)]
        self._cursor.executemany(_spelled(_ADVANCE, self._sign), rows)

    def _has_room(self, letter: Letter, relation: _Relation) -> bool:
        """Tell whether the mailbox takes the letter, and count it.

        What has been read only makes the mailbox smaller, so the sum is an upper bound; it is
        counted anew when that is too high, and not too often.
        """
        recipient, most = relation.recipient, relation.most
        size, counted = self._sizes.get(recipient, (most, 0))
        if size + len(letter.body) > most and abs(self._now - counted) >= COUNT_MS:
            row = self._one(_SIZE, recipient, recipient)
            size, counted = int(row[0] or 0), self._now
        fits = size + len(letter.body) <= most
        self._sizes[recipient] = (size + len(letter.body) * fits, counted)
        return fits

    def _relation(self, letter: Letter) -> _Relation | None:
        pair = (letter.sender, letter.to)
        if pair not in self._relations:
            values = (letter.sender, letter.sender, True, letter.to)
            row = self._one(_RELATION, *values)
            self._relations[pair] = None if row is None else self._related(letter.sender, *row)
        return self._relations[pair]

    def _related(
        self, sender: int, recipient: int, last: int, quota: int | None, listed: int, blocked: int
    ) -> _Relation:
        self._last.setdefault(recipient, last)
        most = self._most if quota is None else quota
        return _Relation(recipient, bool(listed) or recipient == sender, bool(blocked), most)

    def _known(self, letter: Letter, relation: _Relation) -> Receipt | None:
        """Return what was told before, to a letter that comes again."""
        if letter.ref is None:
            return None
        key = (letter.sender, letter.device, letter.ref, relation.recipient)
        found = self._one(_STORED, *key)
        if found is None and relation.blocked:
            found = self._one(_TOLD, *key)
        return None if found is None else Receipt(found[0], found[1])

    def _store(self, letter: Letter, relation: _Relation) -> Receipt:
        """Store a letter. That it is there already is rare, and the database says so by itself."""
        fits, recipient = self._has_room(letter, relation), relation.recipient
        if relation.blocked or not fits:
            known = self._known(letter, relation)
            return known or (self._withhold(letter, recipient) if fits else FULL)
        seq = self._last[recipient] + 1
        if not self._insert(_STORE, letter, recipient, seq, letter.body):
            known = self._known(letter, relation)
            assert known is not None  # noqa: S101 - the conflict was about its ref
            return known
        self._last[recipient] = seq
        self._changed.add(recipient)
        mail = Mail(recipient, seq, letter.sender_name, letter.body, self._now)
        return Receipt(seq, self._now, mail)

    def _withhold(self, letter: Letter, recipient: int) -> Receipt:
        """Store nothing but what the blocked sender is told: a number that could be true."""
        row = self._one(_LAST_TOLD, letter.sender, recipient)
        seq = max(self._last[recipient], row[0] or 0 if row else 0) + 1
        self._insert(_TELL, letter, recipient, seq)
        return Receipt(seq, self._now)

    def _with_devices(self, letter: Letter, relation: _Relation, receipt: Receipt) -> Receipt:
        """Add which devices there are on both sides, as of this transaction."""
        own = tuple([one for one in self._published(letter.sender) if one != letter.device])
        own_mailbox = relation.recipient == letter.sender
        there = own if own_mailbox else self._published(relation.recipient)
        return Receipt(receipt.seq, receipt.timestamp, receipt.mail, there, own)

    def _published(self, account: int) -> tuple[str, ...]:
        """Return the devices of an account that others can write to."""
        if account not in self._devices:
            found = self._run(_DEVICES, account).fetchall()
            self._devices[account] = tuple(row[0] for row in found)
        return self._devices[account]

    def _insert(self, sql: str, letter: Letter, recipient: int, seq: int, *more: str) -> bool:
        """Insert a row, and tell whether it was new."""
        who = (letter.sender, letter.device, letter.ref, recipient)
        return bool(self._run(sql, *who, seq, self._now, *more).rowcount)

    def _run(self, sql: str, *values: Any) -> Any:
        """Run a statement on the one cursor of the batch: the library's own way takes longer."""
        self._cursor.execute(_spelled(sql, self._sign), values)
        return self._cursor

    def _one(self, sql: str, *values: Any) -> Any:
        return self._run(sql, *values).fetchone()


@cache
def _spelled(sql: str, sign: str) -> str:
    return sql.replace("?", sign)


def _run(database: Any, sql: str, *values: Any) -> Any:
    return database.execute_sql(_spelled(sql, database.param), values)


def _one(database: Any, sql: str, *values: Any) -> Any:
    return _run(database, sql, *values).fetchone()
