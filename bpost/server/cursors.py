"""How far devices have acknowledged their mail: in memory at once, in the store within a second."""

from __future__ import annotations

import threading

from bpost.server.store import Store, now_ms


class Cursors:
    """Cursors that moved since they were last written. What a crash loses is delivered again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Guards the cursors below; taken alone.
        self._lock = threading.Lock()
        self._moved: dict[tuple[int, str], int] = {}
        self._writing: dict[tuple[int, str], int] = {}
        self._touched: set[int] = set()

    def move(self, account: int, device: str, seq: int) -> None:
        """Note that the device holds everything up to ``seq``."""
        with self._lock:
            key = (account, device)
            self._moved[key] = max(seq, self._moved.get(key, 0))

    def latest(self, account: int, device: str) -> int:
        """Return the cursor of a device if it is not in the store yet, else 0."""
        key = (account, device)
        with self._lock:
            return max(self._moved.get(key, 0), self._writing.get(key, 0))

    def forget(self, account: int, device: str | None = None) -> None:
        """Drop what was noted for a device that is gone, or for all of the account."""
        with self._lock:
            for key in [key for key in self._moved if key[0] == account]:
                if device in (None, key[1]):
                    del self._moved[key]

    def write(self) -> None:
        """Store all that moved.

        Raises:
            StoreError: nothing is lost; the next call tries again.
        """
        with self._lock:
            if not self._moved or self._writing:
                return
            self._writing, self._moved = self._moved, {}
        failed = True
        try:
            self._store.devices.move_cursors(self._writing, now_ms())
            failed = False
        finally:
            with self._lock:
                if failed:
                    self._moved = {**self._writing, **self._moved}
                else:
                    self._touched |= {account for account, _ in self._writing}
                self._writing = {}

    def touched(self) -> list[int]:
        """Return the accounts whose cursors were written since this was called last."""
        with self._lock:
            touched, self._touched = self._touched, set()
        return sorted(touched)
