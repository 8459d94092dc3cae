"""Edits and deletions: whose they are, which one wins, and what is left of what was said (E51)."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bpost.client.events import MessageChanged, MessageRemoved, SecurityNotice
from bpost.client.models import Change, Outgoing, Receipt
from bpost.client.records import Message
from bpost.errors import UsageError
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import DELETE, EDIT, HIDE
from bpost.protocol.payload import Payload, direct_conversation
from bpost.protocol.replies import Delivery
from tests.client.forging import changed, forge
from tests.client.simulated import SimulatedCase, SimulatedDevice

SECRET = "canary-words-to-be-taken-back"
OTHER_ID = "11111111-2222-4333-8444-555555555555"


class RevisionsCase(SimulatedCase):
    """Alice has said something to bob, and has second thoughts."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.pair()

    def said(self, text: str = "tea at five") -> Message:
        """Let alice say something that bob has got."""
        message = self.alice.write("bob", text)
        self.bob.fetch()
        self.alice.fetch()
        return message

    def edit(self, id_: str, text: str, by: SimulatedDevice | None = None) -> None:
        """Let alice change a message."""
        device = by or self.alice
        with device.profile.change() as events:
            row = device.parts.corrections.row("bob", id_)
            events += device.parts.corrections.edit(row, text)
        device.work()

    def delete(self, id_: str, by: SimulatedDevice | None = None) -> None:
        """Let alice take a message back."""
        device = by or self.alice
        with device.profile.change() as events:
            events += device.parts.corrections.delete(device.parts.corrections.row("bob", id_))
        device.work()

    def hide(self, device: SimulatedDevice, name: str, id_: str) -> None:
        """Let somebody remove a message on the own devices."""
        with device.profile.change() as events:
            events += device.parts.corrections.hide(device.parts.corrections.row(name, id_))
        device.work()

    def miss(self) -> None:
        """Let bob get something that he cannot read."""
        (text,) = self.bob.pending()
        self.bob.take([replace(text, body=text.body.replace('"body":"', '"body":"AAAA'))])

    def heal(
        self, message: Message, meanwhile: Callable[[Message], object] = lambda _: None
    ) -> None:
        """Let bob ask for what he missed, and alice send it, after doing something else."""
        for device in (self.alice, self.bob):
            device.seconds += 10
        self.bob.work()
        meanwhile(message)
        self.alice.fetch()
        self.alice.work()
        self.bob.fetch()

    def last(self, device: SimulatedDevice, name: str) -> Message:
        """Return the last line of a conversation that is no notice."""
        return [line for line in device.history(name) if line.kind != "notice"][-1]

    def rows(self, device: SimulatedDevice, table: Any) -> list[Any]:
        """Return all rows of a table."""
        with device.store.reading():
            return device.store.all(table)

    def forged(self, sender: SimulatedDevice, type_: str, **content: Any) -> Delivery:
        """Return what bob would get of a sender whose program keeps no rules."""
        return forge(sender, self.bob, changed(type=type_, content=content))


