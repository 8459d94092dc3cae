"""kill -9 at every point between a key that moves and the frame or the message it moved for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any
from unittest import mock

from bpost.crypto.message import parse_message
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.frames import parse_request
from bpost.protocol.requests import Send
from bpost.server.session import Session
from tests.client.town import LIMITS, Town, password_of, texts
from tests.support import patience, wait_until

THOROUGH = bool(os.environ.get("BPOST_TEST_THOROUGH"))
# A message passes six points: a step of five dies at each of them in turn.
POINTS = range(1, 61) if THOROUGH else range(2, 72, 5)


class CrashTest(Town):
    """One side dies again and again; the other one and the server do not."""

    lasts = 8

    def setUp(self) -> None:
        super().setUp()
        self.wire: list[Send] = []
        heard = Session.hear

        def hear(session: Session, text: str) -> None:
            request = parse_request(text, LIMITS)
            if isinstance(request, Send):
                self.wire.append(request)
            heard(session, text)

        patch = mock.patch.object(Session, "hear", hear)
        patch.start()
        self.addCleanup(patch.stop)

    def _crash(self, name: str, to: str, **task: Any) -> int:
        """Let a client of ``name`` die at each point in turn; return how often it did."""
        given = {"name": name, "to": to, "url": self.url, "pin": self.pin, "expected": 0}
        given |= {"profile": str(self.folder / name), "texts": [], "points": list(POINTS), **task}
        command = [sys.executable, "-m", "tests.client.crashing"]
        done = subprocess.run(
            command,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=patience(200),
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(done.stdout)

    def test_e27_no_chain_and_number_ever_carries_two_ciphertexts(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.close()
        killed = self._crash("alice", "bob", texts=["a", "b"])
        self.assertGreater(killed, len(POINTS) // 2)
        alice = self.log_in("alice")
        written = texts(alice, "bob")
        self.assertGreater(len(written), len(POINTS))
        wait_until(lambda: len(texts(bob, "alice")) == len(written))
        self.assertEqual(texts(bob, "alice"), written)
        self.assertEqual({m.kind for m in bob.history("alice", limit=1000)}, {"text"})
        bodies: dict[bytes, set[str]] = {}
        for sent in self.wire:
            for device, sealed in parse_envelope(sent.body, LIMITS).to.items():
                message = parse_message(sealed, LIMITS)
                counter = device.encode() + message.base_key + message.sealed[:40]
                bodies.setdefault(counter, set()).add(sent.body)
        again = len([sent for sent in self.wire if sent.sender == "alice"]) - len(written)
        self.assertGreater(again, 0)
        self.assertEqual({len(some) for some in bodies.values()}, {1})

    def test_e28_a_message_is_stored_or_comes_again_and_is_never_neither(self) -> None:
        alice, bob = self.register("alice", "bob")
        bob.close()
        count = 12 * len(POINTS)
        for number in range(count):
            alice.send("bob", str(number))
        self.assertTrue(alice.flush(patience(30)))
        killed = self._crash("bob", "alice", expected=count)
        self.assertGreater(killed, len(POINTS) // 2)
        bob = self.log_in("bob", "", password_of("bob"))
        shown = bob.history("alice", limit=1000)
        self.assertEqual([m.text for m in shown], [str(number) for number in range(count)])
        self.assertEqual({m.kind for m in shown}, {"text"})
