"""What a contact or a server would only do on purpose: it shows, and it breaks nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest import mock

from peewee import IntegrityError

from bpost.client import mailbox
from bpost.client.events import SecurityNotice
from bpost.client.history import History
from bpost.client.models import Chain, Gap, Receipt
from bpost.crypto.account import sign_device_list
from bpost.protocol.payload import Payload
from bpost.protocol.replies import Bundles
from bpost.protocol.shape import Reply, Request
from tests.client.forging import changed, forge
from tests.client.simulated import SimulatedCase, SimulatedDevice

IDS = [f"00000000-0000-4000-8000-{number:012}" for number in range(9)]


class RepeatedIdTest(SimulatedCase):
    """One id stands for one message, whatever number comes with it."""

    def test_e43_an_earlier_id_under_a_new_number_is_a_repeat_and_stops_nothing(self) -> None:
        alice, bob = self.pair()
        bob.take([forge(alice, bob)])
        bob.take([forge(alice, bob, changed(content={"text": "x"}))])
        bob.take([forge(alice, bob, changed(number=3, previous="A" * 43, content={"text": "y"}))])
        self.assertEqual(bob.shown("alice"), ["first", "second", "forged", "[notice]"])
        alice.write("bob", "still here")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "still here")

    def test_what_the_tables_do_not_allow_becomes_a_placeholder(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "trips")
        refuse = mock.patch.object(History, "add", side_effect=[IntegrityError("no"), mock.DEFAULT])
        before = len(bob.history("alice"))
        with refuse as add, self.assertLogs(mailbox.log, "ERROR"):
            add.return_value = bob.history("alice")[0]
            bob.fetch()
        self.assertEqual(add.call_count, 2)
        self.assertEqual(len(bob.history("alice")), before)
        alice.write("bob", "comes")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "comes")


class FalseKeyTest(SimulatedCase):
    """What comes under another account key is shown under a notice, and does nothing else."""

    def _false_bob(self, bob: SimulatedDevice) -> SimulatedDevice:
        """Return a bob that the server has made, with the device id of the true one."""
        real = self.server.accounts.pop("bob")
        with mock.patch("tests.client.simulated.b64.encode", return_value=bob.device):
            false = SimulatedDevice(self.server, "bob", self.folder / "false")
        self.addCleanup(false.close)
        self.server.account("bob").contacts = ["alice"]
        false.work()
        self.server.accounts["bob"] = real
        return false

    def _forge(self, false: SimulatedDevice, alice: SimulatedDevice, **fields: object) -> None:
        """Let the false bob say something, for which he needs a session."""
        with false.store.reading():
            known = false.parts.devices.reachable("alice")
        if not known:
            false.write("alice", "hello from bob")
            alice.fetch()
        change: Callable[[Payload], Payload] = changed(previous="A" * 43, **fields)
        alice.take([forge(false, alice, change)])

    def test_e50_a_receipt_under_an_unknown_account_key_is_not_believed(self) -> None:
        alice, bob = self.pair()
        sent = alice.write("bob", "never delivered")
        false = self._false_bob(bob)
        content = {"kind": "read", "ids": [sent.id]}
        self._forge(false, alice, type="receipt", content=content, number=2)
        status = {m.id: m.status for m in alice.history("bob")}[sent.id]
        self.assertEqual(status, "stored")

    def test_e50_what_comes_under_an_unknown_account_key_is_owed_no_receipt(self) -> None:
        alice, bob = self.pair()
        alice.work()
        alice.seconds += 1
        alice.work()
        false = self._false_bob(bob)
        self._forge(false, alice, number=2)
        with alice.store.reading():
            self.assertEqual(alice.store.count(Receipt), 0)

    def test_e43_a_false_key_does_not_spoil_the_order_of_the_true_one(self) -> None:
        alice, bob = self.pair()
        bob.fetch()
        false = self._false_bob(bob)
        self._forge(false, alice, number=1_000)
        already = len(alice.history("bob"))
        for text in "abc":
            bob.write("alice", text)
        alice.fetch()
        self.assertEqual(alice.shown("bob")[already:], ["a", "b", "c"])

    def test_e43_what_comes_under_a_false_key_does_not_stand_in_for_a_message_to_come(self) -> None:
        alice, bob = self.pair()
        true = bob.write("alice", "the true words")
        (withheld,) = alice.pending()
        self._forge(self._false_bob(bob), alice, id=true.id, number=2)
        alice.take([withheld])
        self.assertEqual(alice.shown("bob")[-2:], ["forged", "the true words"])

    def test_a_key_that_is_forgotten_takes_its_chains_along(self) -> None:
        alice, bob = self.pair()
        self._forge(self._false_bob(bob), alice, number=7)
        with alice.profile.change():
            peer = alice.parts.people.know("bob")
            false_key, true_key = peer.offered_key, peer.account_key
            self.assertEqual(alice.store.count(Chain, Chain.account_key == false_key), 1)
            alice.parts.people.pin("bob", bytes(true_key or b""))
            for table in (Chain, Gap):
                self.assertEqual(alice.store.count(table, table.account_key == false_key), 0)
            self.assertEqual(alice.store.count(Chain, Chain.account_key == true_key), 1)


class LateJoinerTest(SimulatedCase):
    """A device that came into the middle of a conversation does not take a swap for a restore."""

    def test_e43_numbers_out_of_order_take_their_places_at_a_device_that_joined_late(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        alice.fetch()
        bob.fetch()
        for text in "abcd":
            alice.write("bob", text)
        a, b, c, d = second.pending()[-4:]
        second.take([c, a, d, b])
        self.assertEqual(second.shown("alice"), ["a", "b", "c", "d"])


class RemovedDeviceTest(SimulatedCase):
    """Who was taken off the list is not believed any more, old sessions or not (E61)."""

    def _removed(self, bob: SimulatedDevice, *friends: SimulatedDevice) -> SimulatedDevice:
        """Return a device of bob that has sessions with his friends, and was removed."""
        removed, key = self.device("bob", of=bob), bob.profile.account.public
        for friend in friends:
            friend.fetch()
            friend.write("bob", "to both")
            removed.fetch()
            removed.write(friend.name, "from the second")
            friend.fetch()
        bob.fetch()
        with bob.profile.change():
            known = bob.parts.devices.device_list("bob", key)
            assert known is not None
            less = sign_device_list(bob.profile.account, known.list.without_device(removed.device))
            bob.parts.devices.keep_list("bob", key, less)
        bob.work()
        del self.server.account("bob").devices[removed.device]
        for friend in friends:
            friend.connect()
            friend.write("bob", "to one")
        return removed

    def test_e61_what_a_removed_device_goes_on_saying_is_refused(self) -> None:
        alice, bob = self.pair()
        removed = self._removed(bob, alice)
        self.assertIn("from the second", alice.shown("bob"))
        removed.write("alice", "still here")
        alice.fetch()
        self.assertNotIn("still here", alice.shown("bob"))
        self.assertEqual([n.cause for n in alice.told(SecurityNotice)], ["unknown-device"])

    def test_e61_an_own_removed_device_is_refused_too(self) -> None:
        alice, bob = self.pair()
        removed = self._removed(bob, alice)
        removed.write("alice", "in bob's name")
        bob.fetch()
        self.assertNotIn("in bob's name", bob.shown("alice"))


class OtherNameTest(SimulatedCase):
    """An answer about somebody else is no answer."""

    def test_keys_of_another_user_than_the_one_asked_for_are_refused(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        self.server.lie = self._as_of_zoe
        alice.write("bob", "secret")
        self.assertEqual(self.server.sent, [])
        self.assertIn("answered about 'zoe'", alice.history("bob")[-1].failure)
        self.assertIn("bad-bundle", [n.cause for n in alice.told(SecurityNotice)])
        with alice.store.reading():
            self.assertIsNone(alice.parts.people.peer("zoe"))

    def _as_of_zoe(self, _request: Request, reply: Reply) -> Reply:
        return replace(reply, contact="zoe") if isinstance(reply, Bundles) else reply