class EditTest(RevisionsCase):
    """A newer text."""

    def test_e51_an_edit_is_shown_on_both_sides_in_place_and_marked(self) -> None:
        message = self.said()
        self.alice.write("bob", "and cake")
        self.edit(message.id, "tea at six")
        self.bob.fetch()
        for device, name in ((self.alice, "bob"), (self.bob, "alice")):
            self.assertEqual(device.shown(name)[-2:], ["tea at six", "and cake"])
            self.assertEqual(device.history(name)[-2].revision, 1)
            self.assertIsNotNone(device.history(name)[-2].edited)
        events = self.bob.told(MessageChanged)
        self.assertEqual([one.what for one in events if one.what], ["edited"])

    def test_e51_the_newest_wins_whatever_comes_when(self) -> None:
        message = self.said()
        self.edit(message.id, "tea at six")
        (first,) = self.bob.pending()
        self.edit(message.id, "tea at seven")
        self.bob.take([*self.bob.pending(), first])
        self.assertEqual(self.last(self.bob, "alice").text, "tea at seven")
        self.bob.take([first, first])  # the server plays it again
        self.assertEqual(self.last(self.bob, "alice").text, "tea at seven")
        self.assertEqual(self.last(self.bob, "alice").revision, 2)

    def test_e51_an_old_edit_in_a_new_envelope_changes_nothing(self) -> None:
        message = self.said()
        self.edit(message.id, "tea at six")
        self.edit(message.id, "tea at seven")
        self.bob.fetch()
        for revision in (1, 2):
            text = {"message": message.id, "revision": revision, "text": "tea at six"}
            self.bob.take([self.forged(self.alice, EDIT, **text)])
            self.assertEqual(self.last(self.bob, "alice").text, "tea at seven")

    def test_e51_two_devices_that_edit_at_once_end_with_one_text_everywhere(self) -> None:
        laptop = self.device("alice", self.alice)
        self.befriend(self.alice, self.bob, laptop)
        for device in (self.alice, laptop, self.bob):
            device.fetch()
            device.work()
        message = self.said("by the phone")
        laptop.fetch()
        self.edit(message.id, "changed by the phone")
        self.edit(message.id, "changed by the laptop", by=laptop)
        everyone = (self.alice, laptop, self.bob)
        for device in everyone:
            device.fetch()
        texts = [self.alice.shown("bob")[-1], laptop.shown("bob")[-1], self.bob.shown("alice")[-1]]
        self.assertEqual(len(set(texts)), 1, texts)
        self.edit(message.id, "and once more", by=laptop)
        for device in everyone:
            device.fetch()
        self.assertEqual(self.bob.shown("alice")[-1], "and once more")
        self.assertEqual(self.alice.shown("bob")[-1], "and once more")

    def test_e51_an_edit_that_comes_before_its_message_waits_for_it(self) -> None:
        message = self.alice.write("bob", "tea at five")
        self.edit(message.id, "tea at six")
        self.edit(message.id, "tea at seven")
        text, six, seven = self.bob.pending()
        self.bob.take([seven, six])
        self.assertNotIn("tea at seven", self.bob.shown("alice"))
        self.bob.take([text])
        found = next(
            m for m in self.bob.history("alice") if m.kind == "text" and m.id == message.id
        )
        self.assertEqual((found.text, found.revision), ("tea at seven", 2))
        self.assertEqual(self.rows(self.bob, Change), [])

    def test_e51_an_edit_waits_also_for_a_message_that_heals(self) -> None:
        message = self.alice.write("bob", "tea at five")
        self.miss()
        self.edit(message.id, "tea at six")
        self.bob.fetch()
        self.heal(message)
        self.assertEqual(self.bob.shown("alice")[2:], ["tea at six"])

    def test_e51_what_was_edited_meanwhile_is_sent_again_as_it_was(self) -> None:
        message = self.alice.write("bob", "tea at five")
        self.miss()
        self.heal(message, self.rewritten)
        self.assertEqual(self.bob.shown("alice")[2:], ["tea at six"])
        self.alice.write("bob", "is that right?")
        self.bob.fetch()
        self.assertEqual(self.bob.shown("alice")[2:], ["tea at six", "is that right?"])

    def rewritten(self, message: Message) -> None:
        """Let alice change a message, which does not leave yet."""
        with self.alice.profile.change():
            row = self.alice.parts.corrections.row("bob", message.id)
            self.alice.parts.corrections.edit(row, "tea at six")

    def test_a_text_that_has_not_left_is_changed_without_a_mark(self) -> None:
        message = self.alice.write("bob", "tea at five", work=False)
        self.edit(message.id, "tea at six")
        self.bob.fetch()
        self.assertEqual(self.last(self.bob, "alice").text, "tea at six")
        self.assertIsNone(self.last(self.bob, "alice").edited)
        self.assertEqual(self.last(self.alice, "bob").revision, 0)

    def test_a_change_that_waits_says_so_until_the_server_has_it(self) -> None:
        message = self.said()
        with self.alice.profile.change():
            row = self.alice.parts.corrections.row("bob", message.id)
            self.alice.parts.corrections.edit(row, "tea at six")
        self.assertIn("not sent yet", self.last(self.alice, "bob").failure)
        self.alice.work()
        self.assertEqual(self.last(self.alice, "bob").failure, "")

    def test_only_own_texts_of_a_day_can_be_edited(self) -> None:
        mine, theirs = self.said(), self.alice.history("bob")[1]
        refused = {theirs.id: "Only your own", OTHER_ID: "no such message"}
        self.delete(self.said("gone").id)
        refused[self.last(self.alice, "bob").id] = "Only a text"
        for id_, why in refused.items():
            with self.subTest(why), self.assertRaisesRegex(UsageError, why):
                self.edit(id_, "words")
        with self.assertRaisesRegex(UsageError, "empty"):
            self.edit(mine.id, "  \n ")
        self.alice.seconds += self.alice.profile.limits.edit_seconds + 1
        with self.assertRaisesRegex(UsageError, "older than 24 hours"):
            self.edit(mine.id, "words")

    def test_e51_an_edit_long_after_is_not_taken(self) -> None:
        message = self.said()
        late = int((message.sent / 1000 + 3 * 86_400) * 1000)
        text = {"message": message.id, "revision": 1, "text": "I never said that"}
        self.bob.take([forge(self.alice, self.bob, changed(type=EDIT, content=text, sent=late))])
        self.assertEqual(self.last(self.bob, "alice").text, "tea at five")


