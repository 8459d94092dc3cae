"""Frames that break the rules of WebSocket or the bounds of ours, sent to a real server.

The cases follow the groups of the Autobahn test suite (1 framing, 2 pings, 3 reserved bits,
4 opcodes, 5 fragments, 6 UTF-8, 7 closing, 10 odd sizes).
"""

from __future__ import annotations

import contextlib
import gc
import struct
import threading
import unittest
from dataclasses import replace

from bpost.limits import Limits
from bpost.net.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from bpost.net.ws_server import ServerConnection
from tests.net.harness import Harness, RawClient, echo, raw_frame
from tests.support import patience

FRAME = 64 * 1024
LIMITS = replace(Limits(), frame=FRAME, fragments=500)


def closing(code: int, reason: bytes = b"") -> bytes:
    """Return a client's close frame."""
    return raw_frame(CLOSE, struct.pack("!H", code) + reason)


class HostileFramesTest(unittest.TestCase):
    server: Harness

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Harness(limits=LIMITS).__enter__()
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def close_code(self, data: bytes) -> int | None:
        """Send ``data`` on a new connection, return the code of the server's close frame."""
        with RawClient(self.server.port) as client:
            with contextlib.suppress(OSError):
                client.sock.sendall(data)
            return client.read_close()

    def tearDown(self) -> None:
        self.server.wait_idle()  # whatever was sent, the thread is free again
        self.assertEqual(self.server.errors, [])

    def test_s6_a_message_is_bounded_in_bytes_while_it_arrives(self) -> None:
        half = raw_frame(TEXT, b"x" * (FRAME // 2), fin=False)
        for name, data in {
            "a frame that announces 2^63 - 1 bytes": raw_frame(TEXT, b"x", length=2**63 - 1),
            "one byte too many": raw_frame(TEXT, b"x" * (FRAME + 1)),
            "one byte too many in fragments": half * 1 + raw_frame(CONTINUATION, b"x" * FRAME),
            "characters of four bytes": raw_frame(TEXT, "\U0001f600".encode() * (FRAME // 4 + 1)),
            "fragments of one byte": raw_frame(TEXT, b"x", fin=False)
            + raw_frame(CONTINUATION, b"x", fin=False) * 20_000,
            "empty fragments": raw_frame(TEXT, fin=False)
            + raw_frame(CONTINUATION, fin=False) * 20_000,
        }.items():
            with self.subTest(name):
                self.assertEqual(self.close_code(data), 1009)

    def test_s6_a_message_of_exactly_the_bound_passes(self) -> None:
        for text in ("x" * FRAME, "\U0001f600" * (FRAME // 4)):
            with RawClient(self.server.port) as client:
                client.send(text)
                self.assertEqual(client.read(), text)

    def test_s6_no_thread_stays_behind(self) -> None:
        before = threading.active_count()
        for _ in range(100):
            self.assertEqual(self.close_code(raw_frame(TEXT, b"", length=FRAME + 1)), 1009)
        self.server.wait_idle()
        self.assertLessEqual(threading.active_count(), before)

    def test_s6_a_connection_that_was_at_fault_leaves_no_garbage(self) -> None:
        def connections() -> int:
            return sum(type(one) is ServerConnection for one in gc.get_objects())

        gc.collect()
        before = connections()
        self.addCleanup(gc.enable)
        gc.disable()
        for bad in (raw_frame(TEXT, b"", length=FRAME + 1), raw_frame(BINARY), raw_frame(3)):
            self.assertIn(self.close_code(bad), (1002, 1003, 1009))
        self.server.wait_idle()
        del self.server.connections[-3:]
        self.assertLessEqual(connections(), before)

    def test_s7_what_breaks_the_protocol_is_closed_with_1002(self) -> None:
        start = raw_frame(TEXT, b"start", fin=False)
        for name, data in {
            **{f"3.{rsv} reserved bits": raw_frame(TEXT, b"x", rsv=rsv) for rsv in range(1, 8)},
            "3.8 reserved bit on a ping": raw_frame(PING, b"x", rsv=4),
            **{f"4.1 opcode {op}": raw_frame(op, b"x") for op in (3, 4, 5, 6, 7)},
            **{f"4.2 opcode {op}": raw_frame(op, b"x") for op in (11, 12, 13, 14, 15)},
            "5.1 fragmented ping": raw_frame(PING, b"x", fin=False),
            "5.2 fragmented pong": raw_frame(PONG, b"x", fin=False),
            "5.10 continuation of nothing": raw_frame(CONTINUATION, b"x"),
            "5.11 again, not final": raw_frame(CONTINUATION, b"x", fin=False),
            "5.18 a text within a text": start + raw_frame(TEXT, b"x"),
            "2.5 ping of 126 bytes": raw_frame(PING, b"x" * 126),
            "pong of 2^40 bytes": raw_frame(PONG, b"x", length=2**40),
            "close of 126 bytes": closing(1000, b"x" * 124),
            "frame without a mask": raw_frame(TEXT, b"x", mask=None),
            "ping without a mask": raw_frame(PING, b"", mask=None),
            "length not the shortest": b"\x81\xfe\x00\x05\1\2\3\4xxxxx",
            "7.3.2 close of one byte": raw_frame(CLOSE, b"\3"),
            **{
                f"7.9 close code {code}": closing(code)
                for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
            },
        }.items():
            with self.subTest(name):
                self.assertEqual(self.close_code(data), 1002)

    def test_s7_text_that_is_no_utf8_is_closed_with_1007(self) -> None:
        for bad in (
            b"\xff\xfe",
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
            b"\xc0\x80",
            b"\xf4\x90\x80\x80",
            b"\xed\xbf\xbf",
            b"cut \xf0\x9f\x98",
        ):
            pieces = [raw_frame(TEXT, b"", fin=False)]
            pieces += [raw_frame(CONTINUATION, bytes([byte]), fin=False) for byte in bad]
            pieces += [raw_frame(CONTINUATION)]
            for name, data in {"whole": raw_frame(TEXT, bad), "pieces": b"".join(pieces)}.items():
                with self.subTest(bad=bad, sent=name):
                    self.assertEqual(self.close_code(data), 1007)
        self.assertEqual(self.close_code(closing(1000, b"\xff")), 1007)

    def test_s7_a_binary_message_is_closed_with_1003(self) -> None:
        self.assertEqual(self.close_code(raw_frame(BINARY, b"x")), 1003)

    def test_s7_a_sound_close_is_answered_with_its_own_code(self) -> None:
        for code in (1000, 1001, 1003, 1007, 1011, 3000, 3999, 4000, 4999):
            with self.subTest(code):
                self.assertEqual(self.close_code(closing(code, b"bye")), code)
        self.assertIsNotNone(self.close_code(raw_frame(CLOSE)))

    def test_s7_nothing_is_answered_after_a_close(self) -> None:
        with RawClient(self.server.port) as client:
            client.sock.sendall(closing(1000) + raw_frame(TEXT, b"late") + raw_frame(PING))
            self.assertEqual(client.read_frame()[0], CLOSE)
            with self.assertRaises(EOFError):
                client.read_frame()

    def test_s7_nothing_is_sent_after_a_close(self) -> None:
        def push(connection: ServerConnection, text: str) -> None:
            def work() -> None:
                while connection.send(text):
                    pass

            threading.Thread(target=work, daemon=True).start()

        with Harness(push) as server:
            for _ in range(30):
                with RawClient(server.port) as client:
                    client.send("pushed")
                    client.read()
                    client.send_frame(CLOSE, b"\x03\xe8")
                    while client.read_frame()[0] != CLOSE:
                        pass
                    with self.assertRaises(EOFError):
                        client.read_frame()

    def test_s7_sound_messages_of_all_sizes_and_pieces_come_back(self) -> None:
        with RawClient(self.server.port) as client:
            for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
                client.send("x" * size)
                self.assertEqual(client.read(), "x" * size)
            text = "Hello-µ@ßöäüàá-UTF-8!! \U0001f600"
            for piece in (1, 2, 3, 7):
                self.send_in_pieces(client, text.encode(), piece)
                self.assertEqual(client.read(), text)

    def send_in_pieces(self, client: RawClient, data: bytes, size: int) -> None:
        for at in range(0, len(data), size):
            final = at + size >= len(data)
            opcode = CONTINUATION if at else TEXT
            client.send_frame(opcode, data[at : at + size], fin=final)
        client.send_frame(PONG, b"unasked")

    def test_s7_bytes_one_by_one_are_understood(self) -> None:
        with RawClient(self.server.port) as client:
            for byte in raw_frame(TEXT, b"slowly") + raw_frame(PING, b"p"):
                client.sock.sendall(bytes([byte]))
            self.assertEqual(client.read_frame(), (TEXT, b"slowly"))
            self.assertEqual(client.read_frame(), (PONG, b"p"))

    def test_s7_pings_between_fragments_are_answered(self) -> None:
        with RawClient(self.server.port) as client:
            pieces = [raw_frame(TEXT, b"one ", fin=False), raw_frame(PING, b"between")]
            client.sock.sendall(b"".join([*pieces, raw_frame(CONTINUATION, b"two")]))
            self.assertEqual(client.read_frame(), (PONG, b"between"))
            self.assertEqual(client.read_frame(), (TEXT, b"one two"))

    def test_s8_ten_pings_at_once_are_answered(self) -> None:
        with RawClient(self.server.port) as client:
            client.sock.sendall(b"".join(raw_frame(PING, bytes([n])) for n in range(10)))
            answers = [client.read_frame() for _ in range(10)]
            self.assertEqual(answers, [(PONG, bytes([n])) for n in range(10)])

    def test_s8_a_ping_flood_is_closed_with_1008_while_the_server_pushes(self) -> None:
        def push(connection: ServerConnection, text: str) -> None:
            for _ in range(500):
                connection.send(text)

        with Harness(push) as server, Harness(echo) as _other:
            bystander = RawClient(server.port)
            for _ in range(5):
                with RawClient(server.port) as client:
                    client.send("x" * 300)
                    with contextlib.suppress(OSError):
                        client.sock.sendall(raw_frame(PING, b"hello") * 3000)
                    self.assertEqual(client.read_close(), 1008)
            bystander.send("still here")
            self.assertEqual([bystander.read() for _ in range(500)], ["still here"] * 500)
            bystander.sock.close()

    def test_a_message_before_the_fault_is_still_served(self) -> None:
        with RawClient(self.server.port) as client:
            client.sock.sendall(raw_frame(TEXT, b"first") + raw_frame(BINARY, b"x"))
            self.assertEqual(client.read(), "first")
            self.assertEqual(client.read_close(), 1003)

    def test_a_silent_client_is_pinged_and_then_given_up(self) -> None:
        limits = replace(LIMITS, ping_seconds=0.05, silence_seconds=0.4, close_seconds=0.1)
        with Harness(limits=limits) as server, RawClient(server.port) as client:
            self.assertEqual(client.read_frame(), (PING, b""))
            self.assertEqual(client.read_close(), 1001)
            server.wait_idle()

    def test_a_client_that_answers_pings_stays(self) -> None:
        limits = replace(LIMITS, ping_seconds=0.02, silence_seconds=0.4, pings_per_second=1000)
        with Harness(limits=limits) as server, RawClient(server.port) as client:
            for _ in range(40):
                self.assertEqual(client.read_frame(), (PING, b""))
                client.send_frame(PONG)

    def test_what_on_text_raises_closes_with_1011_and_is_raised_again(self) -> None:
        def fail(_connection: ServerConnection, text: str) -> None:
            raise OSError(text)

        with Harness(fail) as server:
            with RawClient(server.port) as client:
                client.send("disk full")
                self.assertEqual(client.read_close(), 1011)
            server.wait_idle()
            self.assertEqual([str(error) for error in server.errors], ["disk full"])

    def test_a_deadline_closes_with_its_last_text_unless_called_off(self) -> None:
        def set_it(connection: ServerConnection, text: str) -> None:
            connection.set_deadline(0.1 if text == "set" else None, "too late")
            connection.send(text)

        with Harness(set_it) as server:
            for texts, expected in {("set",): "too late", ("set", "off"): "off"}.items():
                with RawClient(server.port) as client:
                    client.sock.settimeout(patience(20))
                    for text in texts:
                        client.send(text)
                    heard = [client.read() for _ in texts]
                    if expected == "too late":
                        self.assertEqual(client.read(), expected)
                        self.assertEqual(client.read_frame()[1][:2], b"\x03\xf0")
                        client.send_frame(CLOSE)
                    else:
                        self.assertEqual(heard[-1], expected)
