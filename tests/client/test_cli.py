"""bpost-cli: what it prints, what it returns, and what it never shows."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import signal
import subprocess
import sys
from unittest import mock

from bpost.client import cli, remembered
from bpost.client.terminal import printable, read_password
from bpost.crypto.password import derive_password_keys
from bpost.errors import UsageError
from tests.client.town import Town, password_of
from tests.support import patience, wait_until


class Keyboard(io.StringIO):
    """A standard input that somebody types on."""

    def isatty(self) -> bool:
        return True


class CommandLine(Town):
    """Runs commands in this process, as their users would type them."""

    def run_cli(
        self, name: str, *arguments: str, stdin: str | io.StringIO = ""
    ) -> tuple[int, str, str]:
        """Return exit status, output and errors of a command of ``name``."""
        secret = self.folder / f"{name}.password"
        if not secret.exists():
            secret.write_text(password_of(name) + "\n")
        common = ("--profile", str(self.folder / name), "--password-file", str(secret))
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch("sys.stdin", io.StringIO(stdin) if isinstance(stdin, str) else stdin),
        ):
            try:
                code = cli.main([*common, *arguments])
            except SystemExit as stop:
                code = int(stop.code or 0)
        return code, out.getvalue(), err.getvalue()

    def sign_up(self, *names: str) -> None:
        """Register users who are contacts of each other."""
        where = ("--server", self.url, "--pin", self.pin)
        for name in names:
            code, _, err = self.run_cli(name, *where, "--user", name, "register")
            self.assertEqual((code, err), (0, ""))
        for name in names:
            for other in names:
                if other != name:
                    self.assertEqual(self.run_cli(name, "add", other)[0], 0)


class CommandTest(CommandLine):
    """Each command, and its exit status."""

    def test_two_people_talk(self) -> None:
        self.sign_up("alice", "bob")
        self.assertEqual(self.run_cli("alice", "contacts"), (0, "bob\n", ""))
        self.assertEqual(self.run_cli("alice", "send", "bob", "hello"), (0, "", ""))
        code, out, _ = self.run_cli("bob", "listen", "--json", "--count", "1")
        line = json.loads(out)
        self.assertEqual(
            (code, line["type"], line["from"], line["text"]), (0, "text", "alice", "hello")
        )
        self.assertEqual((line["seq"], type(line["sent"])), (1, int))
        self.assertEqual(self.run_cli("bob", "send", "alice", stdin="two\nlines\n")[0], 0)
        self.assertEqual(
            self.run_cli("alice", "listen", "--count", "1"), (0, "bob: two\n    lines\n", "")
        )
        code, out, _ = self.run_cli("alice", "history", "bob", "--json")
        told = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([one["text"] for one in told], ["hello", "two\nlines"])
        self.assertEqual([one["own"] for one in told], [True, False])
        self.assertRegex(self.run_cli("bob", "history", "alice")[1], r"\d\d:\d\d alice: hello\n")

    def test_what_came_during_another_command_is_listened_to_later(self) -> None:
        self.sign_up("alice", "bob")
        self.run_cli("alice", "send", "bob", "--lines", stdin="a\nb\nc\n")
        self.run_cli("bob", "contacts")
        wait_until(lambda: "c" in self.run_cli("bob", "history", "alice")[1])
        self.assertEqual(self.run_cli("bob", "listen", "--count", "2")[1], "alice: a\nalice: b\n")
        self.assertEqual(self.run_cli("bob", "listen", "--count", "1")[1], "alice: c\n")

    def test_what_cannot_be_done_is_said_and_returns_not_zero(self) -> None:
        self.sign_up("alice")
        for arguments in (
            ("add", "nobody"),
            ("send", "nobody", "hello"),
            ("send", "alice", ""),
            ("register",),
        ):
            with self.subTest(arguments):
                code, out, err = self.run_cli("alice", *arguments)
                self.assertEqual((code, out), (1, ""))
                self.assertRegex(err, r"^\S.*[.]\n$")
        self.assertEqual(self.run_cli("alice", "no-such-command")[0], 2)
        self.assertEqual(self.run_cli("carol", "whoami")[0], 1)
        self.assertEqual(self.run_cli("carol", "contacts")[0], 1)

    def test_send_without_a_server_fails_and_the_message_goes_the_next_time(self) -> None:
        self.sign_up("alice", "bob")
        self.stop()
        code, _, err = self.run_cli("alice", "send", "bob", "later", "--timeout", "0.5")
        self.assertEqual(code, 1)
        self.assertIn("in the outbox", err)
        self.start()
        self.assertEqual(self.run_cli("alice", "send", "bob", "now")[0], 0)
        out = self.run_cli("bob", "listen", "--count", "2")[1]
        self.assertEqual(out, "alice: later\nalice: now\n")

    def test_messages_are_edited_deleted_and_told_as_events(self) -> None:
        self.sign_up("alice", "bob")
        for text in ("tea at five", "never mind"):
            self.run_cli("alice", "send", "bob", text)
        self.run_cli("bob", "listen", "--count", "2")
        _, lines, _ = self.run_cli("alice", "history", "bob", "--json")
        tea, mind = (json.loads(line)["id"] for line in lines.splitlines())
        self.assertEqual(self.run_cli("alice", "edit", "bob", tea, "tea at six")[0], 0)
        self.assertEqual(self.run_cli("alice", "delete", "bob", mind, "--everyone")[0], 0)
        code, _, err = self.run_cli("alice", "edit", "bob", mind, "words")
        self.assertEqual((code, "Only a text" in err), (1, True))
        for user, other in (("alice", "bob"), ("bob", "alice")):
            there = functools.partial(self._says, user, other, "deleted")
            wait_until(there)
            self.assertTrue(self._says(user, other, "tea at six (edited)"))
        self.assertEqual(self.run_cli("bob", "delete", "alice", tea)[0], 0)
        self.assertFalse(self._says("bob", "alice", "tea"))
        self.assertTrue(self._says("alice", "bob", "tea"))

    def _says(self, user: str, other: str, text: str) -> bool:
        """Say whether a conversation has a text, once what has come is taken in."""
        self.run_cli(user, "contacts")
        return text in self.run_cli(user, "history", other)[1]

    def test_the_password_is_changed(self) -> None:
        self.sign_up("alice")
        new = self.folder / "new"
        new.write_text("a new one")
        self.assertEqual(self.run_cli("alice", "password", "--new-password-file", str(new))[0], 0)
        self.assertEqual(self.run_cli("alice", "contacts")[0], 1)
        (self.folder / "alice.password").write_text("a new one")
        self.assertEqual(self.run_cli("alice", "contacts")[0], 0)

    def test_whoami_takes_no_password(self) -> None:
        self.sign_up("alice")
        known = remembered(self.folder / "alice")
        (self.folder / "alice.password").write_text("wrong")
        code, out, _ = self.run_cli("alice", "whoami")
        self.assertEqual(code, 0)
        self.assertEqual(out, f"alice at {self.url}, device {known.device if known else ''}\n")

    def test_an_unknown_certificate_is_shown_with_how_to_trust_it(self) -> None:
        where = ("--server", self.url, "--user", "alice", "register")
        code, _, err = self.run_cli("alice", *where)
        self.assertEqual(code, 1)
        self.assertIn(f"--pin {self.pin}", err)
        self.assertEqual(self.run_cli("alice", *where, stdin=Keyboard("n\n"))[0], 1)
        self.assertEqual(self.run_cli("alice", *where, stdin=Keyboard("y\n"))[0], 0)
        self.assertEqual(self.run_cli("alice", "contacts")[0], 0)

    def test_a_pin_may_begin_with_a_hyphen(self) -> None:
        code, _, err = self.run_cli("alice", "--pin", "-" * 43, "whoami")
        self.assertEqual((code, err[:16]), (1, "There is no prof"))

    def test_a_message_steers_no_terminal(self) -> None:
        shown = printable("a\x9b31mb\nbob: \u202ec\td")
        self.assertEqual(shown, "a\ufffd31mb\n    bob: \ufffdc\td")


class PasswordTest(Town):
    """Where passwords come from."""

    def test_typed_twice_and_alike(self) -> None:
        for typed, good in ((["one", "one"], True), (["one", "two"], False)):
            with (
                self.subTest(typed),
                mock.patch("sys.stdin.isatty", return_value=True),
                mock.patch("getpass.getpass", side_effect=typed),
                mock.patch.dict(os.environ, clear=True),
            ):
                if good:
                    self.assertEqual(read_password(None, twice=True), "one")
                else:
                    with self.assertRaises(UsageError):
                        read_password(None, twice=True)

    def test_from_a_file_or_the_environment(self) -> None:
        file = self.folder / "password"
        file.write_bytes(b"from the file\r\nnot this")
        with mock.patch.dict(os.environ, {"BPOST_PASSWORD": "from outside"}):
            self.assertEqual(read_password(None), "from outside")
            self.assertEqual(read_password(file), "from the file")
        with self.assertRaises(UsageError):
            read_password(self.folder / "none")


class ProcessTest(CommandLine):
    """As a process of its own, with the real cost of passwords."""

    def setUp(self) -> None:
        super().setUp()
        where = "bpost.client.account.derive_password_keys"
        patch = mock.patch(where, derive_password_keys)
        patch.start()
        self.addCleanup(patch.stop)

    def _listen(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        secret = self.folder / f"{name}.password"
        command = [sys.executable, "-m", "bpost.client", "--profile", str(self.folder / name)]
        command += ["--password-file", str(secret), "listen", *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_listening_ends_in_order_when_told_to(self) -> None:
        self.sign_up("alice")
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), self._listen("alice") as process:
                lock = self.folder / "alice" / "bpost.db-wal"
                wait_until(lock.exists)
                process.send_signal(number)
                out, err = process.communicate(timeout=patience(20))
                self.assertNotIn("Traceback", err)
                self.assertEqual((out, err, process.returncode), ("", "", 0))

    def test_a_reader_that_goes_away_is_no_traceback(self) -> None:
        self.sign_up("alice", "bob")
        with self._listen("bob") as process:
            assert process.stdout is not None
            process.stdout.close()
            self.run_cli("alice", "send", "bob", "hello")
            process.wait(patience(20))
            self.assertNotIn("Traceback", process.stderr.read() if process.stderr else "")
            self.assertEqual(process.returncode, 1)
