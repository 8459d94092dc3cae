"""One TLS connection, many threads: sound, in order, and never a byte in clear."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable
from functools import partial

from bpost.net.tls import server_context
from bpost.net.tls_stream import PlaintextPeerError, TLSStream
from tests.net.harness import blind_context
from tests.net.listening import server_files
from tests.support import patience, wait_until


def tcp_pair(buffer: int | None = None) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.socket()
        if buffer is not None:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        near.connect(listener.getsockname())
        far, _ = listener.accept()
    return near, far


def streams(near: socket.socket, far: socket.socket) -> tuple[TLSStream, TLSStream]:
    """Return a client and a server stream after their handshake."""
    files = server_files()
    client = TLSStream(near, blind_context())
    server = TLSStream(far, server_context(files.certificate, files.key), server_side=True)
    deadline = time.monotonic() + patience(10)
    thread = threading.Thread(target=server.handshake, args=(deadline,))
    thread.start()
    client.handshake(deadline)
    thread.join()
    return client, server


def unread(sock: socket.socket) -> bool:
    """Tell whether something waits in the socket."""
    with contextlib.suppress(BlockingIOError):
        return bool(sock.recv(1, socket.MSG_PEEK))
    return False


class Background:
    """Work in another thread, whose outcome the test looks at."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.outcome: object = None
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.outcome = self._work()
        except OSError as error:
            self.outcome = error

    def wait(self) -> object:
        """Return what the work returned or raised."""
        self._thread.join(patience(10))
        if self._thread.is_alive():
            raise AssertionError("the thread was not woken")
        return self.outcome

    def goes_on_for(self, seconds: float) -> bool:
        """Tell whether the work still goes on after that time."""
        self._thread.join(seconds)
        return self._thread.is_alive()


