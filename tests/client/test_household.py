"""The devices of an account: listed, named, removed, and shown to each other."""

from __future__ import annotations

import contextlib
import io
import json
import time

from bpost.client import Client, ConnectionState, SignedOut, cli, set_aside
from bpost.client.events import SecurityNotice
from bpost.client.models import Device, Frame, Prekey
from bpost.client.ring import ADDED_TEXT, REMOVED_TEXT
from bpost.errors import ProfileError, Refused, TransportError, UsageError
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.requests import RevokeDevice
from tests.client.simulated import LIMITS, SimulatedCase, SimulatedDevice
from tests.client.town import Town, password_of, texts, wait_for_event, wait_for_text
from tests.support import patience, wait_until


def lines(client: Client, name: str) -> list[str]:
    """Return the notices of a conversation."""
    return [m.text for m in client.history(name) if m.kind == "notice"]


class ListTest(Town):
    """What the account's owner sees of the devices."""

    def test_devices_are_listed_with_the_names_they_were_given(self) -> None:
        (bob,) = self.register("bob")
        second = self.log_in("bob", "second")
        bob.name_device("the laptop")
        bob.name_device("  the\n telephone ", second.device)
        this, other = second.devices()
        self.assertEqual((this.id, this.name, this.this), (second.device, "the telephone", True))
        self.assertEqual((other.id, other.name, other.this), (bob.device, "the laptop", False))
        self.assertTrue(this.listed and this.added and this.last_seen >= other.added)

    def test_a_new_device_has_a_name_that_the_server_cannot_read(self) -> None:
        (bob,) = self.register("bob")
        bob.name_device("the laptop")
        self.assertEqual(bob.devices()[0].name, "the laptop")
        self.stop()
        stored = b"".join(path.read_bytes() for path in (self.folder / "server").rglob("*.db*"))
        self.assertNotIn(b"the laptop", stored)

    def test_a_name_that_cannot_be_is_refused(self) -> None:
        (bob,) = self.register("bob")
        for name in ("", " \n", "x" * 49):
            with self.subTest(name), self.assertRaises(UsageError):
                bob.name_device(name)
        with self.assertRaises(Refused):
            bob.name_device("name", "x" * 16)

    def test_e60_the_other_devices_show_a_new_one(self) -> None:
        (bob,) = self.register("bob")
        second = self.log_in("bob", "second")
        wait_until(lambda: lines(bob, "bob"), what="the line about the new device")
        name = second.devices()[0].name
        self.assertEqual(lines(bob, "bob"), [ADDED_TEXT.format(name=f" (“{name}”)")])
        self.assertEqual(lines(second, "bob"), [])


