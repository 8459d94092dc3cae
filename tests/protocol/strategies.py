"""Values for property tests: any frame, any text that looks a little like one, any payload."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bpost import b64
from bpost.protocol import fields, shape
from bpost.protocol.codes import SEPARATOR, Code
from bpost.protocol.content import DELIVERED, READ
from bpost.protocol.envelope import Envelope
from bpost.protocol.payload import Payload, direct_conversation
from bpost.protocol.replies import REPLIES, Refusal
from bpost.protocol.requests import REQUESTS
from bpost.protocol.shape import Frame, Slot, slots
from tests.protocol.nasty import NASTY

FRAMES: tuple[type[Frame], ...] = (*REQUESTS, *REPLIES)

printable = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
"""Characters that may stand in every field."""

writable = printable | st.sampled_from("\t\n\x7f\x85\u2028\u2029")
"""Characters that may stand in the body of a message."""

usernames = st.from_regex(r"[a-z0-9][a-z0-9._-]{1,31}", fullmatch=True)
devices = st.from_regex(r"[A-Za-z0-9_-]{16}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32).map(b64.encode)
numbers = st.integers(0, fields.NUMBER)
safe_numbers = st.integers(0, (1 << 53) - 1)
ids = st.uuids().map(str)


def values(kind: fields.Kind[Any]) -> st.SearchStrategy[Any]:
    """Return values of one kind of field."""
    if isinstance(kind, fields.KeyText):
        return digests
    if isinstance(kind, fields.Text):
        return texts(kind)
    if isinstance(kind, fields.Octets):
        return st.binary(min_size=1, max_size=99)
    if isinstance(kind, fields.DeviceIds):
        least = 0 if kind.may_be_empty else 1
        return st.lists(devices, unique=True, min_size=least, max_size=10).map(tuple)
    if isinstance(kind, shape.Numbers):
        return st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True), safe_numbers)
    if isinstance(kind, shape.Texts):
        return st.lists(values(kind.kind), max_size=9).map(tuple)
    if isinstance(kind, shape.Records):
        return records(kind)
    return st.booleans() if isinstance(kind, fields.Flag) else safe_numbers | numbers


def texts(kind: fields.Text) -> st.SearchStrategy[str]:
    """Return texts of one kind, small enough for the default limits."""
    if kind.pattern is not None:
        found = st.from_regex(kind.pattern, fullmatch=True).filter(lambda text: len(text) <= 64)
    else:
        found = st.text(writable if kind.free else printable, min_size=1, max_size=99)
    return st.just("") | found if kind.may_be_empty else found


def records(kind: shape.Records) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return tuples of records that differ in their first field."""
    shapes = slots(kind.cls)
    record = st.builds(kind.cls, **{slot.name: json_values(slot) for slot in shapes})
    key = shapes[0].name
    return st.lists(record, max_size=9, unique_by=lambda item: getattr(item, key)).map(tuple)


def json_values(slot: Slot) -> st.SearchStrategy[Any]:
    """Return values of a field in a JSON record, where numbers are smaller."""
    found = safe_numbers if isinstance(slot.kind, fields.Number) else values(slot.kind)
    return found | st.none() if slot.optional else found


def frames_of(cls: type[Frame]) -> st.SearchStrategy[Frame]:
    """Return frames of one class."""
    parts = {
        slot.name: values(slot.kind) | st.none() if slot.optional else values(slot.kind)
        for slot in slots(cls)
    }
    if cls is Refusal:
        parts["code"] = st.sampled_from(sorted(Refusal.CODES))
    return st.builds(cls, **parts).filter(lambda frame: frame.problem() is None)


frames = st.sampled_from((*FRAMES, Refusal)).flatmap(frames_of)
"""Any frame, in either direction."""

pieces = (
    st.sampled_from([str(int(code)) for code in Code])
    | st.sampled_from(["", "OK", "Error", "WillBeSent", "list", "put", "get", "count", "upload"])
    | st.sampled_from(NASTY)
    | st.sampled_from(["alice", "bob", "A" * 43, "a" * 16, "7", "[]", "{}", '["x"]'])
    | st.text(max_size=9)
)
"""Fields that are found in frames, and some that never are."""

near_frames = st.lists(pieces, max_size=9).map(SEPARATOR.join)
"""Texts that look like frames more often than chance would have it."""


@st.composite
def altered(draw: st.DrawFn, originals: st.SearchStrategy[str]) -> str:
    """Draw a text with one place of it cut out, doubled or replaced."""
    text = draw(originals)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 9)))
    return text[:start] + draw(pieces | st.just(text[start:end] * 2)) + text[end:]


envelopes = st.builds(
    Envelope,
    devices,
    st.dictionaries(devices, st.binary(min_size=1, max_size=99), min_size=1, max_size=24),
    st.binary(min_size=1, max_size=999),
)

device_lists = st.lists(devices, min_size=1, max_size=10, unique=True).map(
    lambda found: tuple(sorted(found))
)

message_text = st.text(writable, min_size=1, max_size=99)

json_leaves = st.none() | st.booleans() | st.integers(-9, 9) | st.text(printable, max_size=9)
json_values_of_any_depth = st.recursive(
    json_leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(printable), inner),
    max_leaves=6,
)


@st.composite
def payloads(draw: st.DrawFn) -> Payload:
    """Draw a payload of a known or an unknown type."""
    sender, to = draw(usernames), draw(usernames)
    number = draw(st.integers(1, 1 << 40))
    type_, content = draw(
        st.tuples(st.just("text"), st.fixed_dictionaries({"text": message_text}))
        | st.tuples(
            st.just("receipt"),
            st.fixed_dictionaries(
                {
                    "kind": st.sampled_from([DELIVERED, READ]),
                    "ids": st.lists(ids, min_size=1, max_size=9, unique=True),
                }
            ),
        )
        | st.tuples(st.just("empty"), st.just({}))
        | st.tuples(st.just("later"), st.dictionaries(st.just("what"), json_leaves))
    )
    return Payload(
        type=type_,
        id=draw(ids),
        sender=sender,
        device=draw(devices),
        to=to,
        conversation=direct_conversation(sender, to),
        number=number,
        previous="" if number == 1 else draw(digests),
        sent=draw(safe_numbers),
        recipients=draw(st.dictionaries(usernames, device_lists, min_size=1, max_size=3)),
        content=content,
    )
