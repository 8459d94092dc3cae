"""``bpost-admin``."""

from __future__ import annotations

import contextlib
import io
import json
import unittest
from typing import Any

from bpost.server import admin
from tests.server.parts import PASSWORD, ServerTest, reason
from tests.support import wait_until


class AdminTest(ServerTest):
    """Commands beside a server that runs."""

    def run_admin(self, *arguments: str) -> tuple[int, str]:
        """Run a command on this server's folder; return its status and what it printed."""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            with contextlib.redirect_stderr(out):
                status = admin.main(["--data", str(self.folder), *arguments])
        return status, out.getvalue()

    def found(self, *arguments: str) -> Any:
        """Run a command with --json; return what it found."""
        status, text = self.run_admin("--json", *arguments)
        self.assertEqual(status, 0, text)
        return json.loads(text)

    def test_users_are_listed(self) -> None:
        self.user("Alice")
        self.user("bob").ask("14", "bob", PASSWORD)
        self.assertEqual([row["name"] for row in self.found("users")["users"]], ["Alice"])
        self.assertEqual(len(self.found("users", "--all")["users"]), 2)
        self.assertIn("Alice", self.run_admin("users")[1])

    def test_a_running_server_notices_that_a_user_was_disabled(self) -> None:
        alice = self.user("alice")
        self.assertTrue(self.found("disable", "ALICE")["disabled"])
        self.assertEqual(alice.receive()[:2], ["99", "disabled"])
        self.assertEqual(reason(self.client().ask("1", "alice", PASSWORD)), "disabled")
        self.found("enable", "alice")
        wait_until(lambda: self.client().ask("1", "alice", PASSWORD) == ["1", "OK"])

    def test_an_invitation_is_a_token_or_a_link_with_the_pin(self) -> None:
        token = self.found("invite")["token"]
        self.assertGreaterEqual(len(token), 22)
        link = self.found("invite", "--public", "example.org:8765")["link"]
        self.assertTrue(link.startswith(f"bpost://example.org:8765/#{self.post_office.pin}."))

    def test_check_says_what_is_wrong(self) -> None:
        self.assertEqual(self.found("check"), {"ok": True, "problems": []})
        key = self.folder / "certificate" / "server-key.pem"
        key.chmod(0o644)
        status, text = self.run_admin("check")
        self.assertEqual(status, 1)
        self.assertIn("chmod 600", text)

    def test_what_cannot_be_done_is_a_sentence_and_status_1(self) -> None:
        self.assertEqual(self.run_admin("disable", "nobody")[0], 1)
        status, text = self.run_admin("--data", "/nowhere", "users")
        self.assertEqual(status, 1)
        self.assertIn("There is no database", text)


if __name__ == "__main__":
    unittest.main()
