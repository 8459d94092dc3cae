"""Every limit of docs/protocol.md as it is by default, exceeded: what is said, and to whom else."""

from __future__ import annotations

import json
import re
import unittest
from collections.abc import Iterable, Iterator
from unittest import mock

from bpost.limits import KIB, MIB, Limits
from bpost.server.models import Client, Contact
from bpost.server.rates import Rates
from bpost.server.store import now_ms
from tests.server.parts import OTHER, PASSWORD, ROOT, OfficeTest, Visitor, device_of, reason
from tests.server.test_rates import Clock

NUMBER = re.compile(r"\d[\d,]*")
UNITS = {"KiB": KIB, "MiB": MIB}


def limits_page() -> dict[str, str]:
    """Return what the page says of each limit, by its first cell."""
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    table = text.partition("\n## Limits\n")[2].partition("\n## ")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines() if row.startswith("| ")]
    return {row[0]: row[1] for row in rows[2:]}


class DefaultsTest(OfficeTest):
    """All limits as they are, on a clock that stands still unless it is moved."""

    limits = Limits()

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.office.rates = Rates(self.limits, self.clock)
        patch = mock.patch.object(self.office, "verify_login", self.verify)
        patch.start()
        self.addCleanup(patch.stop)

    def verify(self, stored: str | None, password: str) -> bool:
        """Compare at no cost."""
        return stored is not None and password == PASSWORD

    def passes(self, count: int, answers: Iterable[list[str]], why: str = "rate-limited") -> str:
        """Look at answers until the first that refuses; so many pass. Return its text."""
        for number, answer in enumerate(answers):
            if reason(answer):
                self.assertEqual((number, reason(answer)), (count, why))
                return answer[5] if answer[0] == "0" else answer[3]
        raise AssertionError("nothing was refused")

    def told(self, text: str, seconds: int) -> None:
        """See that a refusal says how long to wait, about."""
        found = re.search(r"Try again in (\d+) seconds?\.", text)
        assert found is not None, text
        self.assertIn(int(found[1]), (seconds, seconds + 1))


