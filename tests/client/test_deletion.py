"""The end of an account: what the server deletes, what it says of it, and what stays."""

from __future__ import annotations

import unittest

from bpost.client import remove_profile
from bpost.errors import ProfileError, Refused, TransportError
from tests.client.test_cli import CommandLine
from tests.client.town import Town, password_of, texts, wait_for_text
from tests.support import patience


class DeletionTest(Town):
    """Through the library."""

    def test_the_server_gives_a_receipt_and_keeps_the_name(self) -> None:
        alice, bob = self.register("alice", "bob")
        bob.send("alice", "hello")
        wait_for_text(alice, "bob", "hello")
        self.log_in("alice", "her other one")
        self.assertTrue(alice.flush(patience(10)))
        receipt = alice.delete_account(password_of("alice"))
        self.assertEqual((receipt["contacts"], receipt["devices"]), (1, 2))
        self.assertGreaterEqual(receipt["messages"], 1)
        self.assertGreater(receipt["keys"], 100)
        with self.assertRaisesRegex(Refused, "") as caught:
            self.client("anew").register("Alice", "another password")
        self.assertEqual(caught.exception.reason, "name-taken")
        with self.assertRaises(Refused):
            self.log_in("alice", "third one")
        self.assertEqual(texts(bob, "alice"), ["hello"])

    def test_the_history_can_still_be_read_here(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "farewell")
        wait_for_text(bob, "alice", "farewell")
        self.assertTrue(alice.flush(patience(10)))
        alice.delete_account(password_of("alice"))
        again = self.client("alice")
        again.log_in("alice", password_of("alice"), connect=False)
        self.assertEqual(texts(again, "bob"), ["farewell"])

    def test_a_wrong_password_or_no_connection_deletes_nothing(self) -> None:
        (alice,) = self.register("alice")
        with self.assertRaises(Refused):
            alice.delete_account("wrong")
        self.stop()
        with self.assertRaises(TransportError):
            alice.delete_account(password_of("alice"))
        self.start()
        self.assertEqual(self.log_in("alice", "elsewhere").username, "alice")

    def test_a_profile_is_removed_with_all_that_is_in_it(self) -> None:
        (alice,) = self.register("alice")
        folder = alice.folder
        with self.assertRaises(ProfileError):
            remove_profile(folder)
        alice.close()
        remove_profile(folder)
        self.assertFalse(folder.exists())

    def test_what_else_is_in_the_folder_stays(self) -> None:
        (alice,) = self.register("alice")
        alice.close()
        letter = alice.folder / "letter.txt"
        letter.write_text("Dear BPost,")
        remove_profile(alice.folder)
        self.assertEqual(list(alice.folder.iterdir()), [letter])


class CommandTest(CommandLine):
    """Through ``bpost-cli delete-account``."""

    def test_the_username_has_to_be_typed(self) -> None:
        self.sign_up("alice", "bob")
        code, out, err = self.run_cli("alice", "delete-account", stdin="bob\n")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("no way back", err)
        self.assertEqual(self.run_cli("alice", "contacts")[0], 0)
        code, out, _ = self.run_cli("alice", "delete-account", stdin="alice\n")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"deleted: \d+ messages?, 1 contact, 1 device, \d+ keys")
        self.assertTrue((self.folder / "alice" / "bpost.db").exists())
        self.assertEqual(self.run_cli("alice", "contacts")[0], 1)

    def test_the_profile_goes_with_it_if_asked_for(self) -> None:
        self.sign_up("alice")
        command = ("delete-account", "--remove-profile")
        self.assertEqual(self.run_cli("alice", *command, stdin="alice\n")[0], 0)
        self.assertFalse((self.folder / "alice").exists())


if __name__ == "__main__":
    unittest.main()
