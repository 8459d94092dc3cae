"""A server that lies in every way it can: each lie is refused or found out, and nothing is lost.

Real clients, over TLS, against :class:`tests.client.lying.LyingPostOffice`. Whatever the lie, what
honest people wrote before, meanwhile and after it is read, each text once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bpost.client import Client, mailbox
from bpost.client.models import Device
from bpost.crypto.message import parse_message
from bpost.crypto.session import Sessions
from bpost.protocol.replies import Bundles, ContactAdded, Delivery, DeviceKeys
from tests.client.lying import LyingTown, cut, opened, spliced, wait_told
from tests.client.town import LIMITS, texts, wait_for_text
from tests.support import wait_until

GHOST = "ghostghostghost0"
KEY = 32
BEFORE = ("before", "before, too")
AFTER = ("after", "after, too")


class MaliciousCase(LyingTown):
    """Two friends, and what every lie must leave as it was."""

    def friends(self) -> tuple[Client, Client]:
        """Return alice and bob, who have written to each other already."""
        alice, bob = self.register("alice", "bob")
        self.say(alice, bob, BEFORE[0])
        self.say(bob, alice, BEFORE[1])
        return alice, bob

    def say(self, sender: Client, to: Client, text: str) -> None:
        """Write, and wait until it is read."""
        sender.send(to.username, text)
        wait_for_text(to, sender.username, text)

    def goes_on(self, alice: Client, bob: Client, *meanwhile: str) -> None:
        """Demand that the two write to each other after the lie, and that nothing is lost."""
        self.confess()
        self.say(alice, bob, AFTER[0])
        self.say(bob, alice, AFTER[1])
        expected = sorted((*BEFORE, *meanwhile, *AFTER))
        for one, other in ((alice, bob), (bob, alice)):
            self._wait_all(one, other.username, len(expected))
            self.assertEqual(sorted(texts(one, other.username)), expected)

    def _wait_all(self, client: Client, name: str, count: int) -> None:
        wait_until(lambda: len(texts(client, name)) >= count, what=f"all at {client.username}")

    def failures(self, client: Client, name: str) -> str:
        """Return all that a conversation says of what went wrong."""
        lines = client.history(name, limit=1000)
        return " ".join(m.text if m.kind == "notice" else m.failure for m in lines)

    def wait_shown(self, client: Client, name: str, words: str) -> None:
        """Wait until a conversation says ``words`` of what went wrong."""
        wait_until(lambda: words in self.failures(client, name), what=words)

    def addressed(self, sender: str, to: str, after: int = 0) -> set[str]:
        """Return every device that a letter of ``sender`` was sealed for."""
        letters = [o for user, o in self.office.handed[after:] if (user, o.sender) == (to, sender)]
        return {device for one in letters for device in opened(one.body).to}

    def keys(self, name: str) -> list[DeviceKeys]:
        """Return the keys of a user's devices, of which the server has as many as it likes."""
        account = self.office.office.store.accounts.find(name)
        assert account is not None
        handed = self.office.office.store.devices.take_keys(account.id, b"t" * 16)
        return [DeviceKeys(one.device, one.bundle, one.one_time) for one in handed.keys]


