"""Plain text messages: read past the library as the library would read them."""

from __future__ import annotations

import random
import struct
import unittest

from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import TextMessage

from bpost.limits import Limits
from bpost.net.frames import BINARY, CONTINUATION, PING, PONG, TEXT, WebSocketError
from bpost.net.inbound import Inbound
from bpost.net.texts import hand_texts, unmask
from tests.net.harness import raw_frame

MOST = 70_000
SIZES = (0, 1, 3, 4, 5, 125, 126, 127, 1024, 65_535, 65_536, MOST)


def library(data: bytes) -> list[str]:
    """Return the messages that the library finds in whole frames."""
    connection = Connection(ConnectionType.SERVER)
    connection.receive_data(data)
    return [str(one.data) for one in connection.events() if isinstance(one, TextMessage)]


class Pongs:
    """A stream on which nothing else arrives, one at a time."""

    def receive(self, _timeout: float | None) -> bytes:
        return raw_frame(PONG)


class TextsTest(unittest.TestCase):
    def texts(self, data: bytes) -> tuple[list[str], int]:
        """Return the messages that are plain, and how many bytes they were."""
        found: list[str] = []
        return found, hand_texts(data, MOST, found.append)

    def test_plain_messages_are_read_as_the_library_reads_them(self) -> None:
        chance = random.Random(1)  # noqa: S311
        for size in SIZES[:-3] * 3:
            text = "".join(chance.choice("aé\u20ac\U0001f600\x00\x1f") for _ in range(size))
            frame = raw_frame(TEXT, text.encode()[:60_000].decode(errors="ignore").encode())
            found, at = self.texts(frame * 2)
            self.assertEqual((found, at), (library(frame * 2), 2 * len(frame)))

    def test_sizes_up_to_two_bytes_of_length_are_plain(self) -> None:
        for size in SIZES:
            with self.subTest(size=size):
                found, at = self.texts(raw_frame(TEXT, b"x" * size))
                self.assertEqual(found, ["x" * size] if size < 1 << 16 else [])
                self.assertEqual(bool(at), size < 1 << 16)

    def test_s7_what_is_not_plain_is_left_from_its_first_byte_on(self) -> None:
        good = raw_frame(TEXT, b"good")
        mask = b"\x01\x02\x03\x04"
        for name, data in {
            "a fragment": raw_frame(TEXT, b"half", fin=False),
            "a continuation": raw_frame(CONTINUATION, b"rest"),
            "a binary message": raw_frame(BINARY, b"\x00"),
            "a ping": raw_frame(PING, b""),
            "a reserved bit": bytes([good[0] | 0x40]) + good[1:],
            "no mask": b"\x81\x04good",
            "no mask, two bytes of length": b"\x81\x7e" + struct.pack("!H", 200) + b"x" * 204,
            "a length that is too long by itself": b"\x81\xfe\x00\x04" + mask + b"good",
            "eight bytes of length": b"\x81\xff" + struct.pack("!Q", 4) + mask + b"good",
            "half a character": raw_frame(TEXT, b"\xe2\x82"),
            "a surrogate": raw_frame(TEXT, b"\xed\xa0\x80"),
            "too long a spelling": raw_frame(TEXT, b"\xc0\xaf"),
            "one byte too few": good[:-1],
            "a header alone": good[:6],
            "one byte": good[:1],
        }.items():
            with self.subTest(name):
                self.assertEqual(self.texts(data), ([], 0))
                self.assertEqual(self.texts(good + data + good), (["good"], len(good)))

    def test_s6_a_message_over_the_bound_is_not_plain(self) -> None:
        found: list[str] = []
        self.assertEqual(hand_texts(raw_frame(TEXT, b"12345"), 4, found.append), 0)
        self.assertEqual(found, [])

    def test_s8_pongs_that_come_one_by_one_are_counted(self) -> None:
        pongs = Pongs()
        inbound = Inbound(pongs, Limits(), lambda: None, masked=True)  # type: ignore[arg-type]
        for _ in range(Limits().pings_per_second):
            self.assertIsNone(inbound.receive_past(self.fail))
        with self.assertRaises(WebSocketError) as caught:
            inbound.receive_past(self.fail)
        self.assertEqual(caught.exception.code, 1008)

    def test_a_mask_repeats_each_four_bytes(self) -> None:
        for size in range(10):
            masked = bytes(
                byte ^ b"\x01\x80\xff\x00"[at % 4] for at, byte in enumerate(b"x" * size)
            )
            self.assertEqual(unmask(b"\x01\x80\xff\x00", masked), b"x" * size)


if __name__ == "__main__":
    unittest.main()
