"""The store's memory of the clock: what time it was last, and how long old mail is held back."""

from __future__ import annotations

from bpost.server.models import Clock, Message, removal
from bpost.server.records import Seen
from bpost.server.table import Table


class Clocks(Table):
    """One row, written each time the old mail is looked after."""

    def seen(self) -> Seen | None:
        """Return what was noted last; where nothing was, when the newest message came."""
        with self._reading() as database:
            row = Clock.select(Clock.wall, Clock.hold).tuples().first(database)
            if row is not None:
                return Seen(*row)
            newest = Message.select(Message.timestamp).order_by(Message.timestamp.desc())
            when = newest.limit(1).scalar(database)
            return None if when is None else Seen(when, 0)

    def note(self, seen: Seen) -> None:
        """Remember what time it is."""
        with self._transaction() as database:
            removal(Clock).execute(database)
            Clock.insert(wall=seen.wall, hold=seen.hold).execute(database)
