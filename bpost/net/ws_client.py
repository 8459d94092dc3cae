"""The client's side of a WebSocket connection; the one module that knows websocket-client.

The library upgrades the connection, makes and parses the frames and answers pings. What it lacks
is around it: a stream that threads can share, bounds on what the server sends, a watch for a
silent server, and a close that never reads in the thread that closes.
"""

from __future__ import annotations

import contextlib
import hmac
import socket
import ssl
import struct
import threading
import time
from pathlib import Path
from typing import Any

import websocket

from bpost.errors import ConnectionClosed, SecurityError, TimedOut, TransportError
from bpost.limits import Limits
from bpost.net.abort import Abort
from bpost.net.address import ServerAddress
from bpost.net.certificates import pin_of
from bpost.net.frames import SUBPROTOCOL, CloseCode, WebSocketError
from bpost.net.inbound import Inbound
from bpost.net.tls import client_context, untrusted
from bpost.net.tls_stream import PlaintextPeerError, TLSStream

MOST_HTTP = 16 * 1024


def connect(
    address: ServerAddress,
    *,
    ca_file: Path | None = None,
    limits: Limits | None = None,
    timeout: float | None = None,
    abort: Abort | None = None,
) -> ClientConnection:
    """Connect, know the server, upgrade; all within ``timeout`` (``limits.handshake_seconds``).

    ``abort`` ends that earlier, and later the connection itself.

    With ``address.pin`` only the server's key counts. Without it ``ca_file`` or the system's
    store must vouch for the certificate, and the name must fit.

    Raises:
        UntrustedCertificate: nobody vouches for the certificate; holds its pin.
        SecurityError: ``pin-mismatch`` or ``plaintext-server``; nothing has been sent.
        TimedOut: the deadline passed.
        TransportError: the server cannot be reached, or is no BPost server.
    """
    limits = limits or Limits()
    deadline = time.monotonic() + (limits.handshake_seconds if timeout is None else timeout)
    context = client_context(pin=address.pin, ca_file=ca_file)
    try:
        stream = _open(address, context, deadline, abort)
    except ssl.SSLCertVerificationError as error:
        raise untrusted(error, address.host, _pin_of_server(address, deadline, abort)) from error
    try:
        pin = pin_of(stream.certificate())
        if address.pin is not None and not hmac.compare_digest(pin, address.pin):
            raise SecurityError(
                "pin-mismatch",
                f"The server at {address} has another key than the one that was pinned. It may "
                "be someone else's server. Nothing has been sent. If its owner confirms new keys, "
                f"ask for a new invite link; the pin offered is {pin}.",
            )
        return ClientConnection(stream, address, limits, pin, deadline)
    except BaseException:
        stream.close()
        raise


def _open(
    address: ServerAddress, context: ssl.SSLContext, deadline: float, abort: Abort | None
) -> TLSStream:
    """Connect and do TLS; ssl.SSLCertVerificationError is left to the caller."""
    stream = None
    try:
        sock = _tcp(address, deadline, abort or Abort())
        try:
            stream = TLSStream(sock, context, server_hostname=address.host)
        except BaseException:
            sock.close()
            raise
        stream.handshake(deadline)
        return stream
    except BaseException as error:
        if stream is not None:
            stream.close()
        if isinstance(error, OSError) and not isinstance(error, ssl.SSLCertVerificationError):
            raise _unreachable(error, address) from error
        raise


def _tcp(address: ServerAddress, deadline: float, abort: Abort) -> socket.socket:
    """Try each address of the host in turn."""
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, target in socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM
    ):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock = socket.socket(family, kind, protocol)
        try:
            abort.watch(sock)
            sock.settimeout(left)
            sock.connect(target)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _pin_of_server(address: ServerAddress, deadline: float, abort: Abort | None) -> str:
    """Ask the server once more for its certificate, trusting nothing and sending nothing."""
    stream = _open(address, client_context(pin=""), deadline, abort)
    try:
        return pin_of(stream.certificate())
    finally:
        stream.close()


def _unreachable(error: OSError, address: ServerAddress) -> Exception:
    if isinstance(error, PlaintextPeerError):
        return SecurityError(
            "plaintext-server",
            f"What answers at {address} does not encrypt. Nothing has been sent. Check the port; "
            "if it is right, someone may be between you and the server.",
        )
    if isinstance(error, TimeoutError):
        return TimedOut(f"The server at {address} does not answer. Check address and network.")
    if isinstance(error, ssl.SSLError):
        return TransportError(f"TLS with {address} failed: {error.reason or error}.")
    why = error.strerror or str(error) or "the connection was cut"
    return TransportError(f"The server at {address} cannot be reached: {why}.")


