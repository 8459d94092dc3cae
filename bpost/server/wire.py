"""What the post office asks of a connection; ``net.ws_server.ServerConnection`` is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Wire(Protocol):
    """A connection to send on. All of it may be used from any thread, and nothing blocks."""

    @property
    def id(self) -> str:
        """A short name for the log."""

    @property
    def peer(self) -> str:
        """The client's address."""

    @property
    def open(self) -> bool:
        """Whether texts can still be sent."""

    @property
    def queued(self) -> int:
        """How many bytes wait because the client does not read them."""

    def send(self, text: str) -> bool:
        """Send one text, or queue it."""

    def send_many(self, texts: Iterable[str]) -> bool:
        """Send texts with nothing in between, or queue them."""

    def close(self, code: int = 1000, reason: str = "", last_text: str | None = None) -> None:
        """Send the last text and end the connection."""

    def set_deadline(self, seconds: float | None, last_text: str | None = None) -> None:
        """Let the connection end in ``seconds``, or call that off."""
