"""Clients over a real server: people, messages, devices, passwords, and bad connections."""

from __future__ import annotations

import shutil
import threading

from bpost.client import (
    Client,
    ConnectionChanged,
    ConnectionState,
    ContactsChanged,
    MessageAdded,
    SecurityNotice,
    SignedOut,
    remembered,
)
from bpost.client.link import Link
from bpost.crypto.password import password_field
from bpost.errors import (
    ProfileError,
    Refused,
    SecurityError,
    TransportError,
    UntrustedCertificate,
    UsageError,
)
from bpost.net.address import ServerAddress
from bpost.protocol.replies import Registered
from bpost.protocol.requests import Register
from tests.client.town import (
    LIMITS,
    Town,
    password_keys,
    password_of,
    status,
    texts,
    wait_for_event,
    wait_for_text,
)
from tests.support import patience, wait_until


class MessageTest(Town):
    """What people do all day."""

    def test_a_message_arrives_and_its_ticks_come_back(self) -> None:
        alice, bob = self.register("alice", "Bob")
        sent = alice.send("bob", "hello")
        self.assertEqual((sent.status, sent.conversation), ("waiting", "Bob"))
        wait_for_text(bob, "alice", "hello")
        wait_until(lambda: status(alice, sent) == "delivered")
        bob.mark_read("alice")
        wait_until(lambda: status(alice, sent) == "read")
        self.assertEqual(bob.conversations()[0].unread, 0)

    def test_events_tell_of_it(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "hello")
        event = wait_for_event(bob, lambda event: isinstance(event, MessageAdded))
        assert isinstance(event, MessageAdded)
        self.assertEqual((event.message.sender, event.message.text), ("alice", "hello"))
        self.assertFalse(event.message.own)

    def test_many_threads_send_at_once(self) -> None:
        alice, bob = self.register("alice", "bob")
        words = [[f"{thread} {number}" for number in range(10)] for thread in range(4)]

        def send(some: list[str]) -> None:
            for text in some:
                alice.send("bob", text)

        threads = [threading.Thread(target=send, args=(some,)) for some in words]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: len(texts(bob, "alice")) == 40)
        for some in words:
            self.assertEqual([t for t in texts(bob, "alice") if t in some], some)

    def test_a_draft_is_kept(self) -> None:
        alice, _ = self.register("alice", "bob")
        alice.set_draft("bob", "not yet")
        alice.close()
        alice = self.log_in("alice")
        self.assertEqual((alice.draft("bob"), alice.draft("carol")), ("not yet", ""))

    def test_only_contacts_can_be_written_to(self) -> None:
        (alice,) = self.register("alice")
        with self.assertRaises(UsageError):
            alice.send("bob", "hello")
        with self.assertRaises(Refused) as raised:
            alice.add_contact("nobody")
        self.assertEqual(raised.exception.reason, "no-such-user")

    def test_contacts_come_and_go(self) -> None:
        alice, bob = self.register("alice", "bob")
        self.assertEqual([c.name for c in alice.contacts()], ["bob"])
        alice.block("bob")
        self.assertTrue(alice.contacts()[0].blocked)
        bob.send("alice", "unheard")
        self.assertTrue(bob.flush(patience(10)))
        alice.unblock("bob")
        bob.send("alice", "heard")
        wait_for_text(alice, "bob", "heard")
        self.assertNotIn("unheard", texts(alice, "bob"))
        alice.remove_contact("bob")
        self.assertEqual(alice.contacts(), [])
        self.assertIn("heard", texts(alice, "bob"))
        wait_for_event(alice, lambda event: isinstance(event, ContactsChanged))

    def test_both_see_the_same_safety_number(self) -> None:
        alice, bob = self.register("alice", "bob")
        self.assertEqual(alice.safety_number("bob"), bob.safety_number("alice"))
        self.assertEqual(len(alice.safety_number("bob")), 60)
        self.assertEqual(alice.safety_number("nobody"), "")


