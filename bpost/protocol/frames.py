"""The table from heads to frames, and the two functions that read a frame.

``parse_request`` is for servers, ``parse_reply`` for clients. Reading is strict: a text that parses
writes back to itself, except that fields beyond those we know are passed over, since they come
from a newer version. Nothing but :class:`~bpost.errors.FrameError` comes out of either function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from bpost.errors import FrameError
from bpost.limits import Limits
from bpost.protocol.codes import SEPARATOR, Code, Reason
from bpost.protocol.fields import Unfit, check_size, has_control
from bpost.protocol.replies import REPLIES, Refusal, SendRefused
from bpost.protocol.requests import REQUESTS, AddContact, Send
from bpost.protocol.shape import Frame, Reply, Request, slots

F = TypeVar("F", bound=Frame)
Table = Mapping[tuple[str, ...], type[F]]

DEFAULT_LIMITS = Limits()

REQUEST_TABLE: Table[Request] = {cls.head: cls for cls in REQUESTS}
REPLY_TABLE: Table[Reply] = {
    **{cls.head: cls for cls in REPLIES},
    **{(str(int(code)), "Error"): Refusal for code in Refusal.CODES},
}

_CODES = {str(int(code)): code for code in Code}
_LONGEST_HEAD = 3


def parse_request(text: str, limits: Limits = DEFAULT_LIMITS) -> Request:
    """Read what a client sent.

    Raises:
        FrameError: it is no request; :func:`answer_to` makes the answer.
    """
    return _parse(text, REQUEST_TABLE, limits)


def parse_reply(text: str, limits: Limits = DEFAULT_LIMITS) -> Reply:
    """Read what a server sent.

    Raises:
        FrameError: it is no reply.
    """
    return _parse(text, REPLY_TABLE, limits)


def answer_to(error: FrameError) -> Reply | None:
    """Return what to answer to a request that could not be read, or None if there is no answer.

    There is none for a frame without a known code, and for codes whose requests are never refused.
    """
    explanation = str(error)
    if error.code == Code.SEND:
        return SendRefused(error.subject or "", error.ref, error.reason, explanation)
    if error.code is None or error.code not in Refusal.CODES:
        return None
    return Refusal(Code(error.code), error.reason, explanation, error.subject)


def _parse(text: str, table: Table[F], limits: Limits) -> F:
    parts = text.split(SEPARATOR, limits.fields)
    code = _CODES.get(parts[0])
    try:
        _check_whole(text, parts, limits)
        if code is None:
            raise FrameError("A frame begins with a code of the protocol, a decimal number.")
        for length in range(_LONGEST_HEAD, 0, -1):
            cls = table.get(tuple(parts[:length]))
            if cls is not None:
                return cls.read(parts[:length], parts[length:], limits)
        raise FrameError(f"There is no frame of code {int(code)} of this form.")
    except FrameError as error:
        error.code = None if code is None else int(code)
        error.subject = _named(code, parts, "to" if code is Code.SEND else "contact", limits)
        error.ref = _named(code, parts, "ref", limits)
        raise


def _check_whole(text: str, parts: list[str], limits: Limits) -> None:
    try:
        check_size(text, limits.frame)
    except Unfit as error:
        raise FrameError(f"A frame {error}.", error.reason) from None
    if len(parts) > limits.fields:
        raise FrameError("A frame has too many fields.")
    if any(map(has_control, parts)):
        raise FrameError("A frame holds a control character.", Reason.BAD_FIELD)


def _named(code: Code | None, parts: list[str], name: str, limits: Limits) -> str | None:
    """Return one field of a bad frame of code 0 or 4, if at least that field can be read."""
    cls = {Code.SEND: Send, Code.ADD_CONTACT: AddContact}.get(code)  # type: ignore[arg-type]
    if cls is None:
        return None
    for slot, text in zip(slots(cls), parts[1:]):  # noqa: B905
        if slot.name == name:
            try:
                value = slot.read(text, limits)
            except Unfit:
                return None
            return value if isinstance(value, str) else None
    return None
