"""The head of the server's log of keys, as payloads carry it: what two clients compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bpost import b64
from bpost.errors import SecurityError
from bpost.protocol.canonical_json import INTEGER
from bpost.protocol.fields import Unfit

HASH: Final = 32


@dataclass(frozen=True)
class LogHead:
    """That a log of ``size`` entries, at least one, ends in ``hash``."""

    size: int
    hash: bytes

    def text(self) -> str:
        """Return its one spelling: the size, a full stop, and the hash."""
        return f"{self.size}.{b64.encode(self.hash)}"


def read_log_head(text: object) -> LogHead:
    """Read what :meth:`LogHead.text` wrote; raise Unfit for anything else."""
    size, _, digest = text.partition(".") if isinstance(text, str) else ("", "", "")
    try:
        head = LogHead(int(size[:16]), b64.decode(digest, HASH))
    except (ValueError, SecurityError):
        raise Unfit("holds what is no head of a log") from None
    if head.text() != text or not 0 < head.size <= INTEGER:
        raise Unfit("holds a head of a log that is spelled otherwise")
    return head
