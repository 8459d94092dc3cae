"""JSON in one spelling only: what is read here writes back to the same text, or it is refused.

The spelling is that of RFC 8785 for the values we use: no spaces, keys sorted, nothing escaped that
need not be, whole numbers that every language can hold, no fractions. Depth and number of
containers are bounded before the parser proper sees the text, since that one recurses, and the
server's threads have small stacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, TypeAlias

Json: TypeAlias = bool | int | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""What can be written and read."""

INTEGER: Final = (1 << 53) - 1
"""The largest whole number, on either side of zero, that all JSON readers agree on."""

# An unfinished string ends with the text, so that the search stays linear for any text.
_STRING = re.compile(r'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}


class NotCanonical(ValueError):
    """The text is no JSON in our one spelling, or exceeds a bound; callers turn it into theirs."""


def write(value: Json) -> str:
    """Spell ``value``.

    Raises:
        NotCanonical: it is no JSON value, or holds half a surrogate pair.
    """
    try:
        text = json.dumps(
            value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        raise NotCanonical("holds what cannot be written as JSON") from None
    return text


def spelled_size(text: str) -> int:
    """Return how many bytes a string takes, quotes and escapes included."""
    return len(write(text).encode("utf-8"))


def read(text: str, *, depth: int, containers: int) -> Any:
    """Return what :func:`write` spelled: None, bool, int, str, list and dict.

    Raises:
        NotCanonical: any other text; nested deeper than ``depth``; more than ``containers``
            arrays and objects.
    """
    _check_nesting(text, depth, containers)
    try:
        value = json.loads(
            text,
            parse_int=_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except NotCanonical:
        raise
    except ValueError:
        raise NotCanonical("is not JSON") from None
    if write(value) != text:  # a key that stands there twice is in the value only once
        raise NotCanonical("is not JSON in its one canonical spelling")
    return value


def _check_nesting(text: str, depth: int, containers: int) -> None:
    bare = _STRING.sub("", text)
    if sum(map(bare.count, _STEP)) > 2 * containers:
        raise NotCanonical("holds too many lists")
    if max(accumulate(_STEP[bracket] for bracket in _BRACKET.findall(bare)), default=0) > depth:
        raise NotCanonical("is nested too deep")


def _integer(digits: str) -> int:
    if len(digits) > len(str(-INTEGER)) or abs(int(digits)) > INTEGER:
        raise NotCanonical("holds a number that is too large")
    return int(digits)


def _refuse_number(spelling: str) -> None:
    raise NotCanonical(f"holds {spelling[:20]}, which is no whole number")
