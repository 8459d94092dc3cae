"""A real server on a real port: silent, slow and greedy clients, and honest ones meanwhile."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import sys
import tempfile
import threading
import time
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

from bpost.errors import LocalError
from bpost.limits import KIB
from bpost.net.frames import TEXT
from bpost.net.turns import Turns
from bpost.protocol.codes import SEPARATOR
from bpost.server import listener as listener_module
from bpost.server.config import Config
from bpost.server.desk import WINDOW
from bpost.server.listener import Listener
from bpost.server.log import EventLog
from bpost.server.post_office import PostOffice
from tests.net.harness import RawClient, raw_frame
from tests.server.parts import OPEN, PASSWORD, PlainClient, ServerTest
from tests.support import patience, wait_until

BODY = "x" * (190 * KIB)


def bare(port: int) -> socket.socket:
    """Connect and say nothing."""
    return socket.create_connection(("127.0.0.1", port), timeout=patience(20))


def secured(port: int) -> ssl.SSLSocket:
    """Connect and do TLS, trusting anyone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(bare(port))


def is_gone(sock: socket.socket) -> bool:
    """Read to the end; tell whether there is one."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while sock.recv(4096):
            pass
    return True


class DeadlineTest(ServerTest):
    """Whoever does not come in has to go (S1, S2)."""

    lasts = 8
    limits = replace(OPEN, handshake_seconds=1.5, log_in_seconds=1.5)

    def drip(self, sock: socket.socket, data: bytes, ended: threading.Event) -> None:
        """Send a byte at a time until the server hangs up."""
        with contextlib.suppress(OSError):
            for byte in data * 1000:
                sock.sendall(bytes([byte]))
                if ended.wait(0.02):
                    return

    def test_s1_all_who_dawdle_are_gone_at_the_deadline_and_the_honest_get_in(self) -> None:
        port, ended = self.post_office.port, threading.Event()
        self.addCleanup(ended.set)
        silent = [bare(port) for _ in range(10)]
        hello = [bare(port) for _ in range(10)]
        http: list[socket.socket] = [secured(port) for _ in range(10)]
        idle = [self.client() for _ in range(10)]
        for sock, data in [(sock, b"\x16\x03\x01\x01") for sock in hello] + [
            (sock, b"GET / HTTP/1.1\r\nX: ") for sock in http
        ]:
            threading.Thread(target=self.drip, args=(sock, data, ended), daemon=True).start()
        self.assertEqual(self.user("alice").ask("9", "list")[:2], ["9", "OK"])
        for sock in silent + hello + http:
            self.assertTrue(is_gone(sock))
            sock.close()
        for client in idle:
            self.assertEqual(client.receive()[:2], ["99", "not-logged-in"])

    def test_s1_who_never_stops_talking_is_gone_at_the_deadline_too(self) -> None:
        visits = self.post_office._listener._visits
        with RawClient(self.post_office.port) as client:
            talker = threading.Thread(target=self.talk, args=(client,))
            talker.start()
            # He himself may not know yet: a system that waits for room to send is told late.
            wait_until(lambda: not visits, what="the end of the visit")
            with contextlib.suppress(OSError):
                client.sock.shutdown(socket.SHUT_RDWR)
            talker.join()

    def talk(self, client: RawClient) -> None:
        talk = raw_frame(TEXT, b"5\x1fOK\x1f1") * 50
        with contextlib.suppress(OSError):
            while True:
                client.sock.sendall(talk)

    def test_who_has_logged_in_may_stay_silent(self) -> None:
        alice = self.user("alice")
        time.sleep(2 * self.limits.log_in_seconds)
        self.assertEqual(alice.ask("9", "list")[:2], ["9", "OK"])


class AddressTest(unittest.TestCase):
    def test_a_name_that_cannot_be_is_refused_in_a_sentence(self) -> None:
        for host in ("..", "a" * 70 + ".example", "no such host"):
            with self.subTest(host=host), tempfile.TemporaryDirectory() as folder:
                office = PostOffice(Config(data=Path(folder), host=host, port=0), EventLog())
                with self.assertRaisesRegex(LocalError, "no address"):
                    office.start()
                self.assertEqual(office._listener._drainer._ringer.fileno(), -1)  # it is closed


class NeighbourTest(unittest.TestCase):
    """One address cannot take all places (S32)."""

    def test_s32_an_address_has_so_many_connections_and_others_get_in(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder, log = Path(name), io.StringIO()
            patient = replace(OPEN, handshake_seconds=patience(60))
            config = Config(folder, port=0, limits=patient, connections=8, connections_address=2)
            with PostOffice(config, EventLog("text", stream=log)) as office:
                ca = folder / "certificate" / "ca.pem"
                crowd = [bare(office.port) for _ in range(7)]
                self.assertEqual([is_gone(sock) for sock in crowd[4:]], [True] * 3)
                self.assertIn("turned away", log.getvalue())
                other = socket.socket()
                other.bind(("127.0.0.2", 0))
                other.connect(("127.0.0.1", office.port))
                alice = PlainClient(office.port, ca, sock=other)
                self.assertEqual(alice.ask("2", "alice", PASSWORD), ["2", "OK"])
                for sock in crowd:
                    sock.close()
                wait_until(lambda: len(office._listener._visits) == 1)
                again = PlainClient(office.port, ca)
                self.assertEqual(again.ask("1", "alice", PASSWORD), ["1", "OK"])
                alice.close()
                again.close()
                wait_until(lambda: not office._listener._here)

    def test_s32_this_machine_may_have_half_of_all(self) -> None:
        config = Config(Path(), connections=10_000, connections_address=1_000)
        for host, most in (("127.0.0.1", 5_000), ("::1", 5_000), ("192.0.2.1", 1_000)):
            self.assertEqual(config.connections_from(host), most)


class SilentTest(ServerTest):
    """With the usual deadlines."""

    def test_s2_a_silent_client_delays_nobody(self) -> None:
        with bare(self.post_office.port), bare(self.post_office.port):
            started = time.monotonic()
            for number in range(20):
                self.user(f"user{number}")
            took = time.monotonic() - started
        self.assertLess(took, patience(self.limits.handshake_seconds * 0.8))

    def test_connections_leave_nothing_behind(self) -> None:
        def threads() -> int:
            names = [thread.name for thread in threading.enumerate()]
            return names.count("bpost-connection")

        for number in range(20):
            client = self.user(f"user{number}")
            client.socket.socket.shutdown(socket.SHUT_RDWR)
            bare(self.post_office.port).close()
        wait_until(lambda: threads() == 0, what="the connection threads to end")
        self.assertEqual(self.post_office.office.presence.accounts(), set())


class FreshThreadTest(ServerTest):
    """Who has logged in is served by a thread whose stack the log-in has not grown."""

    def threads(self) -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name == "bpost-connection"]

    def test_who_logs_in_gets_a_fresh_thread_and_keeps_it(self) -> None:
        client = self.client()
        wait_until(self.threads)
        first = self.threads()
        self.assertEqual(client.ask("2", "alice", PASSWORD), ["2", "OK"])
        wait_until(lambda: self.threads() and self.threads()[0] not in first)
        second = self.threads()
        self.assertEqual(client.ask("1", "alice", PASSWORD), ["1", "OK"])
        self.assertEqual(client.ask("9", "list")[:2], ["9", "OK"])
        self.assertEqual(self.threads(), second)

    def test_where_the_system_has_no_thread_left_the_first_one_goes_on(self) -> None:
        client = self.client()
        wait_until(self.threads)
        first = self.threads()
        none_left = RuntimeError("can't start new thread")
        with mock.patch.object(Listener, "_give_thread", side_effect=none_left) as asked:
            self.assertEqual(client.ask("2", "alice", PASSWORD), ["2", "OK"])
            self.assertEqual(client.ask("9", "list")[:2], ["9", "OK"])
            asked.assert_called_once()
        self.assertEqual(self.threads(), first)


class PaceTest(ServerTest):
    """Thousands of threads must not spend the time with asking for their turn."""

    def test_turns_grow_with_the_connections_and_shrink_again(self) -> None:
        patch = mock.patch.object(Turns, "watching", False)  # as where there is no epoll
        patch.start()
        self.addCleanup(patch.stop)
        listener, usual = self.post_office._listener, sys.getswitchinterval()
        self.assertEqual(listener._turn, usual)
        with mock.patch.object(listener_module, "TURN_SECONDS", 1.0):
            client = self.user("alice")
            wait_until(lambda: sys.getswitchinterval() == 1.0)
            client.close()
            wait_until(lambda: sys.getswitchinterval() == usual)


class CrowdedTest(ServerTest):
    """More than may come."""

    def setUp(self) -> None:
        super().setUp()
        object.__setattr__(self.post_office.config, "connections", 3)

    def test_connections_beyond_the_bound_are_turned_away_until_others_go(self) -> None:
        inside = [self.user(f"user{number}") for number in range(3)]
        with bare(self.post_office.port) as sock:
            self.assertTrue(is_gone(sock))
        inside[0].close()

        def can_come() -> bool:
            with contextlib.suppress(OSError, EOFError, ssl.SSLError, Exception):
                return self.client().ask("1", "user1", PASSWORD) == ["1", "OK"]
            return False

        wait_until(can_come, what="a free place")


class FreezingTest(ServerTest):
    """A test with a client that does not read."""

    def frozen(self, name: str, device: str) -> PlainClient:
        """Log in and never read again; the socket holds little."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * KIB)
        sock.connect(("127.0.0.1", self.post_office.port))
        ca: Path = self.folder / "certificate" / "ca.pem"
        client = PlainClient(self.post_office.port, ca, sock=sock, max_queue=1)
        self.addCleanup(client.close)
        client.ask("1", name, PASSWORD, device)
        return client

    def pair(self) -> tuple[PlainClient, str]:
        """Register alice and bob with a device; return alice and the id of bob's device."""
        self.user("bob").close()
        phone, device = self.device("bob")
        phone.close()
        alice = self.user("alice")
        alice.ask("4", "alice", "bob")
        return alice, device

    def account(self, name: str) -> int:
        """Return the number of an account."""
        account = self.post_office.office.store.accounts.find(name)
        assert account is not None
        return account.id


