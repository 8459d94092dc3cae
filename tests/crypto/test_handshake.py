"""PQXDH: what both sides agree on, and what makes them disagree."""

from __future__ import annotations

import unittest
from dataclasses import replace

from bpost import b64
from bpost.crypto import handshake
from bpost.crypto.account import DeviceEntry, sign_device_list
from bpost.crypto.codec import Reader, Writer
from bpost.crypto.handshake import Address, LocalDevice, initiate, respond
from bpost.crypto.message import PrekeyHeader, parse_message, write_message
from bpost.crypto.prekeys import Prekey, PrekeyKind, VerifiedBundle, make_prekey
from bpost.crypto.primitives import KEM_CIPHERTEXT
from bpost.errors import SecurityError
from bpost.limits import Limits
from tests.crypto.people import NOW, CryptoTest, one_bit_off
from tests.crypto.points import other_spellings
from tests.crypto.simulated import SimulatedAccount, SimulatedDevice, pair
from tests.crypto.test_ratchet import low_order


def with_header(message: bytes, **changes: object) -> bytes:
    """Return a prekey message with parts of its header replaced."""
    parsed = parse_message(message, Limits())
    assert parsed.prekey is not None
    header = replace(parsed.prekey, **changes)  # type: ignore[arg-type]
    return write_message(header.outer(), parsed.sealed)


def header_of(message: bytes) -> PrekeyHeader:
    """Return the header of a prekey message."""
    header = parse_message(message, Limits()).prekey
    assert header is not None
    return header


def with_key(prekey: Prekey | None, key: bytes) -> Prekey:
    """Return a prekey with another key under the same signature."""
    assert prekey is not None
    return replace(prekey, key=key)


def spellings_in(bundle: VerifiedBundle) -> dict[str, VerifiedBundle]:
    """Return bundles in which one key is spelled otherwise, which changes no agreement."""
    once = bundle.one_time
    assert once is not None
    entry = replace(bundle.device, identity=other_spellings(bundle.device.identity)[0])
    signed = with_key(bundle.signed, other_spellings(bundle.signed.key)[0])
    return {
        "identity": replace(bundle, device=entry),
        "signed": replace(bundle, signed=signed),
        "one-time": replace(bundle, one_time=with_key(once, other_spellings(once.key)[0])),
    }


