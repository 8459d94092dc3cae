"""What may stand in a field: one kind for each sort of content, and the annotations that name them.

A frame annotates its fields with the names below (``to: Username``), and :mod:`.shape` reads and
writes it by them. A *kind* knows three things: how a value is spelled as text, how text becomes a
value, and which values there are. Both directions check the same rules, so nothing that would be
refused on arrival can be sent by mistake; only sizes are left to the reader, whose settings decide.

No field holds a C0 control character other than tab and newline. Where people write (the body of a
message) nothing more is forbidden; everywhere else C1 controls, DEL, U+2028 and U+2029 are too.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from bpost import b64
from bpost.errors import SecurityError, UsageError
from bpost.limits import Limits
from bpost.protocol.codes import Reason

T = TypeVar("T")

NUMBER: Final = (1 << 63) - 1
"""The largest number in a field."""

CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
"""What no field may hold: C0 controls but tab and newline, and halves of surrogate pairs."""

_STRUCTURAL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,31}")


class Unfit(ValueError):
    """A value that its field cannot hold; the frame, which knows the field's name, turns it into
    a FrameError (read) or a UsageError (written)."""

    def __init__(self, problem: str, reason: str = Reason.BAD_FIELD) -> None:
        super().__init__(problem)
        self.reason = reason


class Kind(ABC, Generic[T]):
    """One sort of field content."""

    may_be_empty: bool = False
    """Whether the empty text is a value; for an optional field it else means "left out"."""

    @abstractmethod
    def from_text(self, text: str, limits: Limits) -> T:
        """Return the value that ``text`` spells. Raises Unfit."""

    @abstractmethod
    def to_text(self, value: T) -> str:
        """Spell ``value``, which has passed :meth:`check`."""

    @abstractmethod
    def check(self, value: object, limits: Limits | None) -> None:
        """Raise Unfit for what is no value of this kind; None for ``limits`` leaves sizes out."""


@dataclass(frozen=True)
class Text(Kind[str]):
    """Text: at most as many UTF-8 bytes as the limit called ``bound``, of the form ``pattern``."""

    bound: str | None = None
    pattern: re.Pattern[str] | None = None
    form: str = ""
    free: bool = False
    may_be_empty: bool = False

    def from_text(self, text: str, limits: Limits) -> str:  # noqa: ARG002 - as the base has it
        return text

    def to_text(self, value: str) -> str:
        return value

    def check(self, value: object, limits: Limits | None) -> None:
        if not isinstance(value, str):
            raise Unfit("is not text")
        if not value:
            if self.may_be_empty:
                return
            raise Unfit("is empty")
        if limits is not None and self.bound is not None:
            check_size(value, getattr(limits, self.bound))
        if has_control(value, CONTROL if self.free else _STRUCTURAL):
            raise Unfit("holds a control character")
        if self.pattern is not None and not self.pattern.fullmatch(value):
            raise Unfit(f"is not {self.form}")


class Number(Kind[int]):
    """A whole number from 0 to 2^63 - 1: decimal ASCII digits, no sign, no leading zero."""

    def from_text(self, text: str, limits: Limits) -> int:  # noqa: ARG002
        if not _NUMBER.fullmatch(text):
            raise Unfit("is not a whole number in plain decimal digits")
        return int(text)

    def to_text(self, value: int) -> str:
        return str(value)

    def check(self, value: object, limits: Limits | None) -> None:  # noqa: ARG002
        if type(value) is not int or not 0 <= value <= NUMBER:
            raise Unfit("is not a whole number from 0 to 2^63 - 1")


class Flag(Kind[bool]):
    """True or false, in JSON records only."""

    def from_text(self, text: str, limits: Limits) -> bool:  # noqa: ARG002
        if text not in ("true", "false"):
            raise Unfit("is neither true nor false")
        return text == "true"

    def to_text(self, value: bool) -> str:
        return "true" if value else "false"

    def check(self, value: object, limits: Limits | None) -> None:  # noqa: ARG002
        if type(value) is not bool:
            raise Unfit("is neither true nor false")


@dataclass(frozen=True)
class Octets(Kind[bytes]):
    """Bytes in canonical base64url; ``bound`` counts the bytes of the text."""

    bound: str

    def from_text(self, text: str, limits: Limits) -> bytes:
        check_size(text, getattr(limits, self.bound))
        try:
            return b64.decode(text)
        except SecurityError:
            raise Unfit("is not canonical base64url") from None

    def to_text(self, value: bytes) -> str:
        return b64.encode(value)

    def check(self, value: object, limits: Limits | None) -> None:  # noqa: ARG002
        if not isinstance(value, bytes) or not value:
            raise Unfit("is empty, or not bytes")


@dataclass(frozen=True)
class KeyText(Text):
    """The base64url text of 32 bytes."""

    def check(self, value: object, limits: Limits | None) -> None:
        super().check(value, limits)
        try:
            b64.decode(str(value), 32)
        except SecurityError:
            raise Unfit("is not 32 bytes in canonical base64url (43 characters)") from None


class DeviceIds(Kind[tuple[str, ...]]):
    """Device ids joined by commas, each once; none at all is a value too."""

    may_be_empty = True

    def from_text(self, text: str, limits: Limits) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(text.split(",")) if text else ()

    def to_text(self, value: tuple[str, ...]) -> str:
        return ",".join(value)

    def check(self, value: object, limits: Limits | None) -> None:
        if not isinstance(value, tuple) or len(set(value)) != len(value):
            raise Unfit("names a device twice")
        if limits is not None and len(value) > limits.envelope_devices:
            raise Unfit("names too many devices", Reason.TOO_LARGE)
        for device in value:
            _DEVICE.check(device, limits)


class SomeDeviceIds(DeviceIds):
    """Device ids, at least one: empty means that the field is left out."""

    may_be_empty = False

    def check(self, value: object, limits: Limits | None) -> None:
        super().check(value, limits)
        if not value:
            raise Unfit("names no device")


def has_control(text: str, characters: re.Pattern[str] = CONTROL) -> bool:
    """Return whether ``text`` holds one of ``characters``, none of which is printable."""
    return not text.isprintable() and characters.search(text) is not None


def check_size(text: str, most: int) -> None:
    """Raise Unfit for a text of more than ``most`` bytes in UTF-8."""
    if len(text) > most or (4 * len(text) > most and utf8_size(text) > most):
        raise Unfit(f"is larger than the {most} bytes allowed", Reason.TOO_LARGE)


def utf8_size(text: str) -> int:
    """Return how many bytes ``text`` has in UTF-8; half a surrogate pair counts as three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def check_username(text: str) -> str:
    """Return ``text`` if it can be a username.

    Raises:
        UsageError: it cannot; the sentence says what a username looks like.
    """
    if not _USERNAME.fullmatch(text):
        raise UsageError(f"This is not a username: it must be {_USERNAME_FORM}.")
    return text


