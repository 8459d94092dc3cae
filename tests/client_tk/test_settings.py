"""What the window remembers, and what it takes from the command line and the desktop."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from bpost.errors import ProfileError, Refused, SecurityError, TransportError, UntrustedCertificate
from client_tk import __main__ as program
from client_tk import account, settings, system


class SettingsTest(unittest.TestCase):
    """The settings file."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "new"

    def test_what_is_saved_is_there_again(self) -> None:
        kept = settings.Settings(
            self.folder, "home:1", "alice", "dark", 125, "9x9+1+1", 300, {"home_1": "pin"}
        )
        kept.save()
        self.assertEqual(settings.load(self.folder), kept)

    def test_a_file_that_makes_no_sense_keeps_the_defaults(self) -> None:
        self.folder.mkdir()
        for text in (
            "",
            "[]",
            '{"zoom": "large", "appearance": "pink"}',
            "\xff",
            '{"server": 3, "pins": {"a": 1}}',
        ):
            (self.folder / settings.FILE).write_text(text, encoding="latin-1")
            with self.subTest(text):
                self.assertEqual(settings.load(self.folder), settings.Settings(self.folder))

    @unittest.skipUnless(os.name == "posix", "modes are posix")
    def test_the_file_is_private(self) -> None:
        settings.Settings(self.folder).save()
        mode = stat.S_IMODE((self.folder / settings.FILE).stat().st_mode)
        self.assertEqual(mode, 0o600)

    def test_a_folder_that_cannot_be_written_is_said(self) -> None:
        self.folder.write_text("a file")
        self.assertRaises(ProfileError, settings.Settings(self.folder).save)


class AccountTest(unittest.TestCase):
    """What is plainly wrong, and where an error belongs."""

    def test_usernames_are_checked_before_anything_is_sent(self) -> None:
        for name in ("bo", "A1", "dave.miller", "x" * 32):
            with self.subTest(name):
                self.assertEqual(account.username_error(name), "")
        for name in ("", "b", ".bob", "x" * 33, "bøb", "a b"):
            with self.subTest(name):
                self.assertNotEqual(account.username_error(name), "")

    def test_an_error_is_shown_at_the_field_it_belongs_to(self) -> None:
        for error, place in (
            (Refused("name-taken"), "username"),
            (Refused("wrong-password"), "password"),
            (Refused("invite-needed"), "server"),
            (Refused("rate-limited", "Wait 3 s."), "general"),
            (SecurityError("pin-mismatch", "It changed."), "server"),
            (SecurityError("bad-vault", "It was altered."), "general"),
            (UntrustedCertificate("Nobody knows it.", "pin"), "certificate"),
            (TransportError("The server cannot be reached."), "server"),
            (ProfileError("Another program uses it."), "general"),
        ):
            with self.subTest(place=place, error=error):
                self.assertEqual(account.complaint(error).place, place)

    def test_a_server_is_one_place_however_it_is_written(self) -> None:
        pin = "A" * 43
        written = ("Home:8765", "wss://home:8765/", f"bpost://home:8765/#{pin}.token", "home")
        self.assertEqual({account.place_of(server) for server in written}, {"home_8765"})
        self.assertRaises(SecurityError, account.place_of, "ws://home:8765")

    def test_an_attempt_shows_no_password(self) -> None:
        attempt = account.Attempt("home", "alice", "open sesame")
        self.assertNotIn("sesame", repr(attempt))


class CommandLineTest(unittest.TestCase):
    """``python -m client_tk``."""

    def test_the_password_file_is_read_and_deleted(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "secret"
            path.write_text("open sesame\r\nmore\n")
            self.assertEqual(program.read_password(path, delete=False), "open sesame")
            self.assertEqual(program.read_password(path, delete=True), "open sesame")
            self.assertFalse(path.exists())

    def test_a_password_file_that_cannot_be_read_is_said(self) -> None:
        with self.assertRaises(SystemExit) as caught:
            program.read_password(Path("/nowhere/secret"), delete=False)
        self.assertIn("cannot be read", str(caught.exception))

    def test_without_a_display_it_says_so(self) -> None:
        said = io.StringIO()
        with mock.patch.dict(os.environ, {"DISPLAY": ":4711"}), contextlib.redirect_stderr(said):
            with tempfile.TemporaryDirectory() as folder:
                status = program.main(["--profile", folder])
        self.assertEqual(status, 1)
        self.assertIn("no display", said.getvalue())


class SystemTest(unittest.TestCase):
    """What the desktop prefers."""

    def test_a_tool_that_is_not_there_or_hangs_says_nothing(self) -> None:
        self.assertEqual(system.ask("no-such-program-anywhere"), "")
        with mock.patch.object(system, "PATIENCE", 0.05):
            self.assertEqual(system.ask("sleep", "5"), "")

    def test_the_scale_may_be_set_by_hand(self) -> None:
        for text, scale in (("2", 2.0), ("big", None), ("-1", None)):
            with self.subTest(text), mock.patch.dict(os.environ, {"BPOST_SCALE": text}):
                self.assertEqual(system.screen_scale(), scale)

    @unittest.skipUnless(sys.platform.startswith("linux"), "for Linux")
    def test_an_old_libxft_is_given_no_emoji(self) -> None:
        for version, can in ((20304, False), (20305, True), (20306, True)):
            with self.subTest(version), mock.patch("ctypes.CDLL") as library:
                library.return_value.XftGetVersion.return_value = version
                self.assertEqual(system.draws_emoji(), can)
        with mock.patch("ctypes.CDLL", side_effect=OSError):
            self.assertTrue(system.draws_emoji())

    @unittest.skipUnless(os.name == "posix", "for Linux")
    def test_a_dark_desktop_is_noticed(self) -> None:
        with mock.patch.object(system, "ask", return_value="'prefer-dark'"):
            self.assertTrue(system._linux_prefers_dark())
        with mock.patch.object(system, "ask", return_value="'default'"):
            self.assertFalse(system._linux_prefers_dark())
        with mock.patch.dict(os.environ, {"GTK_THEME": "Adwaita:dark"}):
            self.assertTrue(system._linux_prefers_dark())


if __name__ == "__main__":
    unittest.main()
