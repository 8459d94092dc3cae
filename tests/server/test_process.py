"""``python -m bpost.server`` as a program: starting, stopping, crashing, coming back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tests.server.history import HistoryTest
from tests.server.parts import OTHER, PASSWORD, ROOT, Process, running
from tests.support import patience, wait_until

KILLS = 10
STOPS = 2


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


class KillTest(HistoryTest):
    """kill -9 in a loop, and orders to stop (S37, S38, S60)."""

    lasts = 10

    def test_s37_nothing_promised_is_lost_or_doubled_however_often_the_server_is_killed(
        self,
    ) -> None:
        self.load()
        for round_ in range(KILLS):
            self.works()
            time.sleep(0.01 * round_)
            self.server.end(kill=True)
            self.start()
        self.works()
        self.judge()

    def test_s60_whoever_tells_it_to_stop_under_load_loses_nothing(self) -> None:
        self.load()
        for _ in range(STOPS):
            self.works()
            idle, started = self.server.client(), time.monotonic()
            idle.ask("9", "list")
            self.assertEqual(self.server.end(), 0)
            self.assertLess(time.monotonic() - started, patience(10))
            self.assertEqual(idle.receive()[:2], ["99", "busy"])
            idle.close()
            self.start()
        self.judge()

    def test_s60_a_second_signal_means_now(self) -> None:
        server = Process(self.folder)
        self.addCleanup(server.end, kill=True)
        server.process.send_signal(signal.SIGSTOP)  # both wait for it when it goes on
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            server.process.send_signal(number)
        self.assertEqual(server.process.wait(patience(20)), 1)
        server.end()


if __name__ == "__main__":
    unittest.main()
