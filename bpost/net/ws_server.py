"""The server's side of a WebSocket connection; the one module that knows simple_websocket.

The library parses the frames and answers pings and close frames. What it lacks is around it: a
checked request, a stream that threads can share, bounds on what comes in, one way out for all that
is sent, and a close handshake with an end.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import simple_websocket
from wsproto.utilities import ProtocolError

from bpost.errors import ConnectionClosed, TimedOut
from bpost.limits import Limits
from bpost.net.drainer import Drainer
from bpost.net.frames import (
    SUBPROTOCOL,
    CloseCode,
    WebSocketError,
    close_frame,
    holds_close,
    ping_frame,
    text_frame,
)
from bpost.net.inbound import Inbound
from bpost.net.outbound import Outbound
from bpost.net.proxies import Proxies, announced
from bpost.net.request import END, RequestError, check_beginning, forwarded_for, read_upgrade
from bpost.net.tls_stream import CHUNK, PlaintextPeerError, TLSStream
from bpost.net.turns import Turns

NO_STATUS = 1005
NO_PROXIES = Proxies()


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
    proxies: Proxies = NO_PROXIES,
) -> ServerConnection:
    """Do TLS, check the HTTP request and upgrade it, all within ``limits.handshake_seconds``.

    Run it in the connection's own thread. ``origins`` are the web origins that may connect; a
    native client names none. ``slow_reader`` is the last text for a client that does not read.
    ``proxies`` are believed about where a client is. Whatever it raises, ``sock`` is closed then.

    Raises:
        TimedOut: the deadline passed.
        ConnectionClosed: the client left, or does not speak TLS.
        RequestError: the client did not ask as it should; it has been answered.
    """
    deadline = time.monotonic() + limits.handshake_seconds
    try:
        peer = _address(sock)
        proxied = proxies.covers(_host(peer))
        if proxied:
            peer = announced(sock, deadline) or peer
        stream = TLSStream(sock, context, server_side=True)
    except OSError as error:
        sock.close()
        raise ConnectionClosed("The client left before the TLS handshake.") from error
    try:
        stream.handshake(deadline)
        headers, forwarded = _request(stream, limits, origins, deadline)
        if proxied and forwarded:
            peer = proxies.forwarded(forwarded) or peer
        outbound = Outbound(stream, limits, drainer, slow_reader)
        return ServerConnection(stream, outbound, limits, headers, peer)
    except BaseException as error:
        stream.close()
        if isinstance(error, OSError):
            raise _said(error, limits) from error
        raise


def _request(
    stream: TLSStream, limits: Limits, origins: frozenset[str], deadline: float
) -> tuple[dict[str, str], str]:
    """Read and check the HTTP request; answer one that is refused.

    Returns the headers for the library, and whom a proxy says that the request is from.
    """
    data = b""
    try:
        while END not in data:
            more = stream.receive(max(0.0, deadline - time.monotonic()))
            if not more:
                raise ConnectionResetError("the client left during the HTTP request")
            data += more
            check_beginning(data)
            if len(data) > limits.http_request:
                status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                raise RequestError(status, f"The request is over {limits.http_request} bytes.")
        return read_upgrade(data, limits, origins), forwarded_for(data, limits)
    except RequestError as refusal:
        end = min(deadline, time.monotonic() + limits.close_seconds)
        stream.try_send(refusal.answer())
        stream.finish()
        stream.drain(end)
        raise


def _said(error: OSError, limits: Limits) -> Exception:
    if isinstance(error, TimeoutError):
        seconds = limits.handshake_seconds
        return TimedOut(f"The client did not finish its handshake within {seconds:g} s.")
    if isinstance(error, PlaintextPeerError):
        return ConnectionClosed("The client does not speak TLS.")
    if isinstance(error, ssl.SSLError):
        return ConnectionClosed(f"TLS with the client failed: {error.reason or error}.")
    return ConnectionClosed("The client left during its handshake.")


def _host(peer: str) -> str:
    """Return the host in "1.2.3.4:5" or "[::1]:5"."""
    return peer.rpartition(":")[0].strip("[]")


def _address(sock: socket.socket) -> str:
    name = sock.getpeername()
    if not isinstance(name, tuple):
        return "local"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"{host}:{name[1]}"


class ServerConnection:
    """A client's connection. Any thread may send and close; one thread serves."""

    __slots__ = (
        "_deadline",
        "_ending",
        "_inbound",
        "_last_text",
        "_library",
        "_limits",
        "_outbound",
        "_paused",
        "_stream",
        "id",
        "peer",
    )

    def __init__(
        self,
        stream: TLSStream,
        outbound: Outbound,
        limits: Limits,
        headers: dict[str, str],
        peer: str,
    ) -> None:
        """Upgrade a connection whose request has been checked."""
        self.id = secrets.token_hex(4)
        self.peer = peer
        self._limits = limits
        self._stream = stream
        self._outbound = outbound
        self._inbound = Inbound(stream, limits, self._ping, masked=True)
        self._deadline: float | None = None
        self._last_text: str | None = None
        self._ending: Ending | None = None
        self._paused = False
        try:
            self._library: Any = simple_websocket.Server.accept(
                {**headers, "werkzeug.socket": _LibrarySocket(self)},
                subprotocols=[SUBPROTOCOL],
                receive_bytes=CHUNK,
                thread_class=_HeldThread,
                event_class=_NoEvent,
            )
        except (simple_websocket.SimpleWebsocketError, ProtocolError) as error:
            raise RequestError(HTTPStatus.BAD_REQUEST, "The request is malformed.") from error
        # Half of what the library keeps for a connection served for its upgrade alone.
        self._library.environ = None
        self._library.ws.handshake = _PAST_HANDSHAKE

    @property
    def open(self) -> bool:
        """Whether texts can still be sent."""
        return self._outbound.open

    @property
    def queued(self) -> int:
        """How many bytes wait because the client does not read them."""
        return self._outbound.queued

    def send(self, text: str) -> bool:
        """Send one frame, never waiting; return False when the connection has ended or is ending.

        What the socket will not take at once waits in the connection's queue. Over
        ``limits.outbound_queue`` the queue is dropped and the connection closed as a slow reader.
        """
        return self._outbound.put((text_frame(text),))

    def send_many(self, texts: Iterable[str]) -> bool:
        """Send frames with nothing in between, as :meth:`send` does; cheaper than one by one."""
        return self._outbound.put([text_frame(text) for text in texts])

    def close(
        self, code: int = CloseCode.NORMAL, reason: str = "", last_text: str | None = None
    ) -> None:
        """Send ``last_text`` and the close frame after what waits; return at once.

        The connection ends when the client has answered, or after ``limits.close_seconds``.
        """
        frames = [] if last_text is None else [text_frame(last_text)]
        if self._outbound.close([*frames, close_frame(code, reason)]):
            self._ending = Ending(code, reason or "closed by the server")

    def set_deadline(self, seconds: float | None, last_text: str | None = None) -> None:
        """Let :meth:`serve` close the connection in ``seconds``, for policy; None calls it off.

        Call it before :meth:`serve` or from ``on_text``.
        """
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._last_text = last_text

    def pause(self) -> None:
        """Let :meth:`serve` return before it reads on. Call it from ``on_text``."""
        self._paused = True

    def serve(self, on_text: Callable[[str], None], turns: Turns | None = None) -> Ending | None:
        """Read in the calling thread, hand each text to ``on_text``, until the connection ends.

        While ``on_text`` works nothing is read, so a client that sends too fast has to wait.
        After the return the socket is closed. What ``on_text`` raises closes the connection
        (1011) and is raised again. After a :meth:`pause` it returns None, and the next call, from
        whichever thread, goes on.
        """
        self._library.input_buffer = _HandOver(self, on_text)
        with contextlib.ExitStack() as leaving:
            leaving.callback(self._end)
            self._stream.sit(turns, self._inbound.tend)
            try:
                self._library.thread.run()
            except _Pause:
                leaving.pop_all()
                self._stream.sit(None)
                return None
            except WebSocketError as fault:
                self.close(fault.code, str(fault))
            except _OnTextError as failure:
                self.close(CloseCode.INTERNAL, "internal error")
                raise failure.error from None
        return self._ending or self._library_ending()

    def _library_ending(self) -> Ending:
        if self._library.close_message is None and self._library.close_reason == NO_STATUS:
            return Ending(None, "the client left without a word")
        return Ending(int(self._library.close_reason), str(self._library.close_message or ""))

    def _end(self) -> None:
        """Send what is left, then FIN, and read to the end: unread bytes would reset it all."""
        self._stream.sit(None)
        deadline = time.monotonic() + self._limits.close_seconds
        self._outbound.flush(deadline)
        self._stream.finish()
        self._stream.drain(deadline)
        self._outbound.end()
        # What refers to this again goes, so that the memory is free with the last reference, and
        # waits for no collector.
        library = self._library
        library.sock = library.thread = library.input_buffer = None
        del self._inbound

    def _ping(self) -> None:
        if not self.queued:
            self._outbound.put((ping_frame(),))

    def _receive(self) -> bytes:
        while True:
            if self._paused:
                self._paused = False
                raise _Pause
            # Looked at before reading: while data keeps coming, no wait would ever time out.
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._deadline = None
                self.close(CloseCode.POLICY, "deadline passed", self._last_text)
            try:
                data = self._inbound.receive_past(self._library.input_buffer.append, self._deadline)
            except TimeoutError:
                continue
            if data is not None:
                return data

    def _send_raw(self, frames: bytes) -> None:
        self._outbound.put((frames,), last=holds_close(frames))


