"""A server of the network layer alone, and a client that says anything, frame by frame."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

from bpost.limits import Limits
from bpost.net.drainer import Drainer
from bpost.net.frames import CLOSE, PING, PONG, TEXT
from bpost.net.tls_stream import TLSStream
from bpost.net.ws_server import Ending, ServerConnection, accept
from tests.net.listening import ListeningTLS
from tests.support import patience, wait_until

UPGRADE = (
    "GET / HTTP/1.1",
    "Host: chat.example",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)
OnText = Callable[[ServerConnection, str], None]


def blind_context() -> ssl.SSLContext:
    """Return a client context that trusts anybody, for tests of servers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def echo(connection: ServerConnection, text: str) -> None:
    """Send back what came."""
    connection.send(text)


class Harness(ListeningTLS):
    """A real server on a real port: a thread for each connection, an echo unless told otherwise."""

    def __init__(
        self,
        on_text: OnText = echo,
        *,
        limits: Limits | None = None,
        origins: frozenset[str] = frozenset(),
        slow_reader: str | None = None,
        send_buffer: int | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.limits = limits or Limits()
        self.connections: list[ServerConnection] = []
        self.endings: list[Ending] = []
        self.errors: list[BaseException] = []
        self.threads: list[threading.Thread] = []
        self.drainer = Drainer()
        self._on_text = on_text
        self._origins = origins
        self._slow_reader = slow_reader
        self._send_buffer = send_buffer

    def __enter__(self) -> Harness:
        self.drainer.start()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        for connection in self.connections:
            connection.close()
        for thread in self.threads:
            thread.join(patience(10))
        self.drainer.stop()

    def welcome(self, sock: socket.socket) -> None:
        """Give the connection its thread."""
        if self._send_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer)
        thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            connection = accept(
                sock,
                self.tls.context,
                self.limits,
                self.drainer,
                origins=self._origins,
                slow_reader=self._slow_reader,
            )
            self.connections.append(connection)
            ending = connection.serve(lambda text: self._on_text(connection, text))
            assert ending is not None, "nobody pauses here"
            self.endings.append(ending)
        except Exception as error:  # what the tests look at
            self.errors.append(error)

    def wait_idle(self) -> None:
        """Wait until every connection's thread has ended."""
        wait_until(lambda: not any(thread.is_alive() for thread in self.threads), 20, "threads")


class RawClient:
    """A client by hand: one thread, any bytes, and a strict reader of what the server sends."""

    opcodes = frozenset({TEXT, CLOSE, PING, PONG})

    def __init__(
        self,
        port: int,
        *lines: str,
        upgrade: bool = True,
        tls: bool = True,
        shared: bool = False,
        receive_buffer: int | None = None,
    ) -> None:
        """Connect; with ``upgrade`` ask for a WebSocket, with more header ``lines``.

        ``shared``: one thread will read while another writes, which Python's own TLS cannot do.
        """
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(patience(20))
        sock.connect(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock: socket.socket | TLSStream = sock
        if shared:
            self.sock = TLSStream(sock, blind_context())
            self.sock.handshake(time.monotonic() + patience(20))
        elif tls:
            self.sock = blind_context().wrap_socket(sock)
        self.response = b""
        self._ready = b""
        if upgrade:
            self.ask(*UPGRADE, *lines)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sock.close()

    def ask(self, *lines: str) -> int:
        """Send an HTTP request, return the status of the answer."""
        return self.ask_raw("\r\n".join((*lines, "", "")).encode("latin-1"))

    def ask_raw(self, request: bytes) -> int:
        """Send an HTTP request as it is, return the status of the answer; 0 for none."""
        self.sock.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._receive()
            if not more:
                return 0
            data += more
        self.response, _, self._ready = data.partition(b"\r\n\r\n")
        return int(self.response.split()[1])

    def send_frame(
        self,
        opcode: int,
        payload: bytes = b"",
        *,
        fin: bool = True,
        rsv: int = 0,
        mask: bytes | None = b"\1\2\3\4",
        length: int | None = None,
    ) -> None:
        """Send one frame, however wrong."""
        self.sock.sendall(raw_frame(opcode, payload, fin=fin, rsv=rsv, mask=mask, length=length))

    def send(self, text: str) -> None:
        """Send a text as a client should."""
        self.send_frame(TEXT, text.encode())

    def read_frame(self) -> tuple[int, bytes]:
        """Return the next frame's opcode and payload; EOFError at the end. Strict."""
        first, second = self._exactly(2)
        if first & 0xF0 != 0x80 or second & 0x80 or first & 0x0F not in self.opcodes:
            raise AssertionError(f"no frame of this server begins with {first:#x} {second:#x}")
        size = second
        if size == 126:
            (size,) = struct.unpack("!H", self._exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._exactly(8))
        return first & 0x0F, self._exactly(size)

    def read(self) -> str:
        """Return the next text, passing over pings and pongs."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == TEXT:
                return payload.decode()
            if opcode == CLOSE:
                raise EOFError(f"closed: {payload!r}")

    def read_close(self) -> int | None:
        """Read up to the close frame and the end after it; None if the end comes without."""
        try:
            while True:
                opcode, payload = self.read_frame()
                if opcode == CLOSE:
                    break
            code = int.from_bytes(payload[:2], "big")
        except (EOFError, OSError):
            return None
        with contextlib.suppress(OSError):
            while self._receive():
                pass
        return code

    def _exactly(self, size: int) -> bytes:
        while len(self._ready) < size:
            more = self._receive()
            if not more:
                raise EOFError
            self._ready += more
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def _receive(self) -> bytes:
        return self.sock.recv(65536)


def raw_frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\1\2\3\4",
    length: int | None = None,
) -> bytes:
    """Return a client's frame; ``length`` lies about the size."""
    size = len(payload) if length is None else length
    masked = 0 if mask is None else 0x80
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        head += bytes([masked | size])
    elif size < 1 << 16:
        head += struct.pack("!BH", masked | 126, size)
    else:
        head += struct.pack("!BQ", masked | 127, size)
    if mask is None:
        return head + payload
    keys = (mask * (len(payload) // 4 + 1))[: len(payload)]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")
    return head + mask + hidden.to_bytes(len(payload), "big")
