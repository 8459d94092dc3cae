"""The server's side of a WebSocket connection; the one module that knows simple_websocket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bpost.limits import Limits
from bpost.net.drainer import Drainer


@dataclass(frozen=True)
class Ending:
    """How a connection ended, for the log: the WebSocket close code, if any, and a sentence."""

    code: int | None
    text: str


def accept(
    sock: socket.socket,
    context: ssl.SSLContext,
    limits: Limits,
    drainer: Drainer,
    *,
    origins: frozenset[str] = frozenset(),
    slow_reader: str | None = None,
) -> ServerConnection:
    """Do TLS, check the HTTP request and upgrade it, all within ``limits.handshake_seconds``.

    Run it in the connection's own thread. ``origins`` are the web origins that may connect; a
    native client names none. ``slow_reader`` is the last text for a client that does not read.
    Whatever it raises, ``sock`` is closed then.

    Raises:
        TimedOut: the deadline passed.
        ConnectionClosed: the client left, or does not speak TLS.
        RequestError: the client did not ask as it should; it has been answered.
    """
    raise NotImplementedError


class ServerConnection:
    """A client's connection. Any thread may send and close; one thread serves."""

    id: str
    peer: str

    def send(self, text: str) -> bool:
        """Send one frame, never waiting; return False when the connection has ended or is ending.

        What the socket will not take at once waits in the connection's queue. Over
        ``limits.outbound_queue`` the queue is dropped and the connection closed as a slow reader.
        """
        return self.send_many((text,))

    def send_many(self, texts: Iterable[str]) -> bool:
        """Send frames with nothing in between, as :meth:`send` does; cheaper than one by one."""
        raise NotImplementedError

    def close(self, code: int = 1000, reason: str = "", last_text: str | None = None) -> None:
        """Send ``last_text`` and the close frame after what waits; return at once.

        The connection ends when the client has answered, or after ``limits.close_seconds``.
        """
        raise NotImplementedError

    def set_deadline(self, seconds: float | None, last_text: str | None = None) -> None:
        """Let :meth:`serve` close the connection in ``seconds``, for policy; None calls it off.

        Call it before :meth:`serve` or from ``on_text``.
        """
        raise NotImplementedError

    def serve(self, on_text: Callable[[str], None]) -> Ending:
        """Read in the calling thread, hand each text to ``on_text``, until the connection ends.

        While ``on_text`` works nothing is read, so a client that sends too fast has to wait.
        After the return the socket is closed. What ``on_text`` raises closes the connection
        (1011) and is raised again.
        """
        raise NotImplementedError

    @property
    def open(self) -> bool:
        """Whether texts can still be sent."""
        raise NotImplementedError

    @property
    def queued(self) -> int:
        """How many bytes wait because the client does not read them."""
        raise NotImplementedError
