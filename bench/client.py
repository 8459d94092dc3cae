"""One client of the load: a connection that logs in, writes to its neighbour and acknowledges."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from bench.job import Job, Outcome
from bench.stock import PASSWORD, device_of, name_of

SEP = b"\x1f"
ACKNOWLEDGE_AFTER = 64
STAMP = 20


class Client(WSListener):
    """Connection ``number`` of a job; ``on_ready`` is called when it is logged in, or failed."""

    def __init__(self, job: Job, number: int, outcome: Outcome) -> None:
        account, neighbour = number * job.step, (number + 1) % job.ring * job.step
        self.ready = False
        self.on_ready: Callable[[], None] = lambda: None
        self.started = time.perf_counter()
        self._device = device_of(account).encode()
        self._name = name_of(account).encode()
        self._head = SEP.join((b"0", self._name, b""))
        to = name_of(neighbour).encode()
        self._tail = b"x" * (job.size - STAMP) + SEP + to + SEP + b"%d-" % number
        self._outcome = outcome
        self.number = number
        self._count = 0
        self._asked: deque[float] = deque()
        self._seq = b""
        self._unacknowledged = 0
        self._transport: WSTransport | None = None
        self.window = 0
        self.may_send: Callable[[], bool] = lambda: False

    def write(self, due: float) -> None:
        """Send one message, stamped with the moment at which it was due."""
        self._count += 1
        self._asked.append(due)
        self._outcome.sent += 1
        stamp = b"%020d" % int(due * 1e9)
        self._say(self._head + stamp + self._tail + b"%d" % self._count)

    def fill_window(self) -> None:
        """Send until ``window`` messages are unanswered."""
        while len(self._asked) < self.window and self.may_send():
            self.write(time.perf_counter())

    def acknowledge(self) -> None:
        """Tell the server what has arrived."""
        if self._unacknowledged:
            self._unacknowledged = 0
            self._say(SEP.join((b"5", b"OK", self._seq)))

    def leave(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.send_close()
            self._transport.disconnect()

    @property
    def waiting(self) -> int:
        """How many messages have no answer yet."""
        return len(self._asked)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._say(SEP.join((b"1", self._name, PASSWORD.encode(), self._device)))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:  # noqa: ARG002
        if frame.msg_type is not WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        kind = payload[:2]
        if kind == b"5\x1f":
            self._delivered(payload)
        elif kind == b"0\x1f":
            self._answered(payload)
        elif kind == b"1\x1f" and not self.ready:
            self.ready = payload[2:4] == b"OK"
            self.on_ready()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        self._transport = None
        self._outcome.lost += self.ready
        if not self.ready:
            self.on_ready()

    def _delivered(self, payload: bytes) -> None:
        now = time.perf_counter()
        self._outcome.delivered += 1
        self._outcome.first = self._outcome.first or now
        self._outcome.deliveries.add(now - int(payload[2 : 2 + STAMP]) / 1e9)
        self._seq = payload.rsplit(SEP, 2)[1]
        self._unacknowledged += 1
        if self._unacknowledged >= ACKNOWLEDGE_AFTER:
            self.acknowledge()

    def _answered(self, payload: bytes) -> None:
        if payload.startswith(b"0\x1fWillBeSent"):
            self._outcome.answered += 1
        else:
            self._outcome.refused += 1
        self._outcome.answers.add(time.perf_counter() - self._asked.popleft())
        self.fill_window()

    def _say(self, text: bytes) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, text)
