"""Our ratchet against an independent one: the package ``DoubleRatchet``, with our KDFs and seal."""

from __future__ import annotations

import asyncio
import random
import unittest
from dataclasses import dataclass, field
from typing import Any

from doubleratchet import DoubleRatchet, DuplicateMessageException, EncryptedMessage, Header
from doubleratchet.aead import AEAD, AuthenticationFailedException
from doubleratchet.recommended import HashFunction, kdf_hkdf, kdf_separate_hmacs
from doubleratchet.recommended import diffie_hellman_ratchet_curve25519 as curve25519

from bpost.crypto import labels, ratchet
from bpost.crypto.primitives import KEY, X25519Private, hkdf, open_sealed, seal
from bpost.crypto.ratchet import HEADER, Ratchet
from bpost.errors import SecurityError
from bpost.limits import Limits
from tests.crypto.people import NOW, stream

AD = bytes(range(64))
LIMITS = Limits()
SCHEDULES = 1_000
STEPS = 30


class RootKDF(kdf_hkdf.KDF):
    """KDF_RK."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256

    @staticmethod
    def _get_info() -> bytes:
        return labels.RATCHET


class ChainKDF(kdf_separate_hmacs.KDF):
    """KDF_CK."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256


class Sealing(AEAD):
    """Fernet under a key derived from everything that it cannot authenticate by itself."""

    @staticmethod
    async def encrypt(plaintext: bytes, key: bytes, associated_data: bytes) -> bytes:
        return seal(hkdf(key, info=labels.MESSAGE + associated_data), plaintext)

    @staticmethod
    async def decrypt(ciphertext: bytes, key: bytes, associated_data: bytes) -> bytes:
        try:
            return open_sealed(hkdf(key, info=labels.MESSAGE + associated_data), ciphertext)
        except SecurityError as error:
            raise AuthenticationFailedException from error


class Independent(DoubleRatchet):
    """The other implementation, with our encoding of the header."""

    @staticmethod
    def _build_associated_data(associated_data: bytes, header: Header) -> bytes:
        return associated_data + header_bytes(header)


def header_bytes(header: Header) -> bytes:
    """Spell a header of the other implementation as ours does."""
    numbers = (header.previous_sending_chain_length, header.sending_chain_length)
    return header.ratchet_pub + b"".join(number.to_bytes(4, "big") for number in numbers)


SETTINGS: dict[str, Any] = {
    "diffie_hellman_ratchet_class": curve25519.DiffieHellmanRatchet,
    "root_chain_kdf": RootKDF,
    "message_chain_kdf": ChainKDF,
    "message_chain_constant": labels.CHAIN_NEXT_KEY + labels.CHAIN_MESSAGE_KEY,
    "dos_protection_threshold": LIMITS.skip,
    "max_num_skipped_message_keys": LIMITS.skipped_stored,
    "aead": Sealing,
    "associated_data": AD,
}


@dataclass
class Ours:
    """Our side of a conversation."""

    state: Ratchet

    async def send(self, text: bytes) -> bytes:
        self.state, sealed = ratchet.encrypt(self.state, text, AD, LIMITS)
        return sealed

    async def receive(self, sealed: bytes) -> bytes | None:
        """Return the text, or None for a duplicate."""
        try:
            self.state, text = ratchet.decrypt(self.state, sealed, AD, NOW, limits=LIMITS)
        except SecurityError as error:
            if error.cause != "duplicate":
                raise
            return None
        return text

    def may_send(self) -> bool:
        return self.state.sending is not None


