"""Beginning an account anew where its key is lost: said plainly, and never done by itself."""

from __future__ import annotations

import contextlib
import io
import sys
from unittest import mock

from bpost import b64
from bpost.client import Client, ConnectionState, SignedOut, cli
from bpost.client.enrol import BEGUN_TEXT, LOST
from bpost.errors import AccountLost, ProfileError, UsageError
from bpost.server.models import Client as Row
from bpost.server.records import PublishedKey
from tests.client.town import Town, password_of, texts, wait_for_event, wait_for_text
from tests.support import wait_until


class ResetCase(Town):
    def set_vault(self, text: str) -> None:
        """Let the server have another vault of bob, or none."""
        assert self.office is not None
        accounts = self.office.office.store.accounts
        bob = accounts.find("bob")
        assert bob is not None
        accounts.put_vault(bob.id, accounts.vault(bob.id).version, text)

    def show_key(self, text: str) -> None:
        """Let the server show another account key of bob, or none."""
        assert self.office is not None
        accounts = self.office.office.store.accounts
        bob = accounts.find("bob")
        assert bob is not None
        accounts.set_public_key(bob.id, PublishedKey(text))

    def shown_key(self) -> str:
        """Return the account key that the server shows as bob's."""
        assert self.office is not None
        bob = self.office.office.store.accounts.find("bob")
        return "" if bob is None else bob.public_key

    def changed(self, client: Client) -> bool:
        """Say whether a client waits for a word about bob's key."""
        contact = client.contact("bob")
        return contact is not None and contact.key_changed


class LostTest(ResetCase):
    """What is said, and that nothing happens without a word of the user."""

    def test_a_key_that_is_not_to_be_had_is_told_and_left_alone(self) -> None:
        alice, bob = self.register("alice", "bob")
        key = self.shown_key()
        for cause, vault in (("vault-missing", ""), ("bad-vault", b64.encode(b"\1\0\0\0\1x"))):
            with self.subTest(cause):
                self.set_vault(vault)
                with self.assertRaises(AccountLost) as caught:
                    self.log_in("bob", "other")
                self.assertEqual(caught.exception.cause, cause)
                self.assertTrue(str(caught.exception).startswith(LOST[cause]))
                self.assertIn("If a device of yours still works", str(caught.exception))
                self.assertEqual(self.shown_key(), key)
                self.assertFalse((self.folder / "other" / "key").exists())
        self.assertFalse(self.changed(alice))
        alice.send("bob", "as before")
        wait_for_text(bob, "alice", "as before")

    def test_a_server_that_shows_another_key_is_told_of(self) -> None:
        (bob,) = self.register("bob")
        bob.close()
        self.show_key(b64.encode(b"x" * 32))
        with self.assertRaises(AccountLost) as caught:
            self.log_in("bob", "other")
        self.assertEqual(caught.exception.cause, "account-key-changed")

    def test_a_key_that_is_there_is_not_reset(self) -> None:
        (bob,) = self.register("bob")
        key = self.shown_key()
        bob.close()
        with self.assertRaises(ProfileError):
            self.client("bob").begin_anew("bob", password_of("bob"))
        with self.assertRaises(UsageError):
            self.client("other").begin_anew("bob", password_of("bob"))
        self.assertEqual(self.shown_key(), key)

    def test_a_key_made_because_the_server_had_none_is_told(self) -> None:
        (bob,) = self.register("bob")
        bob.close()
        assert self.office is not None
        with self.office.office.store.transaction() as database:
            none = Row.update(public_key="", vault="", vault_version=0)
            none.where(Row.canonical == "bob").execute(database)
        other = self.log_in("bob", "other")
        wait_until(lambda: BEGUN_TEXT in [m.text for m in other.history("bob")])


class AnewTest(ResetCase):
    """What a reset does, on all sides."""

    def test_e55_contacts_see_a_changed_key_and_what_they_send_waits(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "before")
        wait_for_text(bob, "alice", "before")
        self.set_vault("")
        anew = self.client("anew")
        anew.begin_anew("bob", password_of("bob"))
        told = wait_for_event(bob, lambda event: isinstance(event, SignedOut))
        self.assertEqual(getattr(told, "reason", ""), "no-such-device")
        wait_until(lambda: bob.state is ConnectionState.REFUSED)
        self.assertEqual([one.id for one in anew.devices()], [anew.device])
        self.assertEqual([one.name for one in anew.contacts()], ["alice"])
        wait_until(lambda: self.changed(alice), what="alice to see the new key")
        held = alice.send("bob", "held")
        contact = alice.contact("bob")
        assert contact is not None
        self.assertEqual(texts(anew, "alice"), [])
        alice.trust_new_key("bob", contact.key)
        wait_for_text(anew, "alice", "held")
        self.assertEqual(held.status, "waiting")
        anew.send("alice", "back again")
        wait_for_text(alice, "bob", "back again")
        self.assertEqual(self.log_in("bob", "second").state, ConnectionState.CONNECTED)

    def test_the_command_line_says_what_it_is_and_asks_for_the_name(self) -> None:
        (bob,) = self.register("bob")
        bob.close()
        self.set_vault("")
        key = self.shown_key()
        status, out = self._run_cli("contacts", "")
        self.assertEqual(status, 1)
        self.assertIn("bpost-cli reset-account does that", out)
        status, out = self._run_cli("reset-account", "alice\n")
        self.assertEqual((status, self.shown_key()), (1, key))
        self.assertIn("Contacts see that your key has changed", out)
        status, out = self._run_cli("reset-account", "bob\n")
        self.assertEqual(status, 0, out)
        self.assertNotEqual(self.shown_key(), key)

    def _run_cli(self, command: str, typed: str) -> tuple[int, str]:
        secret = self.folder / "secret"
        secret.write_text(password_of("bob"))
        common = ["--profile", str(self.folder / "anew"), "--password-file", str(secret)]
        common += ["--server", self.url, "--user", "bob", "--pin", str(self.pin)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            with mock.patch.object(sys, "stdin", io.StringIO(typed)):
                status = cli.main([command, *common])
        return status, out.getvalue()