class SlowTest(FreezingTest):
    """Clients that do not read (S29)."""

    limits = replace(OPEN, send_seconds=1.0)

    def test_s29_who_never_reads_is_closed_and_loses_nothing(self) -> None:
        alice, device = self.pair()
        self.frozen("bob", device)
        account = self.account("bob")
        wait_until(lambda: self.post_office.office.presence.of(account))
        for number in range(64):
            self.assertEqual(alice.ask("0", "alice", f"{number} {BODY}", "bob")[1], "WillBeSent")
        wait_until(lambda: not self.post_office.office.presence.of(account), what="bob to be out")
        phone, _ = self.device("bob", device)
        found = [phone.receive() for _ in range(64)]
        self.assertEqual([int(frame[3]) for frame in found], list(range(1, 65)))
        self.assertEqual([int(frame[1].split()[0]) for frame in found], list(range(64)))

    def test_s29_what_waits_for_a_client_is_bounded(self) -> None:
        alice, device = self.pair()
        self.frozen("bob", device)
        (desk,) = self.post_office.office.presence.of(self.account("bob"))
        most = 0
        for _ in range(40):
            alice.ask("0", "alice", BODY, "bob")
            most = max(most, desk.wire.queued)
        self.assertLess(most, 256 * KIB + 2 * len(BODY))


