"""Two servers to compare with: ``python -m bench.reference ceiling|floor FOLDER``.

Both are stock simple-websocket over our ``TLSStream``, with one thread for each connection, and
know as much of the protocol as the load says.

The ceiling stores nothing: a message comes back at once, as an answer and as a delivery. Three
frames for each message, and not a line of work: nothing on this library can be much faster.
The floor is what one would write first: the connection's thread takes one lock, stores, commits,
lets go, answers the sender and writes to the recipient.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import sqlite3
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import simple_websocket

from bpost.limits import Limits
from bpost.net import certificates
from bpost.net.frames import SUBPROTOCOL
from bpost.net.request import END, read_upgrade
from bpost.net.tls import server_context
from bpost.net.tls_stream import CHUNK, TLSStream
from bpost.server.__main__ import STACK, SWITCH_SECONDS
from bpost.server.listener import TURN_SECONDS

SEP = "\x1f"
BACKLOG = 1024
HANDSHAKE_SECONDS = 60.0

_TABLE = """
CREATE TABLE messages (recipient TEXT, seq INTEGER, sender TEXT, ref TEXT, body TEXT, time INTEGER,
PRIMARY KEY (recipient, seq))"""


class Ceiling:
    """Answers everything and stores nothing."""

    def log_in(self, name: str, socket: Any) -> None:
        """Take note of nobody."""

    def hear(self, socket: Any, fields: list[str]) -> None:
        """Send a message back, as an answer and as a delivery."""
        _, sender, body, to, ref = fields
        now = str(time.time_ns() // 1_000_000)
        socket.send(SEP.join(("0", "WillBeSent", to, ref, "1", now)))
        socket.send(SEP.join(("5", body, sender, "1", now)))


class Floor:
    """One lock, one transaction for each message, synced."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._here: dict[str, Any] = {}
        self._last: dict[str, int] = {}
        self._database = sqlite3.connect(
            folder / "floor.db", check_same_thread=False, isolation_level=None
        )
        for pragma in ("journal_mode = wal", "synchronous = full", "cache_size = -65536"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(_TABLE)

    def log_in(self, name: str, socket: Any) -> None:
        """Remember where a user is."""
        self._here[name] = socket

    def hear(self, socket: Any, fields: list[str]) -> None:
        """Store a message, answer, deliver."""
        _, sender, body, to, ref = fields
        now = time.time_ns() // 1_000_000
        with self._lock:
            seq = self._last[to] = self._last.get(to, 0) + 1
            self._database.execute("BEGIN IMMEDIATE")
            row = (to, seq, sender, ref, body, now)
            self._database.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)", row)
            self._database.execute("COMMIT")
        socket.send(SEP.join(("0", "WillBeSent", to, ref, str(seq), str(now))))
        there = self._here.get(to)
        if there is not None:
            there.send(SEP.join(("5", body, sender, str(seq), str(now))))


class _HeldThread:
    """A thread of the library that does not start: its reader runs in the connection's own."""

    def __init__(self, target: Callable[[], None]) -> None:
        self.run = target
        self.name = ""

    def start(self) -> None:
        """Leave it to the connection's thread."""


class _Inbox:
    """Takes the place of the library's list of messages."""

    def __init__(self, server: Ceiling | Floor, socket: Any) -> None:
        self._server = server
        self._socket = socket

    def append(self, text: str) -> None:
        """Hand a message to the server."""
        fields = text.split(SEP)
        if fields[0] == "0":
            self._server.hear(self._socket, fields)
        elif fields[0] == "1":
            self._server.log_in(fields[1], self._socket)
            self._socket.send(SEP.join(("1", "OK", fields[3])))


def serve(server: Ceiling | Floor, sock: socket.socket, context: ssl.SSLContext) -> None:
    """Live one connection: the body of its thread."""
    with contextlib.suppress(OSError, simple_websocket.ConnectionClosed):
        stream = TLSStream(sock, context, server_side=True)
        stream.handshake(time.monotonic() + HANDSHAKE_SECONDS)
        data = b""
        while END not in data:
            data += stream.receive(HANDSHAKE_SECONDS)
        websocket = simple_websocket.Server.accept(
            {**read_upgrade(data, Limits(), frozenset()), "werkzeug.socket": stream},
            subprotocols=[SUBPROTOCOL],
            receive_bytes=CHUNK,
            thread_class=_HeldThread,
        )
        websocket.input_buffer = _Inbox(server, websocket)
        websocket.thread.run()


def main(kind: str, folder: Path) -> None:
    """Run one of the two until the process is ended."""
    threading.stack_size(STACK)
    sys.setswitchinterval(SWITCH_SECONDS)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    files = certificates.ensure(folder / "certificate")
    context = server_context(files.certificate, files.key)
    server = Ceiling() if kind == "ceiling" else Floor(folder)
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        print(f"listening on wss://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        while True:
            sock, _ = listening.accept()
            sys.setswitchinterval(max(SWITCH_SECONDS, threading.active_count() * TURN_SECONDS))
            threading.Thread(target=serve, args=(server, sock, context), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
