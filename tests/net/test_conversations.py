"""Every conversation of the table, with a real server that sends back what it hears."""

from __future__ import annotations

import contextlib
import unittest
from collections.abc import Iterable

from bpost.net.frames import BINARY, CLOSE
from tests.net import echo_server
from tests.net.autobahn import judge
from tests.net.conversations import Conversation, Frame, all_but_large, closing, large
from tests.net.harness import Harness, RawClient

NO_CODE = 1005


class Client(RawClient):
    """Takes binary messages too."""

    opcodes = RawClient.opcodes | {BINARY}


class ConversationsTest(unittest.TestCase):
    lasts = 6
    server: Harness

    @classmethod
    def setUpClass(cls) -> None:
        with contextlib.ExitStack() as stack:
            cls.server = stack.enter_context(echo_server.serving())
            cls.addClassCleanup(stack.pop_all().close)

    def hold(self, conversations: Iterable[Conversation], step: int) -> None:
        """Say each, ``step`` bytes at a time, and compare what comes back."""
        for one in conversations:
            with self.subTest(one.name, step=step), Client(self.server.port) as client:
                said = one.said + (closing(1000) if one.code == 1000 else b"")
                with contextlib.suppress(OSError):  # it may close before it has heard all
                    for at in range(0, len(said), step):
                        client.sock.sendall(said[at : at + step])
                self.assertEqual(self.heard(client), (list(one.answers), one.code))
        self.server.wait_idle()
        self.assertEqual(self.server.errors, [])

    def heard(self, client: RawClient) -> tuple[list[Frame], int]:
        """Return the frames before the close frame and the code in that, after which is the end."""
        frames = []
        while (frame := client.read_frame())[0] != CLOSE:
            frames.append(frame)
        with self.assertRaises(EOFError):
            client.read_frame()
        return frames, int.from_bytes(frame[1][:2], "big") if frame[1] else NO_CODE

    def test_s7_each_conversation_goes_as_the_standard_has_it(self) -> None:
        self.hold(all_but_large(), 1 << 30)

    def test_s7_it_goes_the_same_when_bytes_come_one_by_one(self) -> None:
        self.hold((one for one in all_but_large() if len(one.said) < 200), 1)

    def test_s7_large_messages_come_back(self) -> None:
        self.hold(large(), 1 << 30)
        self.hold(large(), 1009)


class AutobahnTest(unittest.TestCase):
    """What is made of the verdicts of the Autobahn test suite."""

    def test_each_case_must_have_passed_in_word_and_in_closing(self) -> None:
        passed = {"behavior": "OK", "behaviorClose": "OK"}
        told = {"behavior": "INFORMATIONAL", "behaviorClose": "INFORMATIONAL"}
        self.assertTrue(judge({"1.1.1": passed, "7.13.1": told})[1])
        for name, wrong in {"behavior": "NON-STRICT", "behaviorClose": "UNCLEAN"}.items():
            lines, fine = judge({"1.1.1": passed, "5.6": {**passed, name: wrong}})
            self.assertFalse(fine)
            self.assertIn("5.6", lines[0])