class AgreementTest(CryptoTest):
    def test_both_sides_derive_the_same(self) -> None:
        for one_time in (0, 1):
            alice, bob = SimulatedAccount("alice").device(), SimulatedAccount("bob").device(1, 0)
            bundle = bob.bundle() if not one_time else with_one_time(bob)
            mine, header = initiate(alice.local, bundle, alice.random)
            theirs, signed = respond(bob.local, alice.address, header, bob.prekeys.get)
            self.assertEqual(mine, theirs)
            self.assertEqual(signed.public, bob.signed.key)
            self.assertEqual(header.one_time_id is not None, bool(one_time))

    def test_usernames_count_without_their_case(self) -> None:
        alice, bob = pair()
        mine, header = initiate(alice.local, bob.bundle(), alice.random)
        shouted = Address("ALICE", alice.local.device)
        self.assertEqual(mine, respond(bob.local, shouted, header, bob.prekeys.get)[0])

    def test_an_agreement_shows_no_secret(self) -> None:
        alice, bob = pair()
        agreement, _ = initiate(alice.local, bob.bundle(), alice.random)
        self.assertNotIn(repr(agreement.secret), repr(agreement))
        self.assertNotIn(repr(alice.local.identity.raw), repr(alice.local))

    def test_e3_every_name_and_account_key_is_bound(self) -> None:
        alice, bob = pair()
        mine, header = initiate(alice.local, bob.bundle(), alice.random)
        other = bytes(32)
        places: list[tuple[LocalDevice, Address, PrekeyHeader]] = [
            (bob.local, Address("alicia", alice.local.device), header),
            (bob.local, Address("alice", "another-device-1"), header),
            (bob.local, alice.address, replace(header, account_public=other)),
            (replace(bob.local, username="bobby"), alice.address, header),
            (replace(bob.local, device="another-device-1"), alice.address, header),
            (replace(bob.local, account_public=other), alice.address, header),
        ]
        for number, (local, remote, altered) in enumerate(places):
            with self.subTest(number):
                self.assert_apart(mine, respond(local, remote, altered, bob.prekeys.get)[0])

    def test_e3_every_spelling_of_a_key_is_bound(self) -> None:
        alice, bob = pair()
        bundle = bob.bundle()
        for name, altered in spellings_in(bundle).items():
            with self.subTest(name):
                mine, header = initiate(alice.local, altered, alice.random)
                self.assert_apart(mine, self.respond(alice, bob, header))
        mine, header = initiate(alice.local, bundle, alice.random)
        self.assertEqual(mine, self.respond(alice, bob, header))
        for name in ("identity", "base_key"):
            with self.subTest(name):
                spelling = other_spellings(getattr(header, name))[0]
                altered_header = replace(header, **{name: spelling})
                self.assert_apart(mine, self.respond(alice, bob, altered_header))

    def test_e3_the_kem_key_and_its_ciphertext_are_bound(self) -> None:
        alice, bob = pair()
        _, header = initiate(alice.local, bob.bundle(), alice.random)
        side = handshake._side(alice.local)
        used = handshake._Used(b"signed", None, b"kem")
        found = {
            handshake._associated_data(side, side, header, used),
            handshake._associated_data(side, side, header, replace(used, kem=b"other")),
            handshake._associated_data(side, side, header, replace(used, one_time=b"once")),
            handshake._associated_data(
                side, side, replace(header, kem_ciphertext=bytes(KEM_CIPHERTEXT)), used
            ),
        }
        self.assertEqual(len(found), 4)

    def respond(
        self, alice: SimulatedDevice, bob: SimulatedDevice, header: PrekeyHeader
    ) -> handshake.Agreement:
        return respond(bob.local, alice.address, header, bob.prekeys.get)[0]

    def assert_apart(self, mine: handshake.Agreement, theirs: handshake.Agreement) -> None:
        self.assertNotEqual(mine.secret, theirs.secret)
        self.assertNotEqual(mine.associated, theirs.associated)

    def test_e5_keys_of_a_bundle_without_a_secret_are_refused(self) -> None:
        alice, bob = pair()
        bundle = bob.bundle()
        for key in low_order():
            entry = replace(bundle.device, identity=key)
            for name, altered in {
                "identity": replace(bundle, device=entry),
                "signed": replace(bundle, signed=with_key(bundle.signed, key)),
                "one-time": replace(bundle, one_time=with_key(bundle.one_time, key)),
            }.items():
                with self.subTest(name, key=key.hex()), self.refused("bad-key"):
                    alice.start(bob, altered)
        self.assertEqual(alice.sessions, {})

    def test_e5_keys_of_a_first_message_without_a_secret_are_refused(self) -> None:
        alice, bob = pair()
        first, before = alice.send(bob, b"hello"), bob.dump()
        for key in low_order():
            with self.subTest("base key", key=key.hex()), self.refused("bad-key"):
                bob.receive(alice, with_header(first, base_key=key))
            header = replace(header_of(first), identity=key)
            with self.subTest("identity", key=key.hex()), self.refused("bad-key"):
                respond(bob.local, alice.address, header, bob.prekeys.get)
        self.assertEqual(bob.dump(), before)
        self.assertEqual(bob.receive(alice, first), b"hello")

    def test_e19_every_device_gets_an_ephemeral_key_of_its_own(self) -> None:
        alice, account = SimulatedAccount("alice").device(), SimulatedAccount("bob")
        devices = [account.device(number, one_time=0) for number in range(20)]
        first = [header_of(alice.send(device, b"hello")).base_key for device in devices]
        again = [alice.start(devices[0]).sessions[0].base_key for _ in range(3)]
        self.assertEqual(len({*first, *again}), 23)


