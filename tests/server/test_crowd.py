"""Many at once."""

from __future__ import annotations

import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from tests.server.parts import PASSWORD, PlainClient, ServerTest, reason

USERS = 20
EACH = 5


class CrowdTest(ServerTest):
    """Twenty users on a real server."""

    def setUp(self) -> None:
        super().setUp()
        self.names = [f"user{number}" for number in range(USERS)]
        self.user("bob").close()
        self.clients = [self.user(name) for name in self.names]
        for client, name in zip(self.clients, self.names, strict=True):
            self.assertEqual(client.ask("4", name, "bob")[:2], ["4", "OK"])

    def test_a_hundred_messages_at_once_from_twenty_users_all_arrive(self) -> None:
        bob, _ = self.device("bob")
        start = threading.Barrier(USERS)

        def send(client: PlainClient, name: str) -> None:
            start.wait()
            for number in range(EACH):
                client.send("0", name, f"{name} {number}", "bob", f"r{number}")
            for number in range(EACH):
                self.assertEqual(client.receive()[:4], ["0", "WillBeSent", "bob", f"r{number}"])

        with ThreadPoolExecutor(USERS) as pool:
            list(pool.map(send, self.clients, self.names))
        found: list[list[str]] = []
        while len(found) < USERS * EACH:
            found.append(bob.receive())
            bob.send("5", "OK", found[-1][3])
        self.assertEqual([int(frame[3]) for frame in found], list(range(1, USERS * EACH + 1)))
        for name in self.names:
            texts = [frame[1] for frame in found if frame[2] == name]
            self.assertEqual(texts, [f"{name} {number}" for number in range(EACH)])

    def test_twenty_who_want_one_name_at_once_get_one_account(self) -> None:
        visitors = [self.client() for _ in range(USERS)]
        with ThreadPoolExecutor(USERS) as pool:
            answers = list(pool.map(lambda client: client.ask("2", "Zoe", PASSWORD), visitors))
        self.assertEqual(sorted(map(reason, answers)), ["", *["name-taken"] * (USERS - 1)])

    def test_twenty_log_ins_of_one_device_at_once_leave_one_connected(self) -> None:
        phone, device = self.device("bob")
        visitors = [self.client() for _ in range(USERS)]
        with ThreadPoolExecutor(USERS) as pool:
            answers = list(
                pool.map(lambda client: client.ask("1", "bob", PASSWORD, device), visitors)
            )
        first = {tuple(answer[:2]) for answer in answers}
        self.assertLessEqual(first, {("1", "OK"), ("99", "conflict")})
        self.assertEqual(phone.receive()[:2], ["99", "conflict"])
        account = self.post_office.office.store.accounts.find("bob")
        assert account is not None
        self.assertEqual(len(self.post_office.office.presence.of(account.id)), 1)
        self.clients[0].ask("0", "user0", "hi", "bob")
        alive = [pair for pair in zip(visitors, answers, strict=True) if pair[1][0] == "1"]
        got = [client for client, _ in alive if client.receive()[0] == "5"]
        self.assertEqual(len(got), 1)


if __name__ == "__main__":
    unittest.main()
