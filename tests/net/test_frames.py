"""The watch over WebSocket frame headers, fed in all kinds of pieces."""

from __future__ import annotations

import unittest
from dataclasses import replace

from bpost.limits import Limits
from bpost.net import frames
from bpost.net.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, FrameWatch
from tests.net.harness import raw_frame

LIMITS = replace(Limits(), frame=1000, fragments=5)


def fault_of(data: bytes, step: int = 10**9, limits: Limits = LIMITS) -> int | None:
    """Feed ``data`` in pieces of ``step`` bytes; return the close code of what is wrong."""
    watch = FrameWatch(limits, masked=True, clock=lambda: 5.0)
    for at in range(0, len(data), step):
        piece = data[at : at + step]
        while piece:
            piece = piece[watch.feed(piece) :]
            if watch.fault is not None:
                return watch.fault.code
    return None


class PiecesTest(unittest.TestCase):
    """Messages in pieces: honest, but each piece costs as much as a message (S26)."""

    def piecemeal(self, limits: Limits, seconds: float) -> int | None:
        """Feed messages of three pieces, one each ``seconds``; return the code of the fault."""
        now = iter(number * seconds / 2 for number in range(10**6))
        watch = FrameWatch(limits, masked=True, clock=lambda: next(now))
        message = raw_frame(TEXT, fin=False) + raw_frame(CONTINUATION, fin=False)
        for _ in range(100):
            watch.feed(message + raw_frame(CONTINUATION, b"x"))
            if watch.fault is not None:
                break
        return None if watch.fault is None else watch.fault.code

    def test_s26_pieces_are_bounded_by_the_second(self) -> None:
        limits = replace(LIMITS, fragments_per_second=10)
        for bounds, seconds, code in (
            (limits, 0.001, 1008),
            (limits, 1.0, None),
            (limits.without_rates(), 0.001, None),
        ):
            with self.subTest(rates=bounds.rates, seconds=seconds):
                self.assertEqual(self.piecemeal(bounds, seconds), code)


class FrameWatchTest(unittest.TestCase):
    def test_sound_frames_pass_in_pieces_of_any_size(self) -> None:
        stream = (
            raw_frame(TEXT, b"x" * 125)
            + raw_frame(PING, b"x" * 125)
            + raw_frame(TEXT, b"x" * 126, fin=False)
            + raw_frame(PONG)
            + raw_frame(CONTINUATION, b"")
            + raw_frame(TEXT, b"x" * 1000)
            + raw_frame(CLOSE, b"\x03\xe8")
        )
        for step in (1, 2, 3, 7, 14, 100, 10**9):
            with self.subTest(step=step):
                self.assertIsNone(fault_of(stream, step))

    def test_what_breaks_a_rule_is_refused_in_pieces_of_any_size(self) -> None:
        for expected, stream in (
            (1002, raw_frame(TEXT, b"x", mask=None)),
            (1002, raw_frame(PING, b"x" * 126)),
            (1002, raw_frame(PONG, fin=False)),
            (1003, raw_frame(BINARY, b"x")),
            (1008, raw_frame(PING) * 11),
            (1009, raw_frame(TEXT, b"x" * 1001)),
            (1009, raw_frame(TEXT, b"x" * 500, fin=False) + raw_frame(CONTINUATION, b"x" * 501)),
            (1009, raw_frame(TEXT, b"", length=2**63 - 1)),
            (1009, raw_frame(TEXT, fin=False) + raw_frame(CONTINUATION, fin=False) * 5),
        ):
            for step in (1, 3, 10**9):
                with self.subTest(expected=expected, step=step):
                    self.assertEqual(fault_of(raw_frame(TEXT, b"before") + stream, step), expected)

    def test_what_came_before_the_fault_is_still_sound(self) -> None:
        good = raw_frame(TEXT, b"before")
        watch = FrameWatch(LIMITS, masked=True)
        self.assertEqual(watch.feed(good + raw_frame(BINARY, b"x")), len(good))

    def test_a_client_refuses_frames_with_a_mask(self) -> None:
        watch = FrameWatch(LIMITS, masked=False)
        self.assertEqual(watch.feed(raw_frame(TEXT, b"x", mask=None)), 3)
        watch.feed(raw_frame(TEXT, b"x"))
        self.assertIsNotNone(watch.fault)

    def test_the_seconds_of_pings_are_counted_anew(self) -> None:
        now = 0.0
        watch = FrameWatch(LIMITS, masked=True, clock=lambda: now)
        for _ in range(5):
            now += 1
            for _ in range(10):
                watch.feed(raw_frame(PING))
        self.assertIsNone(watch.fault)

    def test_each_control_frame_is_handed_on_by_itself(self) -> None:
        watch, ping, text = FrameWatch(LIMITS, masked=True), raw_frame(PING, b"p"), raw_frame(TEXT)
        self.assertEqual(watch.feed(text + ping[:3]), 6 + 3)
        self.assertEqual(watch.feed(ping[3:] + ping + text), len(ping) - 3)

    def test_frames_have_the_shortest_header(self) -> None:
        for size, header in {0: 2, 125: 2, 126: 4, 65535: 4, 65536: 10}.items():
            self.assertEqual(len(frames.text_frame("x" * size)), header + size)

    def test_a_long_close_reason_is_cut_between_characters(self) -> None:
        frame = frames.close_frame(1000, "é" * 100)
        self.assertLessEqual(len(frame), 127)
        self.assertEqual(frame[4:].decode(), "é" * 61)

    def test_a_close_frame_is_found_among_control_frames(self) -> None:
        close = frames.close_frame(1000)
        self.assertTrue(frames.holds_close(frames.ping_frame() * 3 + close))
        self.assertFalse(frames.holds_close(frames.ping_frame() * 3))
        self.assertFalse(frames.holds_close(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"))