def with_one_time(device: SimulatedDevice) -> VerifiedBundle:
    """Return a bundle with a one-time key of a device that had none."""
    where = (device.account.key, device.local.username, device.local.device)
    secret, public = make_prekey(PrekeyKind.ONE_TIME, *where, now=NOW, random=device.random)
    device.prekeys[secret.id] = secret
    return device.open_bundle(device.bundle_text(), public.text())


class BundleTest(CryptoTest):
    def test_e1_no_session_comes_of_a_bundle_with_one_bit_flipped(self) -> None:
        alice, bob = pair()
        once = bob.one_time[0].text()
        for number, altered in enumerate(one_bit_off(b64.decode(bob.bundle_text()))):
            with self.subTest(byte=number), self.refused():
                alice.start(bob, bob.open_bundle(b64.encode(altered), once))
        for number, altered in enumerate(one_bit_off(b64.decode(once))):
            with self.subTest(one_time_byte=number), self.refused():
                alice.start(bob, bob.open_bundle(bob.bundle_text(), b64.encode(altered)))
        self.assertEqual(alice.sessions, {})

    def test_e7_a_bundle_without_its_kem_part_is_refused(self) -> None:
        alice, bob = pair()
        reader = Reader(b64.decode(bob.bundle_text()), "bundle")
        start = Writer().number(reader.number(1), 1).blob(reader.blob(9999))
        start.fixed(reader.fixed(16), 16).blob(reader.blob(9999))
        without = start.done()
        kem_in_name_only = replace(bob.signed, kind=PrekeyKind.KEM, key=bytes(800))
        for kem in (b"", bob.signed.to_bytes(), bob.kem.to_bytes()[:800]):
            bundle = b64.encode(without + Writer().blob(kem).done())
            with self.refused("bad-encoding", "bad-bundle"):
                alice.start(bob, bob.open_bundle(bundle, None))
        with self.refused("bad-encoding"):
            bob.open_bundle(b64.encode(without), None)
        with self.refused("bad-key"):
            alice.start(bob, replace(bob.bundle(), kem=kem_in_name_only))
        self.assertEqual(alice.sessions, {})


