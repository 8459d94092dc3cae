"""Renewing the account key: contacts and own devices follow, and nothing pauses."""

from __future__ import annotations

from typing import cast

from bpost import b64
from bpost.client.events import SecurityNotice
from bpost.client.link import Link
from bpost.client.models import Superseded
from bpost.errors import Refused, SecurityError
from bpost.limits import DAY
from bpost.protocol.replies import Bundles
from bpost.protocol.requests import GetBundles, PutKey, PutVault
from bpost.protocol.shape import Reply, Request
from tests.client.simulated import SimulatedCase, SimulatedDevice
from tests.client.town import Town, password_of, wait_for_text
from tests.support import wait_until


def renew(device: SimulatedDevice) -> None:
    """Renew the account key on a device, and tell everyone."""
    with device.profile.change():
        device.parts.renewal.begin()
    device.work()


def key_of(device: SimulatedDevice, name: str) -> bytes | None:
    """Return the account key that a device has pinned."""
    with device.store.reading():
        peer = device.parts.people.peer(name)
        return None if peer is None or peer.account_key is None else bytes(peer.account_key)


def changed(device: SimulatedDevice, name: str) -> bool:
    """Say whether another key waits to be trusted."""
    with device.store.reading():
        peer = device.parts.people.peer(name)
        return peer is not None and peer.offered_key is not None


def lines(device: SimulatedDevice, name: str) -> list[str]:
    """Return the notices of a conversation."""
    return [m.text for m in device.history(name) if m.kind == "notice"]


class RenewalCase(SimulatedCase):
    def shows(self, device: SimulatedDevice, name: str, *texts: str) -> None:
        """Check the texts of a conversation, in which nothing is missing or unreadable."""
        shown = device.shown(name)
        self.assertEqual([one for one in shown if one != "[notice]"], list(texts))


class ContactTest(RenewalCase):
    """What a contact sees."""

    def test_a_contact_who_is_told_pins_the_new_key_and_shows_one_line(self) -> None:
        alice, bob = self.pair()
        renew(bob)
        alice.fetch()
        self.assertEqual(key_of(alice, "bob"), bob.profile.account.public)
        self.assertFalse(changed(alice, "bob"))
        self.assertEqual(
            lines(alice, "bob"),
            ["bob renewed the account key, and the old key signed for the new one."],
        )
        self.assertEqual(alice.told(SecurityNotice), [])

    def test_sending_never_pauses_in_either_direction(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "under way")
        renew(bob)
        bob.write("alice", "from the new")
        alice.write("bob", "to the old")
        bob.fetch()
        alice.fetch()
        alice.write("bob", "to the new")
        bob.fetch()
        bob.write("alice", "again")
        alice.fetch()
        self.shows(alice, "bob", "first", "second", "under way", "to the old", "from the new",
                   "to the new", "again")  # fmt: skip
        self.shows(bob, "alice", "first", "second", "from the new", "under way", "to the old",
                   "to the new", "again")  # fmt: skip
        self.assertEqual(len(lines(alice, "bob")), 1)
        self.assertEqual(alice.told(SecurityNotice) + bob.told(SecurityNotice), [])

    def test_a_contact_who_was_away_follows_several_renewals_at_the_server(self) -> None:
        alice, bob = self.pair()
        for _ in range(3):
            renew(bob)
        alice.pending()  # what told of it was lost
        alice.connect()
        alice.write("bob", "still there?")
        self.assertEqual(key_of(alice, "bob"), bob.profile.account.public)
        self.assertEqual(len(lines(alice, "bob")), 1)
        with alice.store.reading():
            self.assertEqual(alice.store.count(Superseded), 3)
        bob.fetch()
        self.shows(bob, "alice", "first", "second", "still there?")
        self.assertEqual(alice.told(SecurityNotice), [])

    def test_a_first_message_under_the_old_key_is_still_read(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "from the old")
        renew(alice)
        alice.write("bob", "from the new")
        bob.fetch()
        self.shows(bob, "alice", "from the old", "from the new")
        self.assertFalse(changed(bob, "alice"))
        self.assertEqual(bob.told(SecurityNotice), [])

    def test_a_first_message_to_the_old_key_is_still_read(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "to the old")
        renew(bob)
        bob.fetch()
        self.shows(bob, "alice", "to the old")
        bob.write("alice", "answer")
        alice.fetch()
        self.shows(alice, "bob", "to the old", "answer")
        alice.connect()
        alice.write("bob", "and on")
        self.assertEqual(key_of(alice, "bob"), bob.profile.account.public)
        self.assertEqual(alice.told(SecurityNotice) + bob.told(SecurityNotice), [])

    def test_e58_what_was_verified_is_not_any_more_and_sending_goes_on(self) -> None:
        alice, bob = self.pair()
        with alice.profile.change() as events:
            safety = alice.parts.trust.safety("bob")
            events += alice.parts.trust.mark("bob", safety.key)
        renew(bob)
        alice.fetch()
        with alice.store.reading():
            contact = alice.parts.people.contact(alice.parts.people.know("bob"))
            words = [one.what for one in alice.parts.trust.history("bob")]
        self.assertEqual((contact.verified, contact.key_changed), (False, False))
        self.assertEqual(words, ["first", "verified", "renewed"])
        self.assertIn("You had verified the old key", lines(alice, "bob")[-1])
        alice.write("bob", "go on")
        bob.fetch()
        self.shows(bob, "alice", "first", "second", "go on")

    def test_e59_renewing_the_own_key_voids_what_was_verified_with_it(self) -> None:
        alice, bob = self.pair()
        with alice.profile.change() as events:
            safety = alice.parts.trust.safety("bob")
            events += alice.parts.trust.mark("bob", safety.key)
        renew(alice)
        with alice.store.reading():
            self.assertFalse(alice.parts.people.is_verified(alice.parts.people.know("bob")))
        self.assertEqual(bob.told(SecurityNotice), [])


