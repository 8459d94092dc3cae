"""The clerk: one thread that does the rounds each second.

It writes cursors, looks after desks that may have stopped, ends the connections of accounts that an
administrator disabled, and removes mail that nobody waits for any more.
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
from bpost.server.store import Store

ROUND_SECONDS = 1.0
CLEAR_SECONDS = 10.0
EXPIRE_SECONDS = 600.0

DISABLED = "This account is disabled. Ask the people who run the server."


class Clerk:
    """Does each round's work; :meth:`start` gives it a thread."""

    def __init__(
        self, store: Store, cursors: Cursors, presence: Presence, log: EventLog, limits: Limits
    ) -> None:
        self._store = store
        self._cursors = cursors
        self._presence = presence
        self._log = log
        self._passage = Passage(store, int(limits.retention_seconds * 1000), log)
        self._due: dict[Callable[[], None], float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bpost-clerk", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and write the cursors for the last time."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._safely(self._cursors.write)

    def round(self) -> None:
        """Do what is due now."""
        self._safely(self._cursors.write)
        self._safely(self._look)
        self._safely(self._expel_disabled)
        self._log.sum_up()
        self._now_and_then(self.clear, CLEAR_SECONDS)
        self._now_and_then(self.expire, EXPIRE_SECONDS)

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

    def _run(self) -> None:
        while not self._stopped.wait(ROUND_SECONDS):
            self.round()

    def _look(self) -> None:
        for desk in self._presence.all():
            desk.look()

    def _expel_disabled(self) -> None:
        here = self._presence.accounts()
        for account in self._store.accounts.closed() if here else ():
            if account in here:
                self._presence.hear(Expelled(account, Reason.DISABLED, DISABLED))

    def _now_and_then(self, work: Callable[[], None], seconds: float) -> None:
        now = time.monotonic()
        if now >= self._due.get(work, 0.0):
            self._due[work] = now + seconds
            self._safely(work)

    def _safely(self, work: Callable[[], None]) -> None:
        """Do a part of the round; what fails is logged, and tried again in the next round."""
        try:
            work()
        except StoreError as error:
            self._log.failure("round", error)
        except Exception as error:
            self._log.failure("round", error, incident())
