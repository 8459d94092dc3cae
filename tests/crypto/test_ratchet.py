"""The Double Ratchet: one side after the other, in every order, under every attack."""

from __future__ import annotations

import random
import time
import unittest
from contextlib import suppress
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost.crypto import ratchet
from bpost.crypto.primitives import FIELD, X25519Private, check_x25519, open_sealed
from bpost.crypto.ratchet import HEADER, Header, Ratchet
from bpost.crypto.ratchet_state import Chain
from bpost.errors import SecurityError
from bpost.limits import Limits
from tests.crypto.people import NOW, CryptoTest, stream
from tests.vectors import wycheproof

AD = b"associated data of 64 bytes, that both sides hashed in the same way."
LIMITS = Limits()


class Side:
    """One end of a conversation, which stores the state that each step gives."""

    def __init__(self, state: Ratchet, seed: str) -> None:
        self.state = state
        self.random = stream(seed)
        self.now = NOW
        self.limits = LIMITS

    def send(self, text: bytes = b"text") -> bytes:
        self.state, sealed = ratchet.encrypt(self.state, text, AD, self.limits)
        return sealed

    def open(self, sealed: bytes, associated: bytes = AD) -> tuple[Ratchet, bytes]:
        return ratchet.decrypt(
            self.state, sealed, associated, self.now, limits=self.limits, random=self.random
        )

    def receive(self, sealed: bytes) -> bytes:
        self.state, text = self.open(sealed)
        self.state = Ratchet.from_bytes(self.state.to_bytes())
        return text


def sides(seed: str = "") -> tuple[Side, Side]:
    """Return the initiator and the responder of a fresh session."""
    chance = stream(seed)
    secret, signed = chance(32), X25519Private(chance(32))
    alice = ratchet.start_sending(secret, signed.public, chance)
    return Side(alice, seed + "a"), Side(ratchet.start_receiving(secret, signed), seed + "b")


def talking(seed: str = "") -> tuple[Side, Side]:
    """Return two sides that have each received something."""
    alice, bob = sides(seed)
    bob.receive(alice.send())
    alice.receive(bob.send())
    return alice, bob


def with_header(sealed: bytes, **changes: object) -> bytes:
    """Return ``sealed`` with parts of its header replaced."""
    header = Header.from_bytes(sealed[:HEADER])
    return replace(header, **changes).to_bytes() + sealed[HEADER:]  # type: ignore[arg-type]


def keys_of(state: Ratchet) -> set[bytes]:
    """Return every secret in a state."""
    chains = [chain.key for chain in (state.sending, state.receiving) if chain]
    return {state.root, state.own.raw, *chains, *(one.key for one in state.skipped)}


def broken_open(state: Ratchet, sealed: bytes) -> bytes | None:
    """Open a message as a thief would who keeps no rules: with each key, as whatever it may be."""
    header = Header.from_bytes(sealed[:HEADER])
    known = keys_of(state)
    agreed = [state.own.exchange(key) for key in {header.ratchet_key, state.theirs} if key]
    chains = [ratchet._kdf_rk(root, one)[1] for root in known for one in agreed]
    candidates = set(known)
    for first in (*chains, *(Chain(key) for key in known)):
        chain = first
        for _ in range(header.number + 3):
            key, chain = chain.step()
            candidates |= {key, chain.key}
    for candidate in candidates:
        token_key = ratchet._token_key(candidate, AD, header.to_bytes())
        with suppress(SecurityError):
            return open_sealed(token_key, sealed[HEADER:])
    return None


def low_order() -> list[bytes]:
    """Return the keys of Wycheproof with which every agreement is all zero."""
    cases = wycheproof("x25519")
    return [case["public"] for case in cases if "ZeroSharedSecret" in case["flags"]]


