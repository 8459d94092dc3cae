"""A history of messages on a real server process, and its judge.

Writers send numbered messages to bob and note each promise; bob's devices note what arrives. The
judge, who knows nothing of the server, says what is wrong with that: lost, twice, out of order,
invented, changed. Every test of a fault lets it look over what happened meanwhile.
"""

from __future__ import annotations

import contextlib
import ssl
import tempfile
import threading
import unittest
from collections import Counter
from pathlib import Path

from websockets.exceptions import WebSocketException

from bpost.protocol.codes import SEPARATOR
from tests.server.parts import PASSWORD, PlainClient, Process, reason
from tests.support import patience, wait_until

WRITERS = ("alice", "carol", "dave")
TROUBLE = (OSError, EOFError, WebSocketException, ssl.SSLError)
PAUSE = 0.02
SOME = 10
"""How many promises show that the server works."""


class Judge:
    """Knows what was sent, what was promised and what arrived, and finds what is wrong."""

    def __init__(self) -> None:
        # Guards what follows.
        self._lock = threading.Lock()
        self._sent: dict[str, str] = {}
        self._promises: dict[str, int] = {}
        self._arrived: dict[int, str] = {}
        self._refusals: Counter[str] = Counter()
        self._wrong: list[str] = []

    @property
    def promises(self) -> int:
        """How many messages were promised."""
        with self._lock:
            return len(self._promises)

    def refusals(self, why: str) -> int:
        """Return how many messages were refused for that reason."""
        with self._lock:
            return self._refusals[why]

    def sent(self, text: str, name: str) -> None:
        """Note that a user sends a text, perhaps again."""
        with self._lock:
            self._sent[text] = name

    def promised(self, text: str, seq: int) -> None:
        """Note an answer ``WillBeSent``."""
        with self._lock:
            self._promises[text] = seq

    def refused(self, why: str) -> None:
        """Note an answer ``Error``."""
        with self._lock:
            self._refusals[why] += 1

    def got(self, text: str, name: str, seq: int) -> None:
        """Note a message that arrived; the same number may come again, with the same text."""
        with self._lock:
            if self._arrived.setdefault(seq, text) != text:
                self._wrong.append(f"{seq} changed from {self._arrived[seq]} to {text}")
            if self._sent.get(text) != name:
                self._wrong.append(f"invented: {text}, from {name}")

    def complete(self) -> bool:
        """Tell whether everything that was promised has arrived."""
        with self._lock:
            return set(self._promises) <= set(self._arrived.values())

    def verdict(self) -> list[str]:
        """Return what is wrong, each in a sentence."""
        with self._lock:
            texts = [self._arrived[seq] for seq in sorted(self._arrived)]
            wrong = list(self._wrong)
            lost = set(self._promises) - set(texts)
            wrong += [f"LOST after WillBeSent: {text}" for text in sorted(lost)]
            wrong += [f"twice: {text}" for text, count in Counter(texts).items() if count > 1]
            missing = set(range(1, max(self._arrived, default=0) + 1)) - set(self._arrived)
            wrong += [f"a gap at {seq}" for seq in sorted(missing)]
            for name in WRITERS:
                numbers = [int(text.split()[1]) for text in texts if text.startswith(name)]
                if numbers != sorted(numbers):
                    wrong.append(f"out of order: {name}")
            for seq, text in self._arrived.items():
                if self._promises.get(text, seq) != seq:
                    wrong.append(f"{text} was promised as another number")
            return wrong


class HistoryTest(unittest.TestCase):
    """A test with a server process under load: :meth:`load`, make trouble, :meth:`judge`."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "data"
        self.history = Judge()
        self.enough = threading.Event()
        self.over = threading.Event()
        self.addCleanup(self.over.set)
        self.addCleanup(self.enough.set)

    def process(self, *flags: str) -> Process:
        """Return a server that has just been started."""
        return Process(self.folder, *flags)

    def start(self, *flags: str) -> None:
        """Start the server, for the first time or again."""
        self.server = self.process(*flags)
        self.addCleanup(self.server.end, kill=True)

    def load(self) -> None:
        """Start the server, register everybody, and let them write and read."""
        self.start()
        for name in ("bob", *WRITERS):
            client = self.server.client()
            client.ask("2", name, PASSWORD)
            if name != "bob":
                client.ask("4", name, "bob")
            client.close()
        client = self.server.client()
        self.device = client.ask("1", "bob", PASSWORD, "new")[2]
        client.close()
        writers = [threading.Thread(target=self._write, args=(name,)) for name in WRITERS]
        self.writers = writers
        for thread in (*writers, threading.Thread(target=self._read)):
            thread.daemon = True
            thread.start()

    def works(self, some: int = SOME) -> None:
        """Wait until so many more messages were promised."""
        before = self.history.promises
        wait_until(lambda: self.history.promises >= before + some, 30, "promises")

    def judge(self) -> None:
        """Let all writers end and all mail arrive; then nothing must be wrong."""
        self.enough.set()
        for writer in self.writers:
            writer.join(patience(30))
        with contextlib.suppress(AssertionError):
            wait_until(self.history.complete, 20)
        self.over.set()
        self.assertEqual(self.history.verdict(), [])
        self.assertEqual(self.server.end(), 0)

    def connect(self, user: str, *device: str) -> PlainClient:
        """Log in at the server that runs now."""
        client = self.server.client()
        answer = client.ask("1", user, PASSWORD, *device)
        if answer[:2] != ["1", "OK"]:
            client.close()
            raise OSError(SEPARATOR.join(answer))
        return client

    def _write(self, name: str) -> None:
        """Send numbered messages, each again until it was promised."""
        number = 0
        while not self.enough.is_set():
            with contextlib.suppress(*TROUBLE), contextlib.closing(self.connect(name)) as client:
                while not self.enough.is_set():
                    number += self._send(client, name, number)
            self.over.wait(PAUSE)

    def _send(self, client: PlainClient, name: str, number: int) -> bool:
        """Send one message; return whether it was promised."""
        text = f"{name} {number}"
        self.history.sent(text, name)
        answer = client.ask("0", name, text, "bob", f"{name}-{number}")
        if answer[:2] == ["0", "WillBeSent"]:
            self.history.promised(text, int(answer[4]))
            return True
        self.history.refused(reason(answer))
        self.over.wait(PAUSE)
        return False

    def _read(self) -> None:
        """Read bob's mail on his device, acknowledging as it comes."""
        while not self.over.is_set():
            with contextlib.suppress(*TROUBLE):
                with contextlib.closing(self.connect("bob", self.device)) as client:
                    while (frame := client.receive())[0] == "5":
                        self.history.got(frame[1], frame[2], int(frame[3]))
                        client.send("5", "OK", frame[3])
            self.over.wait(PAUSE)
