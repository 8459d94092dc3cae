"""What each type of payload carries beyond what all of them have (CRYPTO, section 5: Types).

A type that this version does not know keeps its content, whatever it is, so that the message can
be stored and shown as one that needs a newer version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from bpost.protocol.canonical_json import INTEGER, Json
from bpost.protocol.fields import (
    Device,
    Digest,
    Unfit,
    Username,
    canonical,
    has_control,
    kind_of,
)
from bpost.protocol.handover import (
    FETCH,
    FETCH_KEYS,
    HISTORY,
    HISTORY_KEYS,
    check_fetch,
    check_history,
)

TEXT: Final = "text"
RECEIPT: Final = "receipt"
EMPTY: Final = "empty"
RETRY: Final = "retry"
AGAIN: Final = "again"
LOST: Final = "lost"
HAVE: Final = "have"
DEVICES: Final = "devices"
RENEWAL: Final = "renewal"
INHERIT: Final = "inherit"
VAULT: Final = "vault"
EDIT: Final = "edit"
DELETE: Final = "delete"
HIDE: Final = "hide"

HANDED: Final = frozenset({FETCH, HISTORY})
"""What only the devices of one account say to each other: earlier messages, for a new one."""

DIRECTED: Final = frozenset({RETRY, AGAIN, LOST, HAVE, INHERIT}) | HANDED
"""What one device says to one other: sealed for it alone, and not counted in the chain."""

DELIVERED: Final = "delivered"
READ: Final = "read"

RECEIPT_IDS: Final = 256
"""How many messages one receipt may be about."""

MISSING_ITEMS: Final = 100
"""How many numbers, and how many frames, one request for missing messages may name."""

CONVERSATION: Final = re.compile(r"[a-z]{1,16}:[A-Za-z0-9._:-]{1,128}")

_digest = kind_of(Digest)
_username = kind_of(Username)
_WORD: Final = re.compile(r"[a-z][a-z-]{0,31}")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DEVICE: Final = kind_of(Device)
_BASE64: Final = re.compile(r"[A-Za-z0-9_-]{1,32768}")
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


class NewerContent(Exception):
    """A known type with content that this version does not know."""


def check_id(value: object) -> None:
    """Raise Unfit for what is not a UUID in lower case."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Unfit("has an id that is not a UUID in lower case")


def check_content(type_: str, content: Mapping[str, Json]) -> None:
    """Raise Unfit or NewerContent for content that a payload of this type cannot have."""
    if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in content):
        raise Unfit("has content under a key that is not a short word")
    check = CONTENT.get(type_)
    if check is None:
        return
    keys, check_values = check
    if not content.keys() >= keys:
        raise Unfit(f"lacks the content of a {type_}")
    if content.keys() - keys:
        raise NewerContent(f"a {type_} holds more than this version knows.")
    check_values(content)


def _check_text(content: Mapping[str, Json]) -> None:
    text = content["text"]
    if not isinstance(text, str) or not text or has_control(text):
        raise Unfit("has a text that is empty or holds a control character")


def _check_receipt(content: Mapping[str, Json]) -> None:
    kind, ids = content["kind"], content["ids"]
    if kind not in (DELIVERED, READ):
        raise Unfit("is a receipt of no known kind")
    if not isinstance(ids, list | tuple) or not 0 < len(ids) <= RECEIPT_IDS:
        raise Unfit("is a receipt for no message, or for too many")
    for id_ in ids:
        check_id(id_)
    if len(set(map(str, ids))) != len(ids):
        raise Unfit("is a receipt that names a message twice")


def _check_retry(content: Mapping[str, Json]) -> None:
    numbers, frames, after = content["numbers"], content["frames"], content["after"]
    _check_numbers(numbers)
    if not isinstance(frames, list | tuple) or len(frames) > MISSING_ITEMS:
        raise Unfit("asks for too many frames, or for none in a list")
    for frame in frames:
        if not isinstance(frame, Mapping) or frame.keys() != {"hash", "seq"}:
            raise Unfit("names a frame otherwise than by hash and place")
        _digest.check(frame["hash"], None)
        _check_count(frame["seq"])
    _check_count(after)
    if not (numbers or frames or after):
        raise Unfit("asks for nothing")


