"""What all frames share: how a frozen dataclass becomes the text of a frame, and text a dataclass.

A frame begins with its *head* (a decimal code, and for some codes words such as ``OK`` or
``list``), then come its fields in the order of the dataclass. Fields with a default may be left
out from the right. One that is absent before another that is present is written as empty text; a
frame never ends in such an empty field, so that every frame has one spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

from bpost.errors import FrameError, UsageError
from bpost.limits import Limits
from bpost.protocol import canonical_json
from bpost.protocol.codes import SEPARATOR, Code, Reason
from bpost.protocol.fields import Kind, Unfit, kind_of

F = TypeVar("F", bound="Frame")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Slot:
    """One field of a frame or record: its name, its kind, and whether it may be left out."""

    name: str
    kind: Kind[Any]
    optional: bool

    def read(self, text: str, limits: Limits) -> Any:
        """Return the value that ``text`` spells. Raises Unfit."""
        if self.optional and not text and not self.kind.may_be_empty:
            return None
        value = self.kind.from_text(text, limits)
        self.kind.check(value, limits)
        return value

    def write(self, value: Any) -> str | None:
        """Spell ``value``, or return None for one that is left out. Raises Unfit."""
        if self.optional and value is None:
            return None
        self.kind.check(value, None)
        return self.kind.to_text(value)

    def check(self, value: object, limits: Limits | None) -> None:
        """Raise Unfit for a ``value`` that a record cannot hold here."""
        if not (self.optional and value is None):
            self.kind.check(value, limits)


def slots(cls: type[Any]) -> tuple[Slot, ...]:
    """Return the fields of a frame or record class that its annotations give a kind."""
    found = _SLOTS.get(cls)
    if found is None:
        found = _SLOTS[cls] = tuple(_slots(cls))
    return found


def _slots(cls: type[Any]) -> Iterator[Slot]:
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        hint = hints[field.name]
        optional = get_origin(hint) in (Union, UnionType)
        annotation = get_args(hint)[0] if optional else hint
        if get_origin(annotation) is Annotated:
            yield Slot(field.name, kind_of(annotation), optional)


_SLOTS: dict[type[Any], tuple[Slot, ...]] = {}


Speller = tuple[str, Callable[[Any], str], bool]
"""The name of a slot, what spells a value of it that was checked, and whether it is optional."""


def _spellers(cls: type[Any]) -> tuple[Speller, ...]:
    found = _SPELLERS.get(cls)
    if found is None:
        found = tuple((slot.name, slot.kind.to_text, slot.optional) for slot in slots(cls))
        _SPELLERS[cls] = found
    return found


_SPELLERS: dict[type[Any], tuple[Speller, ...]] = {}


@dataclass(frozen=True)
class Frame:
    """A frame of the protocol, in one direction; see :class:`Request` and :class:`Reply`."""

    head: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, code: Code | None = None, words: str = "") -> None:
        if code is not None:
            cls.head = (str(int(code)), *words.split())

    def text(self) -> str:
        """Return the text of this frame.

        Raises:
            UsageError: a value that its field cannot hold, such as one with the separator in it.
        """
        problem = self.problem()
        if problem is not None:
            raise UsageError(f"A frame {' '.join(self.opening())} {problem}.")
        return SEPARATOR.join((*self.opening(), *self._written()))

    def spelled(self) -> str:
        """Return the text of a frame whose values were all checked when they came in.

        It is what :meth:`text` returns, in a third of the time; for what a server hands on.
        """
        texts: list[str | None] = []
        for name, spell, optional in _spellers(type(self)):
            value = getattr(self, name)
            texts.append(None if optional and value is None else spell(value))
        return SEPARATOR.join((*self.opening(), *_present(texts)))

    def opening(self) -> tuple[str, ...]:
        """Return the head: the code and the words after it."""
        return self.head

    def problem(self) -> str | None:
        """Say what is wrong with the fields together, or return None."""
        return None

    def _written(self) -> list[str]:
        return _present([self._write_slot(slot) for slot in slots(type(self))])

    def _write_slot(self, slot: Slot) -> str | None:
        try:
            return slot.write(getattr(self, slot.name))
        except Unfit as error:
            raise UsageError(_sentence(self.opening(), slot, error)) from None

    @classmethod
    def read(cls: type[F], head: Sequence[str], texts: Sequence[str], limits: Limits) -> F:
        """Build a frame of this class from the texts after its head.

        Raises:
            FrameError: too few texts, or one that its field cannot hold.
        """
        frame = cls(**cls._values(head, texts, limits))
        problem = frame.problem()
        if problem is not None:
            raise FrameError(f"A frame {' '.join(head)} {problem}.", Reason.BAD_FRAME)
        return frame

    @classmethod
    def _values(cls, head: Sequence[str], texts: Sequence[str], limits: Limits) -> dict[str, Any]:
        shape = slots(cls)
        if len(texts) < sum(not slot.optional for slot in shape):
            raise FrameError(f"A frame {' '.join(head)} has too few fields.", Reason.BAD_FRAME)
        values: dict[str, Any] = {}
        for slot, text in zip(shape, texts):  # noqa: B905 - optional ones may be missing
            try:
                values[slot.name] = slot.read(text, limits)
            except Unfit as error:
                raise FrameError(_sentence(head, slot, error), error.reason) from None
        if len(texts) <= len(shape) and values and next(reversed(values.values())) is None:
            raise FrameError(
                f"A frame {' '.join(head)} ends in an empty field; leave it out.", Reason.BAD_FIELD
            )
        return values


def _present(texts: list[str | None]) -> list[str]:
    """Leave out what is absent at the end, and spell what is absent before that as empty."""
    while texts and texts[-1] is None:
        texts.pop()
    return [text or "" for text in texts]


class Request(Frame):
    """A frame from client to server."""

    @property
    def claimed(self) -> str | None:
        """The username that this frame claims to come from: a claim, never a credential."""
        name = getattr(self, "username", None) or getattr(self, "sender", None)
        return name if isinstance(name, str) else None


class Reply(Frame):
    """A frame from server to client."""


class Records(Kind[tuple[Any, ...]]):
    """A JSON array of objects, one for each record of the dataclass ``cls``.

    The objects have the fields of the class, all of them, and those that a newer version may have
    added, which are passed over. No two records agree in the first one. The limit called ``most``
    bounds how many there are.
    """

    def __init__(self, cls: type[Any], most: str) -> None:
        self.cls = cls
        self.most = most

    def from_text(self, text: str, limits: Limits) -> tuple[Any, ...]:
        items = _read_list(text, getattr(limits, self.most))
        return tuple(self._record(item) for item in items)

    def _record(self, item: Any) -> Any:
        names = [slot.name for slot in slots(self.cls)]
        if not isinstance(item, dict) or not item.keys() >= set(names):
            raise Unfit("holds an object without the keys that it must have")
        return self.cls(**{name: item[name] for name in names})

    def to_text(self, value: tuple[Any, ...]) -> str:
        names = [slot.name for slot in slots(self.cls)]
        return canonical_json.write([{name: getattr(r, name) for name in names} for r in value])

    def check(self, value: object, limits: Limits | None) -> None:
        if not isinstance(value, tuple) or not all(isinstance(r, self.cls) for r in value):
            raise Unfit("is not a tuple of records")
        shape = slots(self.cls)
        for record in value:
            for slot in shape:
                slot.check(getattr(record, slot.name), limits)
        if len({getattr(record, shape[0].name) for record in value}) != len(value):
            raise Unfit(f"names one {shape[0].name} twice")


class Numbers(Kind[Mapping[str, int]]):
    """A JSON object of whole numbers by name."""

    def from_text(self, text: str, limits: Limits) -> Mapping[str, int]:  # noqa: ARG002
        value = _read_json(text, containers=1)
        if not isinstance(value, dict):
            raise Unfit("is not a JSON object")
        return value

    def to_text(self, value: Mapping[str, int]) -> str:
        return canonical_json.write(value)

    def check(self, value: object, limits: Limits | None) -> None:  # noqa: ARG002
        if not isinstance(value, Mapping):
            raise Unfit("is not a mapping")
        for name, number in value.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise Unfit("holds a name that is not a short word")
            if type(number) is not int or not 0 <= number <= canonical_json.INTEGER:
                raise Unfit("holds a number that is not whole, or out of range")


class Texts(Kind[tuple[str, ...]]):
    """A JSON array of strings of one kind, at most as many as the limit called ``most``."""

    def __init__(self, annotation: Any, most: str) -> None:
        self.kind = kind_of(annotation)
        self.most = most

    def from_text(self, text: str, limits: Limits) -> tuple[str, ...]:
        return tuple(_read_list(text, getattr(limits, self.most)))

    def to_text(self, value: tuple[str, ...]) -> str:
        return canonical_json.write(value)

    def check(self, value: object, limits: Limits | None) -> None:
        if not isinstance(value, tuple):
            raise Unfit("is not a tuple of texts")
        for text in value:
            self.kind.check(text, limits)


def _read_list(text: str, most: int) -> list[Any]:
    value = _read_json(text, containers=most + 1)
    if not isinstance(value, list):
        raise Unfit("is not a JSON array")
    if len(value) > most:
        raise Unfit(f"holds more than {most} entries", Reason.TOO_LARGE)
    return value


def _read_json(text: str, containers: int) -> Any:
    try:
        return canonical_json.read(text, depth=2, containers=containers)
    except canonical_json.NotCanonical as error:
        raise Unfit(str(error)) from None


def _sentence(head: Sequence[str], slot: Slot, error: Unfit) -> str:
    return f"In a frame {' '.join(head)} the field {slot.name} {error}."
