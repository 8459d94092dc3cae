"""Ending connections that are still being made, from another thread."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import weakref


class Abort:
    """Ends what it watches, once and for all; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the rest; nothing that waits is called under it
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._over = False

    def watch(self, sock: socket.socket) -> None:
        """End this socket too when :meth:`now` is called; raise OSError if it has been."""
        with self._lock:
            if self._over:
                raise ConnectionAbortedError(errno.ECONNABORTED, "this program is ending")
            self._sockets.add(sock)

    def now(self) -> None:
        """Wake whoever connects, reads or writes: they find their connection cut."""
        with self._lock:
            self._over = True
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
