"""Devices that join while others write: nothing that is sent after the log-in misses them."""

from __future__ import annotations

import threading

from bpost.client import Client
from bpost.client.events import SecurityNotice
from bpost.crypto.account import DeviceEntry, DeviceList, sign_device_list
from bpost.protocol.replies import Bundles
from bpost.protocol.requests import GetBundles
from tests.client.simulated import SimulatedCase, SimulatedDevice
from tests.client.town import Town, password_of, texts, wait_for_text


def notices(client: Client) -> list[SecurityNotice]:
    """Take all events, and return the security notices among them."""
    events = iter(client.next_event, None)
    return [event for event in events if isinstance(event, SecurityNotice)]


class JoiningTest(Town):
    """A real server and real threads, and nobody waits for anybody."""

    def test_s27_what_a_contact_sends_at_once_reaches_a_new_device(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "before")
        wait_for_text(bob, "alice", "before")
        for number in range(3):
            second = self.log_in("bob", f"second{number}")
            alice.send("bob", f"at once {number}")
            wait_for_text(second, "alice", f"at once {number}")
            second.close()
        wait_for_text(bob, "alice", "at once 2")
        self.assertEqual(texts(bob, "alice"), ["before", *(f"at once {n}" for n in range(3))])

    def test_what_another_own_device_sends_at_once_reaches_a_new_device(self) -> None:
        alice, bob = self.register("alice", "bob")
        bob.send("alice", "before")
        wait_for_text(alice, "bob", "before")
        for number in range(3):
            second = self.log_in("bob", f"second{number}")
            bob.send("alice", f"at once {number}")
            wait_for_text(second, "alice", f"at once {number}")
            second.close()
        wait_for_text(alice, "bob", "at once 2")
        self.assertEqual(texts(alice, "bob"), ["before", *(f"at once {n}" for n in range(3))])

    def test_devices_that_join_at_the_same_time_all_end_up_on_the_list(self) -> None:
        alice, bob = self.register("alice", "bob")
        more = [self.client(f"more{number}") for number in range(3)]
        threads = [
            threading.Thread(target=one.log_in, args=("bob", password_of("bob"))) for one in more
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alice.send("bob", "to all four")
        for client in (bob, *more):
            wait_for_text(client, "alice", "to all four")
        more[0].send("alice", "from one of four")
        for client in (alice, bob, *more[1:]):
            wait_for_text(client, "alice" if client is not alice else "bob", "from one of four")
        for client in (alice, bob, *more):
            self.assertEqual(notices(client), [])


class MissedTest(SimulatedCase):
    """A device that joined while a message was on its way gets it all the same, once."""

    def test_s27_a_message_goes_again_to_a_device_that_the_server_names(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        alice.dispatch.work()  # asks for no devices: it has asked on this connection
        alice.write("bob", "on its way")
        for device in (bob, second):
            device.fetch()
        self.assertEqual(second.shown("alice"), ["on its way"])
        self.assertEqual(bob.shown("alice")[-1], "on its way")
        self.assertEqual(bob.shown("alice").count("on its way"), 1)
        self.assertEqual(second.told(SecurityNotice) + bob.told(SecurityNotice), [])

    def test_an_own_message_goes_again_to_an_own_new_device(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.write("alice", "on its way")
        for device in (alice, second):
            device.fetch()
        self.assertEqual(second.shown("alice"), ["on its way"])
        self.assertEqual(alice.shown("bob").count("on its way"), 1)

    def test_s27_a_server_that_names_a_device_that_is_not_signed_for_gets_nothing(self) -> None:
        alice, _ = self.pair()
        self.server.ghosts.append("ghostghostghost0")
        sent, asked = len(self.server.sent), self._asked()
        for number in range(3):
            alice.write("bob", str(number))
        self.assertEqual(len(self.server.sent), sent + 3)
        self.assertEqual(self._asked(), asked + 1)

    def test_a_device_that_a_newer_list_does_not_know_yet_comes_back_as_itself(self) -> None:
        bob = self.device("bob")
        second = self.device("bob", of=bob)
        account, devices = second.profile.account, second.parts.devices
        before = self._own_list(second)
        # Meanwhile a third one joined, which had not heard of the second.
        third = DeviceEntry("thirddeviceid000", bytes(range(32)), second.profile.now())
        entries = tuple(entry for entry in before.devices if entry.id != second.device)
        rival = DeviceList("bob", before.version + 1, (*entries, third))
        second.seconds += 3
        with second.profile.change():
            devices.enlist([sign_device_list(account, rival)])
        merged = self._own_list(second)
        self.assertEqual(merged.version, rival.version + 1)
        self.assertEqual(set(merged.devices), {*before.devices, third})

    def test_a_contact_is_not_warned_of_a_device_that_another_overtook(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        # Third joined meanwhile: its list has the version after, and does not know the second.
        third = DeviceEntry("thirddeviceid000", bytes(range(32)), bob.profile.now())
        own = self._own_list(second)
        entries = tuple(entry for entry in own.devices if entry.id != second.device)
        rival = DeviceList("bob", own.version + 1, (*entries, third))
        with alice.profile.change():
            key = second.profile.account.public
            devices = alice.parts.devices
            devices.keep_list("bob", key, sign_device_list(second.profile.account, rival))
            reply = alice.link.request(GetBundles("alice", "bob", ()), Bundles)
            learned = devices.learn("bob", reply)
            self.assertIn(second.device, [one.device for one in reply.bundles])
            self.assertNotIn(second.device, devices.reachable("bob"))
        warned = [one for one in learned.events if isinstance(one, SecurityNotice)]
        self.assertNotIn("unknown-device", [one.cause for one in warned])

    def _own_list(self, device: SimulatedDevice) -> DeviceList:
        account = device.profile.account
        with device.store.reading():
            known = device.parts.devices.device_list("bob", account.public)
        assert known is not None
        return known.list

    def _asked(self) -> int:
        return sum(isinstance(request, GetBundles) for _, request in self.server.requests)
