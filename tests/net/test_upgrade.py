"""From the first byte to an open WebSocket: what a server lets in, and for how long it waits."""

from __future__ import annotations

import contextlib
import socket
import time
import unittest
from dataclasses import replace

from bpost.errors import ConnectionClosed, TimedOut
from bpost.limits import Limits
from bpost.net.frames import TEXT
from bpost.net.request import RequestError
from tests.net.harness import UPGRADE, Harness, RawClient
from tests.support import patience, wait_until

SHORT = replace(Limits(), handshake_seconds=1.0)
ORIGINS = frozenset({"https://chat.example"})
ASK = "\r\n".join(UPGRADE) + "\r\n"


def changed(old: str, new: str) -> bytes:
    """Return the upgrade request with one thing changed."""
    assert ASK.count(old) == 1, old
    return (ASK.replace(old, new) + "\r\n").encode("latin-1")


class UpgradeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Harness(limits=SHORT, origins=ORIGINS).__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)

    def status(self, request: bytes) -> int:
        with RawClient(self.server.port, upgrade=False) as client:
            return client.ask_raw(request)

    def test_a_sound_request_is_upgraded(self) -> None:
        for line in ("X-More: yes", "Origin: https://chat.example", "Content-Length: 0"):
            with self.subTest(line), RawClient(self.server.port, line) as client:
                self.assertTrue(client.response.startswith(b"HTTP/1.1 101 "))
                client.send("hello")
                self.assertEqual(client.read(), "hello")

    def test_the_subprotocol_is_taken_when_offered_and_not_missed(self) -> None:
        for line, expected in {
            "Sec-WebSocket-Protocol: bpost.1": b"bpost.1",
            "Sec-WebSocket-Protocol: chat, bpost.1": b"bpost.1",
            "X-None: offered": None,
        }.items():
            with self.subTest(line), RawClient(self.server.port, line) as client:
                lines = dict(one.split(b": ", 1) for one in client.response.split(b"\r\n")[1:])
                chosen = {name.lower(): value for name, value in lines.items()}
                self.assertEqual(chosen.get(b"sec-websocket-protocol"), expected)

    def test_s3_any_other_request_is_refused(self) -> None:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        more = "Sec-WebSocket-Version: 13"
        for expected, request in (
            (400, changed("GET /", "POST /")),
            (400, changed("HTTP/1.1", "HTTP/1.0")),
            (400, changed("HTTP/1.1", "http/1.1")),
            (400, changed("GET / ", "GET  / ")),
            (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            (404, changed("GET / ", "GET /chat ")),
            (404, changed("GET / ", "GET /?x ")),
            (426, b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n"),
            (426, changed("Version: 13", "Version: 8")),
            (426, changed("Connection: Upgrade", "Connection: close")),
            (426, changed("Upgrade: websocket", "Upgrade: h2c")),
            (400, changed(key, "c2hvcnQ=")),
            (400, changed(key, "!" * 24)),
            (400, changed(f"Sec-WebSocket-Key: {key}\r\n", "")),
            (400, changed("Host: chat.example\r\n", "")),
            (400, changed(more, f"{more}\r\n{more}")),
            (400, changed("Host: chat.example", "Host: chat.example\r\nhost: evil.example")),
            (400, changed("chat.example", "chat\0example")),
            (400, changed("chat.example", "chat.example\r\n folded")),
            (400, changed("Host: chat", "Host : chat")),
            (400, changed(more, f"{more}\r\nContent-Length: 5")),
            (400, changed(more, f"{more}\r\nTransfer-Encoding: chunked")),
            (400, changed(more, f"{more}\r\nSec-WebSocket-Protocol: chat")),
            (400, (ASK + "\r\nGET /smuggled HTTP/1.1\r\n").encode()),
        ):
            with self.subTest(request=request):
                self.assertEqual(self.status(request), expected)
        self.server.wait_idle()
        self.assertEqual(len(self.server.errors), 24)
        self.assertTrue(all(isinstance(error, RequestError) for error in self.server.errors))

    def test_s3_what_will_never_be_a_request_is_refused_at_its_first_bytes(self) -> None:
        for data in (
            b"get ",
            b"\r\n",
            b"HELP\r\n",
            b"SSH-2.0-client\r\n",
            b"A" * 8,
            b"\x80\x9e\x01",
        ):
            with self.subTest(data):
                self.assertEqual(self.status(data), 400)

    def test_s4_a_foreign_origin_is_refused(self) -> None:
        for origin in (
            "https://evil.example",
            "null",
            "",
            "https://chat.example.evil",
            "https://chat.example:444",
            "http://chat.example",
            "HTTPS://CHAT.EXAMPLE",
        ):
            with self.subTest(origin):
                client = RawClient(self.server.port, f"Origin: {origin}")
                self.assertTrue(client.response.startswith(b"HTTP/1.1 403 "), client.response)
                client.sock.close()

    def test_s5_compression_is_never_agreed_on(self) -> None:
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
        with RawClient(self.server.port, offer) as client:
            self.assertNotIn(b"extensions", client.response.lower())
            client.send_frame(TEXT, b"\xaaV*\x04\x00", rsv=4)
            self.assertEqual(client.read_close(), 1002)

    def test_s1_a_request_is_bounded(self) -> None:
        for expected, request in (
            (431, changed("chat.example", "x" * 8192)),
            (431, changed("chat.example", "h\r\n" + "\r\n".join(f"X-{i}: 1" for i in range(64)))),
            (101, changed("chat.example", "h\r\n" + "\r\n".join(f"X-{i}: 1" for i in range(58)))),
        ):
            with self.subTest(expected=expected):
                self.assertEqual(self.status(request), expected)

    def test_s1_dripping_clients_are_gone_at_the_deadline(self) -> None:
        slow = [RawClient(self.server.port, upgrade=False) for _ in range(20)]
        wait_until(lambda: len(self.server.threads) == 20)
        end = time.monotonic() + patience(8)
        drops = iter(b"GET " + b"/" * 10_000)
        while len(self.server.errors) < 20 and time.monotonic() < end:
            drop = bytes([next(drops)])
            for client in slow:
                with contextlib.suppress(OSError):
                    client.sock.sendall(drop)
            time.sleep(0.1)
        self.assertEqual([type(error) for error in self.server.errors], [TimedOut] * 20)
        for client in slow:
            client.sock.close()

    def test_s2_silent_sockets_delay_nobody(self) -> None:
        with Harness() as server:
            address = ("127.0.0.1", server.port)
            silent = [socket.create_connection(address) for _ in range(30)]
            wait_until(lambda: len(server.threads) == 30)
            for _ in range(20):
                with RawClient(server.port) as client:
                    client.send("hello")
                    self.assertEqual(client.read(), "hello")
            self.assertEqual(server.errors, [])  # the silent ones still have time
            for sock in silent:
                sock.close()

    def test_s59_bytes_that_are_no_tls_end_without_a_traceback(self) -> None:
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\x05nonsense", b"\0"):
            with (
                self.subTest(data),
                RawClient(self.server.port, upgrade=False, tls=False) as client,
            ):
                client.sock.sendall(data)
                client.sock.shutdown(socket.SHUT_WR)
                answer = client.sock.recv(100)
                self.assertTrue(answer == b"" or answer[0] == 0x15, answer)
        wait_until(lambda: len(self.server.errors) == 3)
        self.assertEqual({type(error) for error in self.server.errors}, {ConnectionClosed})

    def test_a_refusal_arrives_though_the_client_sent_too_much(self) -> None:
        request = b"GET / HTTP/1.1\r\nX: " + b"x" * 500_000 + b"\r\n\r\n"
        for _ in range(5):
            self.assertEqual(self.status(request), 431)
