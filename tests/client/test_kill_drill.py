"""Two people write a thousand messages both ways while everything around them is killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from tests.client.programs import CliUser, ServerProcess
from tests.support import patience

COUNT = 500
SERVER_KILLS = 5
CLIENT_KILLS = 2


class Writer(threading.Thread):
    """Lets one user write ``COUNT`` lines, whose program is killed twice on the way."""

    def __init__(self, user: CliUser, to: str) -> None:
        super().__init__(daemon=True)
        self.user = user
        self.to = to
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            for kill_after in (*(1.5, 3.0)[:CLIENT_KILLS], None):
                self._write(kill_after)
        except BaseException as error:
            self.failure = error

    def _write(self, kill_after: float | None) -> None:
        """Send the lines that are not in the outbox yet, and wait until all are sent."""
        written = sum(one["own"] for one in self.user.history(self.to))
        if written == COUNT:
            return
        lines = "\n".join(f"{self.user.name} {n}" for n in range(written, COUNT)) + "\n"
        process = self.user.begin("send", self.to, "--lines", "--timeout", str(patience(60)))
        try:
            _, err = process.communicate(lines, timeout=kill_after or patience(90))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            if kill_after is None:
                raise
        else:
            if kill_after is None and process.returncode != 0:
                raise AssertionError(err)


class KillDrillTest(unittest.TestCase):
    lasts = 34

    def test_each_message_arrives_exactly_once_and_in_order(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = ServerProcess(folder / "server")
        self.addCleanup(server.stop)
        alice, bob = CliUser("alice", folder, server), CliUser("bob", folder, server)
        for user in (alice, bob):
            user.run("register")
        alice.run("add", "bob")
        bob.run("add", "alice")
        writers = [Writer(alice, "bob"), Writer(bob, "alice")]
        for writer in writers:
            writer.start()
        for _ in range(SERVER_KILLS):
            time.sleep(1.5)  # the drill is about kills at any time, whenever that is
            server.kill()
            server.start()
        for writer in writers:
            writer.join(patience(120))
            self.assertIsNone(writer.failure)
            self.assertFalse(writer.is_alive())
        for user, other in ((alice, bob), (bob, alice)):
            with self.subTest(user.name):
                self._check(user, other)

    def _check(self, user: CliUser, other: CliUser) -> None:
        """See that a history holds what both wrote, each once, in order."""
        deadline = time.monotonic() + patience(30)
        while len(shown := user.history(other.name)) < 2 * COUNT and time.monotonic() < deadline:
            self._listen(other)  # who may still have some in the outbox
            self._listen(user)
        self.assertEqual({one["type"] for one in shown}, {"text"})
        for writer in (user, other):
            wrote = [one["text"] for one in shown if one["from"] == writer.name]
            self.assertEqual(wrote, [f"{writer.name} {number}" for number in range(COUNT)])

    def _listen(self, user: CliUser) -> None:
        """Take what is still on the server."""
        process = user.begin("listen")
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=patience(30))
