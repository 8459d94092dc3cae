"""What a WebSocket library is given to read: bounded, timed, and pinged meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from bpost.limits import Limits
from bpost.net.frames import CloseCode, FrameWatch, WebSocketError
from bpost.net.texts import hand_texts
from bpost.net.tls_stream import TLSStream

_EMPTY_PONG = b"\x8a\x80"
_PONG_SIZE = 6


class Inbound:
    """The bytes that arrive on one connection after its upgrade; for the one thread that reads.

    Both libraries read without bounds and without an end. Here the headers of the frames are
    watched before the library sees a byte, a ping goes out every ``limits.ping_seconds``, and a
    peer that is silent for ``limits.silence_seconds`` is given up. No thread is needed for it.
    """

    __slots__ = ("_heard", "_limits", "_next_ping", "_ping", "_rest", "_stream", "_until", "_watch")

    def __init__(
        self, stream: TLSStream, limits: Limits, ping: Callable[[], object], *, masked: bool
    ) -> None:
        """Read from ``stream``; ``ping`` sends a ping; the peer's frames are ``masked`` or not."""
        self._stream = stream
        self._limits = limits
        self._ping = ping
        self._watch = FrameWatch(limits, masked=masked)
        self._rest = b""
        self._heard = time.monotonic()
        self._next_ping = self._heard + limits.ping_seconds
        self._until = math.inf

    def receive(self, until: float | None = None) -> bytes:
        """Return what arrives next, at most one control frame, or nothing at the end.

        Raises:
            TimeoutError: the monotonic clock passed ``until``; reading may go on.
            WebSocketError: a frame is out of bounds (those before it have been returned), or the
                peer is silent.
            OSError: as the stream.
        """
        return self.admit(self._next(until))

    def receive_past(self, take: Callable[[str], None], until: float | None = None) -> bytes | None:
        """Do as :meth:`receive`, but hand plain text messages to ``take``, and empty pongs nobody.

        None where there was nothing else. ``texts`` says what is plain.
        """
        data = self._next(until)
        if not data or not self._watch.between:
            return self.admit(data)
        self._rest = b""
        if len(data) == _PONG_SIZE and data.startswith(_EMPTY_PONG):
            self._watch.take_pong()
            return None
        at = hand_texts(data, self._limits.frame, take)
        if at == len(data):
            return None
        return self.admit(data[at:] if at else data)

    def _next(self, until: float | None) -> bytes:
        """Return what has arrived and was not handed on, waiting for it."""
        self._raise_fault()
        if self._rest:
            return self._rest
        self._until = math.inf if until is None else until
        while True:
            now = time.monotonic()
            due = self.tend(now) or now
            try:
                data = self._stream.receive(max(0.0, due - now))
            except TimeoutError:
                now = time.monotonic()
                if until is not None and now >= until:
                    raise
                if now >= self._heard + self._limits.silence_seconds:
                    raise self._silence() from None
                continue
            self._heard = time.monotonic()
            return data

    def tend(self, now: float) -> float | None:
        """Ping when that is due; return until when to wait, None where there is to be an end.

        While the reading thread waits, the one that watches calls this for it (``turns``). Where
        both do, one ping is sent too many.
        """
        silent = self._heard + self._limits.silence_seconds
        if now >= min(silent, self._until):
            return None
        if now >= self._next_ping:
            self._next_ping = now + self._limits.ping_seconds
            self._ping()
        return min(self._next_ping, silent, self._until)

    def admit(self, data: bytes) -> bytes:
        """Return the beginning of ``data`` that may be handed on; raise if there is none."""
        sound = self._watch.feed(data)
        if sound == len(data):
            self._rest = b""
            return data
        if sound == 0:
            self._raise_fault()
        self._rest = data[sound:]
        return data[:sound]

    def _raise_fault(self) -> None:
        """Raise the watch's fault, if any: a copy, since the traceback would keep all of this."""
        fault = self._watch.fault
        if fault is not None:
            raise WebSocketError(fault.code, str(fault))

    def _silence(self) -> WebSocketError:
        seconds = self._limits.silence_seconds
        return WebSocketError(CloseCode.GOING_AWAY, f"The peer was silent for {seconds:g} s.")