class RateTest(DefaultsTest):
    """How often (S26)."""

    def test_s26_log_ins_for_an_account(self) -> None:
        alice, _ = self.friends()
        self.office.rates = Rates(self.limits, self.clock)
        tries = (self.visitor().ask("1", "alice", PASSWORD) for _ in range(99))
        self.told(self.passes(10, tries), 6)
        self.assertEqual(self.visitor().ask("1", "bob", PASSWORD), ["1", "OK"])
        self.clock.now += 6
        self.assertEqual(self.visitor().ask("1", "alice", PASSWORD), ["1", "OK"])
        self.assertFalse(alice.wire.open)  # the newer of the plain ones won

    def test_s26_log_ins_from_an_address(self) -> None:
        names = (f"user{number}" for number in range(99))
        tries = (self.visitor().ask("1", name, OTHER) for name in names)
        wrong = [next(tries) for _ in range(60)]
        self.assertEqual({reason(answer) for answer in wrong}, {"wrong-password"})
        self.told(self.passes(0, tries), 1)
        other = self.visitor("198.51.100.1:9").ask("1", "user1", OTHER)
        self.assertEqual(reason(other), "wrong-password")

    def test_s26_new_accounts_from_an_address(self) -> None:
        tries = (self.visitor().ask("2", f"user{number}", PASSWORD) for number in range(9))
        self.told(self.passes(5, tries), 720)
        other = self.visitor("198.51.100.1:9").ask("2", "other", PASSWORD)
        self.assertEqual(other, ["2", "OK"])

    def test_s26_messages(self) -> None:
        alice, bob = self.friends()
        tries = (alice.ask("0", "alice", "x", "bob", f"r{number}") for number in range(999))
        self.told(self.passes(200, tries), 1)
        self.assertEqual(bob.ask("0", "bob", "x", "alice")[1], "WillBeSent")
        self.clock.now += 1
        more = (alice.ask("0", "alice", "x", "bob", f"s{number}") for number in range(999))
        self.passes(50, more)

    def test_s26_all_other_requests_on_a_connection(self) -> None:
        alice, bob = self.friends()
        alice = self.device("alice")  # whose log-in was one
        tries = (alice.ask("9", "list") for _ in range(999))
        self.told(self.passes(399, tries), 1)
        self.assertEqual(bob.ask("9", "list")[:2], ["9", "OK"])
        self.assertTrue(alice.wire.open)

    def test_s26_anything_before_log_in_ends_the_connection_over_the_rate(self) -> None:
        stranger, other = self.visitor(), self.visitor()
        for _ in range(400):
            self.assertEqual(reason(stranger.ask("9", "list")), "not-logged-in")
        (last,) = [frame for frame in stranger.say("9", "list") if frame[0] == "99"]
        self.assertEqual(stranger.wire.ended, (1008, "rate-limited"))
        self.told(last[2], 1)
        self.assertEqual(other.ask("2", "alice", PASSWORD), ["2", "OK"])

    def test_s26_what_goes_on_over_a_rate_ends_the_connection(self) -> None:
        alice, bob = self.friends()
        for _ in range(200 + 2_000):
            alice.say("0", "alice", "x", "bob")
        self.assertIsNone(alice.wire.ended)
        (last,) = [frame for frame in alice.say("0", "alice", "x", "bob") if frame[0] == "99"]
        self.assertEqual(alice.wire.ended, (1008, "rate-limited"))
        self.told(last[2], 1)
        self.assertTrue(bob.wire.open)

    def test_s26_key_bundles_for_one_asker_and_for_one_contact(self) -> None:
        alice = self.fed("alice")
        for name in ("bob", "carol", "dave", "erin"):
            self.keyed(name)
            alice.ask("4", "alice", name)
        for name in ("bob", "carol", "dave"):
            for _ in range(10):
                self.assertEqual(alice.ask("7", "alice", name)[1], "OK")
        self.told(self.passes(0, self.fetches(alice, "erin")), 2)
        self.clock.now += 60
        self.told(self.passes(1, self.fetches(alice, "bob")), 60)
        bob = self.device("bob")
        bob.ask("4", "bob", "erin")
        self.assertEqual(bob.ask("7", "bob", "erin")[1], "OK")

    def fetches(self, visitor: Visitor, name: str) -> Iterator[list[str]]:
        """Ask for somebody's keys again and again."""
        return (visitor.ask("7", "alice", name) for _ in range(99))

    def fed(self, name: str) -> Visitor:
        """Make a user past the limit of registrations, with a device."""
        self.office.rates = Rates(self.limits, self.clock)
        self.user(name)
        return self.device(name)

    def keyed(self, name: str) -> Visitor:
        """Make a user with a device that has published keys."""
        rates = self.office.rates
        device = self.fed(name)
        device.ask("6", name, "KEY", device_of(device), "BUNDLE")
        keys = json.dumps([f"{number}" for number in range(90)], separators=(",", ":"))
        device.ask("10", "upload", device_of(device), keys)
        self.office.rates = rates
        return device

    def test_s26_news_in_the_log_of_keys(self) -> None:
        alice, bob = self.friends()
        tries = (alice.ask("6", "alice", f"key {number}") for number in range(99))
        self.told(self.passes(60, tries), 60)
        self.assertEqual(bob.ask("6", "bob", "key"), ["6", "OK"])


