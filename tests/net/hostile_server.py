"""A TLS server that answers a client's upgrade by hand and then does whatever a test says."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import struct
from collections.abc import Callable

from bpost.limits import Limits
from bpost.net.ws_client import ClientConnection, connect
from tests.net.listening import ListeningTLS
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


class HostileServer(ListeningTLS):
    """Upgrades each client (or not), then runs ``script``; what the script returns is kept."""

    def __init__(self, script: Script, *, upgrade: bool = True) -> None:
        super().__init__()
        self.returned: list[object] = []
        self.connections = 0
        self._script = script
        self._upgrade = upgrade

    def connect(self, limits: Limits | None = None) -> ClientConnection:
        """Connect the client under test."""
        return connect(self.address, limits=limits)

    def welcome(self, sock: socket.socket) -> None:
        """Upgrade the client and run the script, to its end."""
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
