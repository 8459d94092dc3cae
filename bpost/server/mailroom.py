"""The mailroom: one thread that stores for all connections, many letters in one transaction.

Connection threads post letters and go back to reading. The mailroom takes all that has been posted,
stores it in one transaction, and when that is on the disk tells the senders ``WillBeSent`` and
the bus what came: many senders share one sync, and the promise is never made before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from bpost.errors import StoreError
from bpost.limits import MIB
from bpost.net.turns import Seat, Turns
from bpost.protocol.codes import Reason
from bpost.protocol.replies import SendAccepted, SendRefused
from bpost.protocol.shape import Reply
from bpost.server.bus import Bus, MailStored
from bpost.server.counts import Histogram, Tally
from bpost.server.log import EventLog, incident
from bpost.server.records import FULL, Letter, Mail, Receipt
from bpost.server.store import Store, now_ms
from bpost.server.wire import Wire

BATCH = 512
"""How many letters one transaction stores at most."""

COMMIT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""By what times commits are counted, in seconds."""

WAITING = 4096
WAITING_BYTES = 32 * MIB
"""How much may be posted and not stored yet; then posting, and so reading, waits."""

NOT_A_CONTACT = "This user is not in your contacts. Add the contact first, then send again."
FULL_BOX = "The mailbox is full. It was not sent: try again when the recipient has read mail."
BUSY = "The server cannot store messages at the moment. It was not sent: try again in a while."
CLOSING = "The server is closing. It was not sent; send it again when you are connected."


class Posting(NamedTuple):
    """A letter, the connection to answer on, and the recipient's name as the sender wrote it."""

    letter: Letter
    wire: Wire
    to: str


class Mailroom:
    """The queue of postings, and the thread that empties it."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        log: EventLog,
        outcomes: Tally | None = None,
        turns: Turns | None = None,
    ) -> None:
        """Make ready to :meth:`start`; what is refused is counted in ``outcomes``.

        The thread takes ``turns`` with those of the connections, but for the time of the sync.
        """
        self.outcomes = outcomes or Tally()
        self._store = store
        self._turns = turns or Turns()
        self._turn = Seat(self._turns, -1)
        self._bus = bus
        self._log = log
        # Guards the queue below; taken alone. ``_posted`` wakes the mailroom, ``_taken`` those
        # who wait for room.
        lock = threading.Lock()
        self._posted = threading.Condition(lock)
        self._taken = threading.Condition(lock)
        self._queue: list[Posting] = []
        self._bytes = 0
        self._open = True
        # Counted by the mailroom's thread alone.
        self.accepted = 0
        self.commits = Histogram(COMMIT_BOUNDS)
        self._thread = threading.Thread(target=self._run, name="bpost-mailroom", daemon=True)

    @property
    def queued(self) -> tuple[int, int]:
        """How many letters wait to be stored, and of how many characters."""
        with self._posted:
            return len(self._queue), self._bytes

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Store what has been posted, and end the thread; later postings are refused."""
        with self._posted:
            self._open = False
            self._posted.notify()
            self._taken.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def post(self, posting: Posting) -> None:
        """Queue a letter; the answer comes on its connection. Waits while the queue is full."""
        size = len(posting.letter.body)
        with self._posted:
            if not self._has_room():
                self._turns.step_aside()
            while self._open and not self._has_room():
                self._taken.wait()
            is_open = self._open
            if is_open:
                self._queue.append(posting)
                self._bytes += size
                self._posted.notify()
        if not is_open:
            posting.wire.send(_refusal(posting, Reason.BUSY, CLOSING).text())

    def work(self, postings: Sequence[Posting]) -> None:
        """Store postings, answer them, and tell the bus. The mailroom's thread lives in here."""
        letters = [posting.letter for posting in postings]
        started = time.perf_counter()
        try:
            receipts = self._store.mail.store(letters, now_ms())
            self._turn.take(at_once=True)
            self.commits.note(time.perf_counter() - started)
        except StoreError as error:
            self._refuse(postings, Reason.BUSY, error)
        except Exception as error:
            self._isolate(postings, error)
        else:
            answers = [_answer(*pair) for pair in zip(postings, receipts, strict=True)]
            self._send(postings, answers)
            self._announce(receipts)

    def _has_room(self) -> bool:
        return len(self._queue) < WAITING and self._bytes < WAITING_BYTES

    def _run(self) -> None:
        while True:
            with self._posted:
                while self._open and not self._queue:
                    self._posted.wait()
                if not self._queue:
                    return
                full = len(self._queue) >= BATCH
            self._turn.take(at_once=full)
            with self._posted:
                taken, self._queue = self._queue[:BATCH], self._queue[BATCH:]
                self._bytes -= sum(len(posting.letter.body) for posting in taken)
                self._taken.notify_all()
            try:
                self.work(taken)
            except Exception as error:
                self._log.failure("mailroom", error, incident())
            self._turn.pass_on()

    def _isolate(self, postings: Sequence[Posting], error: Exception) -> None:
        """Keep one letter that cannot be stored from taking others with it."""
        if len(postings) == 1:
            self._refuse(postings, Reason.INTERNAL, error)
            return
        for posting in postings:
            self.work([posting])

    def _refuse(self, postings: Sequence[Posting], reason: str, error: Exception) -> None:
        name = incident()
        self._log.failure("storing", error, name, letters=len(postings))
        text = BUSY if reason == Reason.BUSY else f"The server made a mistake, noted as {name}."
        self._send(postings, [_refusal(posting, reason, text) for posting in postings])

    def _send(self, postings: Sequence[Posting], answers: Sequence[Reply]) -> None:
        """Send the answers, those of one connection together and in order."""
        together: dict[int, tuple[Wire, list[str]]] = {}
        for posting, answer in zip(postings, answers, strict=True):
            self._count(answer)
            _, texts = together.setdefault(id(posting.wire), (posting.wire, []))
            texts.append(answer.spelled())
        for wire, texts in together.values():
            wire.send_many(texts)

    def _count(self, answer: Reply) -> None:
        if isinstance(answer, SendRefused):
            self.outcomes.add("send", answer.reason or "")
        else:
            self.accepted += 1

    def _announce(self, receipts: Sequence[Receipt | None]) -> None:
        """Tell the bus what was stored, a notice for each mailbox."""
        mails: dict[int, list[Mail]] = {}
        for receipt in receipts:
            if receipt is not None and receipt.mail is not None:
                mails.setdefault(receipt.mail.recipient, []).append(receipt.mail)
        for account, stored in mails.items():
            try:
                self._bus.publish(MailStored(account, tuple(stored)))
            except Exception as error:
                self._log.failure("announcing", error, incident())


def _answer(posting: Posting, receipt: Receipt | None) -> Reply:
    """Answer in the form of the question: with ``ref`` to one that had it."""
    if receipt is None:
        return _refusal(posting, Reason.NOT_A_CONTACT, NOT_A_CONTACT)
    if receipt is FULL:
        return _refusal(posting, Reason.QUOTA, FULL_BOX)
    if posting.letter.ref is None:
        return SendAccepted(posting.to)
    return SendAccepted(
        posting.to,
        posting.letter.ref,
        receipt.seq,
        receipt.timestamp,
        receipt.devices or None,
        receipt.own,
    )


def _refusal(posting: Posting, reason: str, text: str) -> SendRefused:
    return SendRefused(posting.to, posting.letter.ref, reason, text)