@dataclass
class Theirs:
    """The other implementation's side; it comes into being with its first message."""

    secret: bytes
    signed: X25519Private
    initiates: bool
    ratchet: Independent | None = field(default=None)

    async def send(self, text: bytes) -> bytes:
        if self.ratchet is None:
            self.ratchet, message = await Independent.encrypt_initial_message(
                **SETTINGS,
                shared_secret=self.secret,
                recipient_ratchet_pub=self.signed.public,
                message=text,
            )
        else:
            message = await self.ratchet.encrypt_message(text, AD)
        return header_bytes(message.header) + message.ciphertext

    async def receive(self, sealed: bytes) -> bytes | None:
        """Return the text, or None for a duplicate."""
        numbers = [int.from_bytes(sealed[at : at + 4], "big") for at in (KEY, KEY + 4)]
        message = EncryptedMessage(Header(sealed[:KEY], *numbers), sealed[HEADER:])
        if self.ratchet is None:
            self.ratchet, text = await Independent.decrypt_initial_message(
                **SETTINGS,
                shared_secret=self.secret,
                own_ratchet_priv=self.signed.raw,
                message=message,
            )
            return text
        try:
            return await self.ratchet.decrypt_message(message, AD)
        except DuplicateMessageException:
            return None

    def may_send(self) -> bool:
        return self.initiates or self.ratchet is not None


class CrossCheckTest(unittest.TestCase):
    def test_e38_random_schedules_with_ours_as_initiator(self) -> None:
        self.run_schedules(ours_initiates=True)

    def test_e38_random_schedules_with_theirs_as_initiator(self) -> None:
        self.run_schedules(ours_initiates=False)

    def run_schedules(self, *, ours_initiates: bool) -> None:
        """Run many schedules, and demand that something happened in them."""
        opened = 0
        for number in range(SCHEDULES):
            with self.subTest(schedule=number):
                ours, theirs = make_sides(f"{number}", ours_initiates)
                opened += asyncio.run(self.schedule(ours, theirs, number))
        self.assertGreater(opened, SCHEDULES * STEPS // 4)

    async def schedule(self, ours: Ours, theirs: Theirs, seed: int) -> int:
        """Send, lose, repeat and deliver at random; return how many messages were opened."""
        chance = random.Random(seed)  # noqa: S311
        waiting: dict[bool, list[tuple[bytes, bytes]]] = {True: [], False: []}
        opened = 0
        for number in range(STEPS):
            to_us, action = chance.random() < 0.5, chance.random()
            sender, receiver = (theirs, ours) if to_us else (ours, theirs)
            if action < 0.5 and sender.may_send():
                text = b"message %d" % number
                waiting[to_us].append((text, await sender.send(text)))
            elif action < 0.6 and waiting[to_us]:
                waiting[to_us].pop(chance.randrange(len(waiting[to_us])))
            elif waiting[to_us]:
                at = 0 if chance.random() < 0.5 else chance.randrange(len(waiting[to_us]))
                text, sealed = waiting[to_us].pop(at)
                self.assertEqual(await receiver.receive(sealed), text)
                opened += 1
        for to_us, receiver in ((True, ours), (False, theirs)):
            for text, sealed in waiting[to_us]:
                self.assertEqual(await receiver.receive(sealed), text)
                opened += 1
        return opened

    def test_e38_both_call_a_repeat_a_duplicate(self) -> None:
        async def repeat() -> None:
            ours, theirs = make_sides("repeat", ours_initiates=True)
            for one, other in ((ours, theirs), (theirs, ours)) * 3:
                sealed = await one.send(b"once")
                self.assertEqual(await other.receive(sealed), b"once")
                self.assertIsNone(await other.receive(sealed))

        asyncio.run(repeat())


def make_sides(seed: str, ours_initiates: bool) -> tuple[Ours, Theirs]:
    """Return both sides of a session that has been agreed on."""
    chance = stream(seed)
    secret, signed = chance(KEY), X25519Private(chance(KEY))
    if ours_initiates:
        state = ratchet.start_sending(secret, signed.public, chance)
    else:
        state = ratchet.start_receiving(secret, signed)
    return Ours(state), Theirs(secret, signed, initiates=not ours_initiates)


if __name__ == "__main__":
    unittest.main()