class ClientConnection:
    """A connection to a server. Any thread may send and close; one thread receives."""

    def __init__(
        self,
        stream: TLSStream,
        address: ServerAddress,
        limits: Limits,
        pin: str,
        deadline: float,
    ) -> None:
        """Upgrade a connection to a server that is known to be the right one."""
        self.pin = pin
        self._limits = limits
        self._stream = stream
        # Held by the thread that receives, and by the one that closes when that has left.
        self._receiving = threading.Lock()
        # Guards _closing.
        self._lock = threading.Lock()
        self._closing = False
        library: Any = websocket.WebSocket(skip_utf8_validation=True)
        self._library = library
        self._socket = _LibrarySocket(stream, deadline)
        stream.settimeout(limits.send_seconds)
        try:
            # Following a redirect, the library would leave our stream, TLS or no TLS.
            library.connect(
                address.url,
                socket=self._socket,
                subprotocols=[SUBPROTOCOL],
                suppress_origin=True,
                redirect_limit=0,
            )
            self._socket.begin(Inbound(stream, limits, self._ping, masked=False))
        except (websocket.WebSocketException, WebSocketError, OSError, ValueError) as error:
            raise _no_upgrade(error, address) from error

    def send(self, text: str) -> None:
        """Send one frame; waits while the network does not take it, up to ``limits.send_seconds``.

        Raises:
            ConnectionClosed: it has ended; nobody knows whether the frame arrived.
            TimedOut: the server takes no more; the connection is broken then.
        """
        try:
            self._library.send_text(text)
        except (websocket.WebSocketTimeoutException, TimeoutError) as error:
            raise TimedOut("The server takes no more messages; the connection is cut.") from error
        except (websocket.WebSocketException, OSError) as error:
            raise ConnectionClosed("The connection to the server has ended.") from error

    def receive(self, timeout: float | None = None) -> str:
        """Return the next frame; answers and sends pings meanwhile.

        Raises:
            ConnectionClosed: the connection ended, or the server was silent for too long.
            TimedOut: no frame came within ``timeout`` seconds; may be called again.
        """
        with self._receiving:
            self._socket.until = None if timeout is None else time.monotonic() + timeout
            try:
                return self._receive()
            except (websocket.WebSocketTimeoutException, TimeoutError) as error:
                raise TimedOut("Nothing came from the server in time.") from error
            except WebSocketError as fault:
                self._say_close(fault.code)
                self._stream.close()
                raise ConnectionClosed(str(fault), fault.code) from fault
            except (websocket.WebSocketException, OSError) as error:
                self._stream.close()
                raise ConnectionClosed("The connection to the server was cut.") from error

    def _receive(self) -> str:
        while True:
            opcode, frame = self._library.recv_data_frame(True)
            if opcode == websocket.ABNF.OPCODE_TEXT:
                try:
                    return str(frame.data, "utf-8")
                except UnicodeDecodeError as error:
                    raise WebSocketError(CloseCode.INVALID_TEXT, "A text is no UTF-8.") from error
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                self._leave()
                code = int.from_bytes(frame.data[:2], "big") or None
                reason = frame.data[2:].decode(errors="replace")
                text = f"The server closed the connection{f': {reason}' if reason else ''}."
                raise ConnectionClosed(text, code)

    def close(self) -> None:
        """End the connection, in order if the server answers within ``limits.close_seconds``.

        Any thread may call it, again too; a thread in :meth:`receive` gets ConnectionClosed.
        """
        with self._lock:
            if self._closing:
                return
            self._closing = True
        self._say_close(CloseCode.NORMAL)
        # A receiver leaves when the server's close frame comes, and has then closed the stream.
        if self._receiving.acquire(timeout=self._limits.close_seconds):
            self._leave()
            self._receiving.release()
        else:
            self._stream.close()

    def _leave(self) -> None:
        """Say the last word and read to the end: unread bytes would reset what is under way."""
        self._stream.finish()
        self._stream.drain(time.monotonic() + self._limits.close_seconds)
        self._stream.close()

    def _say_close(self, code: int) -> None:
        """Send a close frame, unless a sender is stuck."""
        if not self._library.lock.acquire(timeout=self._limits.close_seconds):
            return
        try:
            frame = websocket.ABNF.create_frame(
                struct.pack("!H", code), websocket.ABNF.OPCODE_CLOSE
            )
            self._stream.settimeout(self._limits.close_seconds)
            with contextlib.suppress(OSError):
                self._stream.send(frame.format())
        finally:
            self._library.lock.release()

    def _ping(self) -> None:
        self._library.ping()


def _no_upgrade(error: Exception, address: ServerAddress) -> Exception:
    if isinstance(error, (TimeoutError, websocket.WebSocketTimeoutException)):
        return TimedOut(f"The server at {address} does not answer. Check address and network.")
    status = getattr(error, "status_code", None)
    why = f"it answered with HTTP status {status}" if status else "its answer is no WebSocket's"
    return TransportError(
        f"The server at {address} does not let this client in: {why}. Check address and port."
    )


class _LibrarySocket:
    """What the library takes for its socket: the stream, read in the library's small pieces."""

    def __init__(self, stream: TLSStream, deadline: float) -> None:
        """Serve the HTTP upgrade until ``deadline``; then :meth:`begin`."""
        self.until: float | None = deadline
        self._stream = stream
        self._inbound: Inbound | None = None
        self._ready = memoryview(b"")
        self._left = MOST_HTTP

    def begin(self, inbound: Inbound) -> None:
        """Read frames from now on."""
        self._inbound = inbound
        self._ready = memoryview(inbound.admit(bytes(self._ready)))

    def recv(self, size: int) -> bytes:
        """Return up to ``size`` bytes, waiting until ``until``."""
        if not self._ready:
            self._ready = memoryview(self._more())
        data, self._ready = self._ready[:size], self._ready[size:]
        return bytes(data)

    def _more(self) -> bytes:
        if self._inbound is not None:
            return self._inbound.receive(self.until)
        timeout = None if self.until is None else max(0.0, self.until - time.monotonic())
        data = self._stream.receive(timeout)
        self._left -= len(data)
        if self._left < 0:
            raise WebSocketError(CloseCode.TOO_BIG, "The server's HTTP answer is too long.")
        return data

    def send(self, data: bytes | str) -> int:
        """Send all of ``data``."""
        return self._stream.send(data.encode() if isinstance(data, str) else data)

    def gettimeout(self) -> float | None:
        """Tell the library to read at once: this socket waits by itself."""
        return None

    def settimeout(self, _seconds: float | None) -> None:
        """Keep our own deadlines."""

    def close(self) -> None:
        """Leave the descriptor to :class:`ClientConnection`, but let nobody wait any more."""
        self._stream.shutdown()
