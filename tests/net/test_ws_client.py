"""The client's connection: to an honest server, to one that breaks the rules, and to silence."""

from __future__ import annotations

import ssl
import threading
import time
import unittest
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import websockets.sync.client

from bpost.errors import BPostError, ConnectionClosed, TimedOut, TransportError
from bpost.limits import Limits
from bpost.net.address import ServerAddress
from bpost.net.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from bpost.net.ws_client import ClientConnection, connect
from tests.net.harness import Harness, blind_context, raw_frame
from tests.net.hostile_server import HostileServer, plain_frame, read_all
from tests.support import patience

LIMITS = replace(Limits(), frame=1000, fragments=10)


def sends(data: bytes) -> Callable[[ssl.SSLSocket], bytes]:
    """Return a script that sends ``data`` and returns what the client still says."""

    def script(stream: ssl.SSLSocket) -> bytes:
        stream.sendall(data)
        return read_all(stream)

    return script


def says(data: bytes, stream: ssl.SSLSocket) -> None:
    """Send ``data`` and leave."""
    stream.sendall(data)


def unmask(frame: bytes) -> tuple[int, bytes]:
    """Read a client's short frame."""
    size, mask = frame[1] & 0x7F, frame[2:6]
    payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(frame[6 : 6 + size]))
    return frame[0] & 0x0F, payload


class HonestServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Harness().__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)

    def test_frames_go_both_ways_whole(self) -> None:
        connection = connect(self.server.address)
        for text in ("", "hello", "\U0001f600" * 100, "x" * 200_000):
            connection.send(text)
            self.assertEqual(connection.receive(patience(10)), text)
        self.assertEqual(connection.pin, self.server.tls.pin)
        connection.close()
        self.server.wait_idle()
        self.assertEqual([ending.code for ending in self.server.endings], [1000])

    def test_many_threads_send_while_one_receives(self) -> None:
        connection = connect(self.server.address)
        texts = [f"{sender} {number}" for sender in range(4) for number in range(200)]

        def send(sender: int) -> None:
            for number in range(200):
                connection.send(f"{sender} {number}")

        threads = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
        for thread in threads:
            thread.start()
        got = [connection.receive(patience(10)) for _ in texts]
        self.assertEqual(sorted(got), sorted(texts))
        connection.close()

    def test_a_receive_that_times_out_can_go_on(self) -> None:
        connection = connect(self.server.address)
        with self.assertRaises(TimedOut):
            connection.receive(0.02)
        connection.send("later")
        self.assertEqual(connection.receive(patience(10)), "later")
        connection.close()

    def test_close_wakes_the_receiver_and_may_be_called_again(self) -> None:
        connection = connect(self.server.address)
        caught: list[BaseException] = []

        def receive() -> None:
            try:
                connection.receive()
            except BPostError as error:
                caught.append(error)

        receiver = threading.Thread(target=receive)
        receiver.start()
        begun = time.monotonic()
        connection.close()
        connection.close()
        self.assertLess(time.monotonic() - begun, Limits().close_seconds)  # it was answered
        receiver.join(patience(10))
        self.assertEqual([type(error) for error in caught], [ConnectionClosed])
        for late in (lambda: connection.send("x"), connection.receive):
            with self.assertRaises(ConnectionClosed):
                late()

    def test_a_plain_websocket_client_is_served(self) -> None:
        with websockets.sync.client.connect(
            self.server.address.url, ssl=blind_context(), compression="deflate"
        ) as other:
            self.assertIsNone(other.subprotocol)
            for text in ("hello", "x" * 200_000):
                other.send(text)
                self.assertEqual(other.recv(patience(10)), text)
            self.assertTrue(other.ping().wait(patience(10)))
        self.server.wait_idle()
        self.assertEqual([ending.code for ending in self.server.endings], [1000])

    def test_a_port_where_nobody_listens_is_named(self) -> None:
        with self.assertRaises(TransportError) as caught:
            connect(ServerAddress("127.0.0.1", 1))
        self.assertIn("127.0.0.1:1", str(caught.exception))


