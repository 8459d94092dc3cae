"""Who is believed about where a client is (S68)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import unittest
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bpost.errors import UsageError
from bpost.limits import Limits, Rate
from bpost.net.proxies import Proxies, announced
from bpost.protocol.codes import SEPARATOR
from tests.server.parts import PASSWORD, ServerTest
from tests.support import patience

LIMITS = Limits(registrations_address=Rate(1, 3600), http_headers=20)


class PassedOn:
    """A client whose connection comes through a proxy that says ``line`` and these headers."""

    def __init__(self, test: ServerTest, line: str = "", **headers: str) -> None:
        sock = socket.create_connection(("127.0.0.1", test.post_office.port), patience(20))
        test.addCleanup(sock.close)
        sock.sendall(line.encode())
        context = ssl.create_default_context(cafile=str(test.folder / "certificate" / "ca.pem"))
        tls = context.wrap_socket(sock, server_hostname="localhost")
        test.addCleanup(tls.close)
        self.socket: ClientConnection = connect(
            "ws://localhost/",  # over TLS all the same
            sock=tls,
            subprotocols=["bpost.1"],  # type: ignore[list-item]
            additional_headers=headers,
            open_timeout=patience(20),
            close_timeout=0.5,
        )
        test.addCleanup(self.socket.close)

    def register(self, name: str) -> str:
        """Register a user; return ``OK`` or the reason why not."""
        self.socket.send(SEPARATOR.join(("2", name, PASSWORD)))
        answer = str(self.socket.recv(timeout=patience(20))).split(SEPARATOR)
        return answer[1] if answer[1] == "OK" else answer[2]


def line(host: str) -> str:
    """Return what a proxy says of a client at ``host``."""
    return f"PROXY TCP{6 if ':' in host else 4} {host} {host} 4711 8765\r\n"


class TrustedTest(ServerTest):
    """Behind a proxy on this machine, which is listed."""

    limits = LIMITS
    settings: Mapping[str, Any] = MappingProxyType(
        {"proxies": Proxies(["127.0.0.1"]), "registration": "open"}
    )

    def test_s68_a_listed_proxy_says_who_it_is_by_line_or_header(self) -> None:
        self.assertEqual(PassedOn(self, line("192.0.2.1")).register("one"), "OK")
        again = PassedOn(self, **{"X-Forwarded-For": "192.0.2.1"})
        self.assertEqual(again.register("two"), "rate-limited")
        self.assertEqual(PassedOn(self, line("2001:db8::1")).register("three"), "OK")
        other = PassedOn(self, **{"X-Forwarded-For": "192.0.2.2"})
        self.assertEqual(other.register("four"), "OK")
        self.assertEqual(PassedOn(self).register("five"), "OK")  # the proxy itself
        self.assertIn('address="192.0.2.1"', self.log.getvalue())

    def test_s68_what_the_client_wrote_before_it_into_the_header_is_not_believed(self) -> None:
        names = iter(("one", "two", "three"))
        for forged in ("192.0.2.7, 192.0.2.9", "x, 192.0.2.9", "192.0.2.8, 192.0.2.9, 127.0.0.1"):
            client = PassedOn(self, **{"X-Forwarded-For": forged})
            client.register(next(names))
        self.assertEqual(self.log.getvalue().count(" INFO registered"), 1)
        self.assertIn('address="192.0.2.9"', self.log.getvalue())

    def test_a_client_counts_where_it_is_and_the_proxy_for_nothing(self) -> None:
        listener = self.post_office._listener
        for host in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
            PassedOn(self, line(host)).register("x" + host[-1])
        here = {key: count for key, count in listener._here.items() if count}
        self.assertEqual(here, {"192.0.2.1/32": 2, "192.0.2.2/32": 1})

    def test_a_line_that_is_none_ends_the_connection(self) -> None:
        for bad in ("PROXY TCP4 nowhere x 1 2\r\n", "PROXY " + "x" * 200, "POST / HTTP/1.1\r\n"):
            with self.subTest(bad):
                with self.assertRaises((OSError, ssl.SSLError, EOFError, ConnectionClosed)):
                    PassedOn(self, bad)
        self.assertEqual(PassedOn(self, "PROXY UNKNOWN\r\n").register("one"), "OK")


class CrowdedTest(ServerTest):
    """One client behind the proxy has too many connections."""

    settings: Mapping[str, Any] = MappingProxyType(
        {"proxies": Proxies(["127.0.0.1"]), "connections_address": 2, "connections": 9}
        | {"registration": "open"}
    )

    def test_the_bound_for_an_address_holds_behind_a_proxy(self) -> None:
        there = [PassedOn(self, line("192.0.2.1")) for _ in range(3)]
        last = str(there[2].socket.recv(timeout=patience(20)))
        self.assertEqual(last.split(SEPARATOR)[:2], ["99", "busy"])
        self.assertEqual(PassedOn(self, line("192.0.2.2")).register("one"), "OK")


class StrangerTest(ServerTest):
    """Nobody is listed."""

    limits = LIMITS

    def test_s68_a_stranger_is_not_believed(self) -> None:
        forged = PassedOn(self, **{"X-Forwarded-For": "192.0.2.1"})
        self.assertEqual(forged.register("one"), "OK")
        again = PassedOn(self, **{"X-Forwarded-For": "192.0.2.2"})
        self.assertEqual(again.register("two"), "rate-limited")
        with self.assertRaises((OSError, ssl.SSLError, EOFError)):
            PassedOn(self, line("192.0.2.3"))


class WordTest(unittest.TestCase):
    """What is taken for an address."""

    def test_networks_are_listed_and_others_refused(self) -> None:
        proxies = Proxies(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"])
        for host, listed in (("10.1.2.3", True), ("11.1.2.3", False), ("2001:db8::9", True)):
            self.assertEqual(proxies.covers(host), listed)
        self.assertTrue(proxies.covers("::ffff:10.0.0.1"))
        self.assertFalse(proxies.covers("local"))
        with self.assertRaisesRegex(UsageError, "proxies"):
            Proxies(["proxy.example.org"])

    def test_a_line_is_read_no_further_than_its_end(self) -> None:
        ours, theirs = socket.socketpair()
        with contextlib.closing(ours), contextlib.closing(theirs):
            theirs.sendall(line("192.0.2.1").encode() + b"\x16rest")
            self.assertEqual(announced(ours, time.monotonic() + 20), "192.0.2.1")
            self.assertIsNone(announced(ours, time.monotonic() + 20))
            self.assertEqual(ours.recv(10), b"\x16rest")


if __name__ == "__main__":
    unittest.main()
