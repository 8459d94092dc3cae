"""Who is connected, with which devices; it turns notices into frames and closings."""

from __future__ import annotations

import threading

from bpost.limits import KIB
from bpost.protocol.replies import Closing, KeyCount
from bpost.server.bus import Expelled, MailStored, Notice, Signalled, StockLow
from bpost.server.desk import Desk
from bpost.server.log import EventLog

POLICY = 1008
"""The WebSocket close code for a connection that may not go on."""

LEISURE = 64 * KIB
"""A client for whom more than this waits gets no signals."""


class Presence:
    """The desks of this node. A device has one; when it comes again, the newer wins."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        # Guards the desks, and what was delivered at those that are gone; nothing is called while
        # it is held.
        self._lock = threading.Lock()
        self._desks: dict[int, dict[str, Desk]] = {}
        self._plain: set[Desk] = set()
        self._delivered = 0

    def enter(self, desk: Desk) -> Desk | None:
        """Add a desk; return the older one of the same device, which is out then."""
        with self._lock:
            devices = self._desks.setdefault(desk.account, {})
            older = devices.get(desk.device)
            devices[desk.device] = desk
            if desk.plain:
                self._plain.discard(older or desk)
                self._plain.add(desk)
            self._delivered += older.delivered if older else 0
            return older

    def leave(self, desk: Desk) -> None:
        """Take a desk out, if it is still in."""
        with self._lock:
            devices = self._desks.get(desk.account, {})
            if devices.get(desk.device) is desk:
                del devices[desk.device]
                self._plain.discard(desk)
                self._delivered += desk.delivered
                if not devices:
                    del self._desks[desk.account]

    def of(self, account: int) -> tuple[Desk, ...]:
        """Return the desks of a user."""
        with self._lock:
            return tuple(self._desks.get(account, {}).values())

    def plain(self) -> tuple[Desk, ...]:
        """Return the desks of clients that do not acknowledge."""
        with self._lock:
            return tuple(self._plain)

    def all(self) -> tuple[Desk, ...]:
        """Return all desks."""
        with self._lock:
            return tuple(desk for devices in self._desks.values() for desk in devices.values())

    @property
    def delivered(self) -> int:
        """How many messages were handed to connections since the start."""
        with self._lock:
            here = sum(desk.delivered for desks in self._desks.values() for desk in desks.values())
            return self._delivered + here

    def accounts(self) -> set[int]:
        """Return the users who are connected."""
        with self._lock:
            return set(self._desks)

    def hear(self, notice: Notice) -> None:
        """Do what a notice asks for, at the desks that it concerns."""
        for desk in self.of(notice.account):
            if isinstance(notice, MailStored):
                self._deliver(desk, notice)
            elif isinstance(notice, Signalled):
                if desk.wire.id != notice.spare and self._has_leisure(desk):
                    desk.wire.send(notice.text)
            elif isinstance(notice, StockLow):
                if desk.device == notice.device and desk.opened:
                    desk.wire.send(KeyCount(notice.left).text())
            elif notice.device in (None, desk.device) and desk.wire.id != notice.spare:
                self.expel(desk, notice)

    def expel(self, desk: Desk, notice: Expelled) -> None:
        """End one connection, saying why."""
        self.leave(desk)
        last = Closing(notice.reason, notice.explanation).text()
        desk.wire.close(POLICY, notice.reason, last)
        self._log.info("expelled", connection=desk.wire.id, reason=notice.reason)

    def _has_leisure(self, desk: Desk) -> bool:
        """Tell whether a signal may be sent: it must never be what makes a reader slow."""
        return desk.opened and not desk.plain and desk.wire.queued <= LEISURE

    def _deliver(self, desk: Desk, notice: MailStored) -> None:
        try:
            desk.offer(notice.mails)
        except Exception as error:  # one desk's trouble is not another's
            self._log.failure("delivery", error, connection=desk.wire.id)
