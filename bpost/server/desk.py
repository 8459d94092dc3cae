"""One device's desk: what of its mailbox was handed to its connection, and what it holds.

Mail is handed over in the order of ``seq``, from whichever thread, and never more than a window
of it before it is acknowledged. What does not follow on what was handed over last, or does not fit
the window, is left in the store, from where the gap is filled later: order holds, and memory does
not grow with the mailbox.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from bpost.limits import KIB, Limits
from bpost.protocol.replies import Delivery
from bpost.server.cursors import Cursors
from bpost.server.records import PLAIN, Mail, Mailbox
from bpost.server.wire import Wire

WINDOW = 256
"""How many messages may be on their way to a device, unacknowledged."""

BATCH = 64
"""How many messages are read from the store at once."""

QUEUE = 256 * KIB
"""When so many bytes wait in the connection's queue, mail waits in the store instead."""

Waiting = Callable[[int, int, int, int], list[Mail]]
"""Reads mail from the store: of an account, beyond a ``seq``, so many and so many bytes."""


class Desk:
    """The mail side of one logged-in connection. All methods are safe from any thread."""

    __slots__ = (
        "_behind",
        "_bytes",
        "_cursors",
        "_filling",
        "_handed",
        "_held",
        "_lock",
        "_missed",
        "_most",
        "_opened",
        "_waiting",
        "_window",
        "account",
        "delivered",
        "device",
        "wire",
    )

    def __init__(
        self, wire: Wire, mailbox: Mailbox, waiting: Waiting, cursors: Cursors, limits: Limits
    ) -> None:
        self.wire = wire
        self.account = mailbox.account
        self.device = mailbox.device
        self._waiting = waiting
        self._cursors = cursors
        self._most = limits.unacknowledged
        # Guards everything below. Held while mail is handed to the connection, which never waits
        # and never calls back; never held while reading from the store.
        self._lock = threading.Lock()
        self.delivered = 0
        self._handed = mailbox.cursor
        self._held = mailbox.cursor
        self._window: deque[tuple[int, int]] = deque()
        self._bytes = 0
        self._behind = True
        # Closed as if it were being filled, until :meth:`open`.
        self._opened = False
        self._filling = True
        self._missed = False

    @property
    def opened(self) -> bool:
        """Whether mail flows: not before the answer to the log-in has been sent."""
        return self._opened

    @property
    def wants_a_look(self) -> bool:
        """Whether :meth:`look` could find anything to do."""
        return self._behind or self.plain

    def open(self) -> None:
        """Let mail flow, beginning with what waits.

        Raises:
            StoreError: the store cannot be read; :meth:`look` tries again.
        """
        with self._lock:
            self._opened, self._filling = True, False
        self.fill()

    @property
    def plain(self) -> bool:
        """Whether the client knows nothing of devices, and does not acknowledge."""
        return self.device == PLAIN

    def offer(self, mails: Sequence[Mail]) -> None:
        """Hand over mail that was just stored, if it is what comes next."""
        with self._lock:
            if self._filling:
                self._missed = True
                return
            gap = self._behind or mails[0].seq != self._handed + 1
            if not gap:
                self._behind = not self._hand(mails)
        if gap:
            self.fill()

    def fill(self) -> None:
        """Hand over what waits in the store, as far as the window allows.

        Raises:
            StoreError: the store cannot be read; call it again later.
        """
        with self._lock:
            if self._filling:
                self._missed = True
                return
            self._filling = True
        try:
            while self._fill_some():
                pass
        except BaseException:
            with self._lock:
                self._filling = False
            raise

    def acknowledge(self, seq: int) -> bool:
        """Note that the device holds everything up to ``seq``, and hand over what had to wait.

        False where it was known.
        """
        with self._lock:
            before = self._held
            self._hold(min(seq, self._handed))
            news = self._held > before
            go_on = self._behind and self._room() > 0
        if go_on:
            self.fill()
        return news

    def look(self) -> None:
        """Look after a desk that may have stopped: called every second or so."""
        with self._lock:
            self._settle()
            go_on = self._behind and self._room() > 0
        if go_on:
            self.fill()

    def _fill_some(self) -> bool:
        """Hand over one batch from the store; return whether to go on, else filling has ended."""
        with self._lock:
            self._behind, self._missed = True, False
            after, room = self._handed, self._room()
            if room <= 0 or not self.wire.open:
                self._filling = False
                return False
        mails = self._waiting(self.account, after, min(room, BATCH), QUEUE)
        with self._lock:
            fitted = self._hand(mails)
            self._behind = bool(mails) or self._missed
            self._filling = fitted and self._behind
            return self._filling

    def _hand(self, mails: Sequence[Mail]) -> bool:
        """Send as many as fit the window and the queue; return whether that was all of them."""
        at = 0
        while at < len(mails) and self._room() > 0:
            texts, size = [], self.wire.queued
            while at < len(mails) and size < QUEUE and self._room() > 0:
                texts.append(self._take_in(mails[at]))
                size += len(texts[-1])
                at += 1
            self.wire.send_many(texts)
            self._settle()
        return at == len(mails)

    def _take_in(self, mail: Mail) -> str:
        """Count a message as handed over; return the text to send."""
        if self.plain:
            text = Delivery(mail.body, mail.sender).spelled()
        else:
            text = Delivery(mail.body, mail.sender, mail.seq, mail.timestamp).spelled()
        self._window.append((mail.seq, len(text)))
        self._bytes += len(text)
        self._handed = mail.seq
        self.delivered += 1
        return text

    def _room(self) -> int:
        """Return how many messages may be handed over now."""
        if self._bytes >= self._most or self.wire.queued >= QUEUE:
            return 0
        return WINDOW - len(self._window)

    def _hold(self, seq: int) -> None:
        while self._window and self._window[0][0] <= seq:
            self._bytes -= self._window.popleft()[1]
        if seq > self._held:
            self._held = seq
            self._cursors.move(self.account, self.device, seq)

    def _settle(self) -> None:
        """Count as acknowledged what the socket of a plain client has taken.

        The bytes in the queue are the end of what was handed over. After the connection ended
        nobody knows, so what is in doubt is delivered again.
        """
        if not self.plain:
            return
        queued = self.wire.queued
        if not self.wire.open:
            return
        for seq, size in reversed(self._window):
            if queued <= 0:
                self._hold(seq)
                return
            queued -= size
