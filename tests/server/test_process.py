"""``python -m bpost.server`` as a program: starting, stopping, crashing, coming back."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections import Counter
from pathlib import Path

from websockets.exceptions import WebSocketException

from bpost.protocol.codes import SEPARATOR
from tests.server.parts import OTHER, PASSWORD, ROOT, PlainClient, Process, running
from tests.support import patience, wait_until

KILLS = 10
STOPS = 2
WRITERS = ("alice", "carol", "dave")
TROUBLE = (OSError, EOFError, WebSocketException, ssl.SSLError)


class ProcessTest(unittest.TestCase):
    """A test with a folder for server processes."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "data"

    def refused(self, *flags: str) -> str:
        """Start a server that must not start; return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "bpost.server", "--data", str(self.folder), *flags],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=patience(30),
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stderr


class StartTest(ProcessTest):
    """The first line and the last."""

    lasts = 8

    def test_it_says_where_it_listens_and_serves_there_until_told_to_stop(self) -> None:
        with running(self.folder) as server:
            self.assertRegex(
                server.line, r"\Alistening on wss://127\.0\.0\.1:\d+ pin [\w-]{43}\n\Z"
            )
            client = server.client()
            self.assertEqual(client.ask("2", "alice", PASSWORD), ["2", "OK"])
            started = time.monotonic()
            self.assertEqual(server.end(), 0)
            self.assertLess(time.monotonic() - started, patience(10))
            self.assertEqual(client.receive()[:2], ["99", "busy"])
            client.close()

    def test_ctrl_c_stops_it_too_and_the_folder_is_free_again(self) -> None:
        server = Process(self.folder)
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(patience(20)), 0)
        server.end()
        with running(self.folder):
            pass

    def test_what_keeps_it_from_starting_is_a_sentence(self) -> None:
        with running(self.folder) as server:
            self.assertIn("Another server", self.refused("--port", "0"))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assertIn("--port", self.refused("--port", str(port)))
        self.assertIn("measuring", self.refused("--limits", "off", "--host", "0.0.0.0"))
        (self.folder / "bpost.db").chmod(0o604)
        self.assertIn("chmod 600", self.refused("--port", "0"))
        self.assertEqual(server.process.returncode, 0)

    def test_a_folder_that_is_not_writable_is_a_sentence(self) -> None:
        if os.geteuid() == 0:  # who may write anywhere, but not below a file
            self.folder.write_bytes(b"")
            self.folder /= "data"
        else:
            self.folder.mkdir(mode=0o500)
        self.assertIn("--data", self.refused("--port", "0"))

    def test_a_hangup_reloads_the_certificate_and_keeps_connections(self) -> None:
        with running(self.folder) as server:
            client = server.client()
            client.ask("2", "alice", PASSWORD)
            (self.folder / "certificate" / "server.pem").unlink()
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: b"certificate reloaded" in server.log.read_bytes())
            self.assertEqual(client.ask("9", "list")[:2], ["9", "OK"])
            again = server.client()
            self.assertEqual(again.ask("1", "alice", PASSWORD), ["1", "OK"])
            again.close()
            client.close()

    def test_s66_a_storm_of_signals_to_reload_is_survived(self) -> None:
        with running(self.folder) as server:
            for _ in range(3000):
                server.process.send_signal(signal.SIGHUP)
            size = len(server.log.read_bytes())

            def reloaded_again() -> bool:
                server.process.send_signal(signal.SIGHUP)
                return b"certificate reloaded" in server.log.read_bytes()[size:]

            wait_until(reloaded_again)
            client = server.client()
            self.assertEqual(client.ask("2", "alice", PASSWORD), ["2", "OK"])
            client.close()
            self.assertEqual(server.end(), 0)

    def test_s66_a_certificate_that_cannot_be_used_ends_nothing(self) -> None:
        with running(self.folder) as server:
            certificate = self.folder / "certificate" / "server.pem"
            certificate.unlink()
            certificate.mkdir()
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: b"ERROR reload" in server.log.read_bytes())
            client = server.client()
            self.assertEqual(client.ask("2", "alice", PASSWORD), ["2", "OK"])
            client.close()


class RestartTest(ProcessTest):
    """What survives."""

    def test_offline_mail_waits_across_a_restart_and_a_kill(self) -> None:
        with running(self.folder) as server:
            alice, bob = server.client(), server.client()
            alice.ask("2", "alice", PASSWORD)
            bob.ask("2", "bob", PASSWORD)
            alice.ask("4", "alice", "bob")
            bob.close()
            alice.ask("0", "alice", "before", "bob", "r1")
        server = Process(self.folder)
        alice = server.client()
        alice.ask("1", "alice", PASSWORD)
        alice.ask("0", "alice", "between", "bob", "r2")
        server.end(kill=True)
        with running(self.folder) as server:
            bob = server.client()
            self.assertEqual(bob.ask("1", "bob", PASSWORD), ["1", "OK"])
            self.assertEqual([bob.receive()[1] for _ in range(2)], ["before", "between"])
            bob.close()

    def test_no_text_and_no_password_lies_in_the_folder_in_the_clear(self) -> None:
        with running(self.folder) as server:
            alice = server.client()
            alice.ask("2", "alice", PASSWORD)
            alice.ask("3", "alice", PASSWORD, OTHER)
            for path in (*self.folder.rglob("*"), server.log):
                if path.is_file():
                    for word in (PASSWORD, OTHER):
                        self.assertNotIn(word.encode(), path.read_bytes())
            alice.close()


class Writer(threading.Thread):
    """Sends numbered messages to bob, again and again where no answer came, and notes answers."""

    def __init__(self, judge: Judge, name: str) -> None:
        super().__init__(daemon=True, name=f"writer-{name}")
        self.judge = judge
        self.user = name
        self.number = 0

    def run(self) -> None:
        while not self.judge.enough.is_set():
            with contextlib.suppress(*TROUBLE):
                client = self.judge.connect(self.user)
                with contextlib.closing(client):
                    while not self.judge.enough.is_set():
                        self.write(client)

    def write(self, client: PlainClient) -> None:
        """Send one message, until it was answered."""
        text = f"{self.user} {self.number}"
        answer = client.ask("0", self.user, text, "bob", f"{self.user}-{self.number}")
        if answer[:2] == ["0", "WillBeSent"]:
            self.judge.promised(text, int(answer[4]))
            self.number += 1


class Reader(threading.Thread):
    """Reads bob's mail on one device, acknowledging as it goes."""

    def __init__(self, judge: Judge, device: str) -> None:
        super().__init__(daemon=True, name="reader")
        self.judge = judge
        self.device = device

    def run(self) -> None:
        while not self.judge.over.is_set():
            with contextlib.suppress(*TROUBLE):
                client = self.judge.connect("bob", self.device)
                with contextlib.closing(client):
                    while (frame := client.receive())[0] == "5":
                        self.judge.got(frame[1], int(frame[3]))
                        client.send("5", "OK", frame[3])


