"""Several sessions between two devices: which one is used, which are kept, and how they end."""

from __future__ import annotations

import unittest
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost.crypto import session
from bpost.crypto.ratchet_state import Chain
from bpost.crypto.session import Sessions
from tests.crypto.people import DAY, NOW, CryptoTest
from tests.crypto.simulated import SimulatedDevice, pair, talking
from tests.crypto.test_session import LIMITS, current, ratchet_header


class SeveralSessionsTest(CryptoTest):
    def test_a_new_session_is_used_at_once_and_the_old_one_still_receives(self) -> None:
        alice, bob = talking()
        late = bob.send(alice, b"late")
        old = current(alice, bob).base_key
        alice.start(bob)
        self.assertNotEqual(current(alice, bob).base_key, old)
        self.assertEqual(bob.receive(alice, alice.send(bob, b"new")), b"new")
        self.assertEqual(alice.receive(bob, late), b"late")
        self.assertEqual(current(alice, bob).base_key, old)

    def test_a_retired_session_only_receives(self) -> None:
        alice, bob = talking()
        sessions = alice.sessions_with(bob)
        assert sessions is not None
        retired = session.retire(sessions)
        self.assertTrue(retired.needs_new_session(NOW))
        with self.refused("no-session"):
            session.seal(retired, b"not on this one", NOW)
        alice.sessions[bob.address] = retired.to_bytes()
        self.assertEqual(alice.receive(bob, bob.send(alice, b"still read")), b"still read")
        self.assertEqual(bob.receive(alice, alice.send(bob, b"on a new one")), b"on a new one")
        alice.receive(bob, bob.send(alice, b"moved along"))
        self.assertEqual(current(alice, bob).base_key, current(bob, alice).base_key)

    def test_e34_old_sessions_drop_out(self) -> None:
        alice, bob = talking()
        oldest = alice.sessions_with(bob)
        assert oldest is not None
        on_oldest = session.seal(oldest, b"from a cloned profile", NOW)[1]
        for _ in range(LIMITS.sessions_per_device):
            alice.start(bob)
            first = alice.send(bob, b"hello again")
            bob.receive(alice, first)
        kept = bob.sessions_with(alice)
        assert kept is not None
        self.assertEqual(len(kept.sessions), LIMITS.sessions_per_device)
        with self.refused("no-session"):
            bob.open(alice, on_oldest)

    def test_a_first_message_of_a_session_that_dropped_out_is_a_replay(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        bob.receive(alice, first)
        for _ in range(LIMITS.sessions_per_device):
            alice.start(bob)
            bob.receive(alice, alice.send(bob, b"hello again"))
        with self.refused("replayed"):
            bob.receive(alice, first)

    def test_e16_a_session_without_an_answer_for_30_days_is_stale(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        sessions = alice.sessions_with(bob)
        assert sessions is not None
        end = NOW + 30 * DAY
        self.assertFalse(sessions.needs_new_session(end - 1))
        self.assertTrue(sessions.needs_new_session(end))
        with self.refused("no-session"):
            session.seal(sessions, b"too late", end)
        alice.now = bob.now = end
        second = alice.send(bob, b"anew")
        self.assertNotEqual(session.peek(first), session.peek(second))
        self.assertEqual([bob.receive(alice, one) for one in (first, second)], [b"hello", b"anew"])

    def test_e16_a_session_that_was_answered_does_not_become_stale(self) -> None:
        alice, bob = talking()
        for one, other in ((alice, bob), (bob, alice)):
            sessions = one.sessions_with(other)
            assert sessions is not None
            self.assertFalse(sessions.needs_new_session(NOW + 300 * DAY))

    def test_e17_other_versions_are_refused(self) -> None:
        alice, bob = talking()
        message, before = alice.send(bob, b"hello"), bob.dump()
        for version, cause in ((0, "older-version"), (2, "newer-version"), (255, "newer-version")):
            with self.refused(cause):
                bob.receive(alice, bytes([version]) + message[1:])
        self.assertEqual(bob.dump(), before)

    def test_e17_a_device_does_not_go_back_to_an_older_version(self) -> None:
        alice, bob = talking()
        message = alice.send(bob, b"hello")
        sessions = bob.sessions_with(alice)
        assert sessions is not None
        newer = Sessions.from_bytes(replace(sessions, version=2).to_bytes())
        self.assertEqual(newer.version, 2)
        with self.refused("older-version"):
            bob.open(alice, message, sessions=newer)
        bob.sessions[alice.address] = newer.to_bytes()
        with self.refused("older-version"):
            bob.start(alice)

    def test_e33_a_one_sided_chat_asks_for_an_answer_which_turns_the_ratchet(self) -> None:
        alice, bob = talking()
        keys, answers = set(), 0
        for _ in range(500):
            message = alice.send(bob, b"and another thing")
            keys.add(ratchet_header(message)[:32])
            bob.receive(alice, message)
            sessions = bob.sessions_with(alice)
            assert sessions is not None
            if sessions.answer_due():
                answers += 1
                self.assertEqual(sessions.unanswered, LIMITS.one_sided)
                self.assertEqual(alice.receive(bob, bob.send(alice, b"")), b"")
        self.assertEqual((answers, len(keys)), (10, 10))

    def test_e35_a_session_at_the_end_of_its_counter_needs_a_new_one(self) -> None:
        alice, bob = talking()
        sessions = alice.sessions_with(bob)
        assert sessions is not None
        one = sessions.sessions[0]
        state = replace(one.ratchet, sending=Chain(bytes(32), LIMITS.counter))
        used_up = replace(sessions, sessions=(replace(one, ratchet=state),))
        self.assertTrue(used_up.needs_new_session(NOW))
        with self.refused("out-of-keys"):
            session.seal(used_up, b"one too many", NOW)
        alice.sessions[bob.address] = used_up.to_bytes()
        self.assertEqual(bob.receive(alice, alice.send(bob, b"anew")), b"anew")

    def test_tidying_drops_what_is_old_and_what_is_too_much(self) -> None:
        alice, bob = talking()
        for count in (3, 4):
            for _ in range(count):
                alice.send(bob, b"lost")
            bob.receive(alice, alice.send(bob, b"arrives"))
            alice.start(bob)
        sessions = bob.sessions_with(alice)
        assert sessions is not None
        self.assertEqual(sessions.skipped_keys, 7)
        for most, kept in ((None, 7), (7, 7), (5, 5), (0, 0)):
            self.assertEqual(session.tidy(sessions, NOW, most=most).skipped_keys, kept)
        self.assertEqual(session.tidy(sessions, NOW + 31 * DAY).skipped_keys, 0)


Wire = dict[SimulatedDevice, list[tuple[bytes, bytes]]]


class SimultaneousTest(CryptoTest):
    """Both sides begin before either has heard of the other."""

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 11), st.integers(0, 99)), max_size=30))
    def test_e18_simultaneous_first_messages_lose_nothing(
        self, steps: list[tuple[bool, int, int]]
    ) -> None:
        alice, bob = pair("e18")
        others = {alice: bob, bob: alice}
        waiting: Wire = {alice: [], bob: []}
        self.shown: set[bytes] = set()
        for one, other in others.items():
            text = one.local.username.encode()
            waiting[other].append((text, one.send(other, text)))
        for number, (is_alice, action, choice) in enumerate(steps):
            one = alice if is_alice else bob
            if action < 4:
                text = b"%d" % number
                waiting[others[one]].append((text, one.send(others[one], text)))
            elif waiting[one]:
                self.step(one, others[one], waiting[one], action, choice)
        for one, other in others.items():
            for text, message in waiting[one]:
                self.show(one, other, text, message)
        self.assert_one_session(alice, bob)

    def step(
        self,
        one: SimulatedDevice,
        other: SimulatedDevice,
        waiting: list[tuple[bytes, bytes]],
        action: int,
        choice: int,
    ) -> None:
        """Lose, repeat or deliver one of the messages that wait for a device."""
        text, message = waiting[choice % len(waiting)]
        if action != 5:
            waiting.remove((text, message))
        if action != 4:
            self.show(one, other, text, message)

    def show(
        self, one: SimulatedDevice, other: SimulatedDevice, text: bytes, message: bytes
    ) -> None:
        """Open a message, which is a duplicate when it was opened before."""
        if text in self.shown:
            with self.refused("duplicate"):
                one.receive(other, message)
        else:
            self.assertEqual(one.receive(other, message), text)
            self.shown.add(text)

    def assert_one_session(self, alice: SimulatedDevice, bob: SimulatedDevice) -> None:
        """Demand that two round trips bring both to the same session."""
        for _ in range(2):
            bob.receive(alice, alice.send(bob, b"round"))
            alice.receive(bob, bob.send(alice, b"trip"))
        self.assertEqual(current(alice, bob).base_key, current(bob, alice).base_key)
        self.assertEqual(current(alice, bob).greeting, b"")


if __name__ == "__main__":
    unittest.main()