class LyingServerTest(RenewalCase):
    """A server, or a thief, that wants to be believed."""

    def test_e55_a_key_that_the_old_one_did_not_sign_holds_sending(self) -> None:
        alice, bob = self.pair()
        renew(bob)
        alice.pending()
        proof = self.server.account("bob").succession
        false = self.impostor("bob")
        self.server.account("bob").succession = proof  # of another key
        alice.connect()
        alice.write("bob", "for bob only")
        self.assertTrue(changed(alice, "bob"))
        false.fetch()
        self.assertNotIn("for bob only", false.shown("alice"))

    def test_a_server_that_goes_back_to_the_old_key_is_not_followed(self) -> None:
        alice, bob = self.pair()
        old = self.server.account("bob").public_key
        renew(bob)
        alice.fetch()

        def lie(_request: Request, reply: Reply) -> Reply:
            if isinstance(reply, Bundles) and reply.contact == "bob":
                return Bundles(reply.contact, old, ())
            return reply

        self.server.lie = lie
        alice.connect()
        alice.write("bob", "to the new")
        self.assertEqual(key_of(alice, "bob"), bob.profile.account.public)
        self.assertFalse(changed(alice, "bob"))
        bob.fetch()
        self.shows(bob, "alice", "first", "second", "to the new")

    def test_e61_a_removed_device_that_knows_the_old_key_cannot_come_back(self) -> None:
        alice, bob = self.pair()
        thief = self.device("bob", of=bob)
        bob.fetch()
        alice.fetch()
        with bob.profile.change():
            bob.parts.ring.drop(thief.device)
        renew(bob)
        alice.fetch()
        thief.connect()
        with self.assertRaises(SecurityError):  # it was not told, and has no password any more
            thief._keys = bob._keys
            thief.upkeep.renewing._credentials.keys = self.device("carol")._keys
            thief.work()
        with thief.profile.change():
            thief.parts.devices.enlist()  # a list of its own, signed with the old key
            thief.parts.devices.retire("alice", alice.device)
            reply = self.server.answer("bob", thief.device, GetBundles("bob", "alice", ()))
            thief.parts.devices.learn("alice", cast("Bundles", reply))
            thief.parts.outbox.write("alice", "let me in")
            while thief.parts.outbox.seal_for("alice", 32)[0]:
                pass
            sent = [frame for _, frame in thief.parts.outbox.frames(0, 100)]
        self.assertTrue(sent)
        for frame in sent:
            self.server.answer("bob", thief.device, frame)
        alice.fetch()
        self.assertNotIn("let me in", alice.shown("bob"))
        with alice.store.reading():
            self.assertEqual(alice.parts.devices.devices("bob"), (bob.device,))


