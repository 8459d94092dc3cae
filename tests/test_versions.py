"""Versions get on: client N-1, server N and client N+1, over real connections (see releases/)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.client import Client
from bpost.protocol import canonical_json, replies, shape
from bpost.protocol.envelope import Envelope
from tests.client.town import Town, password_of, status, texts, wait_for_text
from tests.releases import CITIZEN, newest
from tests.support import patience, wait_until

OLD = newest()
NEWER = "newer version"


class OldClients:
    """Users of the version before this one, in a process of theirs."""

    def __init__(self, folder: Path, server: str, pin: str) -> None:
        folder.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, str(CITIZEN), str(OLD), server, pin],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert str(OLD) in self("library"), "the clients are not of the version before"

    def __call__(self, method: str, *arguments: str) -> Any:
        """Have something done; see :class:`tests.releases.citizen.Citizen`."""
        answer = self.ask(method, *arguments)
        if "error" in answer:
            raise AssertionError(f"{method} {arguments}: {answer['error']}")
        return answer["result"]

    def ask(self, method: str, *arguments: str) -> dict[str, Any]:
        """Have something done that may fail."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the old clients ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Let them close, and wait for that."""
        self._process.communicate(timeout=patience(60))


class VersionsTest(Town):
    """A town with users of the version before beside users of this one."""

    def setUp(self) -> None:
        super().setUp()
        self.old = OldClients(self.folder / "old", self.url, self.pin)
        self.addCleanup(self.old.end)

    def meet(self, new: str, *old: str) -> Client:
        """Register a user of this version and some of the one before, contacts of each other."""
        (me,) = self.register(new)
        for name in old:
            self.old("register", name)
        for name in old:
            me.add_contact(name)
            for other in (new, *old):
                if other != name:
                    self.old("add", name, other)
        return me

    def exchange(self, me: Client, old: str) -> None:
        """Write in both directions while both are there, and see the ticks."""
        mine, theirs = f"{me.username} to {old}", f"{old} to {me.username}"
        sent = me.send(old, mine)
        self.old("wait", old, me.username, mine)
        wait_until(lambda: status(me, sent) == "delivered", what="a tick")
        id_ = self.old("send", old, me.username, theirs)
        wait_for_text(me, old, theirs)
        self.old("wait_status", old, me.username, id_, "delivered")

    def exchange_offline(self, me: Client, old: str) -> Client:
        """Write in both directions while the other is away; return the client that came back."""
        name = me.username
        self.old("leave", old)
        me.send(old, "while you were away")
        self.assertTrue(me.flush(patience(20)))
        me.close()
        self.old("log_in", old)
        self.old("wait", old, name, "while you were away")
        self.old("send", old, name, "and you")
        me = self.log_in(name)
        wait_for_text(me, old, "and you")
        return me


class NewServerTest(VersionsTest):
    """Old and new clients at a server of this version."""

    def test_e78_old_and_new_clients_write_to_each_other_through_a_new_server(self) -> None:
        alice = self.meet("alice", "bob", "carol")
        self.exchange(alice, "bob")
        self.old("send", "bob", "carol", "among the old")
        self.old("wait", "carol", "bob", "among the old")
        alice = self.exchange_offline(alice, "bob")
        self._a_newer_device_of_an_old_account(alice)
        self._what_the_old_do_not_know(alice)
        self._an_old_profile_in_new_hands(alice)

    def _a_newer_device_of_an_old_account(self, alice: Client) -> None:
        """One account has a device of each version: both get all, and copies of what they send."""
        newer = self.log_in("bob", "bob's new device")
        alice.send("bob", "to both")
        wait_for_text(newer, "alice", "to both")
        self.old("wait", "bob", "alice", "to both")
        newer.send("alice", "from the new one")
        wait_for_text(alice, "bob", "from the new one")
        self.old("wait", "bob", "alice", "from the new one")
        newer.close()

    def _what_the_old_do_not_know(self, alice: Client) -> None:
        """A type, and an envelope, of a later version are shown as such, and nothing stops."""
        running = alice._run
        with running.profile.change():
            running.parts.outbox.queue("bob", "poll", {"question": "Tea?", "answers": ["yes"]})
        running.courier.wake()
        self.old("wait", "bob", "alice", NEWER)
        tea = alice.send("bob", "tea")
        self.old("wait", "bob", "alice", "tea")
        alice.edit("bob", tea.id, "coffee")
        with in_later_envelopes():
            alice.send("bob", "in an envelope of version 2")
            self.assertTrue(alice.flush(patience(20)))
        self.exchange(alice, "bob")
        shown = self.old("shown", "bob", "alice")
        told = [line for line in shown if line[0] == "unsupported" and NEWER in line[1]]
        self.assertGreaterEqual(len(told), 3, shown)

    def _an_old_profile_in_new_hands(self, alice: Client) -> None:
        """This version opens what the one before wrote; that one opens this one's or says why."""
        before = [line[1] for line in self.old("shown", "bob", "alice") if line[0] == "text"]
        self.old("leave", "bob")
        bob = self.client("old/bob")
        bob.log_in("bob", password_of("bob"))
        self.assertEqual(texts(bob, "alice"), before)
        bob.send("alice", "from the old profile")
        wait_for_text(alice, "bob", "from the old profile")
        bob.close()
        answer = self.old.ask("log_in", "bob")
        self.assertTrue("result" in answer or NEWER in answer["error"], answer)


