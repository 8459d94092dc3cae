"""Make ``frozen.json``: ``python -m tests.vectors.make_frozen``, once for each format.

The file holds what a release wrote; every later one must read it byte for byte. So it is never
made again: a new format gets a new file beside it, and the old one stays. Randomness is injected
where the library lets it be (not into Fernet's IV and ML-KEM's ciphertexts).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bpost import b64
from bpost.client.sealing import seal_body
from bpost.crypto.fingerprint import Party, safety_code, safety_number
from bpost.crypto.keyfile import generate_database_key, seal_key_file
from bpost.crypto.password import derive_password_keys
from bpost.crypto.vault import seal_vault
from bpost.protocol.payload import Payload, direct_conversation
from tests.crypto.people import NOW, stream
from tests.crypto.simulated import SimulatedDevice, pair

FILE = Path(__file__).with_name("frozen.json")

SCHEDULE = "aaabAbbaBabaabAbbabB"
"""Who sends each of the 20 messages behind the first; one in capitals arrives four later."""

Vectors = dict[str, Any]


def password() -> Vectors:
    """Stretch a password."""
    username, text = "Alice", "correct horse – naïve batterie"
    keys = derive_password_keys(username, text)
    return {
        "username": username,
        "password": text,
        "login_key": b64.encode(keys.login_key),
        "wrapping_key": b64.encode(keys.wrapping_key),
    }


def fingerprint(alice: SimulatedDevice, bob: SimulatedDevice) -> Vectors:
    """Compute what both sides compare."""
    one, other = (Party(it.local.username, it.local.account_public) for it in (alice, bob))
    return {"number": safety_number(one, other), "code": safety_code(one, other)}


def at_rest(alice: SimulatedDevice) -> Vectors:
    """Seal a vault and a key file."""
    wrapping_key, account = stream("wrap")(32), alice.account.key
    database_key = generate_database_key(stream("database"))
    return {
        "wrapping_key": b64.encode(wrapping_key),
        "account_seed": b64.encode(account.seed),
        "database_key": b64.encode(database_key),
        "vault": seal_vault(wrapping_key, "alice", account),
        "key_file": b64.encode(seal_key_file(database_key, wrapping_key, account)),
    }


def device(one: SimulatedDevice) -> Vectors:
    """Write down a device with its private keys."""
    return {
        "username": one.local.username,
        "device": one.local.device,
        "identity": b64.encode(one.local.identity.raw),
        "account_public": b64.encode(one.local.account_public),
        "device_list": b64.encode(one.local.device_list),
        "prekeys": [
            [b64.encode(key.id), int(key.kind), b64.encode(key.secret), key.created]
            for key in one.prekeys.values()
        ],
    }


def messages(alice: SimulatedDevice, bob: SimulatedDevice, last: bytes) -> list[Vectors]:
    """Let both talk; write down each message with what its receiver had stored before it."""
    sides, written = {"a": (alice, bob), "b": (bob, alice)}, []
    first = ("a", b"the first message", alice.send(bob, b"the first message"))
    waiting = [(0, *first)]
    for number, letter in enumerate(SCHEDULE, 1):
        due = [one for one in waiting if one[0] <= number]
        waiting = [one for one in waiting if one[0] > number]
        written += [deliver(sides, *one[1:]) for one in due]
        sender, receiver = sides[letter.lower()]
        text = (
            last if number == len(SCHEDULE) else b"message %d from %s" % (number, letter.encode())
        )
        late = 4 if letter.isupper() else 1
        waiting.append((number + late, letter.lower(), text, sender.send(receiver, text)))
    return written + [deliver(sides, *one[1:]) for one in sorted(waiting)]


def deliver(
    sides: dict[str, tuple[SimulatedDevice, SimulatedDevice]],
    letter: str,
    text: bytes,
    message: bytes,
) -> Vectors:
    """Deliver one message and write down what it takes to open it."""
    sender, receiver = sides[letter]
    before = receiver.sessions.get(sender.address, b"")
    assert receiver.receive(sender, message) == text
    return {
        "from": letter,
        "before": b64.encode(before),
        "message": b64.encode(message),
        "plaintext": b64.encode(text),
    }


def main() -> None:
    """Write the file, unless it is there."""
    alice, bob = pair("frozen")
    ids = {"alice": (alice.local.device,), "bob": (bob.local.device,)}
    payload = Payload(
        type="text",
        id="00000000-0000-4000-8000-000000000001",
        sender="bob",
        device=bob.local.device,
        to="alice",
        conversation=direct_conversation("alice", "bob"),
        number=1,
        previous="",
        sent=NOW,
        recipients=ids,
        content={"text": "Zażółć gęślą jaźń 🙂"},
    ).to_bytes()
    sealed = seal_body(payload, stream("payload key"))
    bundle, once = bob.bundle_text(), bob.one_time[-1].text()
    people = {"a": device(alice), "b": device(bob)}
    said = messages(alice, bob, sealed.secret)
    to = {alice.local.device: b64.decode(said[-1]["message"])}
    found = {
        "now": NOW,
        "password": password(),
        "fingerprint": fingerprint(alice, bob),
        "at_rest": at_rest(alice),
        "bundle": {"bundle": bundle, "one_time": once},
        "devices": people,
        "messages": said,
        "envelope": {
            "text": sealed.envelope(bob.local.device, to),
            "payload": payload.decode("utf-8"),
        },
    }
    with FILE.open("x", encoding="utf-8") as file:
        json.dump(found, file, indent=1, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main()
