"""Safety numbers: how two people see that no one stands between them (CRYPTO, section 7).

The number is Signal's numeric fingerprint: for each side 30 digits from 5,200 rounds of SHA-512
over a version, the key and the name, the smaller half first, so that both see the same 60 digits.
The code for scanning carries the hashes in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.codec import name_bytes
from bpost.crypto.primitives import check_ed25519, equal, sha512
from bpost.errors import SecurityError

ROUNDS = 5200
CODE_VERSION = "1"
CODE_NAME = "bpost-safety"
CODE_BYTES = 32


@dataclass(frozen=True)
class Party:
    """One side of a conversation, by name and account key."""

    username: str
    account_public: bytes


class Verdict(Enum):
    """What scanning a code tells."""

    SAME = "same"
    DIFFERENT = "different"
    """Somebody may stand between the two: the keys are not those that the other one sees."""
    OWN_CODE = "own-code"
    """The code is this side's own, not the one that the other one shows."""
    OTHER_VERSION = "other-version"
    """A code of another version of the program: it cannot be compared."""
    UNREADABLE = "unreadable"
    """No safety code at all, or a part of one."""


def safety_number(one: Party, other: Party) -> str:
    """Return the 60 digits that both sides see, whichever is named first.

    Raises:
        SecurityError: ``bad-key``, for an account key that cannot be one.
    """
    return join_halves(digits(_hash(one)), digits(_hash(other)))


def grouped(number: str) -> str:
    """Write a safety number for people: 12 groups of 5 digits in 3 lines."""
    groups = [number[at : at + 5] for at in range(0, len(number), 5)]
    return "\n".join(" ".join(groups[at : at + 4]) for at in range(0, len(groups), 4))


def safety_code(own: Party, other: Party) -> str:
    """Return the text of the QR code that ``own`` shows to ``other``."""
    halves = (b64.encode(_hash(party)[:CODE_BYTES]) for party in (own, other))
    return ":".join((CODE_NAME, CODE_VERSION, *halves))


def compare_code(scanned: str, own: Party, other: Party) -> Verdict:
    """Compare the code that ``other`` shows with what ``own`` knows, in full."""
    name, _, rest = scanned.partition(":")
    version, _, halves = rest.partition(":")
    if name != CODE_NAME or not version.isascii() or not version.isdigit():
        return Verdict.UNREADABLE
    if version != CODE_VERSION:
        return Verdict.OTHER_VERSION
    try:
        theirs, ours = (b64.decode(half, CODE_BYTES) for half in halves.split(":"))
    except (SecurityError, ValueError):
        return Verdict.UNREADABLE
    return _verdict(theirs + ours, _hash(own)[:CODE_BYTES], _hash(other)[:CODE_BYTES])


def _verdict(scanned: bytes, own: bytes, other: bytes) -> Verdict:
    """Compare the two halves of a code, the one of who shows it first."""
    if equal(scanned, other + own):
        return Verdict.SAME
    if equal(scanned, own + other):
        return Verdict.OWN_CODE
    return Verdict.DIFFERENT


def iterated_hash(version: bytes, public: bytes, name: bytes) -> bytes:
    """Hash one side's key and name; the rounds make a search for look-alikes slow."""
    found = sha512(version, public, name, public)
    for _ in range(ROUNDS - 1):
        found = sha512(found, public)
    return found


def digits(hashed: bytes) -> str:
    """Return 30 digits: the first 30 bytes, 5 at a time, each as a number below 100,000."""
    chunks = (hashed[at : at + 5] for at in range(0, 30, 5))
    return "".join(f"{int.from_bytes(chunk, 'big') % 100_000:05}" for chunk in chunks)


def join_halves(one: str, other: str) -> str:
    """Put the halves in the order that does not depend on the side."""
    return "".join(sorted((one, other)))


def _hash(party: Party) -> bytes:
    """Hash one side, under our own version of the format."""
    public = check_ed25519(party.account_public)
    return iterated_hash(labels.SAFETY_NUMBER, public, name_bytes(party.username))