class DirectoryTest(MaliciousCase):
    """Lies about whose keys are whose."""

    lasts = 12

    def test_e55_swapped_keys_are_found_out_and_nothing_is_sealed_for_them(self) -> None:
        alice, bob = self.friends()
        self.register("mallory")
        account = self.office.office.store.accounts.find("mallory")
        assert account is not None
        false = Bundles("bob", account.public_key, tuple(self.keys("mallory")))
        self.lie(Bundles, "alice", lambda r: false if r.contact == "bob" else r)
        cut(alice)
        alice.send("bob", "meanwhile")
        wait_told(alice, "account-key-changed")
        self.wait_shown(alice, "bob", "Your messages are held.")
        self.assertEqual(alice.waiting, 1)
        self.confess()
        cut(alice)
        self.goes_on(alice, bob, "meanwhile")
        self.assertEqual(self.addressed("alice", "bob"), {bob.device})

    def test_e53_a_ghost_device_gets_nothing(self) -> None:
        alice, bob = self.friends()
        self.register("mallory")
        (true,), (false,) = self.keys("bob"), self.keys("mallory")
        causes = {"unknown-device": replace(true, device=GHOST), "bad-signature": false}
        for cause, ghost in causes.items():
            with self.subTest(cause):
                self._add(ghost)
                cut(alice)
                self.say(alice, bob, cause)
                wait_told(alice, cause)
        self.goes_on(alice, bob, *causes)
        self.assertEqual(self.addressed("alice", "bob"), {bob.device})

    def test_e53_an_old_list_does_not_bring_a_removed_device_back(self) -> None:
        alice, bob = self.friends()
        second = self.log_in("bob", "second")
        wait_until(lambda: len(self._listed(alice, "bob")) == 2)
        old = tuple(self.keys("bob"))
        gone = second.device
        bob.remove_device(gone)
        wait_until(lambda: self._listed(alice, "bob") == {bob.device})
        self.lie(Bundles, "alice", lambda r: replace(r, bundles=old))
        cut(alice)
        at = len(self.office.handed)
        self.say(alice, bob, "for one")
        wait_told(alice, "old-device-list")
        self.goes_on(alice, bob, "for one")
        self.assertEqual(self.addressed("alice", "bob", at), {bob.device})

    def test_e6_a_key_that_fits_every_signature_is_not_pinned(self) -> None:
        alice, bob = self.client("alice"), self.client("bob")
        for client in (alice, bob):
            client.register(client.folder.name, f"the password of {client.folder.name}")
        for number, weak in enumerate(("A" * 43, "AQ" + "A" * 41)):
            with self.subTest(number):
                self._hand_out(weak)
                alice.add_contact("bob")
                wait_told(alice, "bad-key")
                contact = alice.contact("bob")
                self.assertFalse(contact is None or contact.has_key)
        self.confess()
        alice.add_contact("bob")
        bob.add_contact("alice")
        self.say(alice, bob, "hello")
        self.say(bob, alice, "hello, too")

    def test_e53_a_prekey_of_another_user_or_device_begins_no_session(self) -> None:
        alice, bob = self.register("alice", "bob")
        self.register("carol")
        second = self.log_in("bob", "second")
        (carols,) = self.keys("carol")
        bobs = {one.device: one for one in self.keys("bob")}
        for number, theirs in enumerate((carols, bobs[second.device])):
            with self.subTest(number):
                self._swap(bob.device, theirs.one_time)
                cut(alice)
                self.say(alice, second, f"meanwhile {number}")
                wait_told(alice, "bad-signature")
                self.assertEqual(self.addressed("alice", "bob"), {second.device})
        self.confess()
        cut(alice)
        self.say(alice, bob, "after")
        self.say(alice, second, "after that")

    def _add(self, ghost: DeviceKeys) -> None:
        self.lie(Bundles, "alice", lambda r: replace(r, bundles=(*r.bundles, ghost)))

    def _hand_out(self, key: str) -> None:
        self.lie(ContactAdded, "alice", lambda r: replace(r, public_key=key))

    def _swap(self, device: str, one_time: str | None) -> None:
        """Put another one-time key into the bundle of a device."""

        def swapped(one: DeviceKeys) -> DeviceKeys:
            return replace(one, one_time=one_time) if one.device == device else one

        self.lie(Bundles, "alice", lambda r: replace(r, bundles=tuple(map(swapped, r.bundles))))

    def _listed(self, client: Client, name: str) -> set[str]:
        running = client._run
        with running.profile.store.reading():
            return set(running.parts.devices.devices(name))


