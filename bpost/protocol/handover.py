"""What a new device asks an older one of its account for, and what that one answers.

Both are said by one device to one other, sealed for it alone (see :data:`content.DIRECTED`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from bpost.protocol.canonical_json import INTEGER, Json
from bpost.protocol.fields import Unfit, has_control

FETCH: Final = "fetch"
HISTORY: Final = "history"

ASKED: Final = "asked"
REFUSED: Final = "refused"
LATER: Final = "later"
PAGE: Final = "page"
ANSWERS: Final = (ASKED, REFUSED, LATER, PAGE)
"""The user there is asked; has said no; too much is under way; here is a part of it."""

PAGES: Final = 8
"""So many pages may be asked for at once."""

ITEMS: Final = 400
"""So many people, or messages, may be in a page."""

FETCH_KEYS: Final = frozenset({"name", "before", "pages"})
HISTORY_KEYS: Final = frozenset({"answer", "before", "next", "left", "total", "people", "messages"})
PERSON_KEYS: Final = frozenset({"name", "key", "verified"})
MESSAGE_KEYS: Final = frozenset(
    {"id", "with", "from", "device", "kind", "text", "failure", "payload"}
    | {"sent", "received", "status", "seq", "unread", "revision", "editor", "edited"}
)

NOTES: Final = 100
"""So many lines about the keys of one person may come with them."""

NOTE_KEYS: Final = frozenset({"key", "time", "what"})

_KINDS: Final = ("text", "notice", "unreadable", "unsupported", "deleted")
_STATUSES: Final = ("stored", "delivered", "read", "failed", "received")
_CURSOR: Final = re.compile(r"[A-Za-z0-9:._+-]{0,64}")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,31}")
_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{16}|")
_BYTES: Final = re.compile(r"[A-Za-z0-9_-]*")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}|")


def check_fetch(content: Mapping[str, Json]) -> None:
    """Raise Unfit for a request that cannot be."""
    _text(content["name"])
    _like(_CURSOR, content["before"])
    _number(content["pages"], PAGES)


def check_history(content: Mapping[str, Json]) -> None:
    """Raise Unfit for an answer that cannot be."""
    _one_of(ANSWERS, content["answer"])
    for cursor in ("before", "next"):
        _like(_CURSOR, content[cursor])
    for count in ("left", "total"):
        _number(content[count])
    _each(content["people"], PERSON_KEYS, _check_person)
    _each(content["messages"], MESSAGE_KEYS, _check_message)


def fits_page(message: Mapping[str, Any]) -> bool:
    """Say whether a message can stand in a page."""
    try:
        _check_message(message)
    except Unfit:
        return False
    return True


def _check_person(one: Mapping[str, Any]) -> None:
    _like(_USERNAME, one["name"])
    _like(_KEY, one["key"])
    _flag(one["verified"])
    _each(one.get("notes", []), NOTE_KEYS, _check_note, NOTES)  # older versions send none


def _check_note(one: Mapping[str, Any]) -> None:
    _like(_KEY, one["key"])
    _number(one["time"])
    _text(one["what"])


def _check_message(one: Mapping[str, Any]) -> None:
    _like(_ID, one["id"])
    for name in ("with", "from"):
        _like(_USERNAME, one[name])
        if one[name] != one[name].lower():
            raise Unfit("holds a username that is not in canonical form")
    _like(_DEVICE, one["device"])
    _one_of(_KINDS, one["kind"])
    _one_of(_STATUSES, one["status"])
    for text in ("text", "failure"):
        _text(one[text])
    _like(_BYTES, one["payload"])
    _number(one["sent"])
    _number(one["revision"])
    _like(_DEVICE, one["editor"])
    for number in ("received", "seq", "edited"):
        if one[number] is not None:
            _number(one[number])
    _flag(one["unread"])


def _each(
    items: Json,
    keys: frozenset[str],
    check: Callable[[Mapping[str, Any]], None],
    most: int = ITEMS,
) -> None:
    """Check objects; keys that a newer version adds are passed over by who reads them."""
    if not isinstance(items, list | tuple) or len(items) > most:
        raise Unfit("holds too many parts, or none in a list")
    for one in items:
        if not isinstance(one, Mapping) or not one.keys() >= keys:
            raise Unfit("holds a part that is not whole")
        check(one)


def _like(pattern: re.Pattern[str], value: Json) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Unfit("holds a word that cannot stand there")


def _one_of(words: Collection[str], value: Json) -> None:
    if not isinstance(value, str) or value not in words:
        raise Unfit("holds a word that is not known there")


def _text(value: Json) -> None:
    if not isinstance(value, str) or has_control(value):
        raise Unfit("has a text that holds a control character")


def _number(value: Json, most: int = INTEGER) -> None:
    if type(value) is not int or not 0 <= value <= most:
        raise Unfit("holds a number out of range")


def _flag(value: Json) -> None:
    if not isinstance(value, bool):
        raise Unfit("holds something else than yes or no")
