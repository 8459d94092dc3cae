"""Edits and deletions between real clients: told as events, exported, backed up, handed on."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import unittest

from bpost.client import Client, Message
from bpost.client.cli_mail import incoming
from bpost.client.events import What
from bpost.client.terminal import Signals, show
from tests.client.simulated import SimulatedCase
from tests.client.test_backup import PASSPHRASE, BackupCase
from tests.client.town import texts, wait_for_text
from tests.support import patience, wait_until

SECRET = "canary-taken-back-4c1b"


class CorrectingTest(BackupCase):
    """Alice has second thoughts, bob listens."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.talk()
        self.tea = self.alice.send("bob", "tea at five")
        self.gone = self.alice.send("bob", SECRET)
        wait_for_text(self.bob, "alice", SECRET)

    def correct(self) -> None:
        """Let alice change both messages, and bob take that in."""
        self.alice.edit("bob", self.tea.id, "tea at six")
        self.alice.delete("bob", self.gone.id, everyone=True)
        wait_until(lambda: self.line(self.bob, "alice", self.gone).kind == "deleted")

    def line(self, client: Client, name: str, message: Message) -> Message:
        """Return a message as it is shown now."""
        return next(one for one in client.history(name) if one.id == message.id)

    def test_e51_who_listens_is_told_what_was_changed(self) -> None:
        options = argparse.Namespace(signals=Signals(), json=True)
        heard = incoming(self.bob, options)
        self.assertEqual(next(heard)[0].text, "a word from alice")
        self.correct()
        told: list[tuple[Message, What]] = []
        while len(told) < 2:
            message, what = next(heard)
            if what:
                told.append((message, what))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            for message, what in told:
                show(message, True, what=what)
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
        said = [(line["type"], line["id"], line["text"]) for line in lines]
        self.assertEqual(
            said,
            [
                ("edit", self.tea.id, "tea at six"),
                ("delete", self.gone.id, "This message was deleted."),
            ],
        )

    def test_e51_exports_show_what_is_left_and_mark_it(self) -> None:
        self.correct()
        page = "".join(self.bob.export("alice", "html"))
        self.assertIn("tea at six", page)
        self.assertIn("edited</span>", page)
        self.assertIn("This message was deleted.", page)
        data = json.loads("".join(self.bob.export("alice", "json")))
        lines = {one["id"]: one for one in data["messages"]}
        self.assertIsNotNone(lines[self.tea.id]["edited"])
        self.assertEqual(lines[self.gone.id]["type"], "deleted")
        self.assertNotIn(SECRET, page + json.dumps(data))

    def test_e51_a_restored_account_has_the_marks_and_may_go_on(self) -> None:
        self.correct()
        self.alice.backup(self.file, PASSPHRASE)
        self.alice.close()
        self.assertNotIn(SECRET, json.dumps(self.pieces()))
        again = self.restored()
        self.assertIsNotNone(self.line(again, "bob", self.tea).edited)
        self.assertEqual(self.line(again, "bob", self.gone).kind, "deleted")
        again.edit("bob", self.tea.id, "tea at seven")
        self.assertTrue(again.flush(patience(20)))
        wait_for_text(self.bob, "alice", "tea at seven")
        self.assertEqual(texts(self.bob, "alice").count("tea at six"), 0)

    def test_e51_removed_here_means_here(self) -> None:
        self.bob.delete("alice", self.gone.id)
        self.assertNotIn(SECRET, texts(self.bob, "alice"))
        self.assertTrue(self.bob.flush(patience(20)))
        self.assertIn(SECRET, texts(self.alice, "bob"))


class HandedOnTest(SimulatedCase):
    """A new device of the account gets earlier messages as they are now."""

    def test_e51_an_edit_that_came_before_an_older_copy_wins(self) -> None:
        alice, bob = self.pair()
        message = alice.write("bob", "tea at five")
        taken = alice.write("bob", SECRET)
        bob.fetch()
        with bob.store.reading():
            page = bob.parts.handing._pages.page("m:", bob.profile.now() + 1)
        laptop = self.device("bob", bob)
        self.befriend(alice, bob, laptop)
        for device in (bob, alice, laptop):
            device.fetch()
            device.work()
        with alice.profile.change():
            alice.parts.corrections.edit(
                alice.parts.corrections.row("bob", message.id), "tea at six"
            )
            alice.parts.corrections.delete(alice.parts.corrections.row("bob", taken.id))
        alice.work()
        laptop.fetch()
        with laptop.profile.change():
            laptop.parts.fetching._merging.take_messages(page.messages)  # type: ignore[arg-type]
        self.assertIn("tea at six", laptop.shown("alice"))
        self.assertNotIn(SECRET, repr(laptop.dump()))
        bob.fetch()
        with bob.store.reading():
            page = bob.parts.handing._pages.page("m:", bob.profile.now() + 1)
        self.assertNotIn(SECRET, json.dumps(page.messages))


if __name__ == "__main__":
    unittest.main()
