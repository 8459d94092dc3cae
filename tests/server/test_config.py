"""Where settings come from, and what is refused."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from bpost.errors import SecurityError, UsageError
from bpost.net.proxies import Proxies
from bpost.server.config import Config, read_config


class ConfigTest(unittest.TestCase):
    """Flags, environment, file, defaults."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def ini(self, *lines: str) -> str:
        """Write a settings file."""
        path = self.folder / "server.ini"
        path.touch(0o600)
        path.write_text("\n".join(("[server]", *lines)), encoding="utf-8")
        return str(path)

    def test_flags_win_over_the_environment_and_that_over_the_file(self) -> None:
        file = self.ini("port = 1", "host = 127.0.0.2", "log_level = debug")
        environ = {"BPOST_CONFIG": file, "BPOST_PORT": "2", "BPOST_HOST": "127.0.0.3"}
        config = read_config(["--port", "3"], environ)
        self.assertEqual((config.port, config.host, config.log_level), (3, "127.0.0.3", "debug"))

    def test_without_anything_it_is_this_machine_only_and_a_folder_of_this_user(self) -> None:
        config = read_config([], {"XDG_DATA_HOME": "/x"})
        self.assertEqual((config.host, config.port), ("127.0.0.1", 8765))
        self.assertEqual(config.data, Path("/x/bpost-server"))
        self.assertFalse(config.by_invite)

    def test_where_strangers_can_connect_it_takes_an_invitation(self) -> None:
        for host, invite in (("127.0.0.9", False), ("::1", False), ("localhost", False)):
            self.assertEqual(Config(self.folder, host).by_invite, invite)
        for host in ("192.0.2.1", "::", "example.org"):
            self.assertTrue(Config(self.folder, host).by_invite)
            self.assertFalse(Config(self.folder, host, registration="open").by_invite)
        self.assertTrue(Config(self.folder, proxies=Proxies(["127.0.0.1"])).by_invite)

    def test_limits_off_is_for_loopback_only(self) -> None:
        self.assertFalse(read_config(["--limits", "off"], {}).limits.rates)
        with self.assertRaisesRegex(UsageError, "measuring"):
            read_config(["--limits", "off", "--host", "192.0.2.1"], {})

    def test_a_value_that_cannot_be_is_refused_with_its_name(self) -> None:
        for flags in (
            ["--port", "70000"],
            ["--port", "-1"],
            ["--port", "x"],
            ["--port", "9" * 5000],
            ["--retention", "0"],
            ["--connections", "0"],
            ["--limits", "maybe"],
            ["--registration", "sometimes"],
            ["--certificate", "x.pem"],
        ):
            with self.subTest(flags=flags), self.assertRaises(UsageError):
                read_config(flags, {})

    def test_a_file_with_a_setting_that_does_not_exist_is_refused(self) -> None:
        with self.assertRaisesRegex(UsageError, "prot"):
            read_config(["--config", self.ini("prot = 1")], {})
        with self.assertRaisesRegex(UsageError, "cannot be read"):
            read_config(["--config", str(self.folder / "none.ini")], {})

    def test_s57_a_file_that_others_can_read_is_refused(self) -> None:
        path = Path(self.ini("port = 1"))
        path.chmod(0o644)
        with self.assertRaisesRegex(SecurityError, "chmod 600"):
            read_config(["--config", str(path)], {})

    def test_help_names_every_setting(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out, self.assertRaises(SystemExit):
            read_config(["--help"], {})
        for flag in ("--data", "--host", "--limits", "--log-format", "--public"):
            self.assertIn(flag, out.getvalue())


if __name__ == "__main__":
    unittest.main()
