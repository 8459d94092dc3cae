"""What BPost asks of a plain TCP socket."""

from __future__ import annotations

import math
import select
import socket
import sys
import time

USER_TIMEOUT_MS = 60_000


def prepare(sock: socket.socket) -> None:
    """Send small frames at once, notice a dead peer, and never let a call wait by itself."""
    sock.setblocking(False)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    user_timeout = getattr(socket, "TCP_USER_TIMEOUT", None)
    if user_timeout is not None:
        sock.setsockopt(socket.IPPROTO_TCP, user_timeout, USER_TIMEOUT_MS)


def wait(sock: socket.socket, deadline: float | None, *, writing: bool = False) -> None:
    """Wait until ``sock`` can be read (or written).

    Raises:
        TimeoutError: the monotonic clock passed ``deadline``.
        BrokenPipeError: the socket is closed.
    """
    if sock.fileno() < 0:
        raise BrokenPipeError("the connection is closed")
    seconds = None if deadline is None else max(0.0, deadline - time.monotonic())
    if sys.platform == "win32":
        able = select.select([] if writing else [sock], [sock] if writing else [], [], seconds)
        ready = bool(able[0] or able[1])
    else:
        # Not select(): it cannot serve descriptors above 1023.
        poll = select.poll()
        poll.register(sock, select.POLLOUT if writing else select.POLLIN)
        ready = bool(poll.poll(None if seconds is None else math.ceil(seconds * 1000)))
    if not ready:
        raise TimeoutError("the network did nothing in time")
