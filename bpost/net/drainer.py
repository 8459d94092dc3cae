"""The one thread that serves all slow connections: it sends when their sockets can take more."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from bpost.net.tls_stream import TLSStream

TICK = 0.25


class Drained(Protocol):
    """What a connection has to send, as the drainer sees it; called by its thread alone."""

    @property
    def stream(self) -> TLSStream:
        """Where it goes."""

    def drain(self) -> bool:
        """Send what the socket takes now; return whether something still waits."""

    def settle(self) -> bool | None:
        """Return whether something waits for room; None, and watched no more, if nothing is due."""

    def check(self, now: float) -> None:
        """End what has waited too long; ``now`` is the monotonic clock, in seconds."""


class Drainer:
    """Watches the connections of a process that are stuck or closing; one thread for all.

    The descriptors that it waits for are closed by this thread only, so it never waits for one
    that already belongs to another connection.
    """

    def __init__(self, on_failure: Callable[[Exception], None] | None = None) -> None:
        """Make ready to :meth:`start`; ``on_failure`` is told what cost a connection its life."""
        self._on_failure = on_failure
        self._selector = selectors.DefaultSelector()
        self._bell, self._ringer = socket.socketpair()
        for end in (self._bell, self._ringer):
            end.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="bpost-drainer", daemon=True)
        # Guards the three below; taken after an Outbound's lock.
        self._lock = threading.Lock()
        self._arrived: list[Drained] = []
        self._retired: list[Drained] = []
        self._stopped = False
        # Used by the thread alone: who is watched, and whether the selector knows it.
        self._watched: dict[Drained, bool] = {}

    def start(self) -> Drainer:
        """Start the thread, and return self."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread; what still waits is not sent any more."""
        with self._lock:
            self._stopped = True
        self._ring()
        if self._thread.ident is not None:
            self._thread.join()
        for outbound in self._retired:
            outbound.stream.close()
        self._selector.close()
        self._bell.close()
        self._ringer.close()

    def __enter__(self) -> Drainer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def watch(self, outbound: Drained) -> None:
        """Serve ``outbound`` from now on, until it is settled or retired."""
        with self._lock:
            if not self._stopped:
                self._arrived.append(outbound)
                self._ring()

    def retire(self, outbound: Drained) -> None:
        """Close the stream of ``outbound``, which was watched."""
        with self._lock:
            if not self._stopped:
                self._retired.append(outbound)
                self._ring()
                return
        outbound.stream.close()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._ringer.send(b"!")  # when it would block, the bell rings already

    def _run(self) -> None:
        next_check = 0.0
        while not self._stopped:
            for key, _ in self._selector.select(TICK if self._watched else None):
                if key.data is not None:
                    self._guarded(self._serve, key.data)
            self._come_and_go()
            now = time.monotonic()
            if now >= next_check:
                next_check = now + TICK
                for outbound in list(self._watched):
                    self._guarded(self._check, outbound)

    def _come_and_go(self) -> None:
        with contextlib.suppress(OSError):
            self._bell.recv(4096)
        with self._lock:
            arrived, self._arrived = self._arrived, []
            retired, self._retired = self._retired, []
        for outbound in arrived:
            self._watched.setdefault(outbound, False)
            self._guarded(self._serve, outbound)
        for outbound in retired:
            self._forget(outbound)
            outbound.stream.close()

    def _guarded(self, step: Callable[[Drained], None], outbound: Drained) -> None:
        """Do one step for one connection: what fails there costs that one, never this thread."""
        try:
            step(outbound)
        except Exception as error:
            self._forget(outbound)
            outbound.stream.cut()  # its own thread finds out, and retires it
            if self._on_failure is not None:
                self._on_failure(error)

    def _check(self, outbound: Drained) -> None:
        outbound.check(time.monotonic())

    def _serve(self, outbound: Drained) -> None:
        waits = outbound.drain()
        self._await_room(outbound, waits)
        if waits:
            return
        # Only now that the selector does not know it: once it is settled, anyone may close it.
        still = outbound.settle()
        if still is None:
            self._watched.pop(outbound, None)
        else:
            self._await_room(outbound, still)  # more was put since it was drained

    def _await_room(self, outbound: Drained, wanted: bool) -> None:
        """Let the selector tell, or not tell, when the socket of ``outbound`` takes more."""
        if self._watched.get(outbound, False) == wanted:
            return
        if wanted:
            self._selector.register(outbound.stream, selectors.EVENT_WRITE, outbound)
        else:
            self._selector.unregister(outbound.stream)
        self._watched[outbound] = wanted

    def _forget(self, outbound: Drained) -> None:
        """Watch ``outbound`` no more, in whatever state it is."""
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(outbound.stream)
        self._watched.pop(outbound, None)
