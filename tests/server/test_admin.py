"""``bpost-admin``."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.net.address import parse_address
from bpost.server import admin
from bpost.server.admin_command import size, size_or_default
from bpost.server.models import TABLES, Client, Device, Message
from bpost.server.records import PLAIN
from tests.server.parts import PASSWORD, OfficeTest, PlainClient, ServerTest, device_of, reason
from tests.support import wait_until


def run_admin(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command on a server's folder; return its status and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        with contextlib.redirect_stderr(out):
            status = admin.main(["--data", str(folder), *arguments])
    return status, out.getvalue()


class AdminTest(ServerTest):
    """Commands beside a server that runs."""

    def run_admin(self, *arguments: str) -> tuple[int, str]:
        """Run a command on this server's folder."""
        return run_admin(self.folder, *arguments)

    def found(self, *arguments: str) -> Any:
        """Run a command with --json; return what it found."""
        status, text = self.run_admin("--json", *arguments)
        self.assertEqual(status, 0, text)
        return json.loads(text)

    def settled(self) -> None:
        """Wait until the server has looked at what was set before."""
        wait_until(lambda: self.post_office.office.clerk._orders is not None)

    def friends(self) -> tuple[PlainClient, PlainClient]:
        """Register alice, who has bob as a contact, and bob."""
        alice, bob = self.user("alice"), self.user("bob")
        alice.ask("4", "alice", "bob")
        return alice, bob

    def test_users_are_listed(self) -> None:
        self.user("Alice")
        self.user("bob").ask("14", "bob", PASSWORD)
        self.assertEqual([row["name"] for row in self.found("users")["users"]], ["Alice"])
        self.assertEqual(len(self.found("users", "--all")["users"]), 2)
        self.assertIn("Alice", self.run_admin("users")[1])

    def test_s24_a_running_server_notices_that_a_user_was_disabled(self) -> None:
        alice = self.user("alice")
        self.settled()
        self.assertTrue(self.found("disable", "ALICE")["disabled"])
        self.assertEqual(alice.receive()[:2], ["99", "disabled"])
        self.assertEqual(reason(self.client().ask("1", "alice", PASSWORD)), "disabled")
        self.found("enable", "alice")
        wait_until(lambda: self.client().ask("1", "alice", PASSWORD) == ["1", "OK"])

    def test_s24_a_running_server_notices_that_a_user_was_deleted(self) -> None:
        alice, bob = self.friends()
        alice.ask("0", "alice", "hi", "bob", "r1")
        self.assertIn("--yes", self.run_admin("delete", "bob")[1])
        self.settled()
        self.assertEqual(self.found("delete", "bob", "--yes")["deleted"]["messages"], 1)
        frames = [bob.receive(), bob.receive()]
        self.assertEqual(frames[1][:2], ["99", "no-such-user"])
        self.assertEqual(reason(self.client().ask("1", "bob", PASSWORD)), "wrong-password")
        self.assertEqual(reason(self.client().ask("2", "bob", PASSWORD)), "name-taken")

    def test_deleting_asks_for_the_name_where_somebody_sits(self) -> None:
        self.user("alice")
        for typed, status in (("bob\n", 1), ("Alice\n", 0)):
            with mock.patch("sys.stdin", io.StringIO(typed)) as there:
                there.isatty = lambda: True  # type: ignore[method-assign]
                with self.subTest(typed=typed):
                    self.assertEqual(self.run_admin("delete", "alice")[0], status)

    def test_s24_a_running_server_notices_that_a_device_was_removed(self) -> None:
        alice = self.user("alice")
        phone, device = self.device("alice")
        tablet, other = self.device("alice")
        rows = self.found("devices", "alice")["devices"]
        self.assertEqual([row["device"] for row in rows], [device, other])
        self.assertEqual(self.run_admin("devices", "alice", "--remove", "nosuch")[0], 1)
        self.settled()
        self.assertEqual(self.found("devices", "alice", "--remove", device)["removed"], device)
        self.assertEqual(phone.receive()[:2], ["99", "no-such-device"])
        for client in (alice, tablet):
            self.assertEqual(client.ask("9", "list")[:2], ["9", "OK"])
        answer = self.client().ask("1", "alice", PASSWORD, device)
        self.assertEqual(reason(answer), "no-such-device")

    def test_a_quota_holds_at_once_until_it_is_taken_back(self) -> None:
        alice, bob = self.friends()
        bob.close()

        def send(ref: str) -> str:
            return reason(alice.ask("0", "alice", "x" * 3000, "bob", ref))

        self.assertEqual(self.found("quota", "BOB", "4K")["quota"], 4096)
        self.assertEqual([send("r1"), send("r2")], ["", "quota"])
        self.assertEqual(self.found("quota", "bob", "1M")["held"], 3000)
        self.assertEqual(send("r3"), "")
        self.assertIsNone(self.found("quota", "bob", "default")["quota"])
        self.assertIn("5.9 KiB", self.run_admin("quota", "bob")[1])

    def test_a_running_server_keeps_mail_as_long_as_it_is_told(self) -> None:
        passage = self.post_office.office.clerk._passage
        self.assertEqual(self.found("retention", "3"), {"days": 3})
        wait_until(lambda: passage.retention_ms == 3 * 86_400_000)
        self.assertIn("3 days", self.run_admin("retention")[1])
        self.assertEqual(self.found("retention", "default"), {"days": None})
        wait_until(lambda: passage.retention_ms == 30 * 86_400_000)
        self.assertIn("30 days unless", self.run_admin("retention")[1])

    def test_stats_count_what_is_stored(self) -> None:
        alice, bob = self.friends()
        bob.close()
        alice.ask("0", "alice", "x" * 2000, "bob", "r1")
        found = self.found("stats")
        self.assertEqual((found["accounts"], found["deleted"], found["contacts"]), (2, 0, 1))
        self.assertEqual((found["messages"]["waiting"], found["messages"]["characters"]), (1, 2000))
        self.assertIn("2 active", self.run_admin("stats")[1])

    def test_an_invitation_is_a_token_or_a_link_with_the_pin(self) -> None:
        token = self.found("invite")["token"]
        self.assertGreaterEqual(len(token), 22)
        link = self.found("invite", "--public", "example.org:8765")["link"]
        self.assertTrue(link.startswith(f"bpost://example.org:8765/#{self.post_office.pin}."))
        link = self.found("invite", "--public", "example.org:8765", "--no-pin")["link"]
        address = parse_address(link)
        self.assertEqual((address.host, address.pin), ("example.org", None))
        self.assertGreaterEqual(len(address.token or ""), 22)
        shutil.rmtree(self.folder / "certificate")
        before = self.found("stats")["invitations"]
        status, text = self.run_admin("invite", "--public", "example.org:8765")
        self.assertEqual((status, self.found("stats")["invitations"]), (1, before))
        self.assertIn("--no-pin", text)

    def test_check_says_what_is_wrong(self) -> None:
        self.assertEqual(self.found("check"), {"ok": True, "problems": []})
        key = self.folder / "certificate" / "server-key.pem"
        key.chmod(0o644)
        status, text = self.run_admin("check")
        self.assertEqual(status, 1)
        self.assertIn("chmod 600", text)

    def test_what_cannot_be_done_is_a_sentence_and_status_1(self) -> None:
        for command in ("disable", "delete", "devices", "quota", "explain"):
            with self.subTest(command=command):
                status, text = self.run_admin(command, "nobody")
                self.assertEqual(status, 1)
                self.assertIn("There is no user nobody", text)
        status, text = self.run_admin("--data", "/nowhere", "users")
        self.assertEqual(status, 1)
        self.assertIn("There is no database", text)

    def test_sizes_are_read_and_told_in_the_same_units(self) -> None:
        for text, count in (("7", 7), ("64K", 65536), ("500MiB", 500 << 20), ("2gb", 2 << 30)):
            self.assertEqual(size_or_default(text), count)
        told = [size(count) for count in (0, 1023, 1024, 500 << 20, 3 << 40, 5 << 50)]
        self.assertEqual(
            told, ["0 bytes", "1023 bytes", "1.0 KiB", "500 MiB", "3.0 TiB", "5120 TiB"]
        )