def canonical(username: str) -> str:
    """Return the form in which usernames are compared, looked up and signed."""
    return username.lower()


def clean_text(text: str) -> str:
    """Make what a person typed or pasted fit for the body of a message.

    Line ends become newlines; other control characters, and halves of surrogate pairs, go.
    """
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


_USERNAME_FORM: Final = (
    "2 to 32 letters, digits, dots, underscores or hyphens, the first a letter or digit"
)
_DEVICE_FORM: Final = "a device id (16 characters of A-Z a-z 0-9 _ -)"
_LOG_IN_KEY_FORM: Final = (
    "43 characters of base64url: a password must be turned into its log-in key by the client and "
    "never be sent itself"
)
_DEVICE: Final = Text(pattern=re.compile(r"[A-Za-z0-9_-]{16}"), form=_DEVICE_FORM)


def _text(pattern: str, form: str, bound: str | None = None, empty: bool = False) -> Text:
    return Text(bound, re.compile(pattern), form, may_be_empty=empty)


Username = Annotated[str, Text(pattern=_USERNAME, form=_USERNAME_FORM)]
UsernameOrEmpty = Annotated[str, Text(pattern=_USERNAME, form=_USERNAME_FORM, may_be_empty=True)]
# Its last character may have any spare bits: it is only ever hashed, so nothing is spelled twice.
Password = Annotated[str, _text(r"[A-Za-z0-9_-]{43}", _LOG_IN_KEY_FORM)]
Digest = Annotated[str, KeyText()]
Device = Annotated[str, _DEVICE]
DeviceOrNew = Annotated[str, _text(r"[A-Za-z0-9_-]{16}|new", f"{_DEVICE_FORM} or new")]
DeviceOrPlain = Annotated[str, _text(r"[A-Za-z0-9_-]{16}|plain", f"{_DEVICE_FORM} or plain")]
KnownDevices = Annotated[tuple[str, ...], DeviceIds()]
SomeDevices = Annotated[tuple[str, ...], SomeDeviceIds()]
Ref = Annotated[str, _text(r"[!-~]+", "visible ASCII characters", "ref")]
Invite = Annotated[str, _text(r"[!-~]+", "visible ASCII characters", "invite")]
BlobId = Annotated[str, _text(r"[A-Za-z0-9_-]{16,64}", "the id of an attachment")]
Word = Annotated[str, _text(r"[a-z][a-z0-9-]{0,31}", "a short word")]
Sentence = Annotated[str, Text("sentence")]
Body = Annotated[str, Text("message", free=True, may_be_empty=True)]
PublicKey = Annotated[str, Text("public_key")]
PublicKeyOrEmpty = Annotated[str, Text("public_key", may_be_empty=True)]
Succession = Annotated[str, Text("succession")]
Bundle = Annotated[str, Text("device_bundle")]
OneTimeKey = Annotated[str, Text("one_time_key")]
Vault = Annotated[str, Text("vault")]
VaultOrEmpty = Annotated[str, Text("vault", may_be_empty=True)]
# What an owner states about the keys beside it; opaque to the server.
Statement = Annotated[str, _text(r"[!-~]{1,128}", "visible ASCII characters, 128 at most")]
StatementOrEmpty = Annotated[str, _text(r"[!-~]{1,128}", "visible ASCII characters", empty=True)]
SealedName = Annotated[str, Text("device_name", may_be_empty=True)]
Integer = Annotated[int, Number()]
Truth = Annotated[bool, Flag()]
Chunk = Annotated[bytes, Octets("message")]


def kind_of(annotation: Any) -> Kind[Any]:
    """Return the kind that an annotation from this module carries."""
    kind = annotation.__metadata__[0]
    if not isinstance(kind, Kind):
        raise TypeError(f"{annotation!r} carries no kind")
    return kind