class StreamTest(unittest.TestCase):
    def pair(self, buffer: int | None = None) -> tuple[TLSStream, TLSStream]:
        client, server = streams(*tcp_pair(buffer))
        self.addCleanup(client.close)
        self.addCleanup(server.close)
        return client, server

    def test_it_reads_like_a_socket(self) -> None:
        client, server = self.pair()
        client.sendall(b"x" * 100_000)
        client.finish()
        self.assertEqual(server.recv(3), b"xxx")
        data = b""
        while more := server.recv(70_000):
            data += more
        self.assertEqual(len(data), 99_997)
        self.assertEqual(server.receive(None), b"")

    def test_a_receive_that_times_out_can_go_on(self) -> None:
        client, server = self.pair()
        with self.assertRaises(TimeoutError):
            server.receive(0.01)
        client.send(b"late")
        self.assertEqual(server.receive(patience(10)), b"late")

    def test_s70_a_send_never_waits_for_a_half_received_record(self) -> None:
        near, far = tcp_pair()
        client, server = streams(near, far)
        reading = Background(lambda: client.receive(patience(10)))
        with server._wire_lock, server._tls_lock:  # hold back half a record
            server._tls.write(b"z" * 3000)
            record = server._outgoing.read()
        far.setblocking(True)
        far.sendall(record[:1500])
        wait_until(lambda: not unread(near), what="the reader")
        client.settimeout(patience(5))
        client.send(b"not delayed")
        self.assertEqual(server.receive(patience(10)), b"not delayed")
        self.assertTrue(reading.goes_on_for(0.1))
        far.sendall(record[1500:])
        self.assertEqual(reading.wait(), b"z" * 3000)
        for stream in (client, server):
            stream.close()

    def test_s70_close_wakes_a_reader_and_all_senders(self) -> None:
        client, _ = self.pair(4096)
        reader = Background(lambda: client.receive(None))
        senders = [Background(lambda: client.send(b"x" * 5_000_000)) for _ in range(3)]
        wait_until(lambda: client._owed, what="a sender that is stuck")
        self.assertIsNone(Background(client.close).wait())
        self.assertEqual(reader.wait(), b"")
        for sender in senders:
            self.assertIsInstance(sender.wait(), OSError)
        self.assertEqual(client.fileno(), -1)
        self.assertIsInstance(Background(lambda: client.send(b"x")).wait(), OSError)
        self.assertEqual(client.receive(1), b"")

    def test_a_timed_out_send_breaks_the_stream_for_good(self) -> None:
        client, server = self.pair(4096)
        client.settimeout(0.05)
        with self.assertRaises(TimeoutError):
            client.send(b"x" * 5_000_000)
        client.settimeout(None)
        with self.assertRaises(BrokenPipeError):
            client.send(b"and go on as if nothing had happened")
        with contextlib.suppress(OSError):
            while server.receive(patience(10)):
                pass

    def test_s11_a_send_takes_all_or_breaks(self) -> None:
        client, server = self.pair(4096)
        data = bytes(range(256)) * 8000
        client.settimeout(patience(20))
        sending = Background(lambda: client.send(data))
        got = b""
        while len(got) < len(data):
            got += server.receive(patience(10))
        self.assertEqual(sending.wait(), len(data))
        self.assertEqual(got, data)

    def test_what_the_socket_does_not_take_is_owed(self) -> None:
        client, server = self.pair(4096)
        owed = client.try_send(b"x" * 1_000_000)
        self.assertGreater(owed, 0)
        got = 0
        while got < 1_000_000:
            got += len(server.receive(patience(10)))
            owed = client.try_send()
        self.assertEqual((owed, got), (0, 1_000_000))

    def test_s35_a_descriptor_is_given_back_when_the_last_thread_has_left(self) -> None:
        class Watched(socket.socket):
            """A socket that takes its time to return what it received."""

            inside = threading.Event()
            go_on = threading.Event()
            closed_under_a_reader = False

            def recv(self, size: int, flags: int = 0, /) -> bytes:
                data = super().recv(size, flags)
                self.inside.set()
                self.go_on.wait(patience(10))
                self.inside.clear()
                return data

            def close(self) -> None:
                Watched.closed_under_a_reader |= self.inside.is_set()
                super().close()

        near, far = tcp_pair()
        watched = Watched(near.family, near.type, near.proto, fileno=near.detach())
        watched.go_on.set()
        client, server = streams(watched, far)
        watched.inside.clear()
        watched.go_on.clear()
        reader = Background(lambda: client.receive(None))
        server.send(b"x")
        self.assertTrue(watched.inside.wait(patience(10)))
        closer = Background(client.close)
        wait_until(lambda: client._broken)
        self.assertTrue(closer.goes_on_for(0.5))
        watched.go_on.set()
        closer.wait()
        self.assertEqual(reader.wait(), b"x")
        self.assertFalse(Watched.closed_under_a_reader)
        server.close()

    def test_s35_a_reader_never_gets_the_next_connections_bytes(self) -> None:
        for _ in range(100):
            client, server = streams(*tcp_pair())
            number = client.fileno()
            reader = Background(partial(client.receive, None))
            client.close()
            left, right = socket.socketpair()
            right.sendall(b"for the next connection")
            self.assertEqual(reader.wait(), b"")
            self.assertIn(number, (left.fileno(), right.fileno()))  # it was reused
            self.assertEqual(left.recv(100), b"for the next connection")
            for one in (server, left, right):
                one.close()

    def test_s69_small_frames_leave_at_once(self) -> None:
        near, far = tcp_pair()
        for sock in (near, far):
            TLSStream(sock, blind_context())
            self.assertTrue(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                self.assertGreater(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 0)
            sock.close()

    def test_s69_no_session_tickets_are_issued(self) -> None:
        near, far = tcp_pair()
        client, server = streams(near, far)
        with self.assertRaises(BlockingIOError):
            near.recv(1)  # nothing follows the handshake
        self.assertFalse(client._tls.session.has_ticket)  # type: ignore[union-attr]
        client.close()
        server.close()

    def test_a_peer_that_does_not_speak_tls_is_told_apart(self) -> None:
        files = server_files()
        for server_side in (False, True):
            near, far = tcp_pair()
            context = server_context(files.certificate, files.key)
            if not server_side:
                context = blind_context()
            stream = TLSStream(near, context, server_side=server_side)
            far.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            with self.assertRaises(PlaintextPeerError):
                stream.handshake(time.monotonic() + patience(10))
            stream.close()
            far.close()

    def test_s1_a_peer_whose_sending_is_stuck_learns_of_a_cut(self) -> None:
        near, far = tcp_pair()
        client, server = streams(near, far)
        near.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while near.send(bytes(1 << 20)):
                pass  # until the server's side of the network is full
        server.cut()
        self.assertEqual(server.receive(patience(10)), b"")
        server.drain(time.monotonic() + patience(10))
        # Without this the peer would find out when its system next asks for room: after minutes.
        lingers = far.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.calcsize("ii"))
        self.assertEqual(struct.unpack("ii", lingers), (1, 0))
        server.close()
        wait_until(lambda: near.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), what="the reset")
        client.close()

    def test_a_broken_record_ends_the_stream_with_an_error(self) -> None:
        near, far = tcp_pair()
        client, server = streams(near, far)
        far.setblocking(True)
        far.sendall(b"\x17\x03\x03\x00\x20" + b"forged" * 6)
        with self.assertRaises(ssl.SSLError):
            client.receive(patience(10))
        with self.assertRaises(OSError):
            client.send(b"x")
        client.close()
        server.close()


