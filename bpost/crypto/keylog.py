"""The log of keys: an append-only hash chain over everything that a server hands out as keys.

The server appends an entry when an account's key, or its list of devices, changes. An entry is a
*link* of the chain: a tag that stands for the account's name, and a value that stands for the key
and the list. Every client reads every link and computes every head from them, so two clients with
the same head have seen the same links, and for each name the same last key. Whoever does not know
a name and a key learns neither from a link. Server and clients share this module; why it is a
chain and no tree is in ``docs/keylog.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bpost import b64
from bpost.crypto import labels
from bpost.crypto.codec import Writer
from bpost.crypto.primitives import scrypt, sha256
from bpost.errors import SecurityError

HASH = 32
TAG = 16
LINK = TAG + HASH
POSITION = 8

# A guess at a name costs about what asking the server for it does: 10 ms.
N, R, P = 2**12, 8, 1


@dataclass(frozen=True)
class Link:
    """One entry, as everybody sees it, with the head of the chain that it ends; from 1 on."""

    position: int
    tag: bytes
    value: bytes
    head: bytes


def first_head(log: bytes) -> bytes:
    """Return the head of the empty log whose random name is ``log``."""
    return sha256(labels.KEY_LOG_FIRST, log)


def name_tag(log: bytes, username: str) -> bytes:
    """Return what stands for a user in this log: one tag for each name, slow to compute.

    It takes no secret, so that a server cannot have a second tag for the same name.
    """
    name = username.lower().encode("utf-8")
    return scrypt(name, labels.KEY_LOG_NAME + log, n=N, r=R, p=P, length=TAG)


def entry_value(public_key: str, statement: str) -> bytes:
    """Return what stands for an account key, and for what its owner stated along with it."""
    content = Writer().text(public_key).text(statement).done()
    return sha256(labels.KEY_LOG_VALUE, content)


def list_statement(version: int, device_list: bytes, device: str) -> str:
    """Return what a device states about the signed list of its account's devices.

    With its own name it says that it follows the log: it understands heads in what it is sent.
    """
    return f"{version}.{b64.encode(sha256(labels.KEY_LOG_LIST, device_list))}.{device}"


def stated_version(statement: str) -> int:
    """Return the version of the list that a statement is about; 0 for any other statement."""
    number = statement.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0


def stated_device(statement: str) -> str:
    """Return the device that a statement is of; empty for any other statement."""
    parts = statement.split(".")
    return parts[2] if len(parts) == 3 else ""


def next_link(head: bytes, position: int, tag: bytes, value: bytes) -> Link:
    """Return the link at ``position``, which follows the one with this ``head``."""
    place = position.to_bytes(POSITION, "big")
    return Link(position, tag, value, sha256(labels.KEY_LOG_LINK, head, place, tag, value))


def grow(head: bytes, size: int, links: bytes) -> Iterator[Link]:
    """Read the links that follow a log of ``size`` with this ``head``.

    Raises:
        SecurityError: ``bad-encoding``; the bytes are no links.
    """
    if len(links) % LINK:
        raise SecurityError("bad-encoding", "The server's log of keys is cut off within an entry.")
    for start in range(0, len(links), LINK):
        size += 1
        tag, value = links[start : start + TAG], links[start + TAG : start + LINK]
        link = next_link(head, size, tag, value)
        head = link.head
        yield link