class ExplainTest(OfficeTest):
    """What is stored about one user, all of it."""

    def setUp(self) -> None:
        super().setUp()
        alice, bob = self.friends()
        carol = self.user("Carol")
        carol.ask("4", "Carol", "alice")
        alice.ask("9", "block", "carol")
        self.phone = self.device("alice")
        device = device_of(self.phone)
        self.phone.ask("6", "alice", "PUBLIC-KEY", device, "BUNDLE")
        self.phone.ask("10", "upload", device, '["one","two"]')
        bob.ask("0", "bob", "SEALED-TEXT", "alice", "r1")
        alice.ask("0", "alice", "SEALED-ANSWER", "bob", "r2")
        carol.ask("0", "Carol", "HARASSMENT", "alice", "r3")

    def test_everything_is_told_in_sizes_and_nothing_in_full(self) -> None:
        status, text = run_admin(self.folder, "explain", "Alice")
        self.assertEqual(status, 0, text)
        for told in (
            "bob, Carol (blocked)",
            "from bob: 1 message",
            "to bob: 1 message",
            "2 one-t",
            "Log of keys: 1 entry,",
        ):
            self.assertIn(told, text)
        own, others = text.split("About others too")
        self.assertIn(device_of(self.phone), own)
        self.assertIn("1 to this user", others)
        self.assertIn("On the contact lists of 2 users, blocked by 0", others)
        stored = json.loads(run_admin(self.folder, "explain", "alice", "--json")[1])
        for secret in ("SEALED", "PUBLIC-KEY", "BUNDLE", "scrypt", PASSWORD, '"one"'):
            self.assertNotIn(secret, text + json.dumps(stored))

    def test_that_ids_of_removed_devices_are_kept_is_told(self) -> None:
        self.assertNotIn("Removed devices", run_admin(self.folder, "explain", "alice")[1])
        self.office.store.devices.remove(self.account("alice"), device_of(self.phone))
        self.assertIn("Removed devices: 1 id,", run_admin(self.folder, "explain", "alice")[1])

    def test_no_table_and_no_column_is_left_out(self) -> None:
        about_users = {"clients", "contacts", "devices", "invites", "messages", "prekeys"}
        about_users |= {"withheld", "key_log_entries", "departed"}
        about_nobody = {"schema_version", "clock", "settings", "buckets", "key_log"}
        self.assertEqual({table._meta.table_name for table in TABLES}, about_users | about_nobody)
        stored = self.office.store.survey.about(self.account("alice"))
        unsaid = {"id", "client", "deleted", "recipient", "sender", "sender_device", "ref"}
        rows: tuple[tuple[Any, Any, set[str]], ...] = (
            (Client, stored["account"], set()),
            (Device, stored["devices"][0], set()),
            (Message, stored["mailbox"], {"seq", "body", "timestamp"}),
        )
        for table, row, in_sizes in rows:
            told = {name.removesuffix("_size") for name in row} | unsaid
            self.assertEqual(set(table._meta.fields) - told - in_sizes, set(), table)


