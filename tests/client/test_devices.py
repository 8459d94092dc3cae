"""Keys and devices: what the server says of them is checked, and kept, or refused out loud."""

from __future__ import annotations

from dataclasses import replace

from bpost import b64
from bpost.client.dispatch import GREETED_AT_ONCE
from bpost.client.events import ContactsChanged, MessageChanged, SecurityNotice
from bpost.client.models import Device
from bpost.crypto.account import sign_device_list
from bpost.crypto.session import Sessions
from bpost.errors import Refused
from bpost.limits import DAY
from bpost.protocol.codes import Reason
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.replies import Bundles
from bpost.protocol.requests import GetBundles
from bpost.protocol.shape import Reply, Request
from tests.client.simulated import (
    LIMITS,
    SimulatedCase,
    SimulatedDevice,
    altered,
)


class DeviceListTest(SimulatedCase):
    """Only devices that the account signed for, on the newest list, are written to (E53)."""

    def _last_recipients(self) -> set[str]:
        _, sent = self.server.sent[-1]
        return set(parse_envelope(sent.body, LIMITS).to)

    def test_e53_a_device_that_the_server_adds_gets_nothing(self) -> None:
        alice, bob = self.pair()
        real = self.server.accounts.pop("bob")
        ghost = self.device("bob")  # of an account that the server has made itself
        fake, self.server.accounts["bob"] = self.server.accounts["bob"], real
        real.devices[ghost.device] = fake.devices[ghost.device]
        alice.connect()
        alice.write("bob", "for bob alone")
        self.assertEqual(self._last_recipients(), {bob.device})
        self.assertEqual([n.cause for n in alice.told(SecurityNotice)], ["bad-signature"])

    def test_e53_a_removed_device_that_the_server_brings_back_gets_nothing(self) -> None:
        alice, bob = self.pair()
        removed = self.device("bob", of=bob)
        alice.connect()
        alice.write("bob", "for both")
        self.assertEqual(self._last_recipients(), {bob.device, removed.device})
        self._remove(bob, removed)
        alice.connect()
        alice.write("bob", "for one")
        self.assertEqual(self._last_recipients(), {bob.device})
        self.assertEqual([n.cause for n in alice.told(SecurityNotice)], ["unknown-device"])

    def test_e53_an_older_list_is_refused(self) -> None:
        alice, bob = self.pair()
        old = self.server.account("bob").devices[bob.device].bundle
        second = self.device("bob", of=bob)
        bob.fetch()
        bob.work()
        alice.connect()
        alice.write("bob", "for both")
        account = self.server.account("bob")
        del account.devices[second.device]
        account.devices[bob.device].bundle = old
        alice.connect()
        alice.write("bob", "still for both")
        self.assertEqual(self._last_recipients(), {bob.device, second.device})
        self.assertEqual([n.cause for n in alice.told(SecurityNotice)], ["old-device-list"])

    def test_e53_a_hidden_device_is_told(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        second = self.device("bob", of=bob)
        bob.fetch()
        bob.work()
        self.befriend(alice, bob)
        self.server.lie = lambda _, reply: self._without(reply, second.device)
        alice.write("bob", "hello")
        self.assertEqual(self._last_recipients(), {bob.device})
        self.assertIn("hides", str(alice.told(SecurityNotice)))

    def test_any_altered_bit_of_a_bundle_is_refused(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        keys = self.server.account("bob").devices[bob.device]
        whole = b64.decode(keys.bundle)
        for at in range(0, len(whole), len(whole) // 40):
            with self.subTest(at):
                keys.bundle = b64.encode(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
                alice.connect()
                alice.write("bob", "hello")
                self.assertEqual(self.server.sent, [])
                self.assertEqual(len(alice.told(SecurityNotice)), 1)
                self.assertIn("can be written to safely", alice.history("bob")[-1].failure)

    def test_two_devices_that_join_at_once_end_up_on_one_list(self) -> None:
        first = self.device("bob")
        before = self.server.account("bob").devices[first.device].bundle
        second = self.device("bob", of=first)
        keys = self.server.account("bob").devices
        hidden, keys[first.device].bundle = keys.pop(second.device), before
        third = self.device("bob", of=first)
        keys[second.device] = hidden
        second.connect()
        second.work()
        with second.store.reading():
            self.assertEqual(set(second.parts.devices.devices("bob")), {first.device, third.device})
        self.assertEqual(second.told(SecurityNotice), [])

    def test_a_new_device_is_known_to_all_before_anyone_writes(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        alice.fetch()
        bob.fetch()
        alice.write("bob", "to both")
        bob.work()
        bob.write("alice", "from the first")
        second.fetch()
        self.assertEqual(second.shown("alice"), ["to both", "from the first"])
        self.assertEqual([m.own for m in second.history("alice")], [False, True])

    def _remove(self, bob: SimulatedDevice, removed: SimulatedDevice) -> None:
        """Let bob remove a device; the server keeps offering it."""
        profile = bob.profile
        with profile.change():
            bob.fetch()
            now = bob.parts.devices.device_list("bob", profile.account.public)
            assert now is not None
            less = sign_device_list(profile.account, now.list.without_device(removed.device))
            bob.parts.devices.keep_list("bob", profile.account.public, less)
        bob.work()

    def _without(self, reply: Reply, device: str) -> Reply:
        if not isinstance(reply, Bundles):
            return reply
        return replace(reply, bundles=tuple(b for b in reply.bundles if b.device != device))


class AccountKeyTest(SimulatedCase):
    """A changed account key stops sending until the user says so (E55)."""

    def test_e55_nothing_is_sent_under_a_changed_key_without_consent(self) -> None:
        alice, _ = self.pair()
        impostor = self.impostor("bob")
        already = len(self.server.sent)
        alice.connect()
        sent = alice.write("bob", "secret")
        self.assertEqual(len(self.server.sent), already)
        held = next(m for m in alice.history("bob") if m.id == sent.id)
        self.assertEqual(held.status, "waiting")
        self.assertIn("has changed", held.failure)
        self.assertEqual([n.cause for n in alice.told(SecurityNotice)], ["account-key-changed"])
        with alice.profile.change():
            key = b64.encode(impostor.profile.account.public)
            alice.parts.trust.accept("bob", key, anyway=False)
        alice.dispatch.ask_again("bob")
        alice.work()
        impostor.fetch()
        self.assertEqual(impostor.shown("alice")[-1], "secret")
        self.assertEqual([m.failure for m in alice.history("bob") if m.own][-1], "")

    def test_e55_what_comes_under_a_changed_key_is_marked(self) -> None:
        alice, _ = self.pair()
        impostor = self.impostor("bob")
        alice.told(SecurityNotice)
        impostor.write("alice", "it is me, really")
        impostor.write("alice", "really")
        alice.fetch()
        for shown in alice.history("bob")[-2:]:
            self.assertIn("not trusted", shown.failure)
        self.assertEqual([n.cause for n in alice.told(SecurityNotice)], ["account-key-changed"])
        already = len(self.server.sent)
        alice.write("bob", "secret")
        self.assertEqual(len(self.server.sent), already)

    def test_a_server_that_comes_back_to_the_known_key_is_forgiven(self) -> None:
        alice, bob = self.pair()
        real = self.server.accounts["bob"]
        self.impostor("bob")
        alice.connect()
        alice.write("bob", "secret")
        self.server.accounts["bob"] = real
        alice.connect()
        alice.work()
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "secret")
        self.assertTrue(alice.told(ContactsChanged))

    def test_someone_without_keys_yet_is_waited_for(self) -> None:
        alice = self.device("alice")
        self.server.account("alice").contacts.append("bob")
        alice.connect()
        alice.write("bob", "early")
        self.assertIn("no keys yet", alice.history("bob")[-1].failure)
        bob = self.device("bob")
        self.befriend(alice, bob)
        bob.fetch()
        self.assertEqual(bob.shown("alice"), ["early"])
        self.assertEqual(alice.told(MessageChanged)[-1].message.failure, "")


class SessionAgeTest(SimulatedCase):
    """Sessions that lead nowhere are replaced, and versions never go back."""

    def test_e16_after_thirty_days_without_an_answer_a_new_session_is_begun(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "one")
        alice.seconds += 31 * DAY
        bob.seconds += 31 * DAY
        bob.connect()
        bob.work()
        alice.connect()
        alice.write("bob", "two")
        asked = [r.known for _, r in self.server.requests if isinstance(r, GetBundles)]
        self.assertEqual(asked[-1], ())
        with alice.store.reading():
            found = alice.parts.devices.reachable("bob")[bob.device]
        self.assertEqual(len(found.sessions), 2)
        bob.fetch()
        self.assertEqual(bob.shown("alice"), ["one", "two"])

    def test_e17_a_device_never_goes_back_to_an_older_version(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "old style")
        (sent,) = bob.pending()
        with bob.profile.change():
            (row,) = bob.store.all(Device, Device.peer == "alice")
            seen = replace(Sessions.from_bytes(bytes(row.sessions or b"")), version=2)
            bob.parts.devices.put_sessions(bytes(row.account_key), seen)
        bob.open()
        bob.take([sent])
        self.assertEqual(bob.shown("alice")[-1], "[unreadable]")
        self.assertIn("older-version", [n.cause for n in bob.told(SecurityNotice)])

    def test_e17_unknown_versions_are_refused(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        (sent,) = bob.pending()
        for version in ("0", "2", "-1", "1.0", "true"):
            with self.subTest(version):
                bob.take([altered(sent, sent.body.replace('"v":1', f'"v":{version}'))])
                self.assertIn(bob.history("alice")[-1].kind, ("unreadable", "unsupported"))


class GreetingTest(SimulatedCase):
    """A new device tells many contacts of itself without keeping its user waiting."""

    def _join(self, bundles: int) -> SimulatedDevice:
        """Let a device of alice join, who has many contacts; the last of them is zoe.

        The server gives out ``bundles`` and then asks to wait.
        """
        alice, zoe = self.device("alice"), self.device("zoe")
        names = [f"contact{number:02}" for number in range(3 * GREETED_AT_ONCE)]
        self.server.account("alice").contacts += [*names, "zoe"]
        self.server.account("zoe").contacts.append("alice")
        zoe.connect()
        self.asked: list[str] = []
        self.left = bundles
        self.server.lie = self._limit
        return self.device("alice", of=alice)

    def _limit(self, request: Request, reply: Reply) -> Reply:
        if isinstance(request, GetBundles) and request.contact != "alice":
            self.asked.append(request.contact)
            self.left -= 1
            if self.left < 0:
                raise Refused(Reason.RATE_LIMITED, "Wait a little.")
        return reply

    def test_a_new_device_greets_only_a_few_at_once(self) -> None:
        second = self._join(1000)
        self.assertEqual(len(self.asked), GREETED_AT_ONCE)
        second.work()
        self.assertEqual(len(self.asked), GREETED_AT_ONCE)

    def test_greetings_stop_at_the_first_that_the_server_puts_off(self) -> None:
        self._join(3)
        self.assertEqual(len(self.asked), 4)

    def test_a_message_goes_before_all_greetings(self) -> None:
        second = self._join(3)
        self.left = 1
        second.write("zoe", "at once")
        self.assertEqual(self.asked[-1], "zoe")
        self.assertIn("zoe", [sent.to for _, sent in self.server.sent[-2:]])

    def test_greetings_go_on_on_the_next_connection(self) -> None:
        second = self._join(1000)
        for _ in range(3):
            second.connect()
            second.work()
        self.assertEqual(len(set(self.asked)), 3 * GREETED_AT_ONCE + 1)


class AskingTest(SimulatedCase):
    """How often devices are asked for."""

    def test_devices_are_asked_for_once_on_each_connection(self) -> None:
        alice, _ = self.pair()
        before = self._asked("bob")
        alice.write("bob", "a")
        alice.write("bob", "b")
        self.assertEqual(self._asked("bob"), before)
        alice.connect()
        alice.write("bob", "c")
        self.assertEqual(self._asked("bob"), before + 1)

    def test_a_device_whose_session_goes_stale_on_a_long_connection_is_asked_for_again(
        self,
    ) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        bob.work()
        alice.pending()
        alice.connect()
        alice.write("bob", "to both")
        bob.seconds = second.seconds = alice.seconds = alice.seconds + 31 * DAY
        for device in (bob, second):
            device.connect()
            device.work()
        bob.fetch()
        bob.write("alice", "back")
        alice.fetch()
        alice.write("bob", "to both again")
        second.fetch()
        self.assertEqual(second.shown("alice")[-1], "to both again")

    def _asked(self, name: str) -> int:
        requests: list[Request] = [r for who, r in self.server.requests if who == "alice"]
        return sum(isinstance(r, GetBundles) and r.contact == name for r in requests)
