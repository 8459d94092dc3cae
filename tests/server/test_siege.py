"""Connections that end badly, or do not end, or only ever send: what a server keeps of them."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
import time
import unittest
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

from bpost.limits import KIB, MIB
from bpost.net.frames import TEXT
from bpost.protocol.codes import SEPARATOR
from bpost.server import mailroom
from tests.net.harness import RawClient, raw_frame
from tests.server.parts import OPEN, PASSWORD, PlainClient, ServerTest
from tests.support import patience, wait_until

ROUNDS = 400 if os.environ.get("BPOST_TEST_THOROUGH") else 4
RESET = struct.pack("ii", 1, 0)
HELLO = bytes.fromhex("1603010200010001fc0303") + b"x" * 100
BODY = "x" * (100 * KIB)


class Line:
    """A line to the server that can be cut without anybody being told: nothing passes any more."""

    def __init__(self, port: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.near = socket.create_connection(listening.getsockname(), patience(20))
            ours = listening.accept()[0]
        server = socket.create_connection(("127.0.0.1", port), patience(20))
        self._ends = (ours, server)
        self.cut = False
        for one, other in ((ours, server), (server, ours)):
            threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(64 * KIB):
                if not self.cut:
                    other.sendall(data)

    def close(self) -> None:
        """Let the machine on the other side be forgotten at last."""
        for end in (self.near, *self._ends):
            end.close()


class HalfOpenTest(ServerTest):
    """A peer whose machine is gone, and whose connection is not (S33)."""

    lasts = 5
    limits = replace(OPEN, ping_seconds=0.3, silence_seconds=1.5)

    def far(self, name: str, device: str) -> Line:
        """Log a device in over a line that can be cut."""
        line = Line(self.post_office.port)
        self.addCleanup(line.close)
        ca: Path = self.folder / "certificate" / "ca.pem"
        client = PlainClient(self.post_office.port, ca, sock=line.near)
        self.assertEqual(client.ask("1", name, PASSWORD, device)[:2], ["1", "OK"])
        return line

    def test_s33_who_is_gone_without_a_word_is_noticed_and_his_mail_waits(self) -> None:
        office = self.post_office.office
        alice = self.user("alice")
        self.user("bob").close()
        phone, device = self.device("bob")
        phone.close()
        alice.ask("4", "alice", "bob")
        line = self.far("bob", device)
        account = office.store.accounts.find("bob")
        assert account is not None
        time.sleep(2 * self.limits.silence_seconds)
        self.assertTrue(office.presence.of(account.id))  # silent, but there: it answers pings
        line.cut = True
        for number in range(5):
            self.assertEqual(alice.ask("0", "alice", str(number), "bob")[1], "WillBeSent")
        wait_until(lambda: not office.presence.of(account.id), what="bob to be gone")
        again, _ = self.device("bob", device)
        self.assertEqual([again.receive()[1] for _ in range(5)], list("01234"))

    def test_s33_the_system_looks_after_the_line_as_well(self) -> None:
        self.user("alice")
        (visit,) = self.post_office._listener._visits
        self.assertTrue(visit.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        if sys.platform == "linux":
            ms = visit.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            self.assertIn(ms, range(1, 60_001))


class BadEndTest(ServerTest):
    """All bad ways to leave, and what is left of them: nothing (S34)."""

    lasts = 6
    limits = replace(OPEN, handshake_seconds=patience(60), close_seconds=0.5)

    nothing = ("visits", "addresses", "desks", "watched", "hashing")

    def setUp(self) -> None:
        super().setUp()
        self.user("alice").close()
        wait_until(lambda: not self.post_office._listener._visits)

    def reset(self, sock: socket.socket) -> None:
        """End a connection as a machine does that crashes."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        sock.close()

    def leave(self, sock: socket.socket) -> None:
        """Say that nothing more comes, and wait for what the server says to that."""
        sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while sock.recv(4096):
                pass
        sock.close()

    def bare(self, data: bytes) -> socket.socket:
        """Connect, and say something that is not all there is to say."""
        sock = socket.create_connection(("127.0.0.1", self.post_office.port), patience(20))
        sock.sendall(data)
        return sock

    def spoken(self, *frames: bytes, upgrade: bool = True) -> socket.socket:
        """Connect over TLS, and send some bytes; return the bare socket."""
        client = RawClient(self.post_office.port, upgrade=upgrade)
        client.sock.sendall(b"".join(frames))
        tls = client.sock
        assert isinstance(tls, socket.socket)
        return socket.socket(fileno=tls.detach())

    def ways(self) -> list[Callable[[], socket.socket]]:
        """Return how far one can get before leaving."""
        log_in = raw_frame(TEXT, SEPARATOR.join(("1", "alice", PASSWORD)).encode())
        ask = raw_frame(TEXT, SEPARATOR.join(("9", "list")).encode())
        return [
            lambda: self.bare(b""),
            lambda: self.bare(HELLO),
            lambda: self.spoken(b"GET / HTTP/1.1\r\nHost: x", upgrade=False),
            lambda: self.spoken(b""),
            lambda: self.spoken(log_in[:-5]),
            lambda: self.spoken(log_in),
            lambda: self.spoken(log_in, ask * 20, ask[:3]),
        ]

    def kept(self) -> dict[str, int]:
        """Count all that a connection could leave behind."""
        office, listener = self.post_office.office, self.post_office._listener
        return {
            "threads": sum(one.name.startswith("bpost") for one in threading.enumerate()),
            "descriptors": len(os.listdir("/dev/fd")),
            "visits": len(listener._visits),
            "addresses": len(listener._here),
            "desks": len(office.presence.all()),
            "watched": len(listener._drainer._watched),
            "hashing": office.door._here,
        }

    def test_s34_nothing_is_left_of_connections_that_end_in_any_bad_way(self) -> None:
        self.round()
        wait_until(lambda: self.kept()["visits"] == 0)
        before = self.kept() | dict.fromkeys(self.nothing, 0)
        for _ in range(ROUNDS):
            self.round()
        with contextlib.suppress(AssertionError):
            wait_until(lambda: self.kept() == before, 20)
        self.assertEqual(self.kept(), before)

    def round(self) -> None:
        """Go each way once, and leave in each manner."""
        for way in self.ways():
            for end in (self.reset, self.leave, socket.socket.close):
                end(way())


