"""What comes of a backup: a new device that has everything and alarms nobody."""

from __future__ import annotations

import uuid

from bpost import b64
from bpost.client import Client, SecurityNotice, backup
from bpost.client.history import NewEntry
from bpost.client.models import Chain, Frame
from tests.client.test_backup import PASSPHRASE, BackupCase
from tests.client.town import password_of, texts, wait_for_text
from tests.support import wait_until


def notices(client: Client) -> list[str]:
    """Return the causes of all security notices that wait to be read."""
    found = []
    while (event := client.next_event(0)) is not None:
        if isinstance(event, SecurityNotice):
            found.append(event.cause)
    return found


def met(client: Client, other: Client) -> None:
    """Wait until ``client`` knows the device of ``other``."""

    def knows() -> bool:
        running = client._run
        with running.profile.store.reading():
            return other.device in running.parts.devices.devices(other.username)

    wait_until(knows, what=f"{client.username} to hear of {other.username}'s device")


class RestoreTest(BackupCase):
    """What comes of it."""

    lasts = 11

    def test_history_contacts_and_drafts_are_there_and_mail_flows(self) -> None:
        alice, bob = self.talk()
        before = alice.history("bob")
        alice.close()
        notices(bob)
        again = self.restored()
        self.assertEqual(
            [(m.id, m.text, m.sent, m.status) for m in again.history("bob")],
            [(m.id, m.text, m.sent, m.status) for m in before],
        )
        self.assertEqual([one.name for one in again.contacts()], ["bob"])
        self.assertEqual(again.draft("bob"), "not sent yet")
        again.flush(5)
        again.send("bob", "back again")
        wait_for_text(bob, "alice", "back again")
        bob.send("alice", "so I see")
        wait_for_text(again, "bob", "so I see")
        expected = ["a word from alice", "a word from bob", "back again", "so I see"]
        self.assertEqual(texts(again, "bob"), expected)
        self.assertEqual(texts(bob, "alice"), expected)
        self.assertEqual((notices(bob), notices(again)), ([], []))

    def test_pins_marks_and_the_history_of_keys_come_back(self) -> None:
        alice, bob = self.talk()
        alice.mark_verified("bob", alice.safety("bob").key)
        before = alice.safety("bob"), alice.key_history("bob")
        alice.backup(self.file, PASSPHRASE)
        alice.close()
        again = self.restored()
        self.assertEqual((again.safety("bob"), again.key_history("bob")), before)
        contact = again.contact("bob")
        self.assertTrue(contact and contact.verified)
        met(bob, again)
        self.assertFalse([one for one in bob.contacts() if one.key_changed])

    def test_what_is_in_the_history_already_is_not_shown_twice(self) -> None:
        alice, bob = self.talk()
        id_ = next(m.id for m in bob.history("alice") if m.own)
        alice.close()
        again = self.restored()
        met(bob, again)
        self._send_once_more(bob, id_, "a word from bob")
        bob.send("alice", "something new")
        wait_for_text(again, "bob", "something new")
        found = [m for m in again.history("bob") if m.kind == "text"]
        self.assertEqual([m.text for m in found if m.id == id_], ["a word from bob"])
        self.assertEqual(len(found), 3)

    def _send_once_more(self, client: Client, id_: str, text: str) -> None:
        """Seal a message a second time under the number that it had, in another frame."""
        running = client._run
        store = running.profile.store
        with store.transaction():
            mine = (Chain.sender == client.username) & (Chain.device == client.device)
            before = store.all(Chain, mine)
            store.remove(Chain, mine)
            running.parts.outbox.queue("alice", "text", {"text": text}, id_)
            running.parts.outbox.seal_for("alice", 1)
            store.run(Frame.update(ref=str(uuid.uuid4())).where(Frame.ref == id_))
            store.remove(Chain, mine)
            for one in before:
                store.run(Chain.insert(one.__data__))
        running.courier.wake()

    def test_what_was_missed_meanwhile_is_noticed(self) -> None:
        alice, bob = self.talk()
        bob.send("alice", "after the backup")
        wait_for_text(alice, "bob", "after the backup")
        alice.close()
        again = self.restored()
        met(bob, again)
        bob.send("alice", "later")
        wait_for_text(again, "bob", "later")
        kinds = [m.kind for m in again.history("bob")]
        self.assertTrue("notice" in kinds or "after the backup" in texts(again, "bob"))

    def test_what_was_being_asked_for_is_asked_for_until_there_is_an_answer(self) -> None:
        alice, bob = self.register("alice", "bob")
        parts = alice._run.parts
        with alice._run.profile.change():
            conversation = parts.history.open("bob")
            asked = NewEntry("bob", "unreadable", failure="It is being asked for again.")
            place = parts.history.add(conversation, asked).place
            frame = (b64.encode(bytes(32)), 1)
            parts.wants.miss_frame("bob", bob.device, conversation, frame, int(place), "bad-token")
        alice.backup(self.file, PASSPHRASE)
        alice.close()
        again = self.restored()
        met(bob, again)

        def answered() -> bool:
            return again.history("bob")[0].failure.startswith("This message was lost.")

        wait_until(answered, what="an answer about what was asked for")

    def test_what_was_waiting_is_shown_as_not_sent(self) -> None:
        alice, bob = self.register("alice", "bob")
        self.stop()
        alice.send("bob", "into the void")
        alice.backup(self.file, PASSPHRASE)
        alice.close()
        self.start()
        again = self.restored()
        (message,) = again.history("bob")
        self.assertEqual((message.status, message.failure), ("failed", backup.NOT_SENT))
        met(bob, again)
        bob.send("alice", "hello?")
        wait_for_text(again, "bob", "hello?")
        self.assertEqual(texts(bob, "alice"), ["hello?"])

    def test_many_messages_come_back_all(self) -> None:
        alice, bob = self.register("alice", "bob")
        for number in range(250):
            alice.send("bob", f"{number} " + "x" * (number % 3) * 20_000)
        wait_for_text(bob, "alice", "249 ")
        bob.backup(self.file, PASSPHRASE)
        bob.close()
        again = self.restored(password=password_of("bob"))
        self.assertEqual(texts(again, "alice"), texts(alice, "bob"))