class _LibrarySocket:
    """What the library takes for its socket."""

    __slots__ = ("_connection",)

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    def recv(self, _size: int) -> bytes:
        return self._connection._receive()

    def send(self, data: bytes) -> int:
        """Send the library's own frames the way all frames go, never past a close frame."""
        self._connection._send_raw(bytes(data))
        return len(data)

    def close(self) -> None:
        """Leave it open: the library is done before the close handshake is."""


class _HeldThread:
    """A thread that the library starts and that does not run: its reader runs in ours."""

    def __init__(self, target: Callable[[], None]) -> None:
        self.run = target
        self.name = ""

    def start(self) -> None:
        """Wait for :meth:`ServerConnection.serve`."""


class _NoEvent:
    """The library's sign for a waiting ``receive()``, which nobody calls."""

    def set(self) -> None:
        """Tell nobody."""


class _Pause(Exception):
    """Takes the reader out of the library between two readings."""


class _OnTextError(Exception):
    """Carries what ``on_text`` raised past the library, which swallows an OSError."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class _PastHandshake:
    """The library's HTTP half, when it is over."""

    def events(self) -> tuple[()]:
        """Tell nothing any more."""
        return ()


_PAST_HANDSHAKE = _PastHandshake()


class _HandOver:
    """Takes the place of the library's input buffer, which has no bound."""

    __slots__ = ("_connection", "_on_text")

    def __init__(self, connection: ServerConnection, on_text: Callable[[str], None]) -> None:
        self._connection = connection
        self._on_text = on_text

    def append(self, message: str) -> None:
        """Hand one message over, in the reading thread; what comes after a close is ignored."""
        if self._connection.open:
            try:
                self._on_text(message)
            except Exception as error:
                raise _OnTextError(error) from error