class Judge:
    """Knows what was promised and what arrived, and finds what is wrong with that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.enough = threading.Event()
        self.over = threading.Event()
        self.port = 0
        # Guards what follows.
        self.lock = threading.Lock()
        self.answers: dict[str, int] = {}
        self.arrived: dict[int, str] = {}
        self.wrong: list[str] = []

    def connect(self, user: str, *device: str) -> PlainClient:
        """Log in at the server that runs now."""
        client = PlainClient(self.port, self.folder / "certificate" / "ca.pem")
        answer = client.ask("1", user, PASSWORD, *device)
        if answer[:2] != ["1", "OK"]:
            client.close()
            raise OSError(SEPARATOR.join(answer))
        return client

    def promised(self, text: str, seq: int) -> None:
        """Note an answer ``WillBeSent``."""
        with self.lock:
            self.answers[text] = seq

    def got(self, text: str, seq: int) -> None:
        """Note a message that arrived; the same number may come again, with the same text."""
        with self.lock:
            if self.arrived.setdefault(seq, text) != text:
                self.wrong.append(f"{seq} changed from {self.arrived[seq]} to {text}")

    def complete(self) -> bool:
        """Tell whether everything that was promised has arrived."""
        with self.lock:
            return set(self.answers) <= set(self.arrived.values())

    def verdict(self) -> list[str]:
        """Return what is wrong: lost, twice, out of order, misnumbered."""
        wrong = list(self.wrong)
        texts = [self.arrived[seq] for seq in sorted(self.arrived)]
        wrong += [f"LOST after WillBeSent: {text}" for text in set(self.answers) - set(texts)]
        wrong += [f"twice: {text}" for text, count in Counter(texts).items() if count > 1]
        if sorted(self.arrived) != list(range(1, len(texts) + 1)):
            wrong.append("the numbers have gaps")
        for name in WRITERS:
            numbers = [int(text.split()[1]) for text in texts if text.startswith(name)]
            if numbers != sorted(numbers):
                wrong.append(f"out of order: {name}")
        for seq, text in self.arrived.items():
            if self.answers.get(text, seq) != seq:
                wrong.append(f"{text} was promised as another number")
        return wrong


class KillTest(ProcessTest):
    """kill -9 in a loop (S37, S38)."""

    lasts = 10

    def test_s37_nothing_promised_is_lost_or_doubled_however_often_the_server_is_killed(
        self,
    ) -> None:
        judge = Judge(self.folder)
        device = self.prepare(judge)
        writers = [Writer(judge, name) for name in WRITERS]
        server = Process(self.folder)
        judge.port = server.port
        for thread in (*writers, Reader(judge, device)):
            thread.start()
        for round_ in range(KILLS):
            before = len(judge.answers)
            wait_until(lambda: len(judge.answers) > before + 10, 30, "messages")  # noqa: B023
            time.sleep(0.01 * round_)
            server.end(kill=True)
            server = Process(self.folder)
            judge.port = server.port
        wait_until(lambda: len(judge.answers) > before, 30, "messages after the last kill")
        judge.enough.set()
        for writer in writers:
            writer.join(patience(30))
        with contextlib.suppress(AssertionError):
            wait_until(judge.complete, 20)
        judge.over.set()
        self.assertEqual(judge.verdict(), [])
        self.assertGreater(len(judge.answers), 10 * KILLS)
        self.assertEqual(server.end(), 0)

    def test_s60_whoever_tells_it_to_stop_under_load_loses_nothing(self) -> None:
        judge = Judge(self.folder)
        device = self.prepare(judge)
        writers = [Writer(judge, name) for name in WRITERS]
        server = Process(self.folder)
        judge.port = server.port
        for thread in (*writers, Reader(judge, device)):
            thread.start()
        for _ in range(STOPS):
            before = len(judge.answers)
            wait_until(lambda: len(judge.answers) > before + 10, 30, "messages")  # noqa: B023
            idle, started = server.client(), time.monotonic()
            idle.ask("9", "list")
            self.assertEqual(server.end(), 0)
            self.assertLess(time.monotonic() - started, patience(10))
            self.assertEqual(idle.receive()[:2], ["99", "busy"])
            idle.close()
            server = Process(self.folder)
            judge.port = server.port
        judge.enough.set()
        for writer in writers:
            writer.join(patience(30))
        with contextlib.suppress(AssertionError):
            wait_until(judge.complete, 20)
        judge.over.set()
        self.assertEqual(judge.verdict(), [])
        self.assertEqual(server.end(), 0)

    def test_s60_a_second_signal_means_now(self) -> None:
        server = Process(self.folder)
        self.addCleanup(server.end, kill=True)
        server.process.send_signal(signal.SIGSTOP)  # both wait for it when it goes on
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            server.process.send_signal(number)
        self.assertEqual(server.process.wait(patience(20)), 1)
        server.end()

    def prepare(self, judge: Judge) -> str:
        """Register everyone; return the id of bob's device."""
        with running(self.folder) as server:
            judge.port = server.port
            for name in ("bob", *WRITERS):
                client = server.client()
                client.ask("2", name, PASSWORD)
                if name != "bob":
                    client.ask("4", name, "bob")
                client.close()
            client = server.client()
            device = client.ask("1", "bob", PASSWORD, "new")[2]
            client.close()
        return device


if __name__ == "__main__":
    unittest.main()
