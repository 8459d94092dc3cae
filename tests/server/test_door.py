"""Many who come in at once: what that does to them, and to those who are in (S22, S36)."""

from __future__ import annotations

import threading
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from unittest import mock

from bpost.crypto import login
from bpost.limits import Limits, Rate
from bpost.server import door
from tests.server.parts import OTHER, PASSWORD, OfficeTest, PlainClient, ServerTest, reason
from tests.support import patience, wait_until

CROWD = 40
LINE = 4
MESSAGES = 50


class SlowHash:
    """Takes the place of the comparison of passwords: counts, and waits to be let go."""

    def __init__(self, test: unittest.TestCase) -> None:
        self.go = threading.Event()
        self.most = 0
        self._lock = threading.Lock()  # guards the counts
        self._now = 0
        self._verify = login.verify_login
        patch = mock.patch.object(login, "verify_login", self.verify)
        patch.start()
        test.addCleanup(patch.stop)
        test.addCleanup(self.go.set)

    def verify(self, stored: str | None, field: str) -> bool:
        """Compare when it may."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.go.wait(patience(60))
        right = self._verify(stored, field)
        with self._lock:
            self._now -= 1
        return right


class FloodTest(ServerTest):
    """A flood of log-ins on a real server."""

    def test_s22_messages_flow_while_a_flood_of_log_ins_waits(self) -> None:
        alice, bob = self.user("alice"), self.user("bob")
        alice.ask("4", "alice", "bob")
        crowd = [self.client() for _ in range(CROWD)]
        slow = SlowHash(self)
        for client in crowd:
            client.send("1", "alice", OTHER)
        wait_until(lambda: self.post_office.office.door._here == CROWD, what="the flood")
        for number in range(MESSAGES):
            self.assertEqual(alice.ask("0", "alice", str(number), "bob")[1], "WillBeSent")
            self.assertEqual(bob.receive(), ["5", str(number), "alice"])
        self.assertEqual(slow.most, door.AT_ONCE)
        slow.go.set()
        self.assertEqual({reason(one.receive()) for one in crowd}, {"wrong-password"})
        self.assertEqual((slow.most, self.post_office.office.door._here), (door.AT_ONCE, 0))


class CrowdTest(OfficeTest):
    """More than can wait."""

    limits = replace(Limits(), log_ins_account=Rate(3, 3600), registrations_address=Rate(9, 60))

    def test_s36_who_would_wait_too_long_is_told_when_to_come_again_and_not_counted(self) -> None:
        self.user("alice")
        with mock.patch.object(door, "LINE", 0):
            answers = [self.visitor().ask("1", "alice", PASSWORD) for _ in range(50)]
            answers += [self.visitor().ask("2", "bob", PASSWORD)]
        self.assertEqual({reason(answer) for answer in answers}, {"busy"})
        seconds = {int(answer[3].split()[-2]) for answer in answers}
        self.assertGreater(len(seconds), 3)
        self.assertLessEqual(max(seconds), door.AGAIN_SECONDS)
        for _ in range(3):
            self.assertEqual(self.visitor().ask("1", "alice", PASSWORD), ["1", "OK"])


class ReturnTest(ServerTest):
    """Everybody comes back after a restart."""

    def test_s36_all_get_in_at_last_and_none_waits_in_a_line_that_only_grows(self) -> None:
        names = [f"user{number}" for number in range(CROWD)]
        for name in names:
            self.user(name).close()
        turned_away = Counter[str]()
        start, slow, most = threading.Barrier(CROWD), SlowHash(self), []

        def come(name: str) -> None:
            client: PlainClient = self.client()
            start.wait(patience(30))
            while (answer := client.ask("1", name, PASSWORD)) != ["1", "OK"]:
                self.assertEqual(reason(answer), "busy", answer)
                turned_away[name] += 1
                most.append(self.post_office.office.door._here)
                slow.go.set()  # the line was full
                time.sleep(0.05)

        with mock.patch.object(door, "LINE", LINE), ThreadPoolExecutor(CROWD) as pool:
            for done in [pool.submit(partial(come, name)) for name in names]:
                done.result()
        self.assertTrue(turned_away)
        self.assertLessEqual(max(most), LINE)
        self.assertEqual(len(self.post_office.office.presence.accounts()), CROWD)


if __name__ == "__main__":
    unittest.main()
