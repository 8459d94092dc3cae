"""The HTTP request that opens a WebSocket connection: read strictly, answered shortly. No I/O."""

from __future__ import annotations

from bpost.errors import RemoteError


class RequestError(RemoteError):
    """A client did not ask as it should; ``status`` is the HTTP status it gets."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
