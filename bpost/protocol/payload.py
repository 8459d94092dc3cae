"""The payload: what the sealed body says, and who is meant by it (CRYPTO, section 5).

Frame and envelope pass through the server, which could change them. What counts stands in here,
under the seal; :func:`check_origin` demands that the outside agrees with it. Usernames in a payload
are in canonical form throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bpost.errors import SecurityError, UsageError
from bpost.limits import Limits
from bpost.protocol import canonical_json
from bpost.protocol.canonical_json import Json, NotCanonical
from bpost.protocol.content import (
    CONVERSATION,
    DIRECTED,
    NewerContent,
    check_content,
    check_id,
    check_name,
)
from bpost.protocol.fields import Device, Digest, Unfit, Word, canonical, kind_of
from bpost.protocol.log_head import LogHead, read_log_head

DIRECT: Final = "direct"

_NAMES: Final = {
    "type": "type",
    "id": "id",
    "from": "sender",
    "device": "device",
    "to": "to",
    "conversation": "conversation",
    "number": "number",
    "previous": "previous",
    "sent": "sent",
    "recipients": "recipients",
}
"""The keys of the JSON object that every payload has, and the fields that hold them."""

_LOG: Final = "log"
"""The key that a payload may have besides: the head of the log of keys that its sender knows."""

_ENDS: Final = "ends"
"""Another one: the last numbers of runs before this one, of a device that was restored."""

ENDS: Final = 8
"""How many a payload names: those of the newest runs."""

_DEPTH: Final = 8
_CONTAINERS: Final = 1024
_DEFAULT_LIMITS: Final = Limits()

_device, _digest, _word = (kind_of(kind) for kind in (Device, Digest, Word))


@dataclass(frozen=True)
class Payload:
    """One sealed message.

    ``number`` counts, from 1, what this device of this account has sent in this conversation, and
    ``previous`` is the SHA-256 (base64url) of the payload before it, empty for number 1: whatever
    is missing between two payloads shows. ``recipients`` are the ids of all devices, sorted, by the
    user they belong to, that this payload is sealed for. ``to`` is the other user, also in the
    copies for the sender's own devices. ``sent`` is in milliseconds. ``newer`` marks one of a known
    type with more content than this version knows: it is kept, and nothing in it is acted upon.
    ``log`` is the head of the server's log of keys as the sender knows it. ``ends`` are the last
    numbers, as far as the sender knows, that it used here before it was restored, each time.
    """

    type: str
    id: str
    sender: str
    device: str
    to: str
    conversation: str
    number: int
    previous: str
    sent: int
    recipients: Mapping[str, tuple[str, ...]]
    content: Mapping[str, Json] = field(default_factory=dict, repr=False)
    newer: bool = False
    log: LogHead | None = None
    ends: tuple[int, ...] = ()

    @property
    def means(self) -> str:
        """Return the type that it is to be taken as; empty where only a newer version can tell."""
        return "" if self.newer else self.type

    def to_bytes(self) -> bytes:
        """Return the one spelling of this payload, not padded yet.

        Raises:
            UsageError: a field holds what :func:`parse_payload` would refuse.
        """
        try:
            _check(self)
            text = canonical_json.write(payload_json(self))
            canonical_json.read(text, depth=_DEPTH, containers=_CONTAINERS)
        except (Unfit, NotCanonical) as error:
            raise UsageError(f"A payload cannot be sent: it {error}.") from None
        except NewerContent as error:
            raise UsageError(f"A payload cannot be sent: {error}") from None
        return text.encode("utf-8")


def payload_json(payload: Payload) -> Mapping[str, Json]:
    """Return a payload as the JSON object that its bytes spell, to stand in another one."""
    value: dict[str, Json] = dict(payload.content)
    value.update({key: getattr(payload, name) for key, name in _NAMES.items()})
    value["recipients"] = {user: list(ids) for user, ids in payload.recipients.items()}
    if payload.log is not None:
        value[_LOG] = payload.log.text()
    if payload.ends:
        value[_ENDS] = list(payload.ends)
    return value


def inner_payload(value: Json, limits: Limits = _DEFAULT_LIMITS) -> tuple[Payload, bytes]:
    """Read what :func:`payload_json` gave; return its bytes too.

    Raises:
        SecurityError: as :func:`parse_payload`.
    """
    try:
        data = canonical_json.write(value).encode("utf-8")
    except NotCanonical:
        text = "The content of a message is not written as it must be."
        raise SecurityError("bad-encoding", text) from None
    return parse_payload(data, limits), data


def parse_payload(data: bytes, limits: Limits = _DEFAULT_LIMITS) -> Payload:
    """Read what :meth:`Payload.to_bytes` wrote.

    Raises:
        SecurityError: ``too-large``; ``newer-version`` for a request or an answer that holds more
            than is known; ``bad-encoding`` for all other bytes.
    """
    if len(data) > limits.message:
        raise SecurityError("too-large", "The content of a message is larger than allowed.")
    try:
        value = canonical_json.read(data.decode("utf-8"), depth=_DEPTH, containers=_CONTAINERS)
        payload = _checked(_build(value))
    except NewerContent:
        text = "This message holds something that needs a newer version of BPost."
        raise SecurityError("newer-version", text) from None
    except (UnicodeDecodeError, Unfit, NotCanonical):
        text = "The content of a message is not written as it must be."
        raise SecurityError("bad-encoding", text) from None
    return payload


def direct_conversation(a: str, b: str) -> str:
    """Return the name of the conversation between two users, the same from both sides."""
    return ":".join((DIRECT, *sorted((canonical(a), canonical(b)))))


def check_origin(
    payload: Payload,
    *,
    frame_sender: str,
    envelope_device: str,
    me: str,
    my_device: str,
    envelope_devices: Collection[str],
) -> None:
    """Demand that a payload is from whom it came from, for this device, in this conversation.

    ``frame_sender`` and ``envelope_device`` are who the session that opened it belongs to, as frame
    and envelope had it; ``envelope_devices`` are all devices that the envelope was addressed to.

    Raises:
        SecurityError: ``wrong-sender``, ``wrong-recipient``, ``wrong-conversation``;
            ``newer-version`` for a conversation of more than two, which this version does not know.
    """
    _check_sender(payload, frame_sender, envelope_device, me, my_device)
    own = payload.recipients.get(canonical(me), ())
    if my_device not in own or set(own) != set(envelope_devices):
        raise SecurityError(
            "wrong-recipient",
            "A message was sealed for other devices than those it was delivered to.",
        )
    _check_conversation(payload)


def _check_sender(
    payload: Payload, frame_sender: str, envelope_device: str, me: str, my_device: str
) -> None:
    if payload.sender != canonical(frame_sender) or payload.device != envelope_device:
        raise SecurityError(
            "wrong-sender", "A message was delivered in the name of someone who did not write it."
        )
    if (payload.sender, payload.device) == (canonical(me), my_device):
        raise SecurityError("wrong-sender", "A message of this device was sent back to it.")


def _check_conversation(payload: Payload) -> None:
    """Raise unless the two users, one of whom we are (a recipient is here), name it."""
    kind = payload.conversation.partition(":")[0]
    if kind != DIRECT:
        raise SecurityError(
            "newer-version", "This message belongs to a group; that needs a newer version of BPost."
        )
    members = {payload.sender, payload.to}
    named = payload.conversation == direct_conversation(payload.sender, payload.to)
    if not named or not members.issuperset(payload.recipients):
        raise SecurityError(
            "wrong-conversation", "A message was moved here from another conversation."
        )


def _build(value: Any) -> Payload:
    if not isinstance(value, dict) or not value.keys() >= _NAMES.keys():
        raise Unfit("does not have the parts of a payload")
    common = {name: value.pop(key) for key, name in _NAMES.items()}
    recipients = common["recipients"]
    if not isinstance(recipients, dict) or not all(
        isinstance(devices, list) for devices in recipients.values()
    ):
        raise Unfit("has no list of recipients")
    common["recipients"] = {user: tuple(devices) for user, devices in recipients.items()}
    if _LOG in value:
        common["log"] = read_log_head(value.pop(_LOG))
    if _ENDS in value:
        ends = value.pop(_ENDS)
        if not isinstance(ends, list) or not ends:
            raise Unfit("has no list of ends")
        common["ends"] = tuple(ends)
    return Payload(**common, content=value)


def _checked(payload: Payload) -> Payload:
    """Check a payload that was read; mark one that holds more than is known.

    What one device says to another is an answer or a request, of which half is none.
    """
    try:
        _check(payload)
    except NewerContent:
        if payload.type in DIRECTED:
            raise
        return replace(payload, newer=True)
    return payload


def _check(payload: Payload) -> None:
    _word.check(payload.type, None)
    check_id(payload.id)
    check_name(payload.sender)
    _device.check(payload.device, None)
    check_name(payload.to)
    name = payload.conversation
    if not isinstance(name, str) or not CONVERSATION.fullmatch(name):
        raise Unfit("names no conversation")
    _check_chain(payload)
    _check_recipients(payload.recipients)
    if not {*_NAMES, _LOG, _ENDS}.isdisjoint(payload.content):
        raise Unfit("has content under the key of another part")
    check_content(payload.type, payload.content)


def _check_chain(payload: Payload) -> None:
    ends = payload.ends
    for number, least in ((payload.number, 1), (payload.sent, 0), *((end, 1) for end in ends)):
        if type(number) is not int or not least <= number <= canonical_json.INTEGER:
            raise Unfit("holds a number or time out of range")
    if list(ends) != sorted(set(ends)) or len(ends) > ENDS or (ends and ends[-1] >= payload.number):
        raise Unfit("names ends that come after it, or are out of order, or too many")
    if payload.number == 1 and payload.previous != "":
        raise Unfit("is the first and follows another")
    if payload.number > 1:
        _digest.check(payload.previous, None)


def _check_recipients(recipients: Mapping[str, tuple[str, ...]]) -> None:
    if not recipients:
        raise Unfit("is for nobody")
    for user, devices in recipients.items():
        check_name(user)
        for device in devices:
            _device.check(device, None)
        if not devices or list(devices) != sorted(set(devices)):
            raise Unfit("lists devices twice, out of order or not at all")
