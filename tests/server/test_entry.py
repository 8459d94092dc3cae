"""Coming in and going: log-in, accounts, passwords, devices."""

from __future__ import annotations

import threading
import unittest
from unittest import mock

from bpost.crypto import login
from bpost.crypto.primitives import scrypt
from bpost.limits import Limits, Rate
from bpost.server.config import Config
from bpost.server.desk import Desk
from bpost.server.entry import hash_invite, new_invite
from bpost.server.store import now_ms
from tests.server.parts import OPEN, OTHER, PASSWORD, OfficeTest, device_of, reason
from tests.support import patience

DAY_MS = 86_400_000


class LogInTest(OfficeTest):
    """Code 1."""

    def test_s19_a_made_up_device_costs_the_same_work_for_an_unknown_user(self) -> None:
        self.user("alice")
        asked = []
        with mock.patch.object(
            self.office.store.devices, "mailbox", wraps=self.office.store.devices.mailbox
        ) as mailbox:
            for name in ("alice", "nobody"):
                self.visitor().ask("1", name, OTHER, "a" * 16)
                asked.append(mailbox.call_count)
        self.assertEqual(asked, [1, 2])

    def test_nothing_comes_before_the_answer_to_the_log_in(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        entered = self.office.presence.enter

        def enter(desk: Desk) -> Desk | None:
            older = entered(desk)
            alice.ask("0", "alice", "now", "bob")
            alice.say("12", "alice", "typing", "bob")
            return older

        again = self.visitor()
        with mock.patch.object(self.office.presence, "enter", enter):
            frames = again.say("1", "bob", PASSWORD, device_of(phone))
        self.assertEqual([frame[:2] for frame in frames], [["1", "OK"], ["5", "now"]])

    def test_an_unknown_user_and_a_wrong_password_look_the_same_after_the_same_work(self) -> None:
        self.user("alice")
        answers = []
        with mock.patch.object(login, "scrypt", wraps=scrypt) as work:
            for name, word in (("alice", OTHER), ("nobody", PASSWORD)):
                answers.append(self.visitor().ask("1", name, word))
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(reason(answers[0]), "wrong-password")
        self.assertEqual(work.call_count, 2)

    def test_e68_what_is_stored_is_no_log_in(self) -> None:
        self.user("alice")
        account = self.office.store.accounts.find("alice")
        assert account is not None
        self.assertNotIn(PASSWORD, self.dump())
        for stolen in (account.login, account.login.split("$")[-1]):
            with self.subTest(stolen=stolen):
                self.assertEqual(self.visitor().ask("1", "alice", stolen)[1], "Error")

    def test_names_are_compared_without_regard_to_case_and_shown_as_registered(self) -> None:
        self.user("Alice")
        self.assertEqual(self.visitor().ask("1", "aLICE", PASSWORD), ["1", "OK"])
        self.assertEqual(reason(self.visitor().ask("2", "ALICE", PASSWORD)), "name-taken")
        bob = self.user("bob")
        bob.ask("4", "bob", "alice")
        self.assertIn('"name":"Alice"', bob.ask("9", "list")[3])

    def test_the_newer_of_two_connections_of_a_device_wins(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        again = self.device("bob", device_of(phone))
        self.assertEqual(phone.heard()[-1][:2], ["99", "conflict"])
        self.assertFalse(phone.wire.open)
        alice.ask("0", "alice", "hi", "bob")
        self.assertEqual([frame[1] for frame in again.heard()], ["hi"])

    def test_the_older_connection_that_ends_late_does_not_take_the_newer_along(self) -> None:
        alice, _ = self.friends()
        phone = self.device("bob")
        again = self.device("bob", device_of(phone))
        phone.session.leave()
        alice.ask("0", "alice", "hi", "bob")
        self.assertEqual([frame[1] for frame in again.heard()], ["hi"])

    def test_registering_and_then_becoming_a_device_works_on_one_connection(self) -> None:
        alice = self.user("alice")
        self.assertEqual(alice.ask("1", "alice", PASSWORD, "new")[:2], ["1", "OK"])
        self.assertEqual(len(self.office.presence.of(self.account("alice"))), 1)

    def test_a_log_in_that_races_with_a_change_of_password_is_undone(self) -> None:
        alice, bob = self.friends()
        phone = self.device("alice")
        phone.session.leave()
        bob.ask("0", "bob", "for alice only", "alice")
        verify = self.office.verify_login

        def change_meanwhile(stored: str | None, password: str) -> bool:
            right = verify(stored, password)
            with mock.patch.object(self.office, "verify_login", verify):
                alice.ask("3", "alice", PASSWORD, OTHER)
            return right

        late, device = self.visitor(), self.office.store.devices.all(self.account("alice"))[0]
        with mock.patch.object(self.office, "verify_login", change_meanwhile):
            frames = late.say("1", "alice", PASSWORD, device.device)
        self.assertEqual([reason(frame) for frame in frames], ["wrong-password"])
        self.assertEqual(reason(late.ask("9", "list")), "not-logged-in")
        self.assertEqual(len(self.office.presence.of(self.account("alice"))), 1)

    def test_the_deadline_to_log_in_is_lifted_by_logging_in(self) -> None:
        visitor = self.visitor()
        visitor.wire.set_deadline(30)
        visitor.ask("2", "alice", PASSWORD)
        self.assertIsNone(visitor.wire.deadline)


class PasswordTest(OfficeTest):
    """Code 3."""

    def test_the_new_password_holds_and_the_old_one_does_not(self) -> None:
        alice = self.user("alice")
        self.assertEqual(reason(alice.ask("3", "alice", OTHER, PASSWORD)), "wrong-password")
        self.assertEqual(alice.ask("3", "alice", PASSWORD, OTHER), ["3", "OK"])
        self.assertEqual(reason(self.visitor().ask("1", "alice", PASSWORD)), "wrong-password")
        self.assertEqual(self.visitor().ask("1", "alice", OTHER), ["1", "OK"])

    def test_s24_other_connections_end_and_this_one_goes_on(self) -> None:
        alice = self.user("alice")
        phone = self.device("alice")
        alice.ask("3", "alice", PASSWORD, OTHER)
        self.assertEqual(phone.heard()[-1][:2], ["99", "wrong-password"])
        self.assertFalse(phone.wire.open)
        self.assertTrue(alice.wire.open)

    def test_the_vault_changes_with_the_password_or_not_at_all(self) -> None:
        alice = self.user("alice")
        alice.ask("11", "put", "0", "old")
        alice.ask("3", "alice", OTHER, PASSWORD, "evil")
        self.assertEqual(alice.ask("11", "get"), ["11", "OK", "1", "old"])
        alice.ask("3", "alice", PASSWORD, OTHER, "new")
        self.assertEqual(alice.ask("11", "get"), ["11", "OK", "2", "new"])

    def test_the_vault_is_put_only_over_the_version_that_was_seen(self) -> None:
        alice = self.user("alice")
        self.assertEqual(alice.ask("11", "get"), ["11", "OK", "0", ""])
        self.assertEqual(alice.ask("11", "put", "0", "one"), ["11", "OK", "1", ""])
        for version in (0, 2, (1 << 63) - 1):
            answer = alice.ask("11", "put", str(version), "two")
            self.assertEqual(reason(answer), "conflict", version)
        self.assertEqual(alice.ask("11", "get"), ["11", "OK", "1", "one"])


class DeleteTest(OfficeTest):
    """Code 14."""

    def test_everything_goes_but_the_name_stays_taken(self) -> None:
        alice, bob = self.friends()
        phone = self.device("alice")
        phone.ask("6", "alice", "KEY", device_of(phone), "BUNDLE")
        phone.ask("10", "upload", device_of(phone), '["one","two"]')
        phone.ask("11", "put", "0", "VAULT")
        bob.ask("0", "bob", "LETTER", "alice")
        self.assertEqual(reason(alice.ask("14", "alice", OTHER)), "wrong-password")
        receipt = '{"contacts":1,"devices":1,"keys":2,"messages":1}'
        self.assertEqual(alice.say("14", "alice", PASSWORD)[0], ["14", "OK", receipt])
        self.assertEqual(phone.heard()[-1][:2], ["99", "no-such-user"])
        for trace in ("'KEY'", "BUNDLE", "VAULT", "LETTER", "'one'"):
            self.assertNotIn(trace, self.dump())
        self.assertEqual(reason(self.visitor().ask("1", "alice", PASSWORD)), "wrong-password")
        self.assertEqual(reason(self.visitor().ask("2", "Alice", PASSWORD)), "name-taken")
        self.assertEqual(reason(bob.ask("0", "bob", "hi", "alice")), "not-a-contact")

    def test_what_was_sent_to_others_is_theirs(self) -> None:
        alice, bob = self.friends()
        bob.session.leave()
        alice.ask("0", "alice", "farewell", "bob")
        alice.say("14", "alice", PASSWORD)
        self.assertEqual(self.visitor().say("1", "bob", PASSWORD)[1], ["5", "farewell", "alice"])


class InviteTest(OfficeTest):
    """Registering where strangers can connect."""

    def setUp(self) -> None:
        super().setUp()
        config = Config(data=self.folder / "other", host="198.51.100.1", limits=OPEN)
        self.office = self.open(config)

    def invite(self, lasts: int = DAY_MS) -> str:
        """Make an invitation that is good for so many milliseconds."""
        token, now = new_invite(), now_ms()
        self.office.store.accounts.add_invite(hash_invite(token), now, now + lasts)
        return token

    def test_s23_nobody_gets_in_without_an_invitation(self) -> None:
        late = self.invite(lasts=-1)
        for more in ([], ["x" * 32], [late], [hash_invite(late)]):
            with self.subTest(more=more):
                answer = self.visitor().ask("2", "alice", PASSWORD, *more)
                self.assertEqual(reason(answer), "invite-needed")

    def test_s23_an_invitation_is_good_once_and_not_spent_on_a_taken_name(self) -> None:
        first, second = self.invite(), self.invite()
        self.assertEqual(self.visitor().ask("2", "alice", PASSWORD, first), ["2", "OK"])
        answer = self.visitor().ask("2", "alice", PASSWORD, second)
        self.assertEqual(reason(answer), "name-taken")
        self.assertEqual(self.visitor().ask("2", "bob", PASSWORD, second), ["2", "OK"])
        answer = self.visitor().ask("2", "carol", PASSWORD, second)
        self.assertEqual(reason(answer), "invite-needed")

    def test_s23_twenty_who_use_one_invitation_at_once_get_one_account(self) -> None:
        token, answers = self.invite(), list[str]()
        all_there, hash_login = threading.Barrier(20), self.office.hash_login

        def wait_and_hash(password: str) -> str:
            all_there.wait(patience(20))  # each has found the invitation good
            return hash_login(password)

        patch = mock.patch.object(self.office, "hash_login", wait_and_hash)
        patch.start()
        self.addCleanup(patch.stop)

        def register(number: int) -> None:
            answers.append(self.visitor().ask("2", f"user{number}", PASSWORD, token)[1])

        threads = [threading.Thread(target=register, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers.count("OK"), 1)

    def test_an_invitation_has_many_bits_and_only_its_hash_is_kept(self) -> None:
        token = self.invite()
        self.assertGreaterEqual(len(token) * 6, 128)
        self.assertNotIn(token, self.dump())


class RateTest(OfficeTest):
    """How often one may try."""

    limits = Limits(log_ins_account=Rate(3, 600), registrations_address=Rate(2, 3600))

    def test_guessing_is_slowed_down_but_a_known_device_gets_in(self) -> None:
        self.user("alice")
        phone = self.device("alice")
        reasons = [reason(self.visitor().ask("1", "alice", OTHER)) for _ in range(4)]
        self.assertEqual(reasons, ["wrong-password"] * 2 + ["rate-limited"] * 2)
        self.assertEqual(reason(self.visitor().ask("1", "alice", PASSWORD)), "rate-limited")
        self.device("alice", device_of(phone))

    def test_a_device_that_knows_the_password_may_come_and_go_as_it_likes(self) -> None:
        self.user("alice")
        phone = device_of(self.device("alice"))
        for _ in range(5):
            self.device("alice", phone)
        tries = [self.visitor().ask("1", "alice", OTHER, phone) for _ in range(4)]
        self.assertEqual(reason(tries[-1]), "rate-limited")

    def test_unknown_names_are_slowed_down_alike(self) -> None:
        reasons = [reason(self.visitor().ask("1", "nobody", OTHER)) for _ in range(4)]
        self.assertEqual(reasons, ["wrong-password"] * 3 + ["rate-limited"])

    def test_s23_an_address_makes_few_accounts_and_taken_names_do_not_count(self) -> None:
        self.user("alice")
        for _ in range(3):
            self.assertEqual(reason(self.visitor().ask("2", "alice", PASSWORD)), "name-taken")
        self.user("bob")
        answer = self.visitor("192.0.2.7:9").ask("2", "carol", PASSWORD)
        self.assertEqual(reason(answer), "rate-limited")
        self.assertEqual(self.visitor("192.0.2.8:9").ask("2", "carol", PASSWORD), ["2", "OK"])

    def again(self, ms: int = 0) -> None:
        """Restart the office in order, when the clock has gone on by so much."""
        self.office.clerk.stop()
        self.office.store.close()
        with mock.patch("bpost.server.ledger.now_ms", return_value=now_ms() + ms):
            self.office = self.open(Config(data=self.folder, limits=self.limits))

    def test_s21_a_restart_gives_no_new_tries(self) -> None:
        self.user("alice")
        for _ in range(3):
            self.visitor().ask("1", "alice", OTHER)
        self.user("bob")
        for _ in range(3):
            self.again()
            answer = self.visitor().ask("1", "alice", OTHER)
            self.assertEqual(reason(answer), "rate-limited")
            answer = self.visitor("192.0.2.7:9").ask("2", "carol", PASSWORD)
            self.assertEqual(reason(answer), "rate-limited")
        self.assertEqual(reason(self.visitor().ask("1", "bob", OTHER)), "wrong-password")

    def test_s21_time_goes_on_while_the_server_is_off(self) -> None:
        for _ in range(4):
            self.visitor().ask("1", "alice", OTHER)
        self.again(200_000)
        tries = [reason(self.visitor().ask("1", "alice", OTHER)) for _ in range(2)]
        self.assertEqual(tries, ["wrong-password", "rate-limited"])

    def test_s21_a_clock_that_was_put_back_takes_nothing_away(self) -> None:
        for _ in range(4):
            self.visitor().ask("1", "alice", OTHER)
        self.again(-(10**12))
        self.assertEqual(reason(self.visitor().ask("1", "alice", OTHER)), "rate-limited")

    def test_s21_full_buckets_leave_no_row_and_names_none_at_all(self) -> None:
        self.visitor().ask("1", "whoever", OTHER)
        self.office.clerk.round()
        rows = self.office.store.buckets.all()
        self.assertEqual({row[0] for row in rows}, {"log_ins_account", "log_ins_address"})
        self.assertNotIn("whoever", self.dump())
        self.assertNotIn("192.0.2.7", self.dump())
        for meter in self.office.rates.kept.values():
            meter._clock = lambda: 1e12
        self.office.clerk.round()
        self.assertEqual(self.office.store.buckets.all(), [])


if __name__ == "__main__":
    unittest.main()
