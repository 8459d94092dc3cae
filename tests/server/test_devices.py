"""Devices: joining, coming back, being removed; code 8."""

from __future__ import annotations

import unittest
from dataclasses import replace

from bpost.server.entry import new_device_id
from bpost.server.models import Device, removal
from bpost.server.store import now_ms
from tests.server.parts import OPEN, PASSWORD, OfficeTest, device_of, reason


class DeviceTest(OfficeTest):
    """Devices and code 8."""

    limits = replace(OPEN, devices=3)

    def test_there_are_at_most_so_many_devices(self) -> None:
        self.user("alice")
        for _ in range(3):
            self.device("alice")
        self.assertEqual(reason(self.visitor().ask("1", "alice", PASSWORD, "new")), "quota")

    def test_devices_that_never_finished_joining_make_room(self) -> None:
        self.user("alice")
        whole, cut, late = (self.device("alice") for _ in range(3))
        whole.ask("6", "alice", "K", device_of(whole), "bundle")
        with self.office.store.transaction() as database:
            long_ago = Device.update(last_seen=now_ms() - 2 * 3_600_000)
            long_ago.where(Device.device << [device_of(whole), device_of(cut)]).execute(database)
        self.assertEqual(self.visitor().ask("1", "alice", PASSWORD, "new")[:2], ["1", "OK"])
        left = {one.device for one in self.office.store.devices.all(self.account("alice"))}
        self.assertLessEqual({device_of(whole), device_of(late)}, left)
        self.assertNotIn(device_of(cut), left)
        self.assertEqual(reason(self.visitor().ask("1", "alice", PASSWORD, "new")), "quota")

    def test_s24_a_removed_device_is_sent_away_and_stays_away(self) -> None:
        self.user("alice")
        phone, laptop = self.device("alice"), self.device("alice")
        gone = device_of(phone)
        self.assertEqual(laptop.ask("8", "revoke", gone), ["8", "OK", "revoke"])
        self.assertEqual(phone.heard()[-1][:2], ["99", "no-such-device"])
        self.assertFalse(phone.wire.open)
        answer = self.visitor().ask("1", "alice", PASSWORD, gone)
        self.assertEqual(reason(answer), "no-such-device")

    def test_a_device_that_the_database_has_forgotten_is_let_in_as_it_was(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        mine = device_of(phone)
        with self.office.store.transaction() as database:  # as an old copy would have it
            removal(Device).where(Device.device == mine).execute(database)
        again = self.visitor()
        self.assertEqual(again.ask("1", "bob", PASSWORD, mine)[:3], ["1", "OK", mine])
        alice.ask("0", "alice", "after that", "bob")
        self.assertIn(["5", "after that", "alice"], [frame[:3] for frame in again.heard()])

    def test_a_device_that_removes_itself_is_answered_first(self) -> None:
        self.user("alice")
        phone = self.device("alice")
        frames = phone.say("8", "revoke", device_of(phone))
        self.assertEqual([frame[0] for frame in frames], ["8", "99"])

    def test_devices_are_listed_with_their_names_and_without_the_plain_one(self) -> None:
        alice, _ = self.friends()
        phone = self.device("alice")
        phone.ask("8", "name", device_of(phone), "sealed")
        alice.say("0", "alice", "note", "alice")
        listed = phone.ask("8", "list")[3]
        self.assertIn('"name":"sealed"', listed)
        self.assertEqual(listed.count('"device"'), 1)

    def test_a_new_device_gets_mail_from_now_on(self) -> None:
        alice, _ = self.friends()
        self.device("bob")
        alice.ask("0", "alice", "before", "bob")
        tablet = self.device("bob")
        alice.ask("0", "alice", "after", "bob")
        self.assertEqual([frame[1] for frame in tablet.heard()], ["after"])

    def test_no_device_id_begins_as_an_option_of_a_command_line_does(self) -> None:
        drawn = iter((b"\xf8" * 12, b"\xfa" + bytes(11), bytes(12)))
        self.assertEqual(new_device_id(lambda _count: next(drawn)), "A" * 16)


if __name__ == "__main__":
    unittest.main()