class RatchetTest(CryptoTest):
    def test_both_sides_read_what_the_other_wrote(self) -> None:
        alice, bob = sides()
        for number in range(10):
            self.assertEqual(bob.receive(alice.send(b"%d" % number)), b"%d" % number)
            self.assertEqual(alice.receive(bob.send(b"re %d" % number)), b"re %d" % number)

    def test_messages_that_overtake_each_other_are_all_read(self) -> None:
        alice, bob = talking()
        sent = [alice.send(b"%d" % number) for number in range(5)]
        alice.receive(bob.send())
        sent += [alice.send(b"%d" % number) for number in range(5, 10)]
        for number in (7, 9, 3, 0, 8, 1, 6, 5, 4, 2):
            self.assertEqual(bob.receive(sent[number]), b"%d" % number)

    def test_the_responder_cannot_send_before_it_has_received(self) -> None:
        _, bob = sides()
        with self.refused("no-session"):
            bob.send()

    def test_a_stored_state_is_read_back_the_same(self) -> None:
        alice, bob = talking()
        [alice.send() for _ in range(3)]
        bob.receive(alice.send())
        for side in (alice, bob):
            again = Ratchet.from_bytes(side.state.to_bytes())
            self.assertEqual(again.to_bytes(), side.state.to_bytes())

    def test_a_stored_state_that_is_damaged_is_refused(self) -> None:
        stored = talking()[0].state.to_bytes()
        for damaged in (b"", stored[:-1], stored + b"\0", b"\0" + stored[1:], b"\2" + stored[1:]):
            with self.refused("bad-encoding", "newer-version", "older-version"):
                Ratchet.from_bytes(damaged)

    def test_a_state_shows_no_secret(self) -> None:
        alice, _ = talking()
        shown = repr(alice.state)
        for chain in (alice.state.sending, alice.state.receiving):
            self.assertIsInstance(chain, Chain)
            self.assertNotIn(repr(chain.key if chain else b""), shown)
        self.assertNotIn(repr(alice.state.root), shown)
        self.assertNotIn(repr(alice.state.own.raw), shown)

    def test_a_stolen_state_opens_nothing_that_was_read_before(self) -> None:
        alice, bob = talking()
        used, sent = [], []
        for _ in range(5):
            chain = alice.state.sending
            assert chain is not None
            used += [chain.key, chain.step()[0]]
            sent.append(alice.send())
            bob.receive(sent[-1])
        for stolen in (alice.state, bob.state):
            self.assertFalse([key for key in used if key in stolen.to_bytes()])
        for sealed in sent:
            with self.refused("duplicate"):
                bob.open(sealed)
            for stolen in (alice.state, bob.state):
                self.assertIsNone(broken_open(stolen, sealed))

    def test_all_keys_of_a_moment_open_what_comes_next(self) -> None:
        alice, bob = talking()
        stolen, sealed = bob.state, alice.send(b"next")
        bob.receive(sealed)
        self.assertEqual(broken_open(stolen, sealed), b"next")

    def test_a_conversation_heals_after_one_round_trip_whoever_was_robbed(self) -> None:
        for robbed in (0, 1):
            with self.subTest(robbed):
                pair = talking()
                victim, friend = pair[robbed], pair[1 - robbed]
                if robbed == 0:  # it has turned last: something new must come in first
                    friend.receive(victim.send())
                thief = Side(victim.state, "thief")
                asked = friend.send(b"read along")
                self.assertEqual(thief.receive(asked), b"read along")
                victim.receive(asked)
                answer = victim.send(b"answer")
                friend.receive(answer)
                for sealed in (answer, friend.send(b"healed"), victim.send(b"healed, too")):
                    with self.refused("bad-token"):
                        thief.open(sealed)
                    self.assertIsNone(broken_open(thief.state, sealed))

    def test_e5_ratchet_keys_without_a_secret_are_refused(self) -> None:
        alice, bob = talking()
        before = bob.state.to_bytes()
        genuine = alice.send()
        keys = low_order()
        self.assertEqual(len(keys), 31)
        for key in keys:
            with self.subTest(key=key.hex()), self.refused("bad-key"):
                bob.open(key + genuine[32:])
        self.assertEqual(bob.state.to_bytes(), before)
        self.assertEqual(bob.receive(genuine), b"text")

    def test_e20_ten_thousand_altered_messages_change_nothing(self) -> None:
        chance = random.Random(20)  # noqa: S311
        alice, bob = talking()
        for turn in range(10):
            alice.send()
            genuine, before = alice.send(b"genuine"), bob.state.to_bytes()
            for _ in range(1000):
                altered = bytearray(genuine)
                for _ in range(chance.randint(1, 3)):
                    altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
                with self.assertRaises(SecurityError):
                    bob.state, _ = bob.open(bytes(altered) if altered != genuine else b"")
            self.assertEqual(bob.state.to_bytes(), before)
            self.assertEqual(bob.receive(genuine), b"genuine")
            alice.receive(bob.send(b"turn %d" % turn))

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 200))
    def test_e20_no_bytes_whatever_do_harm(self, new: bytes, start: int, end: int) -> None:
        alice, bob = talking()
        genuine, before = alice.send(), bob.state.to_bytes()
        altered = genuine[:start] + new + genuine[end:]
        if altered != genuine:
            with self.assertRaises(SecurityError):
                bob.open(altered)
        self.assertEqual(bob.state.to_bytes(), before)
        self.assertEqual(bob.receive(genuine), b"text")

    def test_e20_state_unchanged_on_failure(self) -> None:
        alice, bob = talking()
        genuine, before = alice.send(), bob.state
        stored = before.to_bytes()
        with self.refused("bad-token"):
            bob.receive(genuine[:-1] + bytes([genuine[-1] ^ 1]))
        self.assertIs(bob.state, before)
        self.assertEqual(before.to_bytes(), stored)
        self.assertEqual(bob.receive(genuine), b"text")

    def test_e21_every_part_of_header_and_associated_data_is_bound(self) -> None:
        alice, bob = talking()
        bob.receive(alice.send())
        sealed = [alice.send() for _ in range(2)][1]
        bob.receive(alice.send())
        with self.refused("bad-token"):
            bob.open(with_header(sealed, previous=2))
        with self.refused("bad-token"):
            bob.open(with_header(sealed, number=1))
        for associated in (b"", AD[:-1], AD + b"\0", bytes([AD[0] ^ 1]) + AD[1:]):
            with self.refused("bad-token"):
                bob.open(sealed, associated)
        self.assertEqual(bob.receive(sealed), b"text")

    def test_e22_too_great_jumps_are_refused_before_anything_is_computed(self) -> None:
        alice, bob = talking()
        same, before = alice.send(), bob.state.to_bytes()
        theirs = Header.from_bytes(same[:HEADER]).ratchet_key
        fresh = X25519Private(stream("fresh")(32)).public
        bob.receive(same)
        before = bob.state.to_bytes()
        jumps = [(key, 0, 1 + LIMITS.skip + 1) for key in (theirs, fresh)]
        jumps += [(fresh, 1 + LIMITS.skip + 1, 0), (fresh, 2**31, 0), (theirs, 0, 2**31 - 1)]
        jumps += [(theirs, 2**32 - 1, 2**32 - 1), (fresh, 2**32 - 1, 2**32 - 1)]
        for key, previous, number in jumps:
            sealed = with_header(same, ratchet_key=key, previous=previous, number=number)
            with self.subTest(previous=previous, number=number):
                best = min(self._timed_refusal(bob, sealed) for _ in range(20))
                self.assertLess(best, 0.001)
        self.assertEqual(bob.state.to_bytes(), before)

    def _timed_refusal(self, side: Side, sealed: bytes) -> float:
        began = time.perf_counter()
        with self.refused("skipped-too-far", "out-of-keys"):
            side.open(sealed)
        return time.perf_counter() - began

    def test_e22_the_greatest_allowed_jump_is_taken(self) -> None:
        alice, bob = talking()
        [alice.send() for _ in range(LIMITS.skip)]
        self.assertEqual(bob.receive(alice.send()), b"text")
        self.assertEqual(len(bob.state.skipped), LIMITS.skip)

    def test_e23_stored_keys_stay_under_their_limit_and_the_newest_are_kept(self) -> None:
        alice, bob = talking()
        sent = []
        for _ in range(5):
            sent += [alice.send(b"%d" % number) for number in range(LIMITS.skip)]
            bob.receive(alice.send())
            alice.receive(bob.send())
            self.assertLessEqual(len(bob.state.skipped), LIMITS.skipped_stored)
        self.assertLess(len(bob.state.to_bytes()), 100 * LIMITS.skipped_stored)
        self.assertEqual(bob.receive(sent[-LIMITS.skipped_stored]), b"0")
        with self.refused("duplicate"):
            bob.open(sent[-LIMITS.skipped_stored - 1])

    def test_e23_stored_keys_expire(self) -> None:
        alice, bob = talking()
        early, late = alice.send(), alice.send()
        bob.receive(late)
        bob.now += int(LIMITS.skipped_key_seconds * 1000)
        self.assertEqual(bob.open(early)[1], b"text")
        bob.now += 1
        with self.refused("duplicate"):
            bob.open(early)
        bob.receive(alice.send())
        self.assertEqual(bob.state.skipped, ())

    def test_e24_a_count_of_messages_that_were_never_sent_stores_no_keys(self) -> None:
        alice, bob = sides()
        first = alice.send()
        with self.refused("skipped-too-far"):
            bob.open(with_header(first, previous=1))
        bob.receive(first)
        received = bob.state.receiving
        alice.receive(bob.send())
        with self.refused("skipped-too-far"):
            bob.open(with_header(alice.send(), previous=1 + LIMITS.skip + 1))
        self.assertEqual((bob.state.receiving, bob.state.skipped), (received, ()))

    def test_e25_a_repeat_is_called_a_duplicate(self) -> None:
        alice, bob = talking()
        sent = [alice.send() for _ in range(3)]
        for number in (2, 0, 1):
            bob.receive(sent[number])
        for _ in range(3):
            alice.receive(bob.send())
            bob.receive(alice.send())
        before = bob.state.to_bytes()
        for sealed in sent:
            with self.refused("duplicate"):
                bob.open(sealed)
        self.assertEqual(bob.state.to_bytes(), before)

    def test_e26_a_ratchet_key_has_one_spelling(self) -> None:
        alice, bob = talking()
        genuine, before = alice.send(), bob.state.to_bytes()
        top_bit = genuine[:31] + bytes([genuine[31] | 0x80]) + genuine[32:]
        others = [(FIELD + offset).to_bytes(32, "little") + genuine[32:] for offset in range(2, 19)]
        for respelled in (top_bit, *others):
            with self.refused("bad-key"):
                bob.receive(respelled)
        self.assertEqual(bob.state.to_bytes(), before)
        check_x25519(genuine[:32])

    def test_e35_a_chain_ends_before_its_counter_does(self) -> None:
        alice, bob = talking()
        chain = alice.state.sending
        assert chain is not None
        alice.state = replace(alice.state, sending=Chain(chain.key, LIMITS.counter - 1))
        last = alice.send()
        with self.refused("out-of-keys"):
            alice.send()
        with self.refused("skipped-too-far"):
            bob.open(last)
        with self.refused("out-of-keys"):
            bob.open(with_header(last, number=LIMITS.counter))


class ScheduleTest(CryptoTest):
    """Random schedules: who sends, what is lost, what overtakes."""

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
    def test_whatever_arrives_in_whatever_order_is_read_once(
        self, steps: list[tuple[bool, int]]
    ) -> None:
        alice, bob = talking()
        waiting: dict[Side, list[tuple[bytes, bytes]]] = {alice: [], bob: []}
        for number, (from_alice, choice) in enumerate(steps):
            one, other = (alice, bob) if from_alice else (bob, alice)
            if choice < 5:
                text = b"%d" % number
                waiting[other].append((text, one.send(text)))
            elif waiting[one]:
                text, sealed = waiting[one].pop(choice % len(waiting[one]))
                if choice < 9:
                    self.assertEqual(one.receive(sealed), text)
                    with self.refused("duplicate"):
                        one.open(sealed)
        for side in (alice, bob):
            for text, sealed in waiting[side]:
                self.assertEqual(side.receive(sealed), text)


if __name__ == "__main__":
    unittest.main()
