"""Simulators for the server's tests: a wire that remembers, an office without threads, visitors,
and plain clients of a real server.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from websockets.sync.client import ClientConnection, connect

from bpost.limits import Limits
from bpost.protocol.codes import SEPARATOR
from bpost.server.config import Config
from bpost.server.log import EventLog
from bpost.server.mailroom import Mailroom, Posting
from bpost.server.office import Office
from bpost.server.post_office import PostOffice
from bpost.server.rules import RULES
from bpost.server.session import Session
from tests.support import patience

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "A" * 43
OTHER = "B" * 42 + "A"
OPEN = Limits().without_rates()

_numbers = itertools.count(1)


class FakeWire:
    """A connection that remembers what was sent on it, and how it was closed."""

    def __init__(self, peer: str = "192.0.2.7:5000") -> None:
        self.id = f"w{next(_numbers)}"
        self.peer = peer
        self.open = True
        self.queued = 0
        self.frozen = False
        self.sent: list[str] = []
        self.ended: tuple[int, str] | None = None
        self.deadline: float | None = None

    def send(self, text: str) -> bool:
        return self.send_many((text,))

    def send_many(self, texts: Iterable[str]) -> bool:
        taken = list(texts)
        if self.open:
            self.sent += taken
            self.queued += sum(map(len, taken)) if self.frozen else 0
        return self.open

    def close(self, code: int = 1000, reason: str = "", last_text: str | None = None) -> None:
        if last_text is not None:
            self.send(last_text)
        self.open = False
        self.ended = self.ended or (code, reason)

    def set_deadline(self, seconds: float | None, last_text: str | None = None) -> None:
        self.deadline = seconds

    def frames(self) -> list[list[str]]:
        """Return what was sent since the last call, as lists of fields."""
        taken, self.sent = self.sent, []
        return [text.split(SEPARATOR) for text in taken]


class PromptMailroom(Mailroom):
    """A mailroom that stores each letter at once, in the caller's thread."""

    def post(self, posting: Posting) -> None:
        self.work([posting])


class Visitor:
    """A session on a fake wire, spoken to in fields."""

    def __init__(self, office: Office, peer: str = "192.0.2.7:5000") -> None:
        self.wire = FakeWire(peer)
        self.session = Session(office, self.wire, RULES)

    def ask(self, *fields: str) -> list[str]:
        """Say a frame; return the one frame that came back, or an empty list."""
        frames = self.say(*fields)
        assert len(frames) < 2, frames
        return frames[0] if frames else []

    def say(self, *fields: str) -> list[list[str]]:
        """Say a frame; return all frames that came back."""
        self.wire.frames()
        self.session.hear(SEPARATOR.join(fields))
        return self.wire.frames()

    def heard(self) -> list[list[str]]:
        """Return what came unasked since the last look."""
        return self.wire.frames()


class OfficeTest(unittest.TestCase):
    """A test with an office that has no threads: everything happens in order."""

    limits: Limits = OPEN

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.log = io.StringIO()
        self.office = self.open(Config(data=self.folder, limits=self.limits))

    def open(self, config: Config) -> Office:
        """Open an office; its log goes to ``self.log``."""
        log = EventLog("text", "debug", stream=self.log)
        office = Office(config, log)
        office.mailroom = PromptMailroom(office.store, office.bus, log)
        self.addCleanup(office.store.close)
        return office

    def visitor(self, peer: str = "192.0.2.7:5000") -> Visitor:
        """Connect, without logging in."""
        return Visitor(self.office, peer)

    def user(self, name: str) -> Visitor:
        """Register a user, who stays connected without a device."""
        visitor = self.visitor()
        self.assertEqual(visitor.ask("2", name, PASSWORD), ["2", "OK"])
        return visitor

    def device(self, name: str, device: str = "new") -> Visitor:
        """Log in as a device; its id is ``device_of(visitor)``."""
        visitor = self.visitor()
        frames = visitor.say("1", name, PASSWORD, device)
        self.assertEqual(frames[0][:2], ["1", "OK"], frames)
        visitor.wire.sent = [SEPARATOR.join(frame) for frame in frames[1:]]
        return visitor

    def friends(self) -> tuple[Visitor, Visitor]:
        """Register alice and bob, contacts of each other."""
        alice, bob = self.user("alice"), self.user("bob")
        alice.ask("4", "alice", "bob")
        bob.ask("4", "bob", "alice")
        return alice, bob

    def account(self, name: str) -> int:
        """Return the number of an account."""
        account = self.office.store.accounts.find(name)
        assert account is not None
        return account.id

    def dump(self) -> str:
        """Return everything in the database, as text."""
        with self.office.store.reading() as database:
            connection: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]
            return "\n".join(connection.iterdump())