class ConnectionTest(Town):
    """Servers that go away, lie about who they are, or say no."""

    def test_messages_wait_while_the_server_is_away_and_go_when_it_is_back(self) -> None:
        alice, bob = self.register("alice", "bob")
        self.stop()
        wait_until(lambda: alice.state is not ConnectionState.CONNECTED)
        for text in "abc":
            alice.send("bob", text)
        self.assertEqual(alice.waiting, 3)
        self.start()
        wait_for_text(bob, "alice", "c")
        self.assertEqual(texts(bob, "alice"), ["a", "b", "c"])
        self.assertTrue(alice.flush(patience(10)))
        self.assertEqual(alice.waiting, 0)

    def test_a_profile_opens_without_a_server(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "before")
        wait_for_text(bob, "alice", "before")
        alice.close()
        self.stop()
        alice = self.log_in("alice")
        self.assertNotEqual(alice.state, ConnectionState.CONNECTED)
        self.assertEqual(texts(alice, "bob"), ["before"])
        alice.send("bob", "after")
        with self.assertRaises(TransportError):
            alice.add_contact("carol")
        alice.close()
        self.start()
        alice = self.log_in("alice")
        wait_for_text(bob, "alice", "after")

    def test_a_profile_is_only_opened_if_that_is_wanted(self) -> None:
        (alice,) = self.register("alice")
        alice.close()
        alice = self.client("alice")
        alice.log_in("alice", password_of("alice"), connect=False)
        self.assertEqual((alice.state, alice.username), (ConnectionState.OFFLINE, "alice"))

    def test_an_unknown_certificate_is_asked_about_once(self) -> None:
        self.register("bob")
        stranger = self.client("alice", pin=None)
        with self.assertRaises(UntrustedCertificate) as raised:
            stranger.register("alice", password_of("alice"))
        self.assertEqual(raised.exception.pin, self.pin)
        trusting = self.client("alice", pin=raised.exception.pin)
        trusting.register("alice", password_of("alice"))
        trusting.close()
        again = self.client("alice", pin=None)
        again.log_in("alice", password_of("alice"))
        known = remembered(self.folder / "alice")
        self.assertEqual(known and (known.pin, known.username), (self.pin, "alice"))

    def test_another_certificate_is_refused(self) -> None:
        (alice,) = self.register("alice")
        alice.close()
        other = self.client("alice", pin="A" * 43)
        with self.assertRaises(SecurityError) as raised:
            other.log_in("alice", password_of("alice"))
        self.assertEqual(raised.exception.cause, "pin-mismatch")

    def test_a_plain_server_is_refused(self) -> None:
        with self.assertRaises(SecurityError):
            Client("ws://127.0.0.1:1", self.folder / "x")

    def test_the_state_is_told(self) -> None:
        (alice,) = self.register("alice")
        self.stop()
        event = wait_for_event(
            alice,
            lambda e: isinstance(e, ConnectionChanged) and e.state is ConnectionState.WAITING,
        )
        assert isinstance(event, ConnectionChanged)
        self.assertTrue(event.text.endswith("."), event.text)
        self.assertLess(event.retry_in or 99, 1)
        self.start()
        alice.reconnect()
        wait_until(lambda: alice.state is ConnectionState.CONNECTED)

    def test_s25_two_copies_of_a_profile_do_not_push_each_other_out_in_a_loop(self) -> None:
        (alice,) = self.register("alice")
        alice.close()
        shutil.copytree(self.folder / "alice", self.folder / "copy")
        older = self.log_in("alice")
        self.log_in("alice", "copy")
        event = wait_for_event(
            older,
            lambda e: isinstance(e, ConnectionChanged) and e.state is ConnectionState.WAITING,
        )
        assert isinstance(event, ConnectionChanged)
        self.assertIn("logged in on another connection", event.text)
        self.assertGreaterEqual(event.retry_in or 0, 0.75 * LIMITS.reconnect_most)

    def test_closing_ends_the_events_and_may_be_done_twice(self) -> None:
        (alice,) = self.register("alice")
        threading.Timer(0.05, alice.close).start()
        for _ in alice.events():
            pass
        alice.close()
        self.assertEqual((alice.state, alice.username), (ConnectionState.OFFLINE, ""))
        with self.assertRaises(UsageError):
            alice.contacts()