def _check_again(content: Mapping[str, Json]) -> None:
    if not isinstance(content["payload"], Mapping):
        raise Unfit("sends again what is no payload")
    if content["hash"] != "":
        _digest.check(content["hash"], None)


def _check_lost(content: Mapping[str, Json]) -> None:
    reason, hashes = content["reason"], content["hashes"]
    if not isinstance(reason, str) or not _WORD.fullmatch(reason):
        raise Unfit("gives no reason")
    _check_numbers(content["numbers"])
    if not isinstance(hashes, list | tuple) or len(hashes) > MISSING_ITEMS:
        raise Unfit("names too many frames, or none in a list")
    for one in hashes:
        _digest.check(one, None)


def _check_have(content: Mapping[str, Json]) -> None:
    _check_numbers(content["numbers"])
    if not content["numbers"]:
        raise Unfit("has nothing")


def _check_numbers(numbers: Json) -> None:
    if not isinstance(numbers, list | tuple) or len(numbers) > MISSING_ITEMS:
        raise Unfit("names too many messages, or none in a list")
    for number in numbers:
        _check_count(number, 1)


def _check_count(value: Json, least: int = 0) -> None:
    if type(value) is not int or not least <= value <= INTEGER:
        raise Unfit("holds a number out of range")


def _check_devices(content: Mapping[str, Json]) -> None:
    listed, removed = content["list"], content["removed"]
    if not isinstance(listed, str) or not listed:
        raise Unfit("has no list of devices")
    if not isinstance(removed, list | tuple):
        raise Unfit("does not say which devices were removed")
    for device in removed:
        _DEVICE.check(device, None)


def _check_renewal(content: Mapping[str, Json]) -> None:
    _check_keys(content["succession"])
    _check_keys(content["list"])


def _check_inherit(content: Mapping[str, Json]) -> None:
    _check_keys(content["seeds"])


def _check_keys(value: Json) -> None:
    if not isinstance(value, str) or not _BASE64.fullmatch(value):
        raise Unfit("has no keys where there must be some")


def _check_vault(content: Mapping[str, Json]) -> None:
    if not isinstance(content["on"], bool):
        raise Unfit("does not say whether there is a vault")


def check_name(name: object) -> None:
    """Raise Unfit for what is not a username in canonical form."""
    _username.check(name, None)
    if not isinstance(name, str) or name != canonical(name):
        raise Unfit("holds a username that is not in canonical form")


def _check_edit(content: Mapping[str, Json]) -> None:
    _check_text(content)
    check_id(content["message"])
    _check_count(content["revision"], 1)


def _check_delete(content: Mapping[str, Json]) -> None:
    check_id(content["message"])


def _check_hide(content: Mapping[str, Json]) -> None:
    check_id(content["message"])
    check_name(content["author"])
    name = content["where"]
    if not isinstance(name, str) or not CONVERSATION.fullmatch(name):
        raise Unfit("names no conversation")


def _check_nothing(content: Mapping[str, Json]) -> None:
    """Take anything; there is no key left to look at."""


CONTENT: Final[Mapping[str, tuple[frozenset[str], Callable[[Mapping[str, Json]], None]]]] = {
    TEXT: (frozenset({"text"}), _check_text),
    RECEIPT: (frozenset({"kind", "ids"}), _check_receipt),
    DEVICES: (frozenset({"list", "removed"}), _check_devices),
    RENEWAL: (frozenset({"succession", "list"}), _check_renewal),
    INHERIT: (frozenset({"seeds"}), _check_inherit),
    VAULT: (frozenset({"on"}), _check_vault),
    EMPTY: (frozenset(), _check_nothing),
    RETRY: (frozenset({"numbers", "frames", "after"}), _check_retry),
    AGAIN: (frozenset({"payload", "hash"}), _check_again),
    LOST: (frozenset({"reason", "numbers", "hashes"}), _check_lost),
    HAVE: (frozenset({"numbers"}), _check_have),
    FETCH: (FETCH_KEYS, check_fetch),
    HISTORY: (HISTORY_KEYS, check_history),
    EDIT: (frozenset({"message", "revision", "text"}), _check_edit),
    DELETE: (frozenset({"message"}), _check_delete),
    HIDE: (frozenset({"message", "author", "where"}), _check_hide),
}
"""The keys that the content of each type has, and the check of their values."""
