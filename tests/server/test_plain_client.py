"""A client of thirty lines that knows nothing but the original forms of frames 0 to 6."""

from __future__ import annotations

import ssl
import unittest
from pathlib import Path

from websockets.sync.client import connect

from tests.server.parts import OTHER, PASSWORD, ServerTest
from tests.support import patience


class ThirtyLineClient:
    """What somebody writes in an afternoon, with the table of codes 0 to 6 beside the keyboard."""

    def __init__(self, port: int, ca: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        self.socket = connect(f"wss://localhost:{port}/", ssl=context, compression=None)
        self.name = ""

    def ask(self, *fields: str) -> list[str]:
        self.socket.send("\x1f".join(fields))
        return self.receive()

    def receive(self) -> list[str]:
        return str(self.socket.recv(timeout=patience(20))).split("\x1f")

    def register(self, name: str, password: str) -> list[str]:
        self.name = name
        return self.ask("2", name, password)

    def log_in(self, name: str, password: str) -> list[str]:
        self.name = name
        return self.ask("1", name, password)

    def send(self, text: str, to: str) -> list[str]:
        return self.ask("0", self.name, text, to)


class PlainClientTest(ServerTest):
    """The Show of the original protocol."""

    def come(self) -> ThirtyLineClient:
        """Connect such a client."""
        client = ThirtyLineClient(self.post_office.port, self.folder / "certificate" / "ca.pem")
        self.addCleanup(client.socket.close)
        return client

    def test_two_plain_clients_do_everything_that_the_original_system_did(self) -> None:
        alice, bob = self.come(), self.come()
        self.assertEqual(alice.register("alice", PASSWORD), ["2", "OK"])
        self.assertEqual(bob.register("bob", PASSWORD), ["2", "OK"])
        self.assertEqual(alice.ask("6", "alice", "alice's key"), ["6", "OK"])
        self.assertEqual(bob.ask("6", "bob", "bob's key"), ["6", "OK"])
        self.assertEqual(alice.ask("4", "alice", "bob"), ["4", "OK", "bob's key"])
        self.assertEqual(bob.ask("4", "bob", "alice"), ["4", "OK", "alice's key"])
        self.assertEqual(alice.send("Hello, Bob!", "bob"), ["0", "WillBeSent", "bob"])
        self.assertEqual(bob.receive(), ["5", "Hello, Bob!", "alice"])
        self.assertEqual(
            bob.send("Hello, Alice!\nÇa va? 🙂", "alice"), ["0", "WillBeSent", "alice"]
        )
        self.assertEqual(alice.receive(), ["5", "Hello, Alice!\nÇa va? 🙂", "bob"])
        self.assertEqual(alice.ask("3", "alice", PASSWORD, OTHER), ["3", "OK"])
        alice.socket.close()
        again = self.come()
        self.assertEqual(again.log_in("alice", PASSWORD)[:2], ["1", "Error"])
        self.assertEqual(again.log_in("alice", OTHER), ["1", "OK"])

    def test_mail_waits_until_a_plain_client_comes_back_and_comes_once(self) -> None:
        alice, bob = self.come(), self.come()
        alice.register("alice", PASSWORD)
        bob.register("bob", PASSWORD)
        alice.ask("4", "alice", "bob")
        bob.socket.close()
        for number in range(100):
            self.assertEqual(alice.send(str(number), "bob"), ["0", "WillBeSent", "bob"])
        for expected in (range(100), [100]):
            again = self.come()
            self.assertEqual(again.log_in("bob", PASSWORD), ["1", "OK"])
            if expected == [100]:
                alice.send("100", "bob")
            for number in expected:
                self.assertEqual(again.receive(), ["5", str(number), "alice"])
            again.socket.close()

    def test_what_may_not_be_gets_error(self) -> None:
        alice, bob, carol = self.come(), self.come(), self.come()
        for client, name in ((alice, "alice"), (bob, "bob"), (carol, "carol")):
            client.register(name, PASSWORD)
        alice.ask("4", "alice", "bob")
        cases: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("an unknown user", ("1", "nobody", PASSWORD)),
            ("a wrong password", ("1", "alice", OTHER)),
            ("a taken name", ("2", "Alice", PASSWORD)),
        )
        for what, fields in cases:
            with self.subTest(what):
                self.assertEqual(self.come().ask(*fields)[:2], [fields[0], "Error"])
        cases = (
            ("an unknown contact", ("4", "alice", "nobody")),
            ("a message to someone not in the contacts", ("0", "alice", "hi", "carol")),
            ("a message in another user's name", ("0", "bob", "hi", "bob")),
            ("a contact in another user's name", ("4", "bob", "carol")),
            ("a password in another user's name", ("3", "bob", PASSWORD, OTHER)),
            ("a key in another user's name", ("6", "bob", "evil key")),
        )
        for what, fields in cases:
            with self.subTest(what):
                self.assertEqual(alice.ask(*fields)[:2], [fields[0], "Error"])
        self.assertEqual(self.come().log_in("bob", PASSWORD), ["1", "OK"])


if __name__ == "__main__":
    unittest.main()