class LetterTest(MaliciousCase):
    """Lies about what was written, by whom, and to whom."""

    lasts = 20

    def test_e13_a_replayed_first_message_is_shown_once_and_begins_no_session(self) -> None:
        alice, bob = self.register("alice", "bob")
        self.say(alice, bob, BEFORE[0])
        first = self.last("bob", "alice")
        self.say(bob, alice, BEFORE[1])
        other = self.last("alice", "bob")
        with self.assertLogs(mailbox.log, "INFO") as logged:
            self.office.insert("alice", "bob", first.body)
            self.office.insert("alice", "bob", spliced(first.body, body=opened(other.body).body))
            self.goes_on(alice, bob)
        self.assertIn("used-key", "".join(logged.output))
        before = self._base_keys(bob)
        self._forget_sessions(bob)
        with self.assertLogs(mailbox.log, "INFO") as logged:
            self.office.insert("alice", "bob", spliced(first.body, body=b"another" * 20))
            wait_until(lambda: "replayed" in "".join(logged.output))
        self.assertTrue(before)
        # What he asks for now goes over a session that he has begun himself.
        self.assertFalse(before & self._base_keys(bob))

    def test_e5_a_ratchet_key_without_a_secret_is_refused_and_heals(self) -> None:
        alice, bob = self.friends()
        for number in range(3):
            weak = bytes([number] + [0] * (KEY - 1)) if number < 2 else b"\xff" * KEY
            self._put_ratchet_key(bob, weak)
            alice.send("bob", f"meanwhile {number}")
            wait_told(bob, "bad-key")
            self.confess()
            wait_for_text(bob, "alice", f"meanwhile {number}")
        self.goes_on(alice, bob, *(f"meanwhile {number}" for number in range(3)))

    def test_e42_a_message_that_is_reflected_is_refused(self) -> None:
        alice, bob = self.friends()
        self.say(alice, bob, "meanwhile")
        mine = self.last("bob", "alice").body
        sealed = opened(mine).to[bob.device]
        self.office.insert("bob", "alice", mine)
        wait_told(alice, "wrong-recipient")
        self.office.insert("bob", "alice", spliced(mine, to={alice.device: sealed}))
        self.wait_shown(alice, "bob", "could not be read")
        self.office.insert("alice", "alice", spliced(mine, to={alice.device: sealed}))
        wait_told(alice, "wrong-sender")
        self.goes_on(alice, bob, "meanwhile")

    def test_e42_a_message_that_is_moved_is_refused_and_its_author_misses_nothing(self) -> None:
        alice, bob = self.friends()
        (carol,) = self.register("carol")
        carol.add_contact("alice")
        alice.add_contact("carol")
        bob.add_contact("carol")
        self.say(alice, carol, "for carol")
        secret = self.last("carol", "alice").body
        self.office.insert("alice", "bob", secret)
        wait_told(bob, "wrong-recipient")
        self.lie(Delivery, "bob", lambda r: replace(r, sender="carol"))
        alice.send("bob", "meanwhile")
        self.wait_shown(bob, "carol", "could not be read")
        self.goes_on(alice, bob, "meanwhile")
        self.assertEqual(texts(bob, "carol"), [])

    def test_e30_a_truncated_or_spliced_envelope_heals(self) -> None:
        alice, bob = self.friends()
        self.say(alice, bob, "whole")
        other = opened(self.last("bob", "alice").body)
        self._lie_about_bodies(lambda body: body[:-20])
        alice.send("bob", "truncated")
        self.wait_shown(bob, "alice", "What should be a sealed message")
        self.confess()
        wait_for_text(bob, "alice", "truncated")
        self._lie_about_bodies(lambda body: spliced(body, body=other.body))
        alice.send("bob", "another body")
        self.wait_shown(bob, "alice", "sealed for this device. It is being asked for again.")
        self.confess()
        wait_for_text(bob, "alice", "another body")
        self.goes_on(alice, bob, "whole", "truncated", "another body")

    def test_e43_a_message_under_the_seal_of_another_is_missed(self) -> None:
        alice, bob = self.friends()
        self.say(alice, bob, "whole")
        used = opened(self.last("bob", "alice").body)
        self._lie_about_bodies(lambda body: spliced(body, to=used.to))
        alice.send("bob", "another seal")
        wait_until(lambda: self.last("bob", "alice").body != used.text())
        self.confess()
        self.goes_on(alice, bob, "whole", "another seal")

    def _lie_about_bodies(self, change: Callable[[str], str]) -> None:
        self.lie(Delivery, "bob", lambda r: replace(r, body=change(r.body)))

    def _put_ratchet_key(self, to: Client, key: bytes) -> None:
        """Put another ratchet key into letters: it stands where the sealed part begins."""

        def weakened(letter: Delivery) -> Delivery:
            sealed = opened(letter.body).to[to.device]
            at = len(sealed) - len(parse_message(sealed, LIMITS).sealed)
            false = {to.device: sealed[:at] + key + sealed[at + KEY :]}
            return replace(letter, body=spliced(letter.body, to=false))

        self.lie(Delivery, to.username, weakened)

    def _forget_sessions(self, client: Client) -> None:
        """Let a client lose its sessions, as a damaged profile would."""
        profile = client._run.profile
        with profile.change():
            profile.store.run(Device.update(sessions=None))
            profile.store.forget()

    def _base_keys(self, client: Client) -> set[bytes]:
        """Return the names of all sessions that a client has."""
        store = client._run.profile.store
        with store.reading():
            rows = store.all(Device, Device.sessions.is_null(False))
        found = [Sessions.from_bytes(bytes(row.sessions or b"")) for row in rows]
        return {one.base_key for each in found for one in each.sessions}