class OldServerTest(VersionsTest):
    """Old and new clients at a server of the version before, and what becomes of its data."""

    def start(self) -> None:
        """Start the server of the version before."""
        if self.port:
            super().start()
            return
        command = [sys.executable, "-m", "bpost.server", "--limits", "off", "--port", "0"]
        self._process: subprocess.Popen[str] | None = subprocess.Popen(
            [*command, "--data", str(self.folder / "server"), "--log-level", "error"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(OLD)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        words = self._process.stdout.readline().split()
        self.port, self.pin = int(words[2].rpartition(":")[2]), words[4]

    def stop(self) -> None:
        """Stop whichever server there is."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.communicate(timeout=patience(20))
        super().stop()

    def test_e78_old_and_new_clients_write_to_each_other_through_an_old_server(self) -> None:
        alice = self.meet("alice", "bob")
        self.exchange(alice, "bob")
        (dave,) = self.register("dave")
        alice.add_contact("dave")
        dave.add_contact("alice")
        alice.send("dave", "among the new")
        wait_for_text(dave, "alice", "among the new")
        alice = self.exchange_offline(alice, "bob")
        alice.send("dave", "kept through the change")
        dave.close()
        self.assertTrue(alice.flush(patience(20)))
        self.stop()
        self.start()  # this version, on what the one before stored
        self.exchange(alice, "bob")
        wait_for_text(self.log_in("dave"), "alice", "kept through the change")


class LaterTest(VersionsTest):
    """A version to come, made of this one: its frames and objects say more than is known now."""

    def test_e78_frames_with_further_fields_disturb_nobody(self) -> None:
        with saying_more():
            alice = self.meet("alice", "bob")
            self.exchange(alice, "bob")
            self.exchange_offline(alice, "bob")

    def test_e78_a_later_server_may_tell_more_of_devices_and_contacts(self) -> None:
        with telling_more():
            alice, bob = self.register("alice", "bob")
            alice.send("bob", "who are you?")
            wait_for_text(bob, "alice", "who are you?")
            again = self.log_in("alice", "another device")
            self.assertEqual(len(again.devices()), 2)
            self.assertEqual([one.name for one in again.contacts()], ["bob"])


@contextmanager
def saying_more() -> Iterator[None]:
    """Let every frame that is written end in a field that no version has yet."""
    written = shape.Frame._written

    def more(frame: shape.Frame) -> list[str]:
        texts = written(frame)
        missing = len(shape.slots(type(frame))) - len(texts)
        refusal = isinstance(frame, replies.Refusal) and frame.code != 4
        return [*texts, *[""] * (missing - refusal), "a field of a later version"]

    with mock.patch.object(shape.Frame, "_written", more):
        yield


@contextmanager
def in_later_envelopes() -> Iterator[None]:
    """Let every envelope that is written be of version 2."""
    text = Envelope.text

    def later(self: Envelope) -> str:
        return text(self).replace('"v":1}', '"v":2}')

    with mock.patch.object(Envelope, "text", later):
        yield


@contextmanager
def telling_more() -> Iterator[None]:
    """Let every object that a server lists have a key that no version has yet."""
    to_text = shape.Records.to_text

    def more(kind: shape.Records, value: tuple[Any, ...]) -> str:
        items = json.loads(to_text(kind, value))
        return canonical_json.write([{**item, "zodiac": "lion"} for item in items])

    with mock.patch.object(shape.Records, "to_text", more):
        yield


if __name__ == "__main__":
    unittest.main()