class HostileServerTest(unittest.TestCase):
    def receive(self, script: Callable[[ssl.SSLSocket], object]) -> tuple[ConnectionClosed, object]:
        """Receive until it is over; return why, and what the script returned."""
        with HostileServer(script) as server:
            connection = server.connect(LIMITS)
            with self.assertRaises(ConnectionClosed) as caught:
                while True:
                    connection.receive(patience(10))
            connection.close()
        return caught.exception, server.returned[0] if server.returned else None

    def test_s6_s7_frames_that_break_the_rules_end_the_connection(self) -> None:
        for expected, data in (
            (1009, plain_frame(TEXT, b"x" * 1001)),
            (1009, b"\x81\x7f" + (2**62).to_bytes(8, "big")),
            (1009, plain_frame(TEXT, fin=False) + plain_frame(CONTINUATION, fin=False) * 11),
            (1002, raw_frame(TEXT, b"masked")),
            (1002, b"\x8a\x7f" + (2**62).to_bytes(8, "big")),
            (1003, plain_frame(BINARY, b"x")),
            (1007, plain_frame(TEXT, b"cut \xf0\x9f\x98")),
            (1007, plain_frame(TEXT, b"\xff")),
            (1008, plain_frame(PING) * 11),
        ):
            with self.subTest(expected=expected, data=data[:20]):
                error, told = self.receive(sends(plain_frame(TEXT, b"before") + data))
                self.assertEqual(error.code, expected)
                assert isinstance(told, bytes)
                frames = told[6 * told.count(b"\x8a\x80") :]  # after the pongs
                self.assertEqual(unmask(frames), (CLOSE, expected.to_bytes(2, "big")))

    def test_other_frames_that_break_the_rules_end_the_connection(self) -> None:
        for data in (b"\xc1\x01x", b"\x83\x00", plain_frame(CONTINUATION, b"x"), b"\x88\x01x"):
            with self.subTest(data):
                self.receive(sends(data))

    def test_a_close_comes_with_its_code_and_reason_and_is_answered(self) -> None:
        error, told = self.receive(sends(plain_frame(CLOSE, b"\x03\xe9restarting")))
        self.assertEqual(error.code, 1001)
        self.assertIn("restarting", str(error))
        assert isinstance(told, bytes)
        self.assertEqual(unmask(told)[0], CLOSE)

    def test_a_cut_connection_ends_the_receiver(self) -> None:
        error, _ = self.receive(lambda stream: stream.sendall(plain_frame(TEXT, b"x")[:2]))
        self.assertIsNone(error.code)

    def test_pings_are_answered_between_fragments(self) -> None:
        def script(stream: ssl.SSLSocket) -> bytes:
            stream.sendall(plain_frame(TEXT, b"one ", fin=False) + plain_frame(PING, b"p"))
            pong = stream.recv(4096)
            stream.sendall(plain_frame(CONTINUATION, b"two"))
            return pong

        with HostileServer(script) as server:
            connection = server.connect()
            self.assertEqual(connection.receive(patience(10)), "one two")
            connection.close()
        pong = server.returned[0]
        assert isinstance(pong, bytes)
        self.assertEqual(unmask(pong), (PONG, b"p"))

    def test_a_silent_server_is_pinged_and_then_given_up(self) -> None:
        limits = replace(LIMITS, ping_seconds=0.05, silence_seconds=0.3, close_seconds=0.1)
        with HostileServer(read_all) as server:
            connection = server.connect(limits)
            with self.assertRaises(ConnectionClosed) as caught:
                connection.receive()
            self.assertIn("silent", str(caught.exception))
        told = server.returned[0]
        assert isinstance(told, bytes)
        self.assertEqual(unmask(told), (PING, b""))

    def test_close_ends_in_time_though_the_server_does_not_answer(self) -> None:
        limits = replace(LIMITS, close_seconds=0.2)
        go_on = threading.Event()
        with HostileServer(lambda _stream: go_on.wait(patience(10))) as server:
            for receiving in (False, True):
                connection = server.connect(limits)
                if receiving:
                    threading.Thread(target=self.ignore, args=(connection,), daemon=True).start()
                closer = threading.Thread(target=connection.close)
                closer.start()
                closer.join(patience(10))
                self.assertFalse(closer.is_alive())
                go_on.set()

    def ignore(self, connection: ClientConnection) -> None:
        with self.assertRaises(ConnectionClosed):
            connection.receive()

    def test_a_send_that_the_server_does_not_take_times_out(self) -> None:
        limits = replace(LIMITS, send_seconds=0.2, close_seconds=0.1)
        go_on = threading.Event()
        with HostileServer(lambda _stream: go_on.wait(patience(10))) as server:
            connection = server.connect(limits)
            with self.assertRaises(TimedOut):
                connection.send("x" * 20_000_000)
            with self.assertRaises(ConnectionClosed):
                connection.send("x")
            connection.close()
            go_on.set()

    def test_s65_a_redirect_is_not_followed(self) -> None:
        with HostileServer(read_all) as elsewhere:
            for scheme in ("ws", "wss"):
                target = f"{scheme}://127.0.0.1:{elsewhere.address.port}/"
                answer = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\n\r\n".encode()
                with HostileServer(sends(answer), upgrade=False) as server:
                    with self.assertRaises(TransportError):
                        server.connect()
        self.assertEqual(elsewhere.connections, 0)

    def test_what_is_no_bpost_server_is_refused_in_a_sentence(self) -> None:
        for name, answer in {
            "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
            "answer": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nno",
            "no WebSocket": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "WebSocket": b"SSH-2.0-OpenSSH_9.9\r\n" * 3,
            "Check": b"HTTP/1.1 101 X\r\nX: " + b"x" * 20_000,
            "port": b"",
        }.items():
            with self.subTest(name):
                with HostileServer(partial(says, answer), upgrade=False) as server:
                    with self.assertRaises(TransportError) as caught:
                        server.connect()
                self.assertIn(name, str(caught.exception))
