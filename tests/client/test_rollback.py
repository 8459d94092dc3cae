"""A profile restored from an older copy uses no key twice, and both sides see everything."""

from __future__ import annotations

import shutil
from pathlib import Path

from bpost.client.events import SecurityNotice
from bpost.crypto.message import parse_message
from bpost.protocol.envelope import parse_envelope
from tests.client.simulated import LIMITS, SimulatedDevice
from tests.client.test_healing import HealingCase
from tests.client.town import Town, texts, wait_for_text
from tests.support import wait_until

COPIED = ("bpost.db", "key", "profile.json")


class RollbackCase(HealingCase):
    """Devices whose folders are copied and put back."""

    def copy(self, device: SimulatedDevice) -> Path:
        """Copy the profile of a device, as a backup of the whole folder does."""
        device.store.checkpoint()
        to = self.folder / "copy"
        to.mkdir(exist_ok=True)
        for name in COPIED:
            shutil.copy2(device.keystore.folder / name, to / name)
        return to

    def restore(self, device: SimulatedDevice, copy: Path) -> None:
        """Put the copy back, and begin anew."""
        device.store.close()
        for end in ("-wal", "-shm"):
            Path(f"{device.keystore.database}{end}").unlink(missing_ok=True)
        for name in COPIED:
            shutil.copy2(copy / name, device.keystore.folder / name)
        device.open()
        device.work()

    def counters(self, sender: SimulatedDevice, to: SimulatedDevice) -> dict[bytes, set[str]]:
        """Return the frames by session, ratchet key and number."""
        found: dict[bytes, set[str]] = {}
        for user, sent in self.server.sent:
            if user == sender.name:
                for device, sealed in parse_envelope(sent.body, LIMITS).to.items():
                    message = parse_message(sealed, LIMITS)
                    counter = device.encode() + message.base_key + message.sealed[:40]
                    found.setdefault(counter, set()).add(sent.body)
        return found


class RollbackTest(RollbackCase):
    """One copy after the other."""

    def test_e30_a_restored_copy_repeats_no_key_and_the_peer_shows_everything(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(alice)
        later = [f"later {number}" for number in range(5)]
        for text in later:
            alice.write("bob", text)
        self.settle(bob, alice, rounds=2)
        self.restore(alice, copy)
        self.assertIn("restored", [one.cause for one in alice.told(SecurityNotice)])
        for text in ("anew 1", "anew 2"):
            alice.write("bob", text)
        self.settle(bob, alice)
        self.assertEqual({len(bodies) for bodies in self.counters(alice, bob).values()}, {1})
        shown = [text for text in bob.shown("alice") if text != "[notice]"]
        self.assertEqual(shown, ["first", "second", *later, "anew 1", "anew 2"])

    def test_e30_what_a_restored_copy_missed_is_sent_again(self) -> None:
        alice, bob = self.pair()
        copy = self.copy(alice)
        alice.write("bob", "question")
        bob.fetch()
        bob.write("alice", "answer")
        self.settle(bob, alice)
        self.restore(alice, copy)
        self.settle(alice, bob)
        self.assertEqual(alice.shown("bob")[-1], "answer")
        alice.write("bob", "goes on")
        self.settle(bob, alice)
        self.assertEqual(bob.shown("alice")[-1], "goes on")

    def test_e30_what_waited_in_a_restored_copy_is_sealed_anew_and_arrives_once(self) -> None:
        alice, bob = self.pair()
        with alice.profile.change():
            alice.parts.outbox.write("bob", "waits")
            alice.parts.outbox.seal_for("bob", 9)
        copy = self.copy(alice)
        alice.work()
        alice.write("bob", "later")
        self.settle(bob, alice, rounds=2)
        left = [sent.body for _, sent in self.server.sent]
        self.restore(alice, copy)
        self.assertTrue(set(left).isdisjoint(s.body for _, s in self.server.sent[len(left) :]))
        alice.write("bob", "anew")
        self.settle(bob, alice)
        texts = [text for text in bob.shown("alice") if text != "[notice]"]
        self.assertEqual(texts, ["first", "second", "waits", "later", "anew"])

    def test_a_profile_that_goes_on_is_not_taken_for_a_copy(self) -> None:
        alice, bob = self.pair()
        second = self.device("alice", of=alice)
        for device in (alice, bob, second):
            device.write("bob" if device.name == "alice" else "alice", "words")
            self.settle(alice, bob, second, rounds=2)
            device.store.close()
            device.open()
            device.work()
            self.assertNotIn("restored", [one.cause for one in device.told(SecurityNotice)])


class TwoCopiesTest(Town):
    """With a real server."""

    def test_e30_two_copies_of_a_profile_take_turns_and_everything_is_shown(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "first")
        wait_for_text(bob, "alice", "first")
        alice.close()
        shutil.copytree(self.folder / "alice", self.folder / "twin")
        for number, profile in enumerate(("alice", "twin", "alice", "twin")):
            one = self.log_in("alice", profile)
            one.send("bob", f"turn {number}")
            self.assertTrue(one.flush(20))
            one.close()
            wait_for_text(bob, "alice", f"turn {number}")
        wait_until(lambda: len(texts(bob, "alice")) == 5)
        self.assertNotIn("unreadable", {m.kind for m in bob.history("alice")})