class AccountTest(Town):
    """Registering and logging in."""

    def test_a_taken_name_leaves_no_profile(self) -> None:
        self.register("alice")
        other = self.client("other")
        with self.assertRaises(Refused) as raised:
            other.register("Alice", "another password")
        self.assertEqual(raised.exception.reason, "name-taken")
        self.assertEqual([p.name for p in (self.folder / "other").iterdir()], ["lock"])

    def test_a_wrong_password_is_refused_with_and_without_a_profile(self) -> None:
        (alice,) = self.register("alice")
        alice.close()
        for profile in ("alice", "new"):
            with self.subTest(profile), self.assertRaises(Refused) as raised:
                self.log_in("alice", profile, "wrong")
            self.assertEqual(raised.exception.reason, "wrong-password")
        self.stop()
        with self.assertRaises(Refused) as raised:
            self.log_in("alice", "", "wrong")
        self.assertEqual(raised.exception.reason, "wrong-password")

    def test_a_profile_is_one_users(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.close()
        bob.close()
        with self.assertRaises(ProfileError):
            self.log_in("bob", "alice")

    def test_e29_a_profile_is_one_programs(self) -> None:
        self.register("alice")
        with self.assertRaises(ProfileError):
            self.log_in("alice")

    def test_a_client_logs_in_again_after_logging_out(self) -> None:
        (alice,) = self.register("alice")
        alice.log_out()
        alice.log_in("alice", password_of("alice"))
        self.assertEqual(alice.state, ConnectionState.CONNECTED)
        with self.assertRaises(UsageError):
            alice.log_in("alice", password_of("alice"))

    def test_names_that_cannot_be_are_refused_before_anything_is_made(self) -> None:
        for name in ("", "a", "a b", "é" * 5, "../x"):
            with self.subTest(name), self.assertRaises(UsageError):
                self.client("x").register(name, "password")
        self.assertFalse((self.folder / "x").exists())

    def test_an_account_without_keys_gets_them_from_its_first_device(self) -> None:
        (bob,) = self.register("bob")
        self._register_plainly("alice")
        alice = self.log_in("alice")
        bob.add_contact("alice")
        bob.send("alice", "hello")
        wait_for_text(alice, "bob", "hello")

    def _register_plainly(self, name: str) -> None:
        """Make an account as a client does that knows nothing of keys."""
        link = Link(ServerAddress("127.0.0.1", self.port, self.pin), LIMITS)
        login = password_keys(name, password_of(name)).login_key
        link.ask(Register(name, password_field(login)), Registered)
        link.close()


class DeviceTest(Town):
    """One account on several devices."""

    def test_a_second_device_gets_what_is_sent_and_written_from_then_on(self) -> None:
        alice, bob = self.register("alice", "Bob")
        alice.send("bob", "before")
        wait_for_text(bob, "alice", "before")
        second = self.log_in("BOB", "second", password_of("bob"))
        self.assertEqual(second.username, "Bob")
        self.assertNotEqual(second.device, bob.device)
        self.assertTrue(second.flush(patience(10)))
        alice.send("bob", "for both")
        wait_for_text(second, "alice", "for both")
        wait_for_text(bob, "alice", "for both")
        bob.send("alice", "from the first")
        wait_for_text(second, "alice", "from the first")
        second.send("alice", "from the second")
        wait_for_text(bob, "alice", "from the second")
        wait_for_text(alice, "bob", "from the second")
        self.assertEqual(texts(second, "alice"), texts(bob, "alice")[1:])
        self.assertTrue(second.history("alice")[-1].own)
        for client in (alice, bob, second):
            notices = []
            while event := client.next_event():
                notices += [event] if isinstance(event, SecurityNotice) else []
            self.assertEqual(notices, [])

    def test_a_second_device_works_while_the_first_is_away(self) -> None:
        alice, bob = self.register("alice", "bob")
        bob.close()
        second = self.log_in("bob", "second")
        alice.send("bob", "for both")
        wait_for_text(second, "alice", "for both")
        second.send("alice", "from the second")
        wait_for_text(alice, "bob", "from the second")
        bob = self.log_in("bob")
        wait_for_text(bob, "alice", "from the second")
        self.assertEqual(texts(bob, "alice"), ["for both", "from the second"])

    def test_what_is_read_on_one_device_is_read_on_the_other(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        second.flush(patience(10))
        alice.send("bob", "hello")
        wait_for_text(second, "alice", "hello")
        wait_for_text(bob, "alice", "hello")
        bob.mark_read("alice")
        wait_until(lambda: second.conversations()[0].unread == 0)

    def test_a_changed_password_opens_the_other_device_and_the_old_one_does_not(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        second.flush(patience(10))
        alice.send("bob", "history")
        wait_for_text(second, "alice", "history")
        bob.change_password(password_of("bob"), "a new one")
        wait_for_event(second, lambda event: isinstance(event, SignedOut))
        self.assertEqual(second.state, ConnectionState.REFUSED)
        self.assertEqual(texts(second, "alice"), ["history"])
        second.close()
        with self.assertRaises(Refused) as raised:
            self.log_in("bob", "second")
        self.assertEqual(raised.exception.reason, "wrong-password")
        second = self.log_in("bob", "second", "a new one")
        self.assertEqual(texts(second, "alice"), ["history"])
        alice.send("bob", "goes on")
        wait_for_text(second, "alice", "goes on")
        bob.close()
        bob = self.log_in("bob", "", "a new one")
        wait_for_text(bob, "alice", "goes on")
        third = self.log_in("bob", "third", "a new one")
        self.assertEqual(third.state, ConnectionState.CONNECTED)

    def test_a_wrong_current_password_changes_nothing(self) -> None:
        (alice,) = self.register("alice")
        with self.assertRaises(Refused) as raised:
            alice.change_password("wrong", "new")
        self.assertEqual(raised.exception.reason, "wrong-password")
        alice.close()
        self.log_in("alice")

    def test_the_old_password_still_opens_what_is_here_while_the_server_is_away(self) -> None:
        _, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        second.close()
        bob.change_password(password_of("bob"), "a new one")
        self.stop()
        second = self.log_in("bob", "second")
        self.assertEqual([c.name for c in second.contacts()], ["alice"])
