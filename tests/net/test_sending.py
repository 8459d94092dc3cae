"""What a server sends: whole, in order, waited for by nobody, and ended in order."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import threading
import time
import unittest
import weakref
from dataclasses import replace
from functools import partial
from unittest import mock

from bpost.limits import Limits
from bpost.net.frames import CLOSE, PING, PONG, TEXT
from bpost.net.inbound import Inbound
from bpost.net.ws_server import ServerConnection
from tests.net.harness import Harness, RawClient, raw_frame
from tests.support import patience, wait_until

KIB = 1024
SLOW = "99\x1fslow-reader\x1fToo slow."


def ignore(_connection: ServerConnection, _text: str) -> None:
    """Answer nothing."""


class SendingTest(unittest.TestCase):
    def test_s9_eight_senders_and_pongs_never_mix(self) -> None:
        limits = replace(Limits(), pings_per_second=1 << 30, outbound_queue=1 << 30)
        rounds = 400

        def push(connection: ServerConnection, _text: str) -> None:
            def sender(name: int) -> None:
                for number in range(rounds):
                    connection.send(f"{name} {number} " + "x" * (7 * (number % 200)))

            for name in range(8):
                threading.Thread(target=sender, args=(name,), daemon=True).start()

        small = 8 * KIB  # so that texts are stuck half-way when pongs are to go
        with (
            Harness(push, limits=limits, send_buffer=small) as server,
            RawClient(server.port, shared=True, receive_buffer=small) as client,
        ):
            client.send("go")
            wait_until(lambda: server.connections and server.connections[0].queued > 100 * KIB)
            flood = threading.Thread(target=self.ping, args=(client, 2000))
            flood.start()
            expected, pongs = [0] * 8, 0
            while pongs < 2000 or min(expected) < rounds:
                opcode, payload = client.read_frame()
                if opcode == PONG:
                    pongs += 1
                    continue
                name, number, rest = payload.decode().split(" ")
                self.assertEqual(int(number), expected[int(name)])
                self.assertEqual(rest, "x" * (7 * (int(number) % 200)))
                expected[int(name)] += 1
            flood.join()

    def ping(self, client: RawClient, count: int) -> None:
        for _ in range(count // 100):
            client.sock.sendall(raw_frame(PING, b"hello") * 100)

    def test_s10_the_close_reply_always_arrives(self) -> None:
        with Harness() as server:
            for _ in range(50):
                with RawClient(server.port) as client:
                    client.send_frame(CLOSE, b"\x03\xe8")
                    self.assertEqual(client.read_close(), 1000)

    def test_an_ended_connection_waits_for_no_collector(self) -> None:
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        with Harness() as server:
            with RawClient(server.port) as client:
                client.send("hello")
                client.read_frame()
                engine = weakref.ref(server.connections[0]._stream._tls)
                client.send_frame(CLOSE, b"\x03\xe8")
                self.assertEqual(client.read_close(), 1000)
            wait_until(lambda: bool(server.endings))
            server.connections.clear()
            wait_until(lambda: engine() is None)

    def test_s10_what_was_sent_before_a_close_arrives_whole(self) -> None:
        texts = [f"{number} " + "x" * 10_000 for number in range(60)]

        def push(connection: ServerConnection, _text: str) -> None:
            for text in texts:
                connection.send(text)
            connection.close(1001, "restarting", last_text="last words")

        with Harness(push) as server:
            for _ in range(10):
                with RawClient(server.port) as client:
                    client.send("go")
                    with contextlib.suppress(OSError):
                        client.sock.sendall(raw_frame(TEXT, b"unread") * 2000)
                    self.assertEqual([client.read() for _ in texts], texts)
                    self.assertEqual(client.read(), "last words")
                    self.assertEqual(client.read_frame(), (CLOSE, b"\x03\xe9restarting"))
                    client.send_frame(CLOSE, b"\x03\xe9")
            server.wait_idle()
            self.assertEqual({ending.code for ending in server.endings}, {1001})

    def test_s10_unread_input_does_not_destroy_what_is_under_way(self) -> None:
        texts = [f"{number} " + "x" * 10_000 for number in range(60)]

        def push(connection: ServerConnection, _text: str) -> None:
            connection.send_many(texts)

        with Harness(push, limits=replace(Limits(), frame=KIB), send_buffer=32 * KIB) as server:
            for number in range(5):
                with RawClient(server.port, receive_buffer=8 * KIB) as client:
                    too_big = raw_frame(TEXT, b"x" * 100 * KIB)
                    client.sock.sendall(raw_frame(TEXT, b"go") + too_big)
                    wait_until(partial(self.ending, server, number))
                    self.assertEqual([client.read() for _ in texts], texts)
                    self.assertEqual(client.read_close(), 1009)

    def ending(self, server: Harness, number: int) -> bool:
        return len(server.connections) > number and not server.connections[number].open

    def test_s10_a_client_that_does_not_answer_a_close_is_cut_off(self) -> None:
        limits = replace(Limits(), close_seconds=0.3, silence_seconds=3600)
        with Harness(limits=limits) as server, RawClient(server.port) as client:
            wait_until(lambda: server.connections)
            server.connections[0].close()
            self.assertFalse(server.connections[0].open)
            self.assertFalse(server.connections[0].send("too late"))
            server.wait_idle()
            self.assertEqual(client.read_close(), 1000)

    def test_s10_a_client_that_is_cut_off_is_not_heard_to_the_end(self) -> None:
        heard_late: list[bool] = []
        receive = Inbound._next

        def listen(inbound: Inbound, until: float | None = None) -> bytes:
            data = receive(inbound, until)
            heard_late.append(server.connections[0]._stream._broken and bool(data))
            return data

        def end(connection: ServerConnection, _text: str) -> None:
            connection.close()

        limits = replace(Limits(), close_seconds=0.5)
        with Harness(end, limits=limits) as server, RawClient(server.port) as client:
            with mock.patch.object(Inbound, "_next", listen):
                talker = threading.Thread(target=self.talk, args=(client,))
                talker.start()
                wait_until(lambda: server.endings, what="the end of the connection")
            with contextlib.suppress(OSError):  # the server's reset has ended it already
                client.sock.shutdown(socket.SHUT_RDWR)
            talker.join()
        # What was being read in the moment of the cut may be one piece more.
        self.assertLessEqual(sum(heard_late), 1, f"of {len(heard_late)}")

    def talk(self, client: RawClient) -> None:
        talk = raw_frame(TEXT, b"and another thing") * 2000
        with contextlib.suppress(OSError):
            while True:
                client.sock.sendall(talk)

    def test_s11_a_slow_reader_gets_a_large_message_whole(self) -> None:
        text = os.urandom(500_000).hex()

        def push(connection: ServerConnection, _text: str) -> None:
            connection.send(text)
            connection.send("after")

        with Harness(push, send_buffer=8 * KIB) as server:
            with RawClient(server.port, receive_buffer=8 * KIB) as client:
                client.send("go")
                wait_until(lambda: server.connections and server.connections[0].queued)
                self.assertEqual(client.read(), text)
                self.assertEqual(client.read(), "after")
                wait_until(lambda: server.connections[0].queued == 0)

    def test_s29_a_client_that_does_not_read_is_closed_and_others_are_not(self) -> None:
        limits = replace(Limits(), outbound_queue=256 * KIB)
        with Harness(ignore, limits=limits, slow_reader=SLOW, send_buffer=8 * KIB) as server:
            frozen = RawClient(server.port, receive_buffer=8 * KIB)
            wait_until(lambda: server.connections)
            most, sent = 0, 0
            while server.connections[0].send("x" * 4 * KIB):
                most, sent = max(most, server.connections[0].queued), sent + 1
                self.assertLess(sent, 10_000)
            self.assertLessEqual(most, limits.outbound_queue)
            self.assertFalse(server.connections[0].open)
            texts = [frozen.read()]
            while texts[-1] != SLOW:
                texts.append(frozen.read())
            self.assertEqual(set(texts[:-1]), {"x" * 4 * KIB})
            self.assertLess(len(texts), sent)
            self.assertEqual(frozen.read_frame()[0], CLOSE)
            frozen.sock.close()

    def test_s29_a_frame_that_waits_too_long_closes_the_connection(self) -> None:
        limits = replace(Limits(), send_seconds=0.5, close_seconds=0.5, silence_seconds=3600)
        with Harness(ignore, limits=limits, send_buffer=8 * KIB) as server:
            with RawClient(server.port, receive_buffer=8 * KIB):
                wait_until(lambda: server.connections)
                server.connections[0].send("x" * 1024 * KIB)
                self.assertTrue(server.connections[0].open)
                # Sooner than the system itself would give the client up.
                wait_until(lambda: not server.connections[0].open, 10, "the server to give up")
                server.wait_idle()
                self.assertEqual(server.connections[0].queued, 0)

    def test_s30_a_sender_never_waits_for_frozen_receivers(self) -> None:
        with Harness(ignore, slow_reader=SLOW, send_buffer=8 * KIB) as server:
            frozen = [RawClient(server.port, receive_buffer=8 * KIB) for _ in range(10)]
            reading = RawClient(server.port)
            wait_until(lambda: len(server.connections) == 11)
            end = time.monotonic() + patience(10)
            done = threading.Event()

            def push() -> None:
                for number in range(100):
                    for connection in server.connections:
                        connection.send(f"{number} " + "x" * 20 * KIB)
                done.set()

            threading.Thread(target=push, daemon=True).start()
            for number in range(100):
                self.assertEqual(reading.read().split()[0], str(number))
            self.assertTrue(done.wait(max(0, end - time.monotonic())))
            self.assertGreater(min(one.queued for one in server.connections[:10]), 100 * KIB)
            for client in [*frozen, reading]:
                client.sock.close()

    def test_a_batch_arrives_in_order_even_when_it_does_not_fit(self) -> None:
        texts = [f"{number} " + "x" * (number % 5000) for number in range(1200)]

        def push(connection: ServerConnection, _text: str) -> None:
            connection.send_many(texts)
            connection.send("end")

        with Harness(push, send_buffer=8 * KIB) as server:
            with RawClient(server.port, receive_buffer=8 * KIB) as client:
                client.send("go")
                self.assertEqual([client.read() for _ in range(1201)], [*texts, "end"])

    def test_a_client_that_vanishes_ends_its_thread(self) -> None:
        with Harness() as server:
            client = RawClient(server.port)
            client.sock.close()
            server.wait_idle()
            self.assertEqual([ending.code for ending in server.endings], [None])
            self.assertFalse(server.connections[0].send("anyone?"))