class AuthorTest(RevisionsCase):
    """Only the author, only here, and never an answer."""

    def refused(self, delivery: Delivery, cause: str = "wrong-author") -> None:
        """Demand that bob refuses a change, tells why, changes nothing and answers nothing."""
        before = self.all_shown()
        self.bob.told(SecurityNotice)
        owed = self.owed()
        self.bob.take([delivery])
        self.assertEqual(self.all_shown(), before)
        self.assertEqual([one.cause for one in self.bob.told(SecurityNotice)], [cause])
        self.assertEqual(self.owed(), owed)

    def all_shown(self) -> list[str]:
        """Return what bob sees, but for notices about numbers, which forged payloads cause."""
        shown = [line for name in ("alice", "carol", "bob") for line in self.bob.shown(name)]
        return [line for line in shown if line != "[notice]"]

    def owed(self) -> list[str]:
        """Return about what bob owes somebody a receipt, or has something to say."""
        receipts = [row.message for row in self.rows(self.bob, Receipt)]
        return receipts + [row.id for row in self.rows(self.bob, Outgoing)]

    def test_e51_nobody_changes_what_somebody_else_wrote(self) -> None:
        own = self.bob.write("alice", "bob's own words")
        self.alice.fetch()
        self.bob.fetch()
        text = {"message": own.id, "revision": 1, "text": "I owe alice 100"}
        self.refused(self.forged(self.alice, EDIT, **text))
        self.refused(self.forged(self.alice, DELETE, message=own.id))
        self.assertEqual(self.last(self.bob, "alice").text, "bob's own words")

    def test_e51_a_third_person_changes_nothing_in_another_conversation(self) -> None:
        message = self.said()
        carol = self.device("carol")
        self.befriend(carol, self.bob)
        carol.write("bob", "hello")
        self.bob.fetch()
        text = {"message": message.id, "revision": 1, "text": "I owe carol 100"}
        self.refused(self.forged(carol, EDIT, **text))
        self.refused(self.forged(carol, DELETE, message=message.id))

    def test_e51_own_words_are_not_changed_from_another_conversation(self) -> None:
        laptop = self.device("bob", self.bob)
        for device in (laptop, self.bob):
            device.work()
            device.fetch()
        own = self.bob.write("alice", "bob's own words")
        elsewhere = changed(
            type=EDIT,
            content={"message": own.id, "revision": 1, "text": "changed"},
            to="bob",
            conversation=direct_conversation("bob", "bob"),
        )
        self.refused(forge(laptop, self.bob, elsewhere), "wrong-conversation")

    def test_e51_a_change_of_what_does_not_exist_is_never_answered(self) -> None:
        receipt = {"kind": "delivered", "ids": [OTHER_ID]}
        deliveries = [
            self.forged(self.alice, EDIT, message=OTHER_ID, revision=1, text="words"),
            self.forged(self.alice, DELETE, message=OTHER_ID),
            forge(self.alice, self.bob, changed(type="receipt", content=receipt, id=OTHER_ID)),
            self.forged(self.alice, EDIT, message=OTHER_ID, revision=2, text="words"),
        ]
        before, owed = self.bob.shown("alice"), self.owed()
        self.bob.take(deliveries)
        self.assertEqual(self.owed(), owed)
        self.assertEqual([one for one in self.bob.shown("alice") if one == "words"], [])
        self.assertEqual([one for one in before if one not in self.bob.shown("alice")], [])

    def test_e51_what_waits_for_a_message_is_bounded_and_forgotten(self) -> None:
        revisions = self.bob.parts.revisions
        payload = self._edit_payload()
        with self.bob.profile.change():
            for number in range(self.bob.profile.limits.changes_kept + 20):
                id_ = f"{number:08d}-2222-4333-8444-555555555555"
                content = {**payload.content, "message": id_}
                revisions.take(replace(payload, content=content), b"key")
        self.assertEqual(len(self.rows(self.bob, Change)), self.bob.profile.limits.changes_kept)
        self.bob.seconds += self.bob.profile.limits.resend_seconds + 1
        with self.bob.profile.change():
            revisions.tidy()
        self.assertEqual(self.rows(self.bob, Change), [])

    def _edit_payload(self) -> Payload:
        conversation = direct_conversation("alice", "bob")
        content: dict[str, Json] = {"message": OTHER_ID, "revision": 1, "text": "words"}
        return Payload(
            EDIT, OTHER_ID, "alice", self.alice.device, "bob", conversation, 1, "", 1, {}, content
        )

    def test_e51_a_new_account_key_changes_nothing_of_what_the_old_one_said(self) -> None:
        message = self.said()
        with self.bob.profile.change():
            row = self.bob.parts.history.named(message.id)[0]
            text: dict[str, Json] = {"message": message.id, "revision": 1, "text": "words"}
            payload = replace(self._edit_payload(), content=text)
            self.bob.parts.revisions.take(payload, b"another account key, trusted since")
        self.assertEqual(self.last(self.bob, "alice").text, row.text)

    def test_e51_only_the_own_devices_remove_what_is_shown_here(self) -> None:
        message = self.said()
        about = {
            "message": message.id,
            "author": "alice",
            "where": direct_conversation("alice", "bob"),
        }
        self.refused(self.forged(self.alice, HIDE, **about))