class SizeTest(DefaultsTest):
    """How much (S26)."""

    def test_s26_a_message_and_no_byte_more(self) -> None:
        alice, bob = self.friends()
        for body, told in (("x" * 192 * KIB, ""), ("x" * (192 * KIB + 1), "too-large")):
            self.assertEqual(reason(alice.ask("0", "alice", body, "bob", "r")), told)
        self.assertEqual(len(bob.heard()), 1)

    def test_s26_a_mailbox(self) -> None:
        self.assertEqual(self.office.store.mail.most, 256 * MIB)
        alice, bob = self.friends()
        bob.session.leave()
        self.office.store.mail._sizes[self.account("bob")] = (256 * MIB - 10, now_ms())
        self.assertEqual(alice.ask("0", "alice", "x" * 10, "bob")[1], "WillBeSent")
        self.assertEqual(reason(alice.ask("0", "alice", "x", "bob", "r")), "quota")
        self.assertEqual(alice.say("0", "alice", "x", "alice")[0][1], "WillBeSent")

    def test_s26_contacts(self) -> None:
        alice, bob = self.friends()
        self.user("carol")
        mine, most = self.account("alice"), self.limits.contacts
        first = 1_000
        names = [f"u{number}" for number in range(first, first + most - 1)]
        with self.office.store.transaction() as database:
            for at in range(0, len(names), 500):
                part = names[at : at + 500]
                rows = [(first + at + n, name, name, "", 1) for n, name in enumerate(part)]
                columns = (Client.id, Client.name, Client.canonical, Client.login, Client.created)
                Client.insert_many(rows, columns).execute(database)
                pairs = [(mine, row[0]) for row in rows]
                Contact.insert_many(pairs, (Contact.owner, Contact.contact)).execute(database)
        self.assertEqual(reason(alice.ask("4", "alice", "carol")), "quota")
        self.assertEqual(reason(alice.ask("9", "block", "carol")), "quota")
        alice.ask("9", "remove", "u1000")
        self.assertEqual(alice.ask("4", "alice", "carol")[1], "OK")
        self.assertEqual(bob.ask("4", "bob", "carol")[1], "OK")

    def test_s26_devices(self) -> None:
        self.friends()
        self.office.rates = Rates(self.limits.without_rates(), self.clock)
        tries = (self.visitor().say("1", "alice", PASSWORD, "new")[0] for _ in range(99))
        self.passes(10, tries, "quota")
        self.device("bob")

    def test_s26_one_time_keys_of_a_device(self) -> None:
        self.user("alice")
        phone = self.device("alice")
        for first in (0, 60, 120):
            keys = json.dumps([str(n) for n in range(first, first + 60)], separators=(",", ":"))
            answer = phone.ask("10", "upload", device_of(phone), keys)
        self.assertEqual(answer, ["10", "OK", "count", "100"])
        many = json.dumps([str(n) for n in range(101)], separators=(",", ":"))
        self.assertEqual(reason(phone.ask("10", "upload", device_of(phone), many)), "too-large")


class PageTest(unittest.TestCase):
    """The page says what the program does."""

    def test_s26_each_number_on_the_page_is_the_one_that_holds(self) -> None:
        limits, found = Limits(), limits_page()
        for row, names in {
            "a frame; a `Message`": ("frame", "message"),
            "pings from the client": ("pings_per_second",),
            "messages": ("sends.count", "sends.burst"),
            "all other requests on a connection": ("requests.count", "requests.burst"),
            "log-ins for an account; from an address": (
                "log_ins_account.count",
                "log_ins_address.count",
            ),
            "new accounts from an address": ("registrations_address.count",),
            "pieces of messages that come in several frames": ("fragments_per_second",),
            "news of an account in the log of keys": ("key_changes.count",),
            "a mailbox: what no device of its owner has read": ("mailbox",),
            "contacts; devices": ("contacts", "devices"),
        }.items():
            with self.subTest(row):
                self.assertEqual(_numbers(found[row]), [_value(limits, name) for name in names])


def _numbers(cell: str) -> list[float]:
    """Return the numbers of a cell in bytes or as they are."""
    return [
        float(number[0].replace(",", "")) * UNITS.get(cell[number.end() :][1:4], 1)
        for number in NUMBER.finditer(cell)
    ]


def _value(limits: Limits, name: str) -> float:
    value: object = limits
    for part in name.split("."):
        value = getattr(value, part)
    assert isinstance(value, int | float)
    return float(value)


if __name__ == "__main__":
    unittest.main()
