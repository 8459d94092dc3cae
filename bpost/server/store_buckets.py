"""The store's memory of the rates, for ``ledger``."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bpost.server.models import Bucket, removal
from bpost.server.table import Table, portions

_COLUMNS = (Bucket.meter, Bucket.key, Bucket.left, Bucket.wall)


class Buckets(Table):
    """A row for each bucket that is not full: what was left of it, and when that was so."""

    def all(self) -> list[tuple[str, str, float, int]]:
        """Return (meter, key, left, wall) of every bucket."""
        query = Bucket.select(*_COLUMNS)
        with self._reading() as database:
            return list(query.tuples().execute(database))

    def change(
        self, meter: str, rows: Mapping[str, tuple[float, int]], gone: Collection[str]
    ) -> None:
        """Store what is left of some buckets of a meter, and forget others."""
        with self._transaction() as database:
            for keys in portions({*rows, *gone}):
                mine = (Bucket.meter == meter) & Bucket.key.in_(keys)
                removal(Bucket).where(mine).execute(database)
            for keys in portions(rows.keys()):
                values = [(meter, key, *rows[key]) for key in keys]
                Bucket.insert_many(values, _COLUMNS).execute(database)
