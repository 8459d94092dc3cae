"""How much time has passed, as far as it can be believed.

Mail is kept for days, so its age is told by the wall clock, and that can be wrong: a battery is
empty, a virtual machine wakes up, someone mistypes a year. Removing mail is the one thing that such
an error must not do. So the wall clock is compared with the one that only ticks, and with what it
said when the server ran last. Where it is ahead of what those explain, nothing is removed until the
server has run for as long as the time that nobody saw pass, or for the retention time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bpost.limits import DAY
from bpost.server.log import EventLog
from bpost.server.records import Seen
from bpost.server.store import Store, now_ms

UNSEEN_MS = DAY * 1000
"""How much may pass unseen, as in an update or a night without power."""


class Passage:
    """Tells what is too old; for the clerk's thread."""

    def __init__(
        self,
        store: Store,
        retention_ms: int,
        log: EventLog,
        ticking: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self.retention_ms = retention_ms
        self._log = log
        self._ticking = ticking
        self._last = ticking()
        self._ahead = self._ahead_ms()

    def look(self) -> None:
        """Notice where the clock was set, before what is stamped by it can seem old.

        Raises:
            StoreError: the store cannot be used.
        """
        if abs(self._ahead_ms() - self._ahead) > UNSEEN_MS:
            self.too_old()

    def too_old(self) -> int | None:
        """Return before when mail may be removed; None while the clock is not to be believed.

        Raises:
            StoreError: the store cannot be used.
        """
        wall, ticks = now_ms(), self._ticking()
        passed = int((ticks - self._last) * 1000)
        seen = self._store.clocks.seen() or Seen(wall - passed, 0)
        unseen = wall - seen.wall - passed
        hold = max(0, seen.hold - passed)
        if unseen > UNSEEN_MS:
            hold = max(hold, min(unseen, self.retention_ms))
            self._log.warning(
                "clock ahead",
                days=round(unseen / UNSEEN_MS, 1),
                says="Was the server off, or is the clock wrong? No old mail is removed for now.",
                held_days=round(hold / UNSEEN_MS, 1),
            )
        self._store.clocks.note(Seen(wall, hold))
        self._last = ticks
        self._ahead = self._ahead_ms()
        return None if hold else wall - self.retention_ms

    def _ahead_ms(self) -> float:
        """Return by how much the wall clock is ahead of the one that only ticks."""
        return now_ms() - self._ticking() * 1000
