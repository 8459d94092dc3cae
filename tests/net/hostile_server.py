"""A TLS server that answers a client's upgrade by hand and then does whatever a test says."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType

from bpost.limits import Limits
from bpost.net.address import ServerAddress
from bpost.net.tls import ServerTLS
from bpost.net.ws_client import ClientConnection, connect
from tests.net.harness import server_files
from tests.support import patience

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Script = Callable[[ssl.SSLSocket], object]


def upgraded(request: bytes) -> bytes:
    """Return the answer that upgrades ``request``."""
    key = request.lower().split(b"sec-websocket-key: ")[1].split(b"\r\n")[0]
    at = request.lower().index(key)
    digest = hashlib.sha1(request[at : at + 24] + GUID.encode()).digest()  # noqa: S324
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n"
        "Sec-WebSocket-Protocol: bpost.1\r\n\r\n"
    ).encode()


def plain_frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """Return a server's frame."""
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        return head + bytes([size]) + payload
    return head + struct.pack("!BQ", 127, size) + payload


def read_all(sock: ssl.SSLSocket) -> bytes:
    """Return what the client still sends, up to its end."""
    data = b""
    with contextlib.suppress(OSError):
        while more := sock.recv(65536):
            data += more
    return data


class HostileServer:
    """Upgrades each client (or not), then runs ``script``; what the script returns is kept."""

    def __init__(self, script: Script, *, upgrade: bool = True) -> None:
        files = server_files()
        self.tls = ServerTLS(files.certificate, files.key)
        self.returned: list[object] = []
        self.connections = 0
        self._script = script
        self._upgrade = upgrade
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def address(self) -> ServerAddress:
        """The server's address, pinned."""
        return ServerAddress("127.0.0.1", self._listener.getsockname()[1], self.tls.pin)

    def connect(self, limits: Limits | None = None) -> ClientConnection:
        """Connect the client under test."""
        return connect(self.address, limits=limits)

    def __enter__(self) -> HostileServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(patience(20))
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            sock.settimeout(patience(20))
            with self.tls.context.wrap_socket(sock, server_side=True) as stream:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += stream.recv(4096)
                if self._upgrade:
                    stream.sendall(upgraded(request))
                with contextlib.suppress(OSError):
                    self.returned.append(self._script(stream))