class FrozenTest(FreezingTest):
    """A client that does not read, and is not closed for it yet (S29, S30)."""

    def test_s29_what_is_on_the_way_to_a_client_is_bounded(self) -> None:
        alice, device = self.pair()
        self.frozen("bob", device)
        (desk,) = self.post_office.office.presence.of(self.account("bob"))
        for _ in range(WINDOW + 16):
            alice.ask("0", "alice", "x" * 500, "bob")
        self.assertEqual(len(desk._window), WINDOW)

    def test_s30_a_sender_never_waits_for_a_frozen_receiver(self) -> None:
        alice, device = self.pair()
        self.user("carol")
        alice.ask("4", "alice", "carol")
        carol = self.client()
        carol.ask("1", "carol", PASSWORD)
        self.frozen("bob", device)
        for number in range(60):
            self.assertEqual(alice.ask("0", "alice", BODY, "bob")[1], "WillBeSent")
            self.assertEqual(alice.ask("0", "alice", str(number), "carol")[1], "WillBeSent")
            self.assertEqual(carol.receive()[1], str(number))


class OrderTest(ServerTest):
    """Answers and deliveries."""

    def test_answers_come_in_the_order_of_the_requests(self) -> None:
        alice = self.user("alice")
        self.user("bob")
        for _ in range(20):
            alice.socket.send(SEPARATOR.join(("4", "alice", "bob")))
            alice.socket.send(SEPARATOR.join(("9", "list")))
            alice.socket.send(SEPARATOR.join(("11", "get")))
        codes = [alice.receive()[0] for _ in range(60)]
        self.assertEqual(codes, ["4", "9", "11"] * 20)

    def test_a_message_in_the_middle_of_a_flood_of_others_is_in_its_place(self) -> None:
        alice = self.user("alice")
        self.user("bob").close()
        alice.ask("4", "alice", "bob")
        bob, _ = self.device("bob")
        for number in range(300):
            alice.send("0", "alice", str(number), "bob", f"r{number}")
        refs = [alice.receive()[3] for _ in range(300)]
        self.assertEqual(refs, [f"r{number}" for number in range(300)])
        found: list[list[str]] = []
        while len(found) < 300:
            found.append(bob.receive())
            if len(found) % 32 == 0:
                bob.send("5", "OK", found[-1][3])
        self.assertEqual([int(frame[1]) for frame in found], list(range(300)))
        self.assertEqual([int(frame[3]) for frame in found], list(range(1, 301)))


if __name__ == "__main__":
    unittest.main()
