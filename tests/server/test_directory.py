"""Other users: contacts, blocking, key bundles, signals."""

from __future__ import annotations

import json
import sys
import threading
import unittest
from dataclasses import replace
from unittest import mock

from bpost.limits import Limits, Rate
from bpost.server import directory
from bpost.server.records import PublishedKey
from tests.server.parts import OPEN, OfficeTest, Visitor, device_of, reason


def bundles_of(answer: list[str]) -> list[dict[str, str | None]]:
    """Return the bundles in the answer to a code 7."""
    found: list[dict[str, str | None]] = json.loads(answer[4])
    return found


class KeyedTest(OfficeTest):
    """An office where bob's phone has published keys."""

    stock = 60

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.friends()
        self.phone = self.keyed("bob", self.stock)

    def keyed(self, name: str, stock: int) -> Visitor:
        """Log in a new device and publish its keys."""
        device = self.device(name)
        device.ask("6", name, "ACCOUNT", device_of(device), "BUNDLE")
        keys = json.dumps([f"{name}-{number}" for number in range(stock)], separators=(",", ":"))
        self.assertEqual(device.ask("10", "upload", device_of(device), keys)[3], str(stock))
        return device


class BundleTest(KeyedTest):
    """Codes 7 and 10 (E10 to E12)."""

    def test_a_contact_gets_the_bundle_and_one_key(self) -> None:
        answer = self.alice.ask("7", "alice", "bob")
        self.assertEqual(answer[:4], ["7", "OK", "bob", "ACCOUNT"])
        (found,) = bundles_of(answer)
        self.assertEqual((found["device"], found["bundle"]), (device_of(self.phone), "BUNDLE"))
        self.assertEqual(self.phone.ask("10", "count", device_of(self.phone))[3], "59")

    def test_s26_bundles_never_outgrow_a_frame(self) -> None:
        for bundle, answer in (('"' * 16_000, "too-large"), ('"' * 8_000, "")):
            said = self.phone.ask("6", "bob", "ACCOUNT", device_of(self.phone), bundle)
            self.assertEqual(reason(said), answer)
        for device in [device_of(self.keyed("bob", 1)) for _ in range(9)]:
            # As an older server took them.
            self.office.store.devices.publish(
                self.account("bob"), PublishedKey("K"), device, '"' * 16_000
            )
        found = self.alice.ask("7", "alice", "bob")
        self.assertLessEqual(len("\x1f".join(found).encode()), OPEN.frame)
        self.assertEqual(len(bundles_of(found)), 8)

    def test_s27_a_sender_is_told_the_devices_of_both_sides(self) -> None:
        tablet = self.keyed("bob", 1)
        phone = self.keyed("alice", 1)
        answer = self.alice.ask("0", "alice", "hello", "bob", "r1")
        both = sorted([device_of(self.phone), device_of(tablet)])
        self.assertEqual(answer[6:], [",".join(both), device_of(phone)])
        frames = tablet.say("0", "bob", "hello", "bob", "r2")
        self.assertEqual(frames[0][6:], [device_of(self.phone)] * 2)

    def test_a_device_that_is_known_gives_no_key(self) -> None:
        (found,) = bundles_of(self.alice.ask("7", "alice", "bob", device_of(self.phone)))
        self.assertIsNone(found["one_time"])
        self.assertEqual(self.phone.ask("10", "count", device_of(self.phone))[3], "60")

    def test_asking_for_the_own_name_leaves_the_own_device_out(self) -> None:
        tablet = self.keyed("bob", 1)
        (found,) = bundles_of(tablet.ask("7", "bob", "bob"))
        self.assertEqual(found["device"], device_of(self.phone))

    def test_keys_beyond_the_room_are_passed_over_and_repeats_ignored(self) -> None:
        keys = json.dumps([f"bob-{number}" for number in range(50, 150)], separators=(",", ":"))
        for _ in range(2):
            answer = self.phone.ask("10", "upload", device_of(self.phone), keys)
            self.assertLessEqual(int(answer[3]), 100)

    def test_e10_no_key_is_handed_out_twice_to_64_who_ask_at_once(self) -> None:
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)  # threads that can meet will
        found: list[str | None] = []
        visitors = []
        for number in range(16):
            visitors.append(self.user(f"user{number}"))
            visitors[-1].ask("4", f"user{number}", "bob")

        def fetch(number: int) -> None:
            visitor = visitors[number % 16]
            with locks[number % 16]:
                answer = visitor.ask("7", f"user{number % 16}", "bob")
            found.append(bundles_of(answer)[0]["one_time"])

        locks = [threading.Lock() for _ in visitors]
        threads = [threading.Thread(target=fetch, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = [key for key in found if key is not None]
        self.assertEqual(len(found), 64)
        self.assertEqual(len(taken), 60)
        self.assertEqual(len(set(taken)), len(taken))

    def test_e11_without_keys_left_bundles_still_come_and_the_owner_is_told(self) -> None:
        counts = []
        for _ in range(62):
            answer = self.alice.ask("7", "alice", "bob")
            self.assertEqual(bundles_of(answer)[0]["bundle"], "BUNDLE")
            counts += [int(frame[3]) for frame in self.phone.heard()]
        self.assertIsNone(bundles_of(answer)[0]["one_time"])
        self.assertEqual(counts, [*range(19, -1, -1), 0, 0])

    def test_e12_keys_come_in_no_order_that_tells_how_many_there_are(self) -> None:
        order = [bundles_of(self.alice.ask("7", "alice", "bob"))[0]["one_time"] for _ in range(30)]
        numbers = [int(str(key).rpartition("-")[2]) for key in order]
        self.assertNotEqual(numbers, sorted(numbers))
        self.assertNotEqual(numbers, sorted(numbers, reverse=True))

    def test_e12_the_stock_of_another_is_not_shown(self) -> None:
        self.assertEqual(
            reason(self.alice.ask("10", "count", device_of(self.phone))), "no-such-device"
        )


class DrainTest(KeyedTest):
    """Taking keys is metered, asking is not (E12)."""

    limits = Limits(
        log_ins_address=Rate(1000, 1),
        registrations_address=Rate(1000, 1),
        bundles=Rate(9, 60),
        bundles_pair=Rate(5, 600),
        requests=Rate(10_000, 1),
    )

    def test_e12_a_thousand_fetches_take_few_keys(self) -> None:
        reasons = [reason(self.alice.ask("7", "alice", "bob")) for _ in range(1000)]
        self.assertEqual(reasons.count(""), 5)
        self.assertEqual(set(reasons), {"", "rate-limited"})
        self.assertEqual(self.phone.ask("10", "count", device_of(self.phone))[3], "55")

    def test_e12_other_contacts_do_not_help_an_asker_who_asks_too_much(self) -> None:
        carol = self.user("carol")
        self.keyed("carol", 20)
        self.alice.ask("4", "alice", "carol")
        answers = [reason(self.alice.ask("7", "alice", name)) for name in ("bob", "carol") * 6]
        self.assertEqual(answers.count(""), 9)
        self.assertTrue(carol.wire.open)

    def test_asking_without_taking_is_not_metered(self) -> None:
        known = device_of(self.phone)
        reasons = {reason(self.alice.ask("7", "alice", "bob", known)) for _ in range(50)}
        self.assertEqual(reasons, {""})


class ContactTest(OfficeTest):
    """Codes 4 and 9."""

    limits = replace(OPEN, contacts=3)

    def test_contacts_are_added_listed_and_removed(self) -> None:
        alice, _ = self.friends()
        self.user("Carol")
        alice.ask("4", "alice", "carol")
        alice.ask("4", "alice", "bob")
        names = [row["name"] for row in json.loads(alice.ask("9", "list")[3])]
        self.assertEqual(names, ["bob", "Carol"])
        self.assertEqual(alice.ask("9", "remove", "BOB"), ["9", "OK", "remove", "bob"])
        names = [row["name"] for row in json.loads(alice.ask("9", "list")[3])]
        self.assertEqual(names, ["Carol"])

    def test_the_list_has_an_end(self) -> None:
        alice, _ = self.friends()
        for name in ("carol", "dave", "erin"):
            self.user(name)
        self.assertEqual(
            [reason(alice.ask("4", "alice", name)) for name in ("carol", "dave", "erin")],
            ["", "", "quota"],
        )

    def test_one_is_not_ones_own_contact_but_can_write_to_oneself(self) -> None:
        alice = self.user("alice")
        self.assertEqual(reason(alice.ask("4", "alice", "ALICE")), "conflict")
        phone = self.device("alice")
        alice.say("0", "alice", "note", "alice")
        self.assertEqual([frame[1] for frame in phone.heard()], ["note"])

    def test_who_is_blocked_is_not_heard_and_not_told(self) -> None:
        alice, bob = self.friends()
        first = alice.ask("0", "alice", "one", "bob", "r1")
        bob.heard()
        self.assertEqual(bob.ask("9", "block", "alice"), ["9", "OK", "block", "alice"])
        second = alice.ask("0", "alice", "two", "bob", "r2")
        third = alice.ask("0", "alice", "three", "bob", "r3")
        again = alice.ask("0", "alice", "two", "bob", "r2")
        self.assertEqual(second[:4], ["0", "WillBeSent", "bob", "r2"])
        self.assertEqual([int(first[4]), int(second[4]), int(third[4])], [1, 2, 3])
        self.assertEqual(again, second)
        self.assertEqual(bob.heard(), [])
        self.assertNotIn("'two'", self.dump())
        bob.ask("9", "unblock", "alice")
        alice.ask("0", "alice", "four", "bob")
        self.assertEqual([frame[1] for frame in bob.heard()], ["four"])

    def test_a_stranger_can_be_blocked_too(self) -> None:
        alice, bob = self.user("alice"), self.user("bob")
        alice.ask("4", "alice", "bob")
        bob.ask("9", "block", "alice")
        alice.ask("0", "alice", "hi", "bob")
        self.assertEqual(bob.heard(), [])
        self.assertIn('"blocked":true', bob.ask("9", "list")[3])


class PageTest(OfficeTest):
    """A long contact list."""

    def test_a_long_list_comes_in_pages(self) -> None:
        alice = self.user("alice")
        store = self.office.store
        for number in range(25):
            store.accounts.add(f"u{number}", f"u{number}", "x", 1)
            store.contacts.add(alice.session.me.id, self.account(f"u{number}"), 10_000)
        pages = []
        with mock.patch.object(directory, "PAGE", 10):
            answer = alice.ask("9", "list")
            while len(answer) > 4:
                pages.append(answer)
                answer = alice.ask("9", "list", answer[4])
        names = [row["name"] for page in [*pages, answer] for row in json.loads(page[3])]
        self.assertEqual((len(pages), names), (2, sorted(f"u{number}" for number in range(25))))


class SignalTest(OfficeTest):
    """Code 12."""

    def test_a_signal_reaches_the_devices_of_friends_and_is_stored_nowhere(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        alice.say("12", "alice", "TYPING", "bob")
        self.assertEqual(phone.heard(), [["12", "TYPING", "alice"]])
        self.assertNotIn("TYPING", self.dump())

    def test_s30_a_signal_is_dropped_where_the_client_is_slow_or_it_is_large(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        for queued, size, heard in ((0, 100, 1), (100_000, 100, 0), (0, 20_000, 0)):
            with self.subTest(queued=queued, size=size):
                phone.wire.queued = queued
                alice.say("12", "alice", "x" * size, "bob")
                self.assertEqual(len(phone.heard()), heard)

    def test_nobody_else_can_signal(self) -> None:
        alice, bob = self.friends()
        phone = self.device("bob")
        carol = self.user("carol")
        carol.ask("4", "carol", "bob")
        carol.say("12", "carol", "x", "bob")
        bob.ask("9", "block", "alice")
        alice.say("12", "alice", "x", "bob")
        alice.say("12", "alice", "x", "nobody")
        self.assertEqual(phone.heard(), [])

    def test_the_own_devices_get_signals_but_not_the_one_that_sent(self) -> None:
        self.user("alice")
        phone, laptop = self.device("alice"), self.device("alice")
        phone.say("12", "alice", "x", "alice")
        self.assertEqual((phone.heard(), len(laptop.heard())), ([], 1))


if __name__ == "__main__":
    unittest.main()
