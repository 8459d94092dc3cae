"""A server that comes back from the past: from a backup, or from an old copy of its folder.

Real clients go on with it. What had got there comes again or is known already; what only the
server had is asked for; and what cannot come back is shown.
"""

from __future__ import annotations

import shutil
import sqlite3
import unittest
from pathlib import Path

from bpost.client import Client, SignedOut
from bpost.errors import Refused
from bpost.server.copies import back_up, restore
from tests.client.town import Town, password_of, texts, wait_for_event, wait_for_text
from tests.support import wait_until


class OldServerTest(Town):
    """Time goes back for the server alone."""

    @property
    def data(self) -> Path:
        """The server's folder."""
        return self.folder / "server"

    def keys(self, user: str) -> int:
        """Return how many one-time keys the server has of a user."""
        assert self.office is not None
        store = self.office.office.store
        account = store.accounts.find(user)
        assert account is not None
        return sum(row["one_time_keys"] for row in store.survey.about(account.id)["devices"])

    def talk(self) -> tuple[Client, Client]:
        """Let alice and bob write to each other, until all of it is on both sides."""
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "first")
        wait_for_text(bob, "alice", "first")
        bob.send("alice", "second")
        wait_for_text(alice, "bob", "second")
        wait_until(lambda: self.keys("bob") > 20, what="one-time keys")
        return alice, bob

    def go_on_after_loss(self, alice: Client, bob: Client) -> None:
        """Write what the server that goes back will have forgotten; bob is away for some of it."""
        alice.send("bob", "third")
        wait_for_text(bob, "alice", "third")
        bob.close()
        sent = alice.send("bob", "fourth")
        wait_until(
            lambda: any(m.id == sent.id and m.status == "stored" for m in alice.history("bob"))
        )

    def assert_whole(self, alice: Client, bob: Client) -> None:
        """Demand that both go on writing, and that bob has everything, once and in order."""
        alice.send("bob", "fifth")
        wanted = ["first", "second", "third", "fourth", "fifth"]
        wait_until(lambda: texts(bob, "alice") == wanted, what="all of it, in order")
        bob.send("alice", "sixth")
        wait_for_text(alice, "bob", "sixth")
        self.assertEqual(texts(alice, "bob"), [*wanted, "sixth"])

    def test_clients_go_on_with_a_server_from_a_backup(self) -> None:
        alice, bob = self.talk()
        back_up(self.data, self.folder / "backup")
        self.log_in("alice", "alice-tablet").close()
        self.go_on_after_loss(alice, bob)
        pin = self.pin
        self.go_back()
        self.assertEqual(self.pin, pin)
        bob = self.log_in("bob")
        wait_until(lambda: self.keys("bob") == 100, what="new one-time keys")
        self.assert_whole(alice, bob)
        wait_for_event(alice, lambda event: getattr(event, "cause", "") == "log-restored")

    def go_back(self) -> None:
        """Put the server back to the backup that was made last."""
        self.stop()
        self.data.rename(self.folder / "lost")
        restore(self.folder / "backup", self.data)
        self.start()

    def test_a_device_that_joined_after_the_backup_goes_on_as_it_was(self) -> None:
        alice, bob = self.talk()
        back_up(self.data, self.folder / "backup")
        tablet = self.log_in("bob", "tablet")
        alice.send("bob", "to both")
        wait_for_text(tablet, "alice", "to both")
        device = tablet.device
        self.go_back()
        wait_until(lambda: tablet.state == "connected", what="the tablet is let in")
        alice.send("bob", "to both, again")
        for one in (bob, tablet):
            wait_for_text(one, "alice", "to both, again")
        tablet.send("alice", "from the tablet")
        wait_for_text(alice, "bob", "from the tablet")
        self.assertEqual({one.id for one in bob.devices()}, {bob.device, device})
        self.assertEqual(texts(tablet, "alice"), ["to both", "to both, again", "from the tablet"])

    def test_an_account_made_after_the_backup_is_made_again_with_its_key(self) -> None:
        _, bob = self.talk()
        back_up(self.data, self.folder / "backup")
        (late,) = self.register("late")
        late.add_contact("bob")
        late.send("bob", "late, but here")
        wait_for_text(bob, "late", "late, but here")
        bob.add_contact("late")
        self.go_back()
        told = wait_for_event(late, lambda event: isinstance(event, SignedOut))
        self.assertEqual(getattr(told, "reason", ""), "wrong-password")
        late.close()
        late = self.client("late")
        late.register("late", password_of("late"))
        late.send("bob", "still here")
        wait_for_text(bob, "late", "still here")
        contact = bob.contact("late")
        assert contact is not None
        self.assertFalse(contact.key_changed)
        bob.add_contact("late")
        bob.send("late", "welcome back")
        wait_for_text(late, "bob", "welcome back")
        again = self.client("late-again")
        with self.assertRaises(Refused) as caught:
            again.register("late", password_of("late"))
        self.assertEqual(caught.exception.reason, "name-taken")

    def test_a_contact_added_after_the_backup_is_on_the_list_again(self) -> None:
        alice, _bob = self.talk()
        carol = self.register("carol", "dave")[0]
        back_up(self.data, self.folder / "backup")
        alice.add_contact("carol")
        alice.add_contact("dave")
        alice.block("dave")
        self.go_back()
        wait_until(lambda: alice.state == "connected")
        alice.send("carol", "hello")
        wait_for_text(carol, "alice", "hello")
        listed = {one.name: one.blocked for one in alice.contacts()}
        self.assertEqual(listed, {"bob": False, "carol": False, "dave": True})

    def test_clients_go_on_with_a_server_from_an_old_copy_of_its_folder(self) -> None:
        alice, bob = self.talk()
        carol, dave = self.client("carol"), self.client("dave")
        for name, one in (("carol", carol), ("dave", dave)):
            one.register(name, password_of(name))
            bob.add_contact(name)
        bob.close()
        self.stop()
        with sqlite3.connect(self.data / "bpost.db") as database:  # one key, which will be used
            database.execute(
                "DELETE FROM prekeys WHERE id NOT IN (SELECT MIN(p.id) FROM prekeys p"
                " JOIN devices d ON d.id = p.device_id GROUP BY d.client_id)"
            )
        database.close()
        shutil.copytree(self.data, self.folder / "copy")
        self.start()
        write_first(carol, "with the one key")
        bob = self.log_in("bob")
        wait_for_text(bob, "carol", "with the one key")
        self.go_on_after_loss(alice, bob)
        self.stop()
        shutil.rmtree(self.data)
        (self.folder / "copy").rename(self.data)
        self.start()
        self.assertEqual(self.keys("bob"), 1)
        write_first(dave, "with the same key")
        wait_until(lambda: self.keys("bob") == 0)
        bob = self.log_in("bob")
        wait_for_text(bob, "dave", "with the same key")
        self.assertEqual(texts(bob, "dave"), ["with the same key"])
        self.assert_whole(alice, bob)


def write_first(client: Client, text: str) -> None:
    """Begin a conversation with bob, once the client is connected again."""
    wait_until(lambda: client.state == "connected", what="the connection")
    client.add_contact("bob")
    client.send("bob", text)


if __name__ == "__main__":
    unittest.main()
