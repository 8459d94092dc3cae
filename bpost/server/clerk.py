"""The clerk: one thread that does the rounds each second.

It writes cursors and what is left of the rates, looks after desks that may have stopped, does what
an administrator has set (also ending the connections of accounts and devices that may not be here
any more), and removes mail that nobody waits for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bpost.errors import StoreError
from bpost.limits import Limits
from bpost.protocol.codes import Reason
from bpost.server.bus import Expelled
from bpost.server.cursors import Cursors
from bpost.server.log import EventLog, incident
from bpost.server.passage import Passage
from bpost.server.presence import Presence
from bpost.server.records import Closed, Orders
from bpost.server.store import Store, now_ms

ROUND_SECONDS = 1.0
CLEAR_SECONDS = 10.0
EXPIRE_SECONDS = 600.0

TOUR_ROUNDS = 10
LOOKS = 200
"""In how many rounds each desk is looked after, and after how many accounts at least in a round."""

GONE = {
    Closed.DISABLED: (
        Reason.DISABLED,
        "This account is disabled. Ask the people who run the server.",
    ),
    Closed.DELETED: (Reason.NO_SUCH_USER, "This account was deleted."),
}
REMOVED = "This device was removed from the account."


class Clerk:
    """Does each round's work; :meth:`start` gives it a thread."""

    def __init__(
        self, store: Store, cursors: Cursors, presence: Presence, log: EventLog, limits: Limits
    ) -> None:
        self._store = store
        self._cursors = cursors
        self._presence = presence
        self._log = log
        self._retention = limits.retention_seconds
        self._plain_ms = int(limits.plain_seconds * 1000)
        self._passage = Passage(store, int(self._retention * 1000), log)
        self._orders: Orders | None = None
        self._written: list[Callable[[], None]] = [cursors.write]
        self._regular = {self.clear: CLEAR_SECONDS, self.expire: EXPIRE_SECONDS}
        self._due: dict[Callable[[], None], float] = {}
        # The accounts whose desks are still to be looked after, and how many of them in a round.
        self._tour: list[int] = []
        self._share = LOOKS
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bpost-clerk", daemon=True)

    def every_round(self, write: Callable[[], None]) -> None:
        """Have ``write``, which stores something, called each round and at the end."""
        self._written.append(write)

    def regularly(self, work: Callable[[], None], seconds: float) -> None:
        """Have ``work`` done each so many seconds, at first in the first round."""
        self._regular[work] = seconds

    def start(self) -> None:
        """Note what time it is, before any mail is stamped with it, and start the thread."""
        self._safely(self._passage.too_old)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and write what is to be kept for the last time."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._write()

    def round(self) -> None:
        """Do what is due now."""
        self._write()
        self._safely(self._passage.look)
        self._safely(self._look)
        self._safely(self._obey)
        self._log.sum_up()
        for work, seconds in self._regular.items():
            self._now_and_then(work, seconds)

    def clear(self) -> None:
        """Remove the text of mail that every device of its recipient holds."""
        self._store.mail.clear_held(self._cursors.touched())

    def expire(self) -> None:
        """Remove mail that is older than the retention time, as far as the clock can be right."""
        before = self._passage.too_old()
        if before is None:
            return
        while self._store.mail.expire(before) and not self._stopped.is_set():
            pass
        idle = self._store.devices.drop_plain(now_ms() - self._plain_ms)
        self._store.mail.clear_held(idle)

    def _run(self) -> None:
        while not self._stopped.wait(ROUND_SECONDS):
            self.round()

    def _write(self) -> None:
        for write in self._written:
            self._safely(write)

    def _look(self) -> None:
        """Look after the desks that may have stopped: of those who acknowledge, some each round.

        Their acknowledging keeps them going; for thousands, a look each second would be half of
        what the server does while all are idle.
        """
        for desk in self._presence.plain():
            desk.look()
        if not self._tour:
            self._tour = list(self._presence.accounts())
            self._share = max(LOOKS, len(self._tour) // TOUR_ROUNDS)
        accounts, self._tour = self._tour[: self._share], self._tour[self._share :]
        for account in accounts:
            for desk in self._presence.of(account):
                if desk.wants_a_look and not desk.plain:
                    desk.look()

    def _obey(self) -> None:
        """Where an administrator has changed something, act on it."""
        orders = self._store.settings.orders()
        if orders == self._orders:
            return
        retention = self._retention if orders.retention is None else orders.retention
        self._passage.retention_ms = int(retention * 1000)
        self._expel_closed()
        self._expel_removed()
        self._due.pop(self.expire, None)
        self._orders = orders

    def _expel_closed(self) -> None:
        """End the connections of accounts that were disabled or deleted."""
        for account, why in self._store.accounts.closed(self._presence.accounts()).items():
            if why is Closed.DELETED:
                self._cursors.forget(account)
            self._presence.hear(Expelled(account, *GONE[why]))

    def _expel_removed(self) -> None:
        """End the connections of devices that are not there any more."""
        desks = [desk for desk in self._presence.all() if not desk.plain]
        there = self._store.devices.there({desk.account for desk in desks})
        for desk in desks:
            if (desk.account, desk.device) not in there:
                self._cursors.forget(desk.account, desk.device)
                notice = Expelled(desk.account, Reason.NO_SUCH_DEVICE, REMOVED, desk.device)
                self._presence.hear(notice)

    def _now_and_then(self, work: Callable[[], None], seconds: float) -> None:
        now = time.monotonic()
        if now >= self._due.get(work, 0.0):
            self._due[work] = now + seconds
            self._safely(work)

    def _safely(self, work: Callable[[], object]) -> None:
        """Do a part of the round; what fails is logged, and tried again in the next round."""
        try:
            work()
        except StoreError as error:
            self._log.failure("round", error)
        except Exception as error:
            self._log.failure("round", error, incident())
