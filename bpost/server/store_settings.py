"""What administrators set while a server runs, and how it hears of that.

``bpost-admin`` is another process, and may be on another machine. Whatever it changes that a
running server must act on raises the ``edition`` in the same transaction; each server looks at
that number once a second, and where it has risen, compares what it has with what is stored.
"""

from __future__ import annotations

from typing import Any

from bpost.server.models import Setting, removal
from bpost.server.records import Orders
from bpost.server.table import Table

EDITION = "edition"
RETENTION = "retention"
PROBE = "probe"


class Settings(Table):
    """The numbers that were set, by name."""

    def orders(self) -> Orders:
        """Return what was set, in one statement."""
        with self._reading() as database:
            rows = Setting.select(Setting.name, Setting.value).tuples().execute(database)
            found = {str(name): int(value) for name, value in rows}
        return Orders(found.get(EDITION, 0), found.get(RETENTION))

    def set_retention(self, seconds: int | None) -> None:
        """Keep undelivered mail for so long, or with None as the server was started with."""
        with self._transaction() as database:
            removal(Setting).where(Setting.name == RETENTION).execute(database)
            if seconds is not None:
                Setting.insert(name=RETENTION, value=seconds).execute(database)
            announce(database)

    def probe(self) -> None:
        """Write something, to see whether that works.

        Raises:
            StoreError: it does not.
        """
        with self._transaction() as database:
            removal(Setting).where(Setting.name == PROBE).execute(database)
            Setting.insert(name=PROBE, value=0).execute(database)


def announce(database: Any) -> None:
    """Have running servers look again at what they have; in the transaction of the change."""
    risen = Setting.update(value=Setting.value + 1).where(Setting.name == EDITION)
    if not risen.execute(database):
        Setting.insert(name=EDITION, value=1).execute(database)