def device_of(visitor: Visitor) -> str:
    """Return the id of the device that a visitor logged in as."""
    return visitor.session.mine.device


def reason(frame: list[str]) -> str:
    """Return the reason in an "Error" frame, wherever it stands; empty for another frame."""
    if frame[1:2] != ["Error"]:
        return ""
    return frame[4] if frame[0] == "0" else frame[2]


class PlainClient:
    """A client of a real server, over TLS, that speaks in fields."""

    def __init__(self, port: int, ca: Path, **options: Any) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        self.socket: ClientConnection = connect(
            f"wss://localhost:{port}/",
            ssl=context,
            subprotocols=["bpost.1"],  # type: ignore[list-item]
            compression=None,
            open_timeout=patience(20),
            close_timeout=0.5,
            **options,
        )

    def send(self, *fields: str) -> None:
        """Send a frame."""
        self.socket.send(SEPARATOR.join(fields))

    def receive(self) -> list[str]:
        """Wait for the next frame."""
        return str(self.socket.recv(timeout=patience(20))).split(SEPARATOR)

    def ask(self, *fields: str) -> list[str]:
        """Send a frame and wait for the next one."""
        self.send(*fields)
        return self.receive()

    def close(self) -> None:
        """Close the connection in order."""
        self.socket.close()


class ServerTest(unittest.TestCase):
    """A test with a real post office in this process, on a real port."""

    limits: Limits = OPEN
    settings: Mapping[str, Any] = MappingProxyType({})

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.log = io.StringIO()
        config = Config(
            data=self.folder, port=0, limits=self.limits, log_level="debug", **self.settings
        )
        self.post_office = PostOffice(config, EventLog("text", "debug", stream=self.log))
        self.addCleanup(self.post_office.stop)
        self.post_office.start()

    def client(self, **options: Any) -> PlainClient:
        """Connect."""
        ca = self.folder / "certificate" / "ca.pem"
        client = PlainClient(self.post_office.port, ca, **options)
        self.addCleanup(client.close)
        return client

    def user(self, name: str) -> PlainClient:
        """Register a user, who stays connected without a device."""
        client = self.client()
        self.assertEqual(client.ask("2", name, PASSWORD), ["2", "OK"])
        return client

    def device(self, name: str, device: str = "new") -> tuple[PlainClient, str]:
        """Log in as a device; return the client and the device's id."""
        client = self.client()
        answer = client.ask("1", name, PASSWORD, device)
        self.assertEqual(answer[:2], ["1", "OK"], answer)
        return client, answer[2]


class Process:
    """``python -m bpost.server`` in a process of its own."""

    program: tuple[str, ...] = ("bpost.server",)

    def __init__(self, folder: Path, *flags: str, port: int = 0) -> None:
        self.folder = folder
        self.log = folder.parent / "server.log"
        with self.log.open("ab") as log:
            options = ["--data", str(folder), "--port", str(port), "--limits", "off", *flags]
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.program, *options],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.port = int(self.line.split()[2].rpartition(":")[2]) if self.line else 0

    def client(self) -> PlainClient:
        """Connect."""
        return PlainClient(self.port, self.folder / "certificate" / "ca.pem")

    def end(self, kill: bool = False) -> int:
        """Terminate or kill the server; return its exit status."""
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
        status = self.process.wait(patience(20))
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


@contextlib.contextmanager
def running(folder: Path, *flags: str) -> Iterator[Process]:
    """Run a server process for a while."""
    process = Process(folder, *flags)
    try:
        yield process
    finally:
        process.end()
