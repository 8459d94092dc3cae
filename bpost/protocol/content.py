"""What each type of payload carries beyond what all of them have (CRYPTO, section 5: Types).

A type that this version does not know keeps its content, whatever it is, so that the message can
be stored and shown as one that needs a newer version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from bpost.protocol.canonical_json import Json
from bpost.protocol.fields import Unfit, has_control

TEXT: Final = "text"
RECEIPT: Final = "receipt"
EMPTY: Final = "empty"

DELIVERED: Final = "delivered"
READ: Final = "read"

RECEIPT_IDS: Final = 256
"""How many messages one receipt may be about."""

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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


def _check_nothing(content: Mapping[str, Json]) -> None:
    """Take anything; there is no key left to look at."""


CONTENT: Final[Mapping[str, tuple[frozenset[str], Callable[[Mapping[str, Json]], None]]]] = {
    TEXT: (frozenset({"text"}), _check_text),
    RECEIPT: (frozenset({"kind", "ids"}), _check_receipt),
    EMPTY: (frozenset(), _check_nothing),
}
"""The keys that the content of each type has, and the check of their values."""
