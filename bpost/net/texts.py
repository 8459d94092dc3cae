"""The plain case, read at once: whole text messages, as almost all that clients send are. No I/O.

The library reads a frame in many small steps, each fit for every case. A frame that is one whole
text message, with a mask, its length in the shortest form and no reserved bit, is such that nothing
before or after it matters (RFC 6455, sections 5.2 and 5.6). It is read here in one step, and means
just what the library would say. Whatever else comes, be it a fragment, a control frame, bytes that
are no UTF-8, a frame too long or not yet whole, is left for the library, from its first byte on.
"""

from __future__ import annotations

from collections.abc import Callable

_WHOLE_TEXT = 0x81
_SHORTEST_OF_TWO = 126
_MASK = 4


def hand_texts(data: bytes, most: int, take: Callable[[str], None]) -> int:
    """Hand the text messages that ``data`` begins with to ``take``, as far as they are plain.

    ``data`` begins where a frame does, with no message begun before. Messages over ``most`` bytes
    are not plain. Returns how many bytes were read.
    """
    at, end = 0, len(data)
    while end - at >= 6 and data[at] == _WHOLE_TEXT:
        size, head = data[at + 1] - 0x80, at + 2
        if size == _SHORTEST_OF_TWO:
            size, head = (data[at + 2] << 8) | data[at + 3], at + 4
            if size < _SHORTEST_OF_TWO:
                break
        elif not 0 <= size < _SHORTEST_OF_TWO:
            break
        upto = head + _MASK + size
        if upto > end or size > most:
            break
        try:
            text = unmask(data[head : head + _MASK], data[head + _MASK : upto]).decode()
        except UnicodeDecodeError:
            break
        take(text)
        at = upto
    return at


def unmask(mask: bytes, payload: bytes) -> bytes:
    """Return ``payload`` without its mask: both as one number each, since that is one step."""
    size = len(payload)
    repeated = (mask * (size // _MASK + 1))[:size]
    number = int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")
    return number.to_bytes(size, "little")