class DeleteTest(RevisionsCase):
    """Taking back, and removing here."""

    def dumped(self, device: SimulatedDevice) -> str:
        """Return everything in a database, as text."""
        return repr(device.dump())

    def test_e51_what_is_taken_back_leaves_a_line_and_none_of_its_words(self) -> None:
        laptop = self.device("alice", self.alice)
        self.befriend(self.alice, self.bob, laptop)
        message = self.said(SECRET)
        self.edit(message.id, SECRET + " changed")
        self.delete(message.id)
        for device in (self.bob, laptop):
            device.fetch()
        lines = (
            (self.alice, "bob", "You deleted this message."),
            (laptop, "bob", "You deleted this message."),
            (self.bob, "alice", "This message was deleted."),
        )
        for device, name, sentence in lines:
            found = [line for line in device.history(name) if line.id == message.id]
            self.assertEqual(
                [(m.kind, m.text, m.failure) for m in found], [("deleted", "", sentence)]
            )
            self.assertNotIn(SECRET, self.dumped(device))

    def test_e51_deleted_words_do_not_stay_in_the_write_ahead_log(self) -> None:
        message = self.said(SECRET)
        self.delete(message.id)
        self.bob.fetch()
        log = self.bob.keystore.database.with_name(self.bob.keystore.database.name + "-wal")
        self.assertGreater(log.stat().st_size, 0)
        self.bob.upkeep.sweep()
        self.assertEqual(log.stat().st_size, 0)

    def test_e51_a_deletion_that_comes_first_leaves_nothing_to_show(self) -> None:
        message = self.alice.write("bob", SECRET)
        self.edit(message.id, SECRET + " changed")
        self.delete(message.id)
        text, changed_, gone = self.bob.pending()
        self.bob.take([gone, changed_, text])
        found = next(m for m in self.bob.history("alice") if m.id == message.id)
        self.assertEqual(found.kind, "deleted")
        self.assertNotIn(SECRET, self.dumped(self.bob))

    def test_e51_nothing_brings_back_what_was_deleted(self) -> None:
        message = self.said(SECRET)
        self.delete(message.id)
        self.bob.fetch()
        text = {"message": message.id, "revision": 9, "text": SECRET}
        self.bob.take([self.forged(self.alice, EDIT, **text)])
        again = replace(self._again(message), content={"text": SECRET})
        self.bob.take([forge(self.alice, self.bob, lambda _: again)])
        self.assertEqual(self.last(self.bob, "alice").kind, "deleted")
        self.assertNotIn(SECRET, self.dumped(self.bob))

    def _again(self, message: Message) -> Payload:
        with self.alice.store.reading():
            number, previous = self.alice.parts.outbox.chains.next("direct:alice:bob")
        return Payload(
            type="text",
            id=message.id,
            sender="alice",
            device=self.alice.device,
            to="bob",
            conversation="direct:alice:bob",
            number=number,
            previous=previous,
            sent=message.sent,
            recipients={"bob": (self.bob.device,)},
        )

    def test_e51_what_was_deleted_meanwhile_heals_as_deleted(self) -> None:
        message = self.alice.write("bob", SECRET)
        self.miss()
        self.heal(message, self.taken_back)
        self.assertEqual([m.kind for m in self.bob.history("alice")[2:]], ["deleted"])
        self.alice.write("bob", "good night")
        self.bob.fetch()
        self.assertEqual(self.bob.shown("alice")[2:], ["[deleted]", "good night"])
        self.assertNotIn(SECRET, self.dumped(self.bob) + self.dumped(self.alice))

    def taken_back(self, message: Message) -> None:
        """Let alice take a message back, which nobody hears of yet."""
        with self.alice.profile.change():
            row = self.alice.parts.corrections.row("bob", message.id)
            self.alice.parts.corrections.delete(row)

    def test_what_has_not_left_is_deleted_without_a_trace(self) -> None:
        message = self.alice.write("bob", SECRET, work=False)
        self.delete(message.id)
        self.bob.fetch()
        self.assertEqual(self.alice.shown("bob"), ["first", "second"])
        self.assertEqual(self.bob.shown("alice"), ["first", "second"])
        self.assertNotIn(SECRET, self.dumped(self.alice))

    def test_e51_what_is_removed_here_goes_from_all_own_devices_and_from_no_other(self) -> None:
        laptop = self.device("bob", self.bob)
        self.befriend(self.alice, self.bob, laptop)
        message = self.said(SECRET)
        laptop.fetch()
        self.hide(self.bob, "alice", message.id)
        laptop.fetch()
        for device in (self.bob, laptop):
            self.assertEqual(device.shown("alice")[2:], [])
            self.assertNotIn(SECRET, self.dumped(device))
        self.assertEqual(len(laptop.told(MessageRemoved)), 1)
        self.alice.fetch()
        self.assertEqual(self.alice.shown("bob")[-1], SECRET)
        self.assertNotIn(
            "hide", json.dumps([repr(r) for _, r in self.server.sent if r.to == "alice"])
        )

    def test_e51_what_is_removed_here_stays_removed(self) -> None:
        message = self.said(SECRET)
        self.hide(self.bob, "alice", message.id)
        self.edit(message.id, SECRET)
        self.bob.fetch()
        self.delete(message.id)
        self.bob.fetch()
        self.assertEqual(self.bob.shown("alice")[2:], [])
        self.assertNotIn(SECRET, self.dumped(self.bob))

    def test_e51_what_was_removed_elsewhere_before_it_came_is_not_shown(self) -> None:
        laptop = self.device("bob", self.bob)
        self.befriend(self.alice, self.bob, laptop)
        message = self.alice.write("bob", SECRET)
        self.bob.fetch()
        late = laptop.pending()
        self.hide(self.bob, "alice", message.id)
        laptop.take([*laptop.pending(), *late])
        self.assertNotIn(SECRET, laptop.shown("alice"))
        self.assertNotIn(SECRET, self.dumped(laptop))

    def test_only_the_author_takes_back_and_once(self) -> None:
        theirs = self.alice.history("bob")[1]
        with self.assertRaisesRegex(UsageError, "Only who wrote"):
            self.delete(theirs.id)
        mine = self.said()
        self.delete(mine.id)
        with self.assertRaisesRegex(UsageError, "already"):
            self.delete(mine.id)

    def test_a_deleted_message_is_not_unread(self) -> None:
        message = self.said()
        with self.bob.store.reading():
            before = len(self.bob.parts.unread("alice"))
        self.delete(message.id)
        self.bob.fetch()
        with self.bob.store.reading():
            self.assertEqual(len(self.bob.parts.unread("alice")), before - 1)


if __name__ == "__main__":
    unittest.main()
