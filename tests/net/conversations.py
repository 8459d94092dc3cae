"""What a WebSocket client may say to an echo, what comes back, and how it ends (RFC 6455).

The groups are those of the Autobahn test suite: 1 framing, 2 pings, 3 reserved bits, 4 opcodes,
5 fragments, 6 UTF-8, 7 closing, 9 large messages, 10 many frames for one message.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bpost.limits import KIB, MIB
from bpost.net.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from tests.net.harness import raw_frame

Frame = tuple[int, bytes]
HELLO = raw_frame(TEXT, b"Hello")
HEARD: Frame = (TEXT, b"Hello")
PINGED = raw_frame(PING, b"ping")
PONGED: Frame = (PONG, b"ping")
begin = partial(raw_frame, TEXT, fin=False)
more = partial(raw_frame, CONTINUATION, fin=False)
last = partial(raw_frame, CONTINUATION)


@dataclass(frozen=True)
class Conversation:
    """What a client says; the answers before the close frame, and the code in that.

    With the code 1000 it is the client who closes, after all the rest.
    """

    name: str
    said: bytes
    answers: Sequence[Frame] = ()
    code: int = 1000


def closing(code: int, reason: bytes = b"") -> bytes:
    """Return a client's close frame."""
    return raw_frame(CLOSE, struct.pack("!H", code) + reason)


