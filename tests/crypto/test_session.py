"""Sessions between devices: several at once, devices that come and go, and what gets stored."""

from __future__ import annotations

import unittest
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost.crypto import session
from bpost.crypto.account import DeviceEntry, DeviceList, sign_device_list
from bpost.crypto.message import parse_message
from bpost.crypto.ratchet import HEADER
from bpost.crypto.session import Sessions
from bpost.errors import SecurityError, UsageError
from bpost.limits import Limits
from tests.crypto.people import NOW, CryptoTest
from tests.crypto.simulated import SimulatedAccount, SimulatedDevice, pair, talking

LIMITS = Limits()


def ratchet_header(message: bytes) -> bytes:
    """Return the header of the ratchet in a message."""
    return parse_message(message, LIMITS).sealed[:HEADER]


def current(one: SimulatedDevice, other: SimulatedDevice) -> session.Session:
    """Return the session that ``one`` uses to write to ``other``."""
    sessions = one.sessions_with(other)
    assert sessions is not None
    assert sessions.current is not None
    return sessions.current


class ConversationTest(CryptoTest):
    def test_messages_carry_the_prekey_header_until_the_first_answer(self) -> None:
        alice, bob = pair()
        for number in range(3):
            message = alice.send(bob, b"%d" % number)
            header = session.peek(message)
            assert header is not None
            self.assertEqual(header.account_public, alice.local.account_public)
            self.assertEqual(bob.receive(alice, message), b"%d" % number)
        alice.receive(bob, bob.send(alice, b"answer"))
        self.assertIsNone(session.peek(alice.send(bob, b"from now on")))

    def test_opening_the_first_message_gives_all_that_is_to_be_stored(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        opened = bob.open(alice, first)
        header = session.peek(first)
        assert header is not None
        self.assertEqual(opened.plaintext, b"hello")
        self.assertEqual(opened.base_key, header.base_key)
        self.assertEqual(opened.signed_prekey, bob.signed.id)
        self.assertIn(opened.used_one_time, bob.prekeys)
        self.assertEqual(opened.device_list, alice.account.list.to_bytes())
        bob.store(alice, opened)
        later = bob.open(alice, alice.send(bob, b"again"))
        self.assertEqual((later.base_key, later.used_one_time, later.device_list), (None,) * 3)

    def test_a_stranger_shows_the_account_key_to_pin(self) -> None:
        alice, bob = pair()
        opened = bob.open(alice, alice.send(bob, b"hello"), pinned=False)
        self.assertEqual(opened.account_public, alice.local.account_public)

    def test_another_account_key_than_the_pinned_is_refused(self) -> None:
        alice, bob = talking()
        false = SimulatedAccount("alice", "false").device()
        for false_message in (false.send(bob, b"hello"), alice.send(bob, b"hello")):
            with self.refused("account-key-changed"):
                bob.open(false, false_message)

    def test_own_devices_write_to_each_other_but_not_to_themselves(self) -> None:
        account = SimulatedAccount("alice")
        phone, laptop = account.device(1), account.device(2)
        self.assertEqual(laptop.receive(phone, phone.send(laptop, b"copy")), b"copy")
        with self.assertRaises(UsageError):
            phone.start(phone)
        with self.refused("wrong-sender"):
            phone.open(phone, phone.send(laptop, b"reflected"))

    def test_a_reflected_message_is_refused(self) -> None:
        alice, bob = talking()
        messages = [alice.send(bob, b"mine"), pair()[0].send(bob, b"first")]
        before = alice.dump()
        for message in messages:
            with self.refused("bad-token", "account-key-changed", "device-changed", "bad-bundle"):
                alice.receive(bob, message)
        self.assertEqual(alice.dump(), before)

    def test_a_message_of_a_session_that_is_gone_is_refused(self) -> None:
        alice, bob = talking()
        del bob.sessions[alice.address]
        with self.refused("no-session"):
            bob.open(alice, alice.send(bob, b"lost"))

    def test_sessions_with_another_device_are_the_callers_mistake(self) -> None:
        account, bob = SimulatedAccount("alice"), pair()[1]
        phone, laptop = account.device(1), account.device(2)
        bob.receive(phone, phone.send(bob, b"hello"))
        with self.assertRaises(UsageError):
            bob.open(laptop, laptop.send(bob, b"hi"), sessions=bob.sessions_with(phone))

    def test_stored_sessions_are_read_back_the_same_or_refused(self) -> None:
        alice, bob = talking()
        alice.start(bob)
        stored = alice.sessions[bob.address]
        self.assertEqual(Sessions.from_bytes(stored).to_bytes(), stored)
        for damaged in (b"", stored[:-1], stored + b"\0", b"\0" + stored[1:], b"\2" + stored[1:]):
            with self.refused("bad-encoding", "older-version", "newer-version"):
                Sessions.from_bytes(damaged)

    def test_sessions_show_no_secret(self) -> None:
        alice, bob = talking()
        sessions = alice.sessions_with(bob)
        for secret in (current(alice, bob).associated, current(alice, bob).ratchet.root):
            self.assertNotIn(repr(secret), repr(sessions))

    def test_a_message_that_is_too_large_is_not_read(self) -> None:
        alice, bob = talking()
        with self.refused("too-large"):
            bob.open(alice, bytes(LIMITS.message + 1))
        with self.refused("bad-encoding"):
            bob.open(alice, b"\1\3" + bytes(100))


class DeviceListTest(CryptoTest):
    def test_a_list_that_is_no_news_is_not_given_back(self) -> None:
        alice, bob = pair()
        first, known = alice.send(bob, b"hello"), alice.account.list
        self.assertIsNone(bob.open(alice, first, known=known).device_list)
        older = sign_device_list(alice.account.key, replace(known.list, version=1))
        self.assertIsNotNone(bob.open(alice, first, known=older).device_list)

    def test_a_message_that_waited_while_devices_were_added_is_opened(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        alice.account.device(2)
        opened = bob.open(alice, first, known=alice.account.list)
        self.assertEqual((opened.plaintext, opened.device_list), (b"hello", None))

    def test_a_revoked_device_cannot_come_back_with_an_older_list(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        alice.account.revoke(alice)
        with self.refused("old-device-list"):
            bob.open(alice, first, known=alice.account.list)

    def test_a_device_must_be_on_the_list_with_its_key(self) -> None:
        for cause, entries in {
            "unknown-device": (),
            "device-changed": (DeviceEntry("alice_-device-01", bytes([9, *bytes(31)]), NOW),),
        }.items():
            alice, bob = pair()
            devices = sign_device_list(alice.account.key, DeviceList("alice", 9, entries))
            alice.local = replace(alice.local, device_list=devices.to_bytes())
            with self.subTest(cause), self.refused(cause):
                bob.open(alice, alice.send(bob, b"hello"))

    def test_a_second_list_of_the_same_version_is_refused(self) -> None:
        alice, bob = pair()
        twin = replace(alice.account.list.list, devices=())
        with self.refused("old-device-list"):
            bob.open(
                alice,
                alice.send(bob, b"hello"),
                known=sign_device_list(alice.account.key, twin),
            )

    def test_an_id_or_key_that_changed_hands_is_refused(self) -> None:
        alice, bob = talking()
        other = SimulatedAccount("alice").device()
        other.account.random = alice.random
        impostor = other.account.device(2)
        impostor.local = replace(impostor.local, device=alice.local.device)
        entry = DeviceEntry(alice.local.device, impostor.local.identity.public, NOW)
        devices = sign_device_list(alice.account.key, DeviceList("alice", 9, (entry,)))
        impostor.local = replace(impostor.local, device_list=devices.to_bytes())
        impostor.local = replace(impostor.local, account_public=alice.local.account_public)
        with self.refused("device-changed"):
            bob.open(alice, impostor.send(bob, b"hello"))

    def test_a_bundle_with_another_key_for_a_known_device_is_refused(self) -> None:
        alice, bob = talking()
        bundle, stranger = bob.bundle(), SimulatedAccount("bob", "other").device()
        entry = replace(bundle.device, identity=stranger.local.identity.public)
        with self.refused("device-changed"):
            alice.start(bob, replace(bundle, device=entry))
        with self.refused("account-key-changed"):
            alice.start(bob, stranger.bundle())


class TransactionTest(CryptoTest):
    """What a crash between two steps may leave behind."""

    def test_e25_a_repeat_is_shown_once_also_after_a_restart(self) -> None:
        alice, bob = talking()
        message = alice.send(bob, b"once")
        first, second = bob.open(alice, message), bob.open(alice, message)
        self.assertEqual(first.plaintext, second.plaintext)
        bob.store(alice, first)
        for _ in range(2):
            with self.refused("duplicate"):
                bob.receive(alice, message)
            bob.sessions[alice.address] = Sessions.from_bytes(
                bob.sessions[alice.address]
            ).to_bytes()

    def test_e27_what_is_stored_before_sending_repeats_no_key(self) -> None:
        alice, bob = talking()
        seen: dict[bytes, bytes] = {}
        for number in range(200):
            stored = alice.sessions_with(bob)
            assert stored is not None
            after, message = session.seal(stored, b"%d" % number, NOW)
            alice.sessions[bob.address] = after.to_bytes()
            self.assertNotIn(ratchet_header(message), seen)
            seen[ratchet_header(message)] = message
            if number % 7 == 0:
                bob.receive(alice, message)
                alice.receive(bob, bob.send(alice, b"turn"))
        self.assertEqual(len(seen), 200)

    def test_e28_until_it_is_stored_a_message_can_be_opened_again(self) -> None:
        alice, bob = pair()
        messages = [alice.send(bob, b"%d" % number) for number in range(20)]
        for number, message in enumerate(messages):
            before = bob.dump()
            crashed = bob.open(alice, message)
            self.assertEqual(bob.dump(), before)
            self.assertEqual(crashed.plaintext, b"%d" % number)
            self.assertEqual(bob.receive(alice, message), b"%d" % number)
            with self.refused("duplicate"):
                bob.receive(alice, message)

    def test_e20_a_message_that_does_not_open_changes_nothing(self) -> None:
        alice, bob = talking()
        message, before = alice.send(bob, b"hello"), bob.dump()
        for at in range(len(message)):
            altered = message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]
            with self.refused():
                bob.receive(alice, altered)
        self.assertEqual(bob.dump(), before)
        self.assertEqual(bob.receive(alice, message), b"hello")

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_e20_no_bytes_whatever_raise_anything_else(self, data: st.DataObject) -> None:
        alice, bob = SHARED
        message, before = data.draw(st.sampled_from(SHARED_MESSAGES)), bob.dump()
        at = data.draw(st.integers(0, len(message)))
        until = data.draw(st.integers(at, len(message)))
        altered = message[:at] + data.draw(st.binary(max_size=40)) + message[until:]
        try:
            opened = bob.open(alice, altered)
        except SecurityError:
            self.assertNotIn(altered, SHARED_MESSAGES)
        else:
            self.assertIn(altered, SHARED_MESSAGES)
            self.assertEqual(opened.plaintext, b"hello")
        self.assertEqual(bob.dump(), before)

    def test_e21_everything_before_the_ratchet_is_bound(self) -> None:
        alice, bob = talking()
        alice.start(bob)
        bob.receive(alice, alice.send(bob, b"begin"))
        message = alice.send(bob, b"still a first message to alice")
        header = session.peek(message)
        assert header is not None
        for changes in (
            {"device_list": b""},
            {"account_public": bytes(32)},
            {"signed_id": bytes(8)},
            {"one_time_id": None},
            {"kem_id": bytes(8)},
            {"kem_ciphertext": bytes(1088)},
            {"identity": header.base_key},
        ):
            outer = replace(header, **changes).outer()
            altered = outer + message[len(header.outer()) :]
            with self.subTest(changes.keys()), self.refused("bad-token"):
                bob.receive(alice, altered)
        self.assertEqual(bob.receive(alice, message)[:5], b"still")


SHARED = talking("shared")
SHARED[0].start(SHARED[1])
SHARED_MESSAGES = [SHARED[0].send(SHARED[1], b"hello") for _ in range(2)]


if __name__ == "__main__":
    unittest.main()