class CleartextTest(unittest.TestCase):
    """A recorder on the wire, between the two ends of a connection."""

    MARKER = b"MARKER-that-must-never-be-seen-"

    def test_s67_nothing_leaves_in_clear_however_a_connection_ends(self) -> None:
        ends: dict[str, Callable[[TLSStream, TLSStream], object]] = {
            "close": lambda client, _: client.close(),
            "shutdown of reading": lambda client, _: client.shutdown(socket.SHUT_RD),
            "shutdown of writing": lambda client, _: client.shutdown(socket.SHUT_WR),
            "shutdown of both": lambda client, _: client.shutdown(socket.SHUT_RDWR),
            "finish": lambda client, _: client.finish(),
            "the peer's close": lambda _, server: server.close(),
            "the peer's finish": lambda _, server: server.finish(),
        }
        for name, end in ends.items():
            for _ in range(3):
                with self.subTest(name):
                    recorded = self.record(end)
                    self.assertGreater(len(recorded), 1000)
                    self.assertNotIn(self.MARKER, recorded)

    def record(self, end: Callable[[TLSStream, TLSStream], object]) -> bytes:
        """Let four threads send the marker while ``end`` is done; return all that was sent."""
        near, middle_near = tcp_pair()
        middle_far, far = tcp_pair()
        recorded = bytearray()
        tap = [
            Background(lambda: self.forward(middle_near, middle_far, recorded)),
            Background(lambda: self.forward(middle_far, middle_near, recorded)),
        ]
        client, server = streams(near, far)
        stop = threading.Event()
        senders = [Background(lambda: self.send(client, stop)) for _ in range(4)]
        readers = [Background(partial(self.read, one)) for one in (client, server)]
        wait_until(lambda: len(recorded) > 20_000)
        end(client, server)
        for _ in range(20):
            with contextlib.suppress(OSError):
                client.send(self.MARKER)
            with contextlib.suppress(OSError):
                client.try_send(self.MARKER)
        stop.set()
        client.close()
        server.close()
        for thread in [*senders, *readers, *tap]:
            thread.wait()
        middle_near.close()
        middle_far.close()
        return bytes(recorded)

    def send(self, stream: TLSStream, stop: threading.Event) -> None:
        while not stop.is_set():
            stream.send(self.MARKER * 4)

    def read(self, stream: TLSStream) -> None:
        while stream.receive(None):
            pass

    def forward(self, source: socket.socket, sink: socket.socket, recorded: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                recorded += data
                sink.sendall(data)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class RaceTest(unittest.TestCase):
    """Run in a process of its own: what it hunts crashes the process."""

    lasts = 11

    def race(self, scenario: str, version: str, connections: int, seconds: float) -> None:
        folder = str(server_files().key.parent)
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.net.race"]
        done = subprocess.run(
            [*command, scenario, version, str(connections), str(seconds), folder],
            capture_output=True,
            text=True,
            timeout=patience(90),
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertEqual(json.loads(done.stdout), [])

    def test_s70_both_directions_are_saturated(self) -> None:
        for version in ("TLSv1_3", "TLSv1_2"):
            with self.subTest(version):
                self.race("duplex", version, 2, 0.7)

    def test_s70_many_connections_start(self) -> None:
        for version in ("TLSv1_3", "TLSv1_2"):
            with self.subTest(version):
                self.race("start", version, 30, 0.03)

    def test_s70_the_peer_asks_for_new_keys(self) -> None:
        self.race("rekey", "TLSv1_3", 2, 0.7)

    def test_s35_s70_connections_are_closed_while_threads_use_them(self) -> None:
        self.race("reuse", "TLSv1_3", 30, 0.02)