def in_pieces(data: bytes, size: int, opcode: int = TEXT) -> bytes:
    """Return ``data`` as a message of many frames."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    middle = [more(piece) for piece in pieces[1:]]
    return b"".join([raw_frame(opcode, pieces[0], fin=False), *middle, last()])


def framing() -> Iterator[Conversation]:
    """Yield group 1, where sizes of headers change, and group 10."""
    for opcode, name in {TEXT: "text", BINARY: "binary"}.items():
        for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
            data = b"*" * size
            frame = raw_frame(opcode, data)
            yield Conversation(f"1 {name} of {size} bytes", frame, [(opcode, data)])
        data = b"*" * 65536
        yield Conversation(f"10 {name}", in_pieces(data, 1300, opcode), [(opcode, data)])


def pings() -> Iterator[Conversation]:
    """Yield group 2."""
    for data in (b"", b"Hello", bytes(range(0xFB, 0x100)) + b"\0", b"\xfe" * 125):
        yield Conversation(f"2 ping with {data!r}", raw_frame(PING, data), [(PONG, data)])
    too_long = raw_frame(PING, b"\xfe" * 126)
    yield Conversation("2 ping of 126 bytes", HELLO + too_long + HELLO, [HEARD], 1002)
    for data in (b"", b"unasked"):
        said = raw_frame(PONG, data) + PINGED
        yield Conversation(f"2 pong with {data!r}", said, [PONGED])
    many = [b"payload-%d" % number for number in range(10)]
    said = b"".join(raw_frame(PING, data) for data in many)
    yield Conversation("2 ten pings", said, [(PONG, data) for data in many])


def reserved() -> Iterator[Conversation]:
    """Yield groups 3 and 4: what no extension has given a meaning, after what is sound."""
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
        for rsv in range(1, 8):
            bad = raw_frame(opcode, b"\x03\xe8", rsv=rsv)
            said = HELLO + bad + PINGED
            yield Conversation(f"3 bits {rsv} on opcode {opcode}", said, [HEARD], 1002)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for data in (b"", b"reserved"):
            said = HELLO + raw_frame(opcode, data) + PINGED
            yield Conversation(f"4 opcode {opcode} with {data!r}", said, [HEARD], 1002)


def fragments() -> Iterator[Conversation]:
    """Yield group 5."""
    for opcode in (PING, PONG):
        said = raw_frame(opcode, b"one", fin=False) + last(b"two")
        yield Conversation(f"5 opcode {opcode} in two pieces", said, (), 1002)
    one, two = begin(b"one "), last(b"two")
    whole: Frame = (TEXT, b"one two")
    for said, answers, code in (
        (one + two, [whole], 1000),
        (one + PINGED + two, [PONGED, whole], 1000),
        (one + more() + more(b"and ") + PINGED + two, [PONGED, (TEXT, b"one and two")], 1000),
        (begin() + more() + last(), [(TEXT, b"")], 1000),
        (one + two + one + PINGED + two, [whole, PONGED, whole], 1000),
        (last(b"of nothing") + HELLO, [], 1002),
        (more(b"of nothing") + HELLO, [], 1002),
        (HELLO + last(b"of nothing"), [HEARD], 1002),
        (one + two + more(b"of nothing"), [whole], 1002),
        (one + HELLO, [], 1002),
        (one + raw_frame(BINARY, b"two"), [], 1002),
        (one + begin(b"two"), [], 1002),
    ):
        yield Conversation(f"5 {said!r}", said, answers, code)


SOUND = [
    "κόσμε",
    "Hello-µ@ßöäüàá-UTF-8!!",
    *map(chr, (0x00, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFD, 0xD7FF, 0xE000, 0x10000, 0x10FFFF)),
    *(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)),
]
UNSOUND = [
    *(bytes([byte]) for byte in (0x80, 0xBF, 0xC0, 0xC1, *range(0xF5, 0x100))),
    *(b"\x80" * count for count in range(2, 8)),
    *(bytes([byte]) + b" " for byte in (*range(0xC2, 0xE0, 5), *range(0xE0, 0xF5, 3))),
    # Cut short.
    *("κόσμε".encode()[:-1], b"\xe2\x82", b"\xf0\x9f\x98", b"\xf0\x9f"),
    # Longer than need be.
    *(b"\xc0\xaf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf"),
    # Halves of pairs, and beyond the last character.
    *(
        b"\xed\xa0\x80",
        b"\xed\xaf\xbf",
        b"\xed\xb0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
    ),
    *(b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
]


def texts() -> Iterator[Conversation]:
    """Yield group 6."""
    for text in SOUND:
        data = text.encode()
        yield Conversation(f"6 {text!a}", raw_frame(TEXT, data), [(TEXT, data)])
        yield Conversation(f"6 {text!a} by the byte", in_pieces(data, 1), [(TEXT, data)])
    for data in UNSOUND:
        yield Conversation(f"6 {data!r}", HELLO + raw_frame(TEXT, data), [HEARD], 1007)
        yield Conversation(f"6 {data!r} by the byte", in_pieces(data, 1), (), 1007)
    for data in (b"\xf4\x90", b"fine \xff"):
        said = begin(data) + PINGED
        yield Conversation(f"6 {data!r}, which is refused before it ends", said, (), 1007)


def closes() -> Iterator[Conversation]:
    """Yield group 7."""
    yield Conversation("7 a close with nothing in it", raw_frame(CLOSE), (), 1005)
    yield Conversation("7 a close of one byte", raw_frame(CLOSE, b"\3"), (), 1002)
    yield Conversation("7 the longest reason", closing(1001, b"*" * 123), (), 1001)
    yield Conversation("7 a longer reason", closing(1001, b"*" * 124), (), 1002)
    yield Conversation("7 a reason that is no UTF-8", closing(1001, b"\xce\xba\xe1"), (), 1007)
    yield Conversation("7 words after the close", closing(1001) + HELLO + PINGED, (), 1001)
    yield Conversation("7 a message without an end", begin(b"one") + closing(1001), (), 1001)
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield Conversation(f"7 code {code}", HELLO + closing(code, b"bye"), [HEARD], code)
    for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Conversation(f"7 code {code}", HELLO + closing(code), [HEARD], 1002)


def large() -> Iterator[Conversation]:
    """Yield group 9."""
    text = ("BAsd7&jh23" * (MIB // 10 + 1)).encode()[:MIB]
    for opcode in (TEXT, BINARY):
        yield Conversation(f"9 whole, {opcode}", raw_frame(opcode, text), [(opcode, text)])
        for size in (KIB, 64 * KIB):
            said = in_pieces(text, size, opcode)
            yield Conversation(f"9 in pieces of {size}, {opcode}", said, [(opcode, text)])


def all_but_large() -> Iterable[Conversation]:
    """Yield every group but 9."""
    for group in (framing, pings, reserved, fragments, texts, closes):
        yield from group()