class RemovalTest(Town):
    """What a removal does, on all sides (E61)."""

    def test_e61_a_removed_device_is_cut_off_and_told_and_gets_nothing_more(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        alice.send("bob", "for both")
        wait_for_text(second, "alice", "for both")
        gone, began = second.device, time.monotonic()
        bob.remove_device(gone)
        told = wait_for_event(second, lambda event: isinstance(event, SignedOut))
        self.assertLess(time.monotonic() - began, patience(2))
        self.assertEqual(told, SignedOut("no-such-device", REMOVED_TEXT))
        self.assertEqual([one.id for one in bob.devices()], [bob.device])
        wait_until(lambda: self._listed(alice, "bob") == {bob.device}, what="alice to know")
        alice.send("bob", "for one")
        wait_for_text(bob, "alice", "for one")
        self.assertEqual(texts(second, "alice"), ["for both"])

    def test_e61_a_removed_device_holds_no_keys_and_can_be_read_only(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        alice.send("bob", "for both")
        wait_for_text(second, "alice", "for both")
        key = bob._run.profile.account.seed
        bob.remove_device(second.device)
        wait_for_event(second, lambda event: isinstance(event, SignedOut))
        second.close()
        again = self.log_in("bob", "second")
        self.assertIs(again.state, ConnectionState.REFUSED)
        self.assertEqual(texts(again, "alice"), ["for both"])
        self.assertEqual(lines(again, "bob"), [REMOVED_TEXT])
        with self.assertRaisesRegex(UsageError, "was removed"):
            again.send("alice", "still here")
        profile = again._run.profile
        self.assertNotEqual(profile.account.seed, key)
        with profile.store.reading():
            self.assertEqual(
                [profile.store.count(table) for table in (Device, Prekey, Frame)], [0] * 3
            )

    def test_a_computer_whose_device_was_removed_joins_again_beside_what_it_held(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        alice.send("bob", "for both")
        wait_for_text(second, "alice", "for both")
        bob.remove_device(second.device)
        wait_for_event(second, lambda event: isinstance(event, SignedOut))
        self.assertEqual([second.removed, bob.removed], [True, False])
        folder, gone = second.folder, second.device
        with self.assertRaises(ProfileError):
            set_aside(folder)  # it is in use
        second.close()
        aside = set_aside(folder)
        self.assertEqual(aside.name, f"{folder.name}.removed-1")
        again = self.log_in("bob", "second")
        self.assertNotEqual(again.device, gone)
        alice.send("bob", "for the new one")
        wait_for_text(again, "alice", "for the new one")
        self.assertEqual(texts(self.log_in("bob", aside.name), "alice"), ["for both"])

    def test_a_device_that_was_away_is_refused_and_says_why(self) -> None:
        alice, bob = self.register("alice", "bob")
        second = self.log_in("bob", "second")
        gone = second.device
        second.close()
        bob.remove_device(gone)
        with self.assertRaises(Refused) as caught:
            self.log_in("bob", "second")
        self.assertEqual(caught.exception.reason, "no-such-device")
        self.assertIn("removed", str(caught.exception))
        alice.send("bob", "to one")
        wait_for_text(bob, "alice", "to one")

    def test_only_another_device_of_the_account_can_be_removed(self) -> None:
        alice, bob = self.register("alice", "bob")
        for device in (bob.device, alice.device, "x" * 16):
            with self.subTest(device), self.assertRaises(UsageError):
                bob.remove_device(device)
        self.stop()
        wait_until(lambda: bob.state is not ConnectionState.CONNECTED)
        with self.assertRaises(TransportError):
            bob.remove_device("x" * 16)

    def _listed(self, client: Client, name: str) -> set[str]:
        parts = client._run.parts
        with client._run.profile.store.reading():
            return set(parts.devices.devices(name))


class InterruptedTest(SimulatedCase):
    """A removal that stops half-way, and devices that are not told at once."""

    def _drop(self, device: SimulatedDevice, gone: SimulatedDevice) -> None:
        with device.profile.change():
            device.parts.ring.drop(gone.device)

    def _devices(self, device: SimulatedDevice, name: str) -> set[str]:
        with device.store.reading():
            return set(device.parts.devices.devices(name))

    def test_e61_a_removal_that_was_interrupted_is_completed_at_the_next_log_in(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        alice.fetch()
        self._drop(bob, second)
        bob.store.close()
        bob.open()
        bob.work()
        revoked = [r for user, r in self.server.requests if isinstance(r, RevokeDevice)]
        self.assertEqual(revoked, [RevokeDevice(second.device)])
        alice.fetch()
        self.assertEqual(self._devices(alice, "bob"), {bob.device})
        alice.write("bob", "for one")
        _, sent = self.server.sent[-1]
        self.assertEqual(set(parse_envelope(sent.body, LIMITS).to), {bob.device})

    def test_e61_contacts_drop_their_sessions_with_a_removed_device(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        alice.fetch()
        alice.write("bob", "for both")
        key = bob.profile.account.public
        with alice.store.reading():
            self.assertIsNotNone(alice.parts.devices.sessions("bob", key, second.device))
        self._drop(bob, second)
        bob.work()
        alice.fetch()
        with alice.store.reading():
            self.assertIsNone(alice.parts.devices.sessions("bob", key, second.device))
        self.assertEqual(alice.told(SecurityNotice), [])

    def test_e61_a_removed_device_does_not_come_back_with_a_list_of_its_own(self) -> None:
        _, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        self._drop(bob, second)
        bob.work()
        third = self.device("bob", of=bob)  # sees the list of the second one, too
        second.connect()
        second.work()  # was not told: it puts itself on the list again
        bob.connect()
        bob.work()
        self.assertEqual(self._devices(bob, "bob"), {third.device})


class CommandTest(Town):
    """``bpost-cli devices``."""

    def _run_cli(self, *arguments: str) -> tuple[int, str]:
        secret = self.folder / "secret"
        secret.write_text(password_of("bob"))
        common = ["--profile", str(self.folder / "bob"), "--password-file", str(secret)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = cli.main([*arguments, *common])
        return status, out.getvalue()

    def test_the_command_line_lists_names_and_removes_devices(self) -> None:
        (bob,) = self.register("bob")
        mine = bob.device
        second = self.log_in("bob", "second")
        bob.close()
        self.assertEqual(self._run_cli("devices", "name", "the laptop"), (0, ""))
        status, out = self._run_cli("devices", "--json")
        found = {one["id"]: one for one in map(json.loads, out.splitlines())}
        self.assertEqual((status, set(found)), (0, {mine, second.device}))
        self.assertEqual((found[mine]["name"], found[mine]["this"]), ("the laptop", True))
        self.assertIn("the laptop  (added ", self._run_cli("devices")[1])
        self.assertEqual(self._run_cli("devices", "remove", second.device), (0, ""))
        wait_for_event(second, lambda event: isinstance(event, SignedOut))
        self.assertEqual(self._run_cli("devices", "remove")[0], 1)
