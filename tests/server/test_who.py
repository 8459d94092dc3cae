"""Who one is on this server: names, guesses at passwords, strangers, one device twice."""

from __future__ import annotations

import unittest
from dataclasses import replace
from unittest import mock

from bpost.limits import Limits, Rate
from bpost.server.config import Config
from bpost.server.rates import Rates
from tests.server.parts import OPEN, OTHER, PASSWORD, OfficeTest, Visitor, device_of, reason
from tests.server.test_rates import Clock

GUESSES = 2_000
ADDRESSES = 100

FOREIGN = (
    "\uff41lice",  # a full-width a
    "\u0430lice",  # a Cyrillic one
    "al\u0131ce",  # an i without its dot
    "alic\u00e9",
    "alice\u0301",  # an accent of its own
    "\ufb01ona",  # f and i in one sign
    "al\u200bice",  # a space without width
    "alice\u202e",  # turns the direction
    "\u2066alice\u2069",
    "alice\u00a0",
    "alice ",
    "",
    "a",
    "a" * 33,
    ".alice",
    "alice\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
)


class NameTest(OfficeTest):
    """Names that could be taken for others (S15 to S18)."""

    def test_s15_a_name_in_any_case_is_one_account(self) -> None:
        self.user("Alice")
        for name in ("alice", "ALICE", "aLiCe"):
            with self.subTest(name):
                self.assertEqual(reason(self.visitor().ask("2", name, OTHER)), "name-taken")
                self.assertEqual(self.visitor().ask("1", name, PASSWORD), ["1", "OK"])

    def test_s16_no_other_signs_make_a_name_so_none_looks_like_another(self) -> None:
        alice = self.user("alice")
        before = self.dump()
        for name in FOREIGN:
            with self.subTest(name):
                for frame in (("2", name, PASSWORD), ("1", name, PASSWORD)):
                    self.assertEqual(reason(self.visitor().ask(*frame)), "bad-field")
                self.assertEqual(reason(alice.ask("4", "alice", name)), "bad-field")
        self.assertEqual(self.dump(), before)

    def test_s17_names_that_speak_for_the_server_and_those_of_the_gone_are_nobodys(self) -> None:
        self.user("alice").say("14", "alice", PASSWORD)
        for name in ("admin", "Support", "SYSTEM", "root", "bpost", "alice", "Alice"):
            with self.subTest(name):
                self.assertEqual(reason(self.visitor().ask("2", name, PASSWORD)), "name-taken")

    def test_s18_no_text_is_longer_than_it_may_be_counted_in_bytes(self) -> None:
        phone = self.named()
        device = device_of(phone)
        for frame, most in (
            (("6", "alice", "{}"), OPEN.public_key),
            (("6", "alice", "K", device, "{}"), OPEN.device_bundle),
            (("8", "name", device, "{}"), OPEN.device_name),
            (("11", "put", "0", "{}"), OPEN.vault),
            (("10", "upload", device, '["{}"]'), OPEN.one_time_key),
        ):
            for sign in ("x", "é"):
                text = sign * (most // len(sign.encode()) + 1)
                with self.subTest(frame=frame[:4], sign=sign):
                    before = self.dump()
                    answer = phone.ask(*(field.replace("{}", text) for field in frame))
                    self.assertIn(reason(answer), ("too-large", "bad-field"))
                    self.assertEqual(self.dump(), before)

    def named(self) -> Visitor:
        """Register alice; return her device."""
        self.user("alice")
        return self.device("alice")


class GuessTest(OfficeTest):
    """Guessing at alice's password (S20)."""

    limits = replace(Limits(), log_ins_address=Rate(60, 60))

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.user("alice")
        self.phone = device_of(self.device("alice"))
        self.office.rates = Rates(self.limits, self.clock)
        self.compared = 0
        patch = mock.patch.object(self.office, "verify_login", self.verify)
        patch.start()
        self.addCleanup(patch.stop)

    def verify(self, stored: str | None, password: str) -> bool:
        """Count what is compared; what is right is known here."""
        self.compared += 1
        return stored is not None and password == PASSWORD

    def guess(self, addresses: int) -> None:
        """Guess for an hour, from so many addresses."""
        for number in range(GUESSES):
            self.clock.now += 3600 / GUESSES
            self.visitor(f"192.0.2.{number % addresses}:9").ask("1", "alice", OTHER)

    def test_s20_from_however_many_addresses_an_account_is_guessed_at_slowly(self) -> None:
        for addresses in (1, ADDRESSES):
            with self.subTest(addresses=addresses):
                self.compared = 0
                self.guess(addresses)
                self.assertLessEqual(self.compared, 10 * 60 + 10)

    def test_s20_an_address_cannot_go_through_all_names(self) -> None:
        for number in range(GUESSES):
            self.clock.now += 60 / GUESSES
            self.visitor().ask("1", f"user{number}", OTHER)
        self.assertLessEqual(self.compared, 2 * 60)

    def test_s20_the_owner_comes_in_meanwhile_and_as_often_as_he_likes(self) -> None:
        self.guess(ADDRESSES)
        for _ in range(50):
            self.visitor().ask("1", "alice", OTHER)
            frames = self.visitor("198.51.100.1:9").say("1", "alice", PASSWORD, self.phone)
            self.assertEqual(frames[0][:2], ["1", "OK"])


class StrangerTest(OfficeTest):
    """What somebody learns of bob who is nothing to him, or blocked by him (S28)."""

    def setUp(self) -> None:
        super().setUp()
        self.friends()
        self.phone = self.device("bob")
        self.phone.ask("6", "bob", "ACCOUNT", device_of(self.phone), "BUNDLE")
        self.phone.ask("10", "upload", device_of(self.phone), '["one","two"]')
        self.mallory = self.user("mallory")

    def test_s28_a_stranger_learns_that_a_name_exists_and_no_more(self) -> None:
        for frame in (
            ("0", "mallory", "hi", "bob", "r"),
            ("7", "mallory", "bob"),
            ("15", "entries", "bob", "0"),
            ("8", "name", device_of(self.phone), "x"),
            ("8", "revoke", device_of(self.phone)),
            ("10", "count", device_of(self.phone)),
        ):
            with self.subTest(frame=frame[:2]):
                answer = self.mallory.ask(*frame)
                self.assertIn(reason(answer), ("not-a-contact", "no-such-device"))
                self.assertNotIn("BUNDLE", "".join(answer))
        self.assertEqual(self.mallory.say("12", "mallory", "typing", "bob"), [])
        self.assertEqual(self.phone.heard(), [])

    def test_s28_whoever_is_blocked_cannot_tell_and_reaches_nobody(self) -> None:
        self.mallory.ask("4", "mallory", "bob")
        free = self.mallory.ask("0", "mallory", "hi", "bob", "r1")
        self.phone.ask("9", "block", "mallory")
        self.phone.heard()
        held = self.mallory.ask("0", "mallory", "hi", "bob", "r2")
        self.assertEqual((held[:3], held[6:]), (free[:3], free[6:]))
        self.assertEqual(int(held[4]), int(free[4]) + 1)
        self.assertEqual(self.mallory.say("12", "mallory", "typing", "bob"), [])
        self.assertEqual(self.phone.heard(), [])
        self.assertEqual(self.mallory.ask("4", "mallory", "bob")[1], "OK")


class TwiceTest(OfficeTest):
    """One device on two connections, again and again (S25)."""

    def test_s25_the_newer_wins_each_time_and_no_message_is_lost_or_doubled(self) -> None:
        alice, _ = self.friends()
        now = self.device("bob")
        device, got = device_of(now), list[str]()
        for number in range(100):
            alice.ask("0", "alice", str(number), "bob", f"r{number}")
            before, (frame,) = now, now.heard()
            if number % 3:
                before.say("5", "OK", frame[3])
                got.append(frame[1])
            now = self.visitor()
            frames = now.say("1", "bob", PASSWORD, device)
            self.assertEqual(before.heard()[-1][:2], ["99", "conflict"])
            self.assertFalse(before.wire.open)
            self.assertEqual([one[1] for one in frames[1:]], [] if number % 3 else [str(number)])
            for one in frames[1:]:
                got.append(one[1])
                now.say("5", "OK", one[3])
        self.assertEqual(got, [str(number) for number in range(100)])
        self.assertEqual(len(self.office.presence.of(self.account("bob"))), 2)  # and the plain one


class InviteOnlyTest(OfficeTest):
    """Where registering takes an invitation, a stranger does not even learn who exists (S19)."""

    def test_s19_without_an_invitation_names_that_exist_and_others_are_answered_alike(self) -> None:
        self.user("alice")
        self.office.store.close()
        self.office = self.open(Config(data=self.folder, registration="invite", limits=OPEN))
        answers = {
            tuple(self.visitor().ask("2", name, OTHER, "x" * 32)) for name in ("alice", "nobody")
        }
        self.assertEqual(len(answers), 1)


if __name__ == "__main__":
    unittest.main()
