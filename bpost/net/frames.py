"""WebSocket frames (RFC 6455, section 5): made for sending, watched while they arrive. No I/O.

The libraries read the frames. What they do not bound is bounded here, on the headers alone and
before a byte of payload is kept: how long a message is, in how many pieces it comes, how often
the peer pings.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from enum import IntEnum

from bpost.errors import RemoteError
from bpost.limits import Limits

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
SUBPROTOCOL = "bpost.1"
_FIN, _MASKED, _OPCODE, _SHORT = 0x80, 0x80, 0x0F, 0x7F
_MOST_CONTROL = 125
_MOST_HEADER = 14


class CloseCode(IntEnum):
    """Why a connection is closed (RFC 6455, section 7.4.1)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003
    INVALID_TEXT = 1007
    POLICY = 1008
    TOO_BIG = 1009
    INTERNAL = 1011
    TRY_LATER = 1013


class WebSocketError(RemoteError):
    """The peer broke a rule of WebSocket or a bound of ours; ``code`` closes the connection."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def text_frame(text: str) -> bytes:
    """Return the frame that a server sends for ``text``."""
    return _frame(TEXT, text.encode())


def ping_frame() -> bytes:
    """Return the ping of a server."""
    return _frame(PING, b"")


def close_frame(code: int, reason: str = "") -> bytes:
    """Return the close frame of a server; a long reason is cut."""
    cut = reason.encode()[: _MOST_CONTROL - 2].decode(errors="ignore").encode()
    return _frame(CLOSE, struct.pack("!H", code) + cut)


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size <= _MOST_CONTROL:
        header = bytes((_FIN | opcode, size))
    elif size < 1 << 16:
        header = struct.pack("!BBH", _FIN | opcode, 126, size)
    else:
        header = struct.pack("!BBQ", _FIN | opcode, 127, size)
    return header + payload


def holds_close(frames: bytes) -> bool:
    """Tell whether a close frame is among the control frames that a server's library sends.

    Its HTTP answer passes here too: ASCII, so never taken for a close frame.
    """
    at = 0
    while at + 2 <= len(frames):
        if frames[at] == _FIN | CLOSE:
            return True
        at += 2 + (frames[at + 1] & _SHORT)
    return False


class FrameWatch:
    """Watches the frame headers of one direction of a connection, fed piece by piece."""

    __slots__ = (
        "_clock",
        "_control",
        "_head",
        "_limits",
        "_masked",
        "_message",
        "_pieces",
        "_pieces_now",
        "_pings",
        "_second",
        "_skip",
        "fault",
    )

    def __init__(
        self, limits: Limits, *, masked: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Expect frames that are ``masked``, as a client's are, or not, as a server's are."""
        self.fault: WebSocketError | None = None
        self._limits = limits
        self._masked = masked
        self._clock = clock
        self._head = b""
        self._skip = 0
        self._control = False
        self._message = self._pieces = self._pieces_now = self._pings = 0
        self._second = 0.0

    @property
    def between(self) -> bool:
        """Whether the next byte begins a frame, and no message has begun before it."""
        return not (self._skip or self._head or self._pieces)

    def take_pong(self) -> None:
        """Count an empty pong that is handed to nobody. Raises WebSocketError."""
        self._check_control(PONG, True, 0)

    def feed(self, data: bytes) -> int:
        """Return how many bytes of ``data`` to hand on now, at most to the end of a control frame.

        So a ping is answered before what follows it is looked at. Feed the rest then; when there
        is a ``fault``, the rest must go nowhere.
        """
        at, end = 0, len(data)
        while at < end:
            if not self._skip:
                start, known = at, len(self._head)
                head = self._head + data[at : at + _MOST_HEADER]
                size = _header_size(head)
                if size > len(head):
                    self._head = head
                    return end
                at += size - known
                self._head = b""
                try:
                    self._check(head)
                except WebSocketError as fault:
                    # Kept with its traceback it would keep this frame, and that it in turn.
                    self.fault = fault.with_traceback(None)
                    return start
            step = min(self._skip, end - at)
            self._skip -= step
            at += step
            if self._control and not self._skip:
                break
        return at

    def _check(self, head: bytes) -> None:
        """Judge one whole header; set how much payload follows it."""
        opcode, final, length = head[0] & _OPCODE, bool(head[0] & _FIN), _length(head)
        if bool(head[1] & _MASKED) != self._masked:
            wrong = "without a mask" if self._masked else "with a mask"
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, f"A frame came {wrong}.")
        self._control = opcode >= CLOSE
        if self._control:
            self._check_control(opcode, final, length)
        elif opcode == BINARY:
            raise WebSocketError(CloseCode.UNSUPPORTED, "A binary message came; BPost speaks text.")
        else:
            self._count(final, length)
        self._skip = length

    def _check_control(self, opcode: int, final: bool, length: int) -> None:
        if not final or length > _MOST_CONTROL:
            raise WebSocketError(
                CloseCode.PROTOCOL_ERROR, "A control frame is too long or in pieces."
            )
        if opcode == CLOSE:
            return
        self._begin_second()
        self._pings += 1
        if self._pings > self._limits.pings_per_second:
            raise WebSocketError(CloseCode.POLICY, "Too many pings came.")

    def _count(self, final: bool, length: int) -> None:
        """Count a message's bytes and pieces, empty ones too, before they are there."""
        self._message += length
        self._pieces += 1
        if self._message > self._limits.frame:
            most = self._limits.frame
            raise WebSocketError(CloseCode.TOO_BIG, f"A message is longer than {most} bytes.")
        if self._pieces > self._limits.fragments:
            raise WebSocketError(CloseCode.TOO_BIG, "A message comes in too many pieces.")
        if not final:
            self._begin_second()
            self._pieces_now += 1
            if self._limits.rates and self._pieces_now > self._limits.fragments_per_second:
                raise WebSocketError(CloseCode.POLICY, "Too many pieces of messages came.")
        else:
            self._message = self._pieces = 0

    def _begin_second(self) -> None:
        """Count anew when a second is over."""
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._pings, self._pieces_now = now, 0, 0


def _header_size(head: bytes) -> int:
    """Return how long this header is, or more than there is while that cannot be told."""
    if len(head) < 2:
        return 2
    short = head[1] & _SHORT
    more = 2 if short == 126 else 8 if short == 127 else 0
    return 2 + more + (4 if head[1] & _MASKED else 0)


def _length(head: bytes) -> int:
    short = head[1] & _SHORT
    if short < 126:
        return short
    return int.from_bytes(head[2:4] if short == 126 else head[2:10], "big")
