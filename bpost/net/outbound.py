"""What a server has to send on one connection, and nobody ever waits for."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

from bpost.limits import Limits
from bpost.net.drainer import Drainer
from bpost.net.frames import CloseCode, close_frame, text_frame
from bpost.net.tls_stream import TLSStream

BATCH = 64 * 1024


class Outbound:
    """The frames of one connection on their way out, in the order in which they were put.

    As long as the socket takes everything nothing is kept. Then frames wait, up to
    ``limits.outbound_queue`` bytes and ``limits.send_seconds``, and the drainer sends them. Beyond
    either they are dropped, and the connection is closed with ``slow_reader`` as its last text.
    """

    __slots__ = (
        "_blocked_since",
        "_deadline",
        "_drainer",
        "_frames",
        "_last",
        "_limits",
        "_lock",
        "_owed",
        "_slow_reader",
        "_waiting",
        "_watched",
        "stream",
    )

    def __init__(
        self, stream: TLSStream, limits: Limits, drainer: Drainer, slow_reader: str | None
    ) -> None:
        """Send on ``stream``, whose other senders all go through here."""
        self.stream = stream
        self._limits = limits
        self._drainer = drainer
        self._slow_reader = slow_reader
        # Guards all below and the order of frames; taken before the stream's and drainer's locks.
        self._lock = threading.Lock()
        # Frames that wait, each with the time when it was put, and how many bytes they are.
        self._frames: deque[tuple[float, bytes]] | None = None
        self._waiting = 0
        # What the stream owes the socket, and when the oldest of it was put.
        self._owed = 0
        self._blocked_since: float | None = None
        self._last = False
        self._deadline: float | None = None
        self._watched = False

    @property
    def open(self) -> bool:
        """Whether frames are still taken."""
        return not self._last

    @property
    def queued(self) -> int:
        """How many bytes wait."""
        return self._waiting + self._owed

    def put(self, frames: Sequence[bytes], *, last: bool = False) -> bool:
        """Send ``frames`` after what waits; False when the connection has ended or ends now.

        ``last`` says that a close frame is among them, so that nothing can follow.
        """
        with self._lock:
            if self._last:
                return False
            self._last = last
            self._put(frames)
            return last or not self._last

    def close(self, frames: Sequence[bytes]) -> bool:
        """Send ``frames``, the last of them a close frame, and cut the line after a while."""
        with self._lock:
            if self._last:
                return False
            self._last = True
            self._put(frames)
            self._end_within(self._limits.close_seconds)
            return True

    def _put(self, frames: Sequence[bytes]) -> None:
        """Hand to the stream what it takes at once, keep the rest. Holds the lock."""
        at, now = 0, time.monotonic()
        while self._blocked_since is None and at < len(frames):
            upto = _batch(frames, at)
            self._try_send(b"".join(frames[at:upto]) if upto - at > 1 else frames[at], now)
            at = upto
        if at < len(frames):
            self._keep(frames[at:], now)

    def _keep(self, frames: Sequence[bytes], now: float) -> None:
        """Let frames wait, as long as they are not too many. Holds the lock."""
        size = sum(map(len, frames))
        if self.queued + size > self._limits.outbound_queue and not self._last:
            self._give_up()
            return
        if self._frames is None:
            self._frames = deque()
        self._frames.extend((now, frame) for frame in frames)
        self._waiting += size

    def _try_send(self, data: bytes, put_at: float) -> None:
        """Let the stream send; remember since when it is stuck. Holds the lock."""
        try:
            self._owed = self.stream.try_send(data)
        except OSError:
            # Broken for good: the reader finds out as well, and ends the connection.
            self._last = True
            self._drop()
            self._owed = 0
        if not self._owed:
            self._blocked_since = None
        elif self._blocked_since is None:
            self._blocked_since = put_at
            self._watch()

    def _drop(self) -> None:
        """Forget what waits here; what the stream owes stays owed. Holds the lock."""
        self._frames, self._waiting = None, 0

    def _give_up(self) -> None:
        """Drop what waits and close: this reader is too slow. Holds the lock."""
        self._last = True
        self._drop()
        text = [] if self._slow_reader is None else [text_frame(self._slow_reader)]
        self._put([*text, close_frame(CloseCode.POLICY, "slow reader")])
        self._end_within(self._limits.close_seconds)

    def _end_within(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._watch()

    def _watch(self) -> None:
        if not self._watched:
            self._watched = True
            self._drainer.watch(self)

    # For the drainer, and for the thread that ends the connection.

    def drain(self) -> bool:
        """Send what the socket takes now; return whether something still waits."""
        with self._lock:
            if self._blocked_since is not None:
                self._try_send(b"", self._blocked_since)
            while self._frames and self._blocked_since is None:
                put_at, frame = self._frames.popleft()
                batch, size = [frame], len(frame)
                while self._frames and size + len(self._frames[0][1]) <= BATCH:
                    batch.append(self._frames.popleft()[1])
                    size += len(batch[-1])
                self._waiting -= size
                self._try_send(b"".join(batch), put_at)
            return self._blocked_since is not None

    def flush(self, deadline: float) -> None:
        """Wait until all has been sent, or ``deadline``."""
        try:
            while self.drain():
                self.stream.wait_to_send(deadline)
        except OSError:
            pass  # gone, or out of time: nothing more can be done for it

    def check(self, now: float) -> None:
        """Cut the line when its time is over; give up when the oldest frame waits for too long."""
        with self._lock:
            since = self._blocked_since
            if self._deadline is not None:
                if now >= self._deadline:
                    self.stream.cut()
            elif since is not None and now - since >= self._limits.send_seconds:
                self._give_up()

    def settle(self) -> bool | None:
        """Return whether something waits for room; None, and watched no more, if nothing is due.

        Both in one look: between two, a :meth:`put` could be stuck and believe itself watched.
        """
        with self._lock:
            blocked = self._blocked_since is not None
            self._watched = blocked or self._deadline is not None
            return blocked if self._watched else None

    def end(self) -> None:
        """Give the descriptor back to the system; the drainer does it if it may be watching it."""
        with self._lock:
            self._last = True
            self._drop()
            watched = self._watched
        if watched:
            self._drainer.retire(self)
        else:
            self.stream.close()


def _batch(frames: Sequence[bytes], at: int) -> int:
    """Return where the frames from ``at`` on fill a batch; at least one belongs to it."""
    size = len(frames[at])
    upto = at + 1
    while upto < len(frames) and size + len(frames[upto]) <= BATCH:
        size += len(frames[upto])
        upto += 1
    return upto
