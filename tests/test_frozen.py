"""What a release once wrote is read by every later one, byte for byte (``vectors/frozen.json``)."""

from __future__ import annotations

import json
import unittest
from typing import Any

from bpost import b64
from bpost.client.sealing import open_body
from bpost.crypto.account import AccountKey
from bpost.crypto.fingerprint import Party, Verdict, compare_code, safety_code, safety_number
from bpost.crypto.keyfile import open_with_account, open_with_password
from bpost.crypto.message import PrekeyHeader
from bpost.crypto.password import derive_password_keys
from bpost.crypto.prekeys import DeviceBundle, PrekeyKind, PrekeySecret, open_bundle
from bpost.crypto.primitives import X25519Private
from bpost.crypto.session import (
    Address,
    LocalDevice,
    Opened,
    Sender,
    Sessions,
    open_message,
    peek,
    start,
)
from bpost.crypto.vault import open_vault
from bpost.limits import Limits
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.payload import parse_payload
from tests.crypto.people import stream
from tests.vectors.make_frozen import FILE

FROZEN: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
NOW: int = FROZEN["now"]


def local(letter: str) -> LocalDevice:
    """Return the device that the vectors are of."""
    device = FROZEN["devices"][letter]
    return LocalDevice(
        username=device["username"],
        device=device["device"],
        identity=X25519Private(b64.decode(device["identity"])),
        account_public=b64.decode(device["account_public"]),
        device_list=b64.decode(device["device_list"]),
    )


def prekeys(letter: str) -> dict[bytes, PrekeySecret]:
    """Return the private prekeys of a device, by id."""
    found = {}
    for prekey_id, kind, secret, created in FROZEN["devices"][letter]["prekeys"]:
        key = PrekeySecret(b64.decode(prekey_id), PrekeyKind(kind), b64.decode(secret), created)
        found[key.id] = key
    return found


def open_frozen(step: dict[str, str]) -> Opened:
    """Open one of the messages with the sessions that were stored before it came."""
    sender, receiver = step["from"], "b" if step["from"] == "a" else "a"
    before = b64.decode(step["before"])
    return open_message(
        local(receiver),
        Sessions.from_bytes(before) if before else None,
        b64.decode(step["message"]),
        Sender(local(sender).address, local(sender).account_public),
        NOW,
        prekeys=prekeys(receiver).get,
        seen_base_key=lambda _: False,
        random=stream("frozen test"),
    )


class FrozenTest(unittest.TestCase):
    def test_e77_the_stretched_password(self) -> None:
        frozen = FROZEN["password"]
        keys = derive_password_keys(frozen["username"], frozen["password"])
        self.assertEqual(b64.encode(keys.login_key), frozen["login_key"])
        self.assertEqual(b64.encode(keys.wrapping_key), frozen["wrapping_key"])

    def test_e77_the_safety_number(self) -> None:
        frozen = FROZEN["fingerprint"]
        alice, bob = (Party(it.username, it.account_public) for it in (local("a"), local("b")))
        self.assertEqual(safety_number(bob, alice), frozen["number"])
        self.assertEqual(safety_code(alice, bob), frozen["code"])
        self.assertIs(compare_code(frozen["code"], bob, alice), Verdict.SAME)

    def test_e77_the_vault_and_the_key_file(self) -> None:
        frozen = FROZEN["at_rest"]
        wrapping_key, key_file = (b64.decode(frozen[it]) for it in ("wrapping_key", "key_file"))
        account = open_vault(wrapping_key, "alice", frozen["vault"])
        self.assertEqual(b64.encode(account.seed), frozen["account_seed"])
        self.assertEqual(account.public, AccountKey.from_seed(account.seed).public)
        for found in (
            open_with_password(key_file, wrapping_key),
            open_with_account(key_file, account),
        ):
            self.assertEqual(b64.encode(found), frozen["database_key"])

    def test_e77_the_bundle(self) -> None:
        frozen, bob = FROZEN["bundle"], local("b")
        bundle = open_bundle(
            frozen["bundle"],
            frozen["one_time"],
            account_public=bob.account_public,
            username=bob.username,
            device=bob.device,
            now=NOW,
            limits=Limits(),
        )
        again = DeviceBundle(bundle.device_list, bob.device, bundle.signed, bundle.kem)
        self.assertEqual(again.text(), frozen["bundle"])
        self.assertEqual(bundle.one_time and bundle.one_time.text(), frozen["one_time"])
        self.assertEqual(start(local("a"), bundle, NOW).remote, bob.address)

    def test_e77_the_first_message(self) -> None:
        first = FROZEN["messages"][0]
        header, opened = peek(b64.decode(first["message"])), open_frozen(first)
        self.assertIsInstance(header, PrekeyHeader)
        self.assertEqual(opened.plaintext, b64.decode(first["plaintext"]))
        self.assertEqual(opened.device_list, local("a").device_list)
        self.assertIn(opened.used_one_time, prekeys("b"))

    def test_e77_twenty_ratchet_messages_and_the_states_that_open_them(self) -> None:
        steps = FROZEN["messages"][1:]
        self.assertEqual(len(steps), 20)
        self.assertTrue(
            any(Sessions.from_bytes(b64.decode(it["before"])).skipped_keys for it in steps)
        )
        for number, step in enumerate(steps, 1):
            with self.subTest(number):
                before = b64.decode(step["before"])
                self.assertEqual(Sessions.from_bytes(before).to_bytes(), before)
                self.assertEqual(open_frozen(step).plaintext, b64.decode(step["plaintext"]))

    def test_e77_the_envelope(self) -> None:
        frozen, step = FROZEN["envelope"], FROZEN["messages"][-1]
        envelope = parse_envelope(frozen["text"], Limits())
        self.assertEqual(envelope.text(), frozen["text"])
        self.assertEqual(envelope.to, {local("a").device: b64.decode(step["message"])})
        payload = open_body(envelope.body, open_frozen(step).plaintext)
        self.assertEqual(payload.decode("utf-8"), frozen["payload"])
        self.assertEqual(parse_payload(payload).to_bytes(), payload)
        self.assertEqual(Address("bob", envelope.device), local("b").address)


if __name__ == "__main__":
    unittest.main()