class OwnDevicesTest(RenewalCase):
    """The other devices of the account."""

    def test_another_device_gets_the_key_from_the_one_that_made_it(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        alice.fetch()
        renew(bob)
        second.fetch()
        second.work()
        self.assertEqual(second.profile.account.seeds, bob.profile.account.seeds)
        alice.fetch()
        alice.write("bob", "to both")
        bob.fetch()
        second.fetch()
        self.assertEqual(second.shown("alice")[-1], "to both")
        second.write("alice", "from the second")
        alice.fetch()
        self.assertEqual(alice.shown("bob")[-1], "from the second")
        self.assertEqual(len(lines(alice, "bob")), 1)
        for device in (alice, bob, second):
            self.assertEqual(device.told(SecurityNotice), [])

    def test_a_device_that_was_away_gets_the_key_from_the_vault(self) -> None:
        _, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        renew(bob)
        renew(bob)
        second.pending()  # nothing is left of what was sent to it
        second.connect()
        second.work()
        self.assertEqual(second.profile.account.seeds, bob.profile.account.seeds)
        self.assertEqual(second.told(SecurityNotice), [])

    def test_without_a_vault_a_device_that_was_away_gets_the_key_again_from_another(self) -> None:
        _, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        for device in (bob, second):
            with device.profile.change():
                device.profile.keep_vault(False)
            device.connect()
            device.work()
        renew(bob)
        second.pending()  # nothing is left of what was sent to it
        second.connect()
        with self.assertRaisesRegex(SecurityError, "renewed on another of your devices"):
            second.work()
        bob.seconds += DAY + 1
        counts = []
        for _ in range(3):
            bob.connect()
            bob.work()
            counts.append(len(self.server.sent))
        self.assertEqual(len(set(counts)), 1)  # and not again on the same day
        second.fetch()
        second.work()
        self.assertEqual(second.profile.account.seeds, bob.profile.account.seeds)

    def test_a_device_that_does_not_know_yet_does_not_bring_the_old_key_back(self) -> None:
        _, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        renew(bob)
        second.upkeep._published = 0  # it has something to publish just now
        second.work()
        shown = self.server.account("bob").public_key
        self.assertEqual(shown, b64.encode(bob.profile.account.public))
        self.assertEqual(second.profile.account.public, bob.profile.account.public)

    def test_a_one_time_key_from_before_the_renewal_is_left_out(self) -> None:
        _, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        renew(bob)
        second.upkeep.refill(cast("Link", second.link))  # it has not heard of it
        second.fetch()
        second.work()
        carol = self.device("carol")
        self.befriend(carol, bob)
        carol.write("bob", "to both")
        carol.connect()
        carol.write("bob", "and again")
        for device in (bob, second):
            device.fetch()
            self.assertEqual(device.shown("carol"), ["to both", "and again"])
        self.assertEqual(carol.told(SecurityNotice), [])

    def test_of_two_devices_that_renew_at_once_one_is_first(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        alice.fetch()
        for device in (bob, second):
            with device.profile.change():
                device.parts.renewal.begin()
        bob.work()
        second.work()
        self.assertEqual(second.profile.account.seeds, bob.profile.account.seeds)
        second.write("alice", "hello")
        alice.fetch()
        self.assertEqual(alice.shown("bob")[-1], "hello")
        self.assertEqual(alice.told(SecurityNotice), [])


class CrashTest(RenewalCase):
    """Stopped anywhere, the next log-in goes on."""

    def _stop_at(self, kind: type[Request]) -> None:
        def lie(request: Request, reply: Reply) -> Reply:
            if isinstance(request, kind):
                self.server.lie = lambda _request, reply: reply
                raise KeyboardInterrupt
            return reply

        self.server.lie = lie

    def test_a_crash_at_any_request_leaves_a_working_account(self) -> None:
        for kind in (PutVault, PutKey):
            with self.subTest(kind.__name__):
                self.server.accounts.clear()
                alice, bob = self.pair()
                self._stop_at(kind)
                with self.assertRaises(KeyboardInterrupt):
                    renew(bob)
                bob.store.close()
                bob.open()
                alice.write("bob", "meanwhile")
                bob.work()
                bob.fetch()
                alice.fetch()
                self.assertEqual(len(bob.profile.account.former), 1)
                self.assertEqual(key_of(alice, "bob"), bob.profile.account.public)
                bob.write("alice", "afterwards")
                alice.fetch()
                self.shows(alice, "bob", "first", "second", "meanwhile", "afterwards")
                self.assertEqual(alice.told(SecurityNotice) + bob.told(SecurityNotice), [])

    def test_what_the_server_refuses_is_given_up(self) -> None:
        _, bob = self.pair()
        before = bob.profile.account.public
        self.server.account("bob").vault = self.server.account("alice").vault
        with self.assertRaises((Refused, SecurityError)):
            renew(bob)
        self.assertEqual(bob.profile.account.public, before)
        bob.connect()
        bob.work()


class TownTest(Town):
    """Real servers and clients."""

    def test_a_user_renews_the_key_and_goes_on_with_a_contact_and_a_second_device(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        alice.send("bob", "before")
        wait_for_text(second, "alice", "before")
        bob.renew_key()
        account = bob._run.profile.account
        wait_until(lambda: second._run.profile.account.seeds == account.seeds)
        alice.send("bob", "after")
        for device in (bob, second):
            wait_for_text(device, "alice", "after")
            device.send("alice", f"from {device.device}")
            wait_for_text(alice, "bob", f"from {device.device}")
        words = [one.what for one in alice.key_history("bob")]
        self.assertEqual(words, ["first", "renewed"])
        self.assertEqual(alice.key_history("bob")[-1].key, b64.encode(account.public))

    def test_a_device_that_was_away_opens_after_renewal_and_new_password(self) -> None:
        (bob,) = self.register("bob")
        second = self.log_in("bob", "second")
        second.close()
        bob.renew_key()
        bob.change_password(password_of("bob"), "another password")
        second = self.log_in("bob", "second", "another password")
        wait_until(lambda: second._run.profile.account.seeds == bob._run.profile.account.seeds)
        third = self.log_in("bob", "third", "another password")
        self.assertEqual(third._run.profile.account.seeds, bob._run.profile.account.seeds)
        self.assertEqual(len(bob.devices()), 3)

    def test_e61_a_removal_can_renew_the_key_that_the_device_had(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        known = second._run.profile.account.seed
        bob.remove_device(second.device, renew=True)
        self.assertNotEqual(bob._run.profile.account.seed, known)
        self.assertEqual([one.id for one in bob.devices()], [bob.device])
        alice.send("bob", "to one")
        wait_for_text(bob, "alice", "to one")

    def test_a_backup_from_before_a_renewal_is_restored(self) -> None:
        alice, bob = self.register("alice", "bob")
        bob.backup(self.folder / "backup", "a passphrase that nobody guesses")
        bob.renew_key()
        restored = self.client("restored")
        passphrase = "a passphrase that nobody guesses"
        restored.restore(self.folder / "backup", passphrase, password_of("bob"))
        seeds = bob._run.profile.account.seeds
        wait_until(lambda: restored._run.profile.account.seeds == seeds)
        restored.send("alice", "I am back")
        wait_for_text(alice, "bob", "I am back")
        self.assertFalse(any(one.key_changed for one in alice.contacts()))
