"""The one thread that serves all slow connections: it sends when they can take more."""

from __future__ import annotations

from types import TracebackType


class Drainer:
    """One thread for all connections of a process whose sockets would not take everything at once."""

    def start(self) -> Drainer:
        """Start the thread, and return self."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the thread; what still waits is dropped."""
        raise NotImplementedError

    def __enter__(self) -> Drainer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
