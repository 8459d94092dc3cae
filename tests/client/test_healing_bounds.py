"""What healing costs at most, and what it must not do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from bpost.client.causes import RULES, Action
from bpost.client.models import Errand, Frame, Inquiry, Want
from bpost.crypto.message import parse_message
from bpost.crypto.session import Sessions
from bpost.errors import SecurityError
from bpost.protocol.content import RETRY
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.payload import direct_conversation
from bpost.protocol.requests import GetBundles, Send
from tests.client.simulated import LIMITS, SimulatedDevice, altered
from tests.client.test_healing import HealingCase, requests_made


class BoundsTest(HealingCase):
    """Nobody can make this program begin sessions, or tell old messages, without end."""

    lasts = 13

    def test_e32_a_thousand_unreadable_frames_begin_one_session(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        (sent,) = bob.pending()
        asked = _bundle_requests(self)
        for number in range(1000):
            at = 200 + number
            other = "A" if sent.body[at] != "A" else "B"
            bob.take([altered(sent, sent.body[:at] + other + sent.body[at + 1 :])])
            if number % 100 == 0:
                self.settle(bob, alice, rounds=1)
        self.settle(bob, alice)
        self.assertEqual(_bundle_requests(self) - asked, 1)
        self.assertLess(requests_made(self, bob), 20)

    def test_e32_a_device_that_never_answers_is_asked_once_an_hour(self) -> None:
        alice, bob = self.pair()
        for _ in range(5):
            alice.write("bob", "words")
            bob.take([self.broken(*bob.pending())])
            bob.seconds += 5
            bob.work()
        self.assertEqual(requests_made(self, bob), 1)

    def test_e32_after_an_answer_more_may_be_asked_for_at_once(self) -> None:
        alice, bob = self.pair()
        for text in "abc":
            alice.write("bob", text)
            bob.take([self.broken(*bob.pending())])
            self.settle(bob, alice, rounds=3)
        self.assertEqual(bob.shown("alice")[-3:], ["a", "b", "c"])

    def test_e32_nothing_is_sent_again_to_a_device_that_it_was_not_for(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "secret")
        number = _last_number(alice, "bob")
        second = self.device("bob", of=bob)
        self.settle(alice, bob, second)
        content: dict[str, Any] = {"numbers": [number], "frames": [], "after": 0}
        with second.profile.change():
            second.parts.errands.send("alice", alice.device, "alice", RETRY, content)
        second.seconds += 3
        second.work()
        alice.fetch()
        types = [row.type for row in alice.store.all(Errand)]
        self.assertEqual(types, ["lost"])
        self.settle(alice, second)
        self.assertNotIn("secret", second.shown("alice"))
        self.assertEqual(alice.history("bob")[-1].status, "delivered")

    def test_e32_who_is_no_contact_or_not_listed_gets_no_answer(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "a")
        bob.pending()
        alice.write("bob", "b")
        bob.fetch()
        with alice.profile.change():
            alice.parts.people.set_listed("bob", False)
        bob.seconds += 3
        bob.work()
        alice.fetch()
        self.assertEqual(alice.store.count(Errand), 0)

    def test_e32_a_stranger_is_asked_for_nothing(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.server.account("alice").contacts.append("bob")
        alice.connect()
        alice.write("bob", "may I?")
        bob.take([self.broken(*bob.pending())])
        self.settle(bob)
        self.assertEqual([who for who, _ in self.server.sent], ["alice"])

    def test_a_message_is_sent_again_three_times_at_most(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        number = _last_number(alice, "bob")
        content: dict[str, Any] = {"numbers": [number], "frames": [], "after": 0}
        for _ in range(5):
            with bob.profile.change():
                bob.parts.errands.send("alice", alice.device, "alice", RETRY, content)
            self.settle(bob, alice, rounds=1)
        self.assertEqual(alice.history("bob")[-1].text, "words")
        self.assertIn("did not get this message", alice.history("bob")[-1].failure)

    def test_what_was_not_asked_for_is_not_shown_a_second_time(self) -> None:
        alice, bob = self.pair()
        before = bob.shown("alice")
        content: dict[str, Any] = {"numbers": [1], "frames": [], "after": 0}
        with bob.profile.change():
            bob.parts.errands.send("alice", alice.device, "alice", RETRY, content)
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice"), before)

    def test_e33_an_answer_turns_the_ratchet_of_a_conversation_in_one_direction(self) -> None:
        alice, bob = self.pair()
        chains = set()
        for number in range(5 * LIMITS.one_sided):
            alice.write("bob", str(number))
            message = parse_message(_sealed_for(self.server.sent[-1][1], bob), LIMITS)
            chains.add(message.sealed[:32])
            bob.fetch()
            bob.work()
            alice.fetch()
        self.assertGreaterEqual(len(chains), 4)
        self.assertNotIn("[notice]", alice.shown("bob"))
        self.assertEqual(len(bob.history("alice")), 2 + 5 * LIMITS.one_sided)

    def test_e34_a_clone_that_goes_on_with_an_old_session_is_refused(self) -> None:
        alice, bob = self.pair()
        old = self._sessions(alice, bob)
        for _ in range(LIMITS.sessions_per_device + 1):
            with alice.profile.change():
                alice.parts.devices.retire("bob", bob.device)
            alice.connect()
            alice.write("bob", "on a new session")
            bob.fetch()
            bob.write("alice", "answer")
            alice.fetch()
        with alice.profile.change():
            alice.parts.devices.put_sessions(old.account_public, old)
        alice.write("bob", "on the old one")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "[unreadable]")

    def test_e35_a_chain_at_its_end_makes_way_for_a_new_session(self) -> None:
        alice, bob = self.pair()
        before = self._sessions(alice, bob)
        current = before.current
        assert current is not None and current.ratchet.sending is not None  # noqa: PT018
        sending = replace(current.ratchet.sending, number=LIMITS.counter)
        worn = replace(current, ratchet=replace(current.ratchet, sending=sending))
        with alice.profile.change():
            after = before.put_first(worn, LIMITS)
            alice.parts.devices.put_sessions(after.account_public, after)
        alice.connect()
        alice.write("bob", "goes on")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "goes on")

    def _sessions(self, of: SimulatedDevice, to: SimulatedDevice) -> Sessions:
        with of.store.reading():
            return of.parts.devices.reachable(to.name)[to.device]


class RulesTest(HealingCase):
    """The closed list."""

    def test_every_cause_of_a_delivery_has_one_rule(self) -> None:
        never = {"bundle-expired", "weak-parameters", "vault-missing", "bad-vault", "restored"}
        never |= {"untrusted-certificate", "pin-mismatch", "plaintext-server", "exposed-file"}
        self.assertEqual(set(RULES), SecurityError.CAUSES - never)
        for cause, rule in RULES.items():
            with self.subTest(cause):
                self.assertEqual(rule.asks, rule.deadline > 0)
                silent = rule.action in (Action.SKIP, Action.WARN)
                self.assertEqual(bool(rule.text), not silent)

    def test_the_tables_are_made_in_a_profile_of_before(self) -> None:
        alice, bob = self.pair()
        with alice.store.transaction():
            for table in (Want, Inquiry, Errand):
                cast(Any, alice.store)._database.execute_sql(f"DROP TABLE {table._meta.table_name}")
        alice.store.close()
        alice.open()
        alice.write("bob", "still here")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "still here")
        self.assertEqual(alice.store.count(Frame), 0)


def _bundle_requests(case: HealingCase) -> int:
    return sum(isinstance(one, GetBundles) for _, one in case.server.requests)


def _last_number(device: SimulatedDevice, to: str) -> int:
    with device.store.reading():
        number, _ = device.parts.outbox.chains.next(direct_conversation(device.name, to))
    return number - 1


def _sealed_for(sent: Send, to: SimulatedDevice) -> bytes:
    return parse_envelope(sent.body, LIMITS).to[to.device]