class FirstMessageTest(CryptoTest):
    def test_e4_a_replayed_or_respelled_base_key_opens_nothing(self) -> None:
        alice, bob = pair()
        bob.one_time.clear()
        first = alice.send(bob, b"hello")
        self.assertEqual(bob.receive(alice, first), b"hello")
        spellings = other_spellings(header_of(first).base_key)
        self.assertEqual(len(set(spellings)), 15)
        for forget in (False, True):
            if forget:
                bob.sessions.clear()
            before = bob.dump()
            with self.refused("replayed" if forget else "duplicate"):
                bob.receive(alice, first)
            for spelling in spellings:
                with self.subTest(spelling.hex()), self.refused("bad-key", "bad-token"):
                    bob.receive(alice, with_header(first, base_key=spelling))
            self.assertEqual(bob.dump(), before)

    def test_e7_a_first_message_without_its_kem_part_is_refused(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        header = header_of(first)
        at = first.index(header.kem_ciphertext)
        for length in (0, 32, 768, KEM_CIPHERTEXT - 1):
            cut = first[:at] + header.kem_ciphertext[:length] + first[at + KEM_CIPHERTEXT :]
            with self.subTest(length), self.refused("bad-encoding"):
                bob.receive(alice, cut)
        self.assertEqual(bob.receive(alice, first), b"hello")

    def test_e9_a_bad_kem_ciphertext_fails_as_any_other_alteration(self) -> None:
        alice, bob = pair()
        first, before = alice.send(bob, b"hello"), bob.dump()
        header = header_of(first)
        flipped = {
            "kem_ciphertext": bytes([header.kem_ciphertext[0] ^ 1]) + header.kem_ciphertext[1:],
            "base_key": bytes([header.base_key[0] ^ 1]) + header.base_key[1:],
        }
        said = set()
        for name, value in flipped.items():
            with self.assertRaises(SecurityError) as caught:
                bob.receive(alice, with_header(first, **{name: value}))
            said.add((caught.exception.cause, str(caught.exception)))
            self.assertEqual(bob.dump(), before)
        self.assertEqual({cause for cause, _ in said}, {"bad-token"})
        self.assertEqual(len(said), 1)

    def test_e10_a_replay_of_a_first_message_is_a_duplicate(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        header = header_of(first)
        bob.receive(alice, first)
        self.assertNotIn(header.one_time_id, bob.prekeys)
        before = bob.dump()
        with self.refused("duplicate"):
            bob.receive(alice, first)
        self.assertEqual(bob.dump(), before)

    def test_e10_a_first_message_that_does_not_open_uses_up_no_key(self) -> None:
        alice, bob = pair()
        first, before = alice.send(bob, b"hello"), bob.dump()
        for altered in (first[:-1] + bytes([first[-1] ^ 1]), first[:-1]):
            with self.refused("bad-token", "bad-encoding"):
                bob.receive(alice, altered)
            self.assertEqual(bob.dump(), before)
        self.assertEqual(bob.receive(alice, first), b"hello")

    def test_e10_a_first_message_to_a_used_key_is_refused(self) -> None:
        alice, bob = pair()
        bundle = bob.bundle()
        alice.start(bob, bundle)
        bob.receive(alice, alice.send(bob, b"hello"))
        carol = SimulatedAccount("carol").device()
        carol.start(bob, bundle)
        with self.refused("unknown-prekey"):
            bob.receive(carol, carol.send(bob, b"with the same key"))

    def test_a_prekey_of_another_kind_or_none_is_unknown(self) -> None:
        alice, bob = pair()
        first = alice.send(bob, b"hello")
        header = header_of(first)
        for changes in (
            {"signed_id": bytes(8)},
            {"signed_id": header.kem_id},
            {"kem_id": header.signed_id},
            {"one_time_id": header.signed_id},
        ):
            with self.subTest(changes), self.refused("unknown-prekey"):
                bob.receive(alice, with_header(first, **changes))

    def test_e13_a_first_message_cannot_be_claimed_by_another(self) -> None:
        alice, bob = pair()
        mallory = SimulatedAccount("mallory").device()
        stolen = DeviceEntry(mallory.local.device, alice.local.identity.public, NOW)
        devices = replace(mallory.account.list.list, devices=(stolen,))
        mallory.account.list = sign_device_list(mallory.account.key, devices)
        first = alice.send(bob, b"hello")
        claimed = with_header(
            first,
            account_public=mallory.local.account_public,
            device_list=mallory.account.list.to_bytes(),
        )
        with self.refused("bad-token"):
            bob.receive(mallory, claimed)
        bob.receive(alice, first)
        before = bob.dump()
        with self.refused("replayed"):
            bob.receive(mallory, claimed)
        with self.refused("account-key-changed"):
            bob.receive(mallory, first)
        with self.refused("bad-bundle"):
            bob.open(mallory, first, pinned=False)
        self.assertEqual(bob.dump(), before)

    def test_every_altered_byte_of_a_first_message_is_noticed(self) -> None:
        alice, bob = pair()
        first, before = alice.send(bob, b"hello"), bob.dump()
        for number, altered in enumerate(one_bit_off(first)):
            with self.subTest(byte=number), self.refused():
                bob.receive(alice, altered)
        self.assertEqual(bob.dump(), before)
        self.assertEqual(bob.receive(alice, first), b"hello")


if __name__ == "__main__":
    unittest.main()
