"""Renewing an account key: the old key signs for the new one (CRYPTO, section 7).

Contacts who pinned an old key follow the chain of signatures from it to the new one, over as many
renewals as they missed. The new key signs too, so that nobody passes off another's key as the
successor of their own. What the old key signed says who renewed it only as well as that key was
kept: whoever stole it can sign as well, so what was verified is not verified any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.account import FORMER_MOST, AccountKey, verify_account
from bpost.crypto.codec import Reader, Writer, name_bytes
from bpost.crypto.primitives import KEY, SIGNATURE, check_ed25519, equal
from bpost.errors import SecurityError

FORMAT = 1


@dataclass(frozen=True)
class Succession:
    """The public keys of an account, oldest first, and two signatures from each to the next."""

    keys: tuple[bytes, ...]
    signatures: tuple[tuple[bytes, bytes], ...]

    def text(self) -> str:
        """Return the form that frames and payloads carry."""
        writer = Writer().number(FORMAT, 1).number(len(self.keys), 1)
        for key in self.keys:
            writer.fixed(key, KEY)
        for by_old, by_new in self.signatures:
            writer.fixed(by_old, SIGNATURE).fixed(by_new, SIGNATURE)
        return b64.encode(writer.done())

    @classmethod
    def from_text(cls, text: str) -> Succession:
        """Read what :meth:`text` wrote, without checking a signature.

        Raises:
            SecurityError: ``bad-encoding``, ``newer-version``.
        """
        reader = Reader(b64.decode(text), "succession of account keys")
        reader.version(FORMAT)
        count = reader.number(1, FORMER_MOST)
        keys = tuple(reader.fixed(KEY) for _ in range(count))
        signatures = tuple(
            (reader.fixed(SIGNATURE), reader.fixed(SIGNATURE)) for _ in range(count - 1)
        )
        reader.end()
        if count < 2 or len(set(keys)) != count:
            raise SecurityError("bad-encoding", "A succession of account keys leads nowhere.")
        return cls(keys, signatures)


def make_succession(account: AccountKey, username: str) -> str:
    """Return the proof that ``account`` took over from its former keys; empty if it has none."""
    chain = account.all[::-1]
    if len(chain) < 2:
        return ""
    signatures = []
    for old, new in pairwise(chain):
        content = _content(username, old.public, new.public)
        pair = old.sign(labels.SUCCESSION, content), new.sign(labels.SUCCESSOR, content)
        signatures.append(pair)
    return Succession(tuple(one.public for one in chain), tuple(signatures)).text()


def prove(text: str, username: str, pinned: bytes, newest: bytes) -> tuple[bytes, ...]:
    """Return the keys from ``pinned`` to ``newest``, both among them, once all are checked.

    Raises:
        SecurityError: ``account-key-changed``, when the chain does not lead from one to the other;
            ``bad-signature``, ``bad-key``, ``bad-encoding``.
    """
    found = Succession.from_text(text)
    places = [at for at, key in enumerate(found.keys[:-1]) if equal(key, pinned)]
    if not places or not equal(found.keys[-1], newest):
        text = f"The new account key of {username} does not follow the one that is known."
        raise SecurityError("account-key-changed", text)
    first = places[0]
    for at in range(first, len(found.signatures)):
        old, new = found.keys[at], check_ed25519(found.keys[at + 1])
        by_old, by_new = found.signatures[at]
        content = _content(username, old, new)
        verify_account(old, by_old, labels.SUCCESSION, content)
        verify_account(new, by_new, labels.SUCCESSOR, content)
    return found.keys[first:]


def _content(username: str, old: bytes, new: bytes) -> bytes:
    """Return what both keys sign, behind their labels."""
    writer = Writer().number(FORMAT, 1).blob(name_bytes(username))
    return writer.fixed(old, KEY).fixed(new, KEY).done()