class CutTest(ServerTest):
    """A line that is cut between the storing and the answer, again and again (S38)."""

    def cut_off(self, number: int) -> None:
        """Send a message, again if it was sent before, and crash without a look at the answer."""
        client = RawClient(self.post_office.port)
        for fields in (
            ("1", "alice", PASSWORD, self.device_id),
            ("0", "alice", f"text {number}", "bob", f"r{number}"),
        ):
            client.send(SEPARATOR.join(fields))
        self.assertIn("OK", client.read())
        tls = client.sock
        assert isinstance(tls, socket.socket)
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        tls.close()

    def test_s38_however_often_the_line_is_cut_each_message_is_stored_once(self) -> None:
        alice, bob = self.user("alice"), self.user("bob")
        alice.ask("4", "alice", "bob")
        phone, self.device_id = self.device("alice")
        phone.close()
        for number in range(20):
            for _ in range(3):
                self.cut_off(number)
        again, _ = self.device("alice", self.device_id)
        for number in range(20):
            answer = again.ask("0", "alice", f"text {number}", "bob", f"r{number}")
            self.assertEqual(answer[:2], ["0", "WillBeSent"])
        again.ask("0", "alice", "last", "bob", "last")
        got = [bob.receive()[1]]
        while got[-1] != "last":
            got.append(bob.receive()[1])
        self.assertEqual(sorted(got), sorted([f"text {n}" for n in range(20)] + ["last"]))


class GreedTest(ServerTest):
    """A client that sends without an end (S31)."""

    def test_s31_who_sends_more_than_is_stored_has_to_wait(self) -> None:
        alice = self.user("alice")
        self.user("bob").close()
        alice.ask("4", "alice", "bob")
        office, total = self.post_office.office, 300
        texts = [("0", "alice", BODY, "bob", f"r{number}") for number in range(total)]
        sent = [0]

        def pour() -> None:
            for text in texts:
                alice.send(*text)
                sent[0] += 1

        pouring = threading.Thread(target=pour, daemon=True)
        with mock.patch.object(mailroom, "WAITING_BYTES", MIB), office.store._lock:
            pouring.start()
            wait_until(lambda: office.mailroom.queued[1] >= MIB, what="a full mailroom")
            before = -1
            while before < sent[0]:  # until what the systems hold for both is full as well
                before = sent[0]
                time.sleep(0.5)
            self.assertLess(sent[0], total)
            self.assertLess(office.mailroom.queued[1], MIB + len(BODY))
        answers = [alice.receive()[1] for _ in range(total)]
        self.assertEqual(answers, ["WillBeSent"] * total)
        pouring.join(patience(20))


if __name__ == "__main__":
    unittest.main()