class GoneTest(OfficeTest):
    """What an administrator ended stays ended, also for who is in the middle of something."""

    def test_a_deleted_user_stores_nothing_more(self) -> None:
        alice, _ = self.friends()
        before = self.account("alice")
        self.office.store.accounts.delete(before, 1)
        steps: tuple[Callable[[], object], ...] = (
            lambda: alice.ask("6", "alice", "LATE-KEY"),
            lambda: alice.ask("11", "put", "0", "LATE-VAULT"),
            lambda: alice.ask("4", "alice", "bob"),
            lambda: alice.ask("0", "alice", "LATE-TEXT", "bob", "r1"),
            lambda: self.office.store.devices.add(before, "LATE-DEVICE", 1, 9),
        )
        for step in steps:
            step()
        self.office.clerk.round()
        self.assertFalse(alice.wire.open)
        self.assertNotIn("LATE", self.dump())
        about = self.office.store.survey.about(before)
        self.assertEqual((about["contacts"], about["devices"]), ([], []))

    def test_s45_a_plain_device_that_is_idle_does_not_hold_back_what_others_have(self) -> None:
        alice, bob = self.friends()
        alice.ask("0", "alice", "to the plain one", "bob")
        bob.session.leave()
        phone = self.device("bob")
        phone.ask("6", "bob", "KEY", device_of(phone), "BUNDLE")
        alice.ask("0", "alice", "CIPHERTEXT", "bob")
        phone.say("5", "OK", "2")
        self.office.clerk.round()
        self.assertIn("CIPHERTEXT", self.dump())
        with mock.patch("bpost.server.clerk.now_ms", return_value=1 << 50):
            self.office.clerk.expire()
        self.assertNotIn("CIPHERTEXT", self.dump())
        self.assertNotIn("to the plain one", self.dump())
        devices = self.office.store.devices
        there = devices.there({self.account("bob")})
        self.assertEqual(there, {(self.account("bob"), device_of(phone))})

    def test_a_plain_device_stays_where_there_is_no_other(self) -> None:
        alice, bob = self.friends()
        alice.ask("0", "alice", "hi", "bob")
        bob.session.leave()
        self.device("bob")  # which has published no keys
        self.assertEqual(self.office.store.devices.drop_plain(1 << 50), [])
        self.assertIn((self.account("bob"), PLAIN), self.office.store.devices.there({2}))


if __name__ == "__main__":
    unittest.main()
