"""What arrives is shown once, in order, under the right name, or not at all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace

from bpost.client import mailbox
from bpost.client.events import MessageAdded, SecurityNotice
from bpost.client.models import BaseKey, Entry, Prekey
from bpost.client.store import Store
from bpost.errors import StoreError
from bpost.protocol.replies import Delivery
from tests.client.forging import changed, forge
from tests.client.simulated import SimulatedCase, SimulatedDevice, altered

OTHER_ID = "00000000-0000-4000-8000-000000000002"


class OriginTest(SimulatedCase):
    """What stands outside the seal must agree with what stands inside."""

    def test_e41_what_was_sealed_in_another_name_is_not_shown(self) -> None:
        mallory, bob = self.pair()
        bob.take([forge(mallory, bob, changed(sender="carol", conversation="direct:bob:carol"))])
        self.assertEqual(bob.shown("carol"), [])
        self.assertEqual(bob.shown("alice")[-1], "[notice]")
        self.assertEqual([n.cause for n in bob.told(SecurityNotice)], ["wrong-sender"])

    def test_e41_each_outer_part_that_is_changed_drops_the_message(self) -> None:
        alice, bob = self.pair()
        mallory = self.device("mallory")
        self.befriend(mallory, bob)
        alice.write("bob", "secret words")
        (sent,) = bob.pending()
        value = json.loads(sent.body)
        moved = {**value, "from": mallory.device}
        extra = {**value, "to": {**value["to"], mallory.device: value["body"]}}
        outer = {
            "sender": replace(sent, sender="mallory"),
            "device": altered(sent, _spell(moved)),
            "sender and device": replace(altered(sent, _spell(moved)), sender="mallory"),
            "recipients": altered(sent, _spell(extra)),
        }
        for what, delivery in outer.items():
            with self.subTest(what):
                bob.take([delivery])
                self.assertNotIn("secret words", bob.shown("alice") + bob.shown("mallory"))
        bob.take([sent])
        self.assertIn("secret words", bob.shown("alice"))

    def test_e42_a_message_is_not_moved_to_another_conversation(self) -> None:
        alice, bob = self.pair()
        moves = {
            "wrong-conversation": changed(conversation="direct:bob:carol"),
            "newer-version": changed(conversation="group:everyone"),
            "wrong-sender": changed(to="alice", sender="bob"),
        }
        for number, (cause, change) in enumerate(moves.items()):
            with self.subTest(cause):
                bob.take([forge(alice, bob, change)])
                self.assertEqual(bob.shown("carol") + bob.shown("bob"), [])
                self.assertNotEqual(bob.history("alice")[-1].kind, "text")
                self.assertEqual(len(bob.history("alice")), 3 + number)

    def test_e42_an_own_message_is_not_reflected(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        (sent,) = bob.pending()
        before = alice.shown("bob")
        alice.take([replace(sent, sender="bob"), sent])
        relabelled = sent.body.replace(bob.device, alice.device)
        alice.take([altered(replace(sent, sender="bob"), relabelled)])
        heard = [m.text for m in alice.history("bob") if m.kind == "text" and not m.own]
        self.assertEqual(heard, ["second"])
        self.assertEqual(alice.shown("bob")[: len(before)], before)

    def test_e44_a_key_wrapped_for_another_device_is_not_used(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        alice.fetch()
        alice.write("bob", "for both")
        sent, swapped = bob.pending()[-1], {}
        envelope = json.loads(sent.body)
        ids = list(envelope["to"])
        swapped = dict(zip(ids, reversed(list(envelope["to"].values())), strict=True))
        second.fetch()
        bob.take([altered(sent, _spell({**envelope, "to": swapped}))])
        self.assertEqual(bob.shown("alice")[-1], "[unreadable]")
        self.assertEqual(second.shown("alice"), ["for both"])

    def test_e44_a_message_for_an_own_other_device_is_passed_over(self) -> None:
        alice, bob = self.pair()
        second = self.device("bob", of=bob)
        bob.fetch()
        alice.write("bob", "words")
        sent, *_ = bob.pending()
        before = bob.dump()
        bob.take([altered(sent, sent.body.replace(bob.device, second.device))])
        after = bob.dump()
        before.pop("Seen")
        after.pop("Seen")
        self.assertEqual(before, after)

    def test_e44_a_message_for_a_device_that_nobody_has_is_told(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "words")
        (sent,) = bob.pending()
        bob.take([altered(sent, sent.body.replace(bob.device, "A" * 16))])
        self.assertEqual(bob.shown("alice")[-1], "[notice]")


class ChainTest(SimulatedCase):
    """Nothing goes missing, comes twice or out of order unnoticed."""

    def test_e43_a_dropped_message_is_told(self) -> None:
        alice, bob = self.pair()
        for text in "abc":
            alice.write("bob", text)
        _, _, last = bob.pending()
        bob.take([last])
        self.assertEqual(bob.shown("alice")[-2:], ["[notice]", "c"])
        self.assertEqual(bob.history("alice")[-2].text, "2 messages are missing here.")

    def test_e43_a_message_that_comes_late_takes_its_place(self) -> None:
        alice, bob = self.pair()
        for text in "abcd":
            alice.write("bob", text)
        a, b, c, d = bob.pending()
        bob.take([a, d, c, b])
        self.assertEqual(bob.shown("alice")[-5:], ["a", "[notice]", "b", "c", "d"])
        self.assertEqual(bob.history("alice")[-4].text, "The messages missing here arrived late.")

    def test_e43_a_repeated_message_is_shown_once(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "once")
        (sent,) = bob.pending()
        bob.take([sent, sent, replace(sent, seq=99)])
        self.assertEqual(bob.shown("alice"), ["first", "second", "once"])

    def test_e43_a_payload_sealed_twice_is_shown_once(self) -> None:
        alice, bob = self.pair()
        bob.take([forge(alice, bob), forge(alice, bob)])
        self.assertEqual(bob.shown("alice"), ["first", "second", "forged"])

    def test_e43_another_history_before_the_message_is_told(self) -> None:
        alice, bob = self.pair()
        bob.take([forge(alice, bob, changed(previous="A" * 43))])
        self.assertEqual(bob.shown("alice")[-2:], ["[notice]", "forged"])

    def test_a_device_that_counts_anew_is_told_and_shown(self) -> None:
        alice, bob = self.pair()
        bob.take([forge(alice, bob, changed(number=1, previous="", id=OTHER_ID))])
        self.assertEqual(bob.shown("alice")[-2:], ["[notice]", "forged"])

    def test_a_placeholder_is_not_told_as_missing_too(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "broken")
        alice.write("bob", "whole")
        broken, whole = bob.pending()
        bob.take([altered(broken, broken.body[:-9] + "AAAAAAA" + broken.body[-2:]), whole])
        self.assertEqual(bob.shown("alice")[-2:], ["[unreadable]", "whole"])


class OneTransactionTest(SimulatedCase):
    """State, used-up prekey and message are stored together or not at all."""

    def _first_message(self) -> tuple[SimulatedDevice, Delivery]:
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "first")
        (sent,) = bob.pending()
        return bob, sent

    def test_e10_a_one_time_key_goes_with_the_message_that_used_it(self) -> None:
        bob, sent = self._first_message()
        one_time = _one_time_keys(bob.store)
        broken = json.loads(sent.body)
        broken["body"] = broken["body"][:-5] + "AAAAA"
        bob.take([altered(sent, _spell(broken))])
        self.assertEqual(_one_time_keys(bob.store), one_time)
        bob.take([sent])
        self.assertEqual(len(one_time - _one_time_keys(bob.store)), 1)
        self.assertEqual(bob.shown("alice"), ["[unreadable]", "first"])

    def test_e28_a_failure_while_storing_leaves_the_state_as_it_was(self) -> None:
        bob, sent = self._first_message()
        before = bob.dump()
        for broken in ("_file", "_show"):
            with self.subTest(broken), self.assertRaises(StoreError), _breaking(broken):
                bob.take([sent])
            self.assertEqual(bob.dump(), before)
        bob.take([sent])
        self.assertEqual(bob.shown("alice"), ["first"])
        self.assertEqual(bob.store.count(BaseKey), 1)

    def test_a_message_that_fails_its_checks_moves_nothing_but_its_placeholder(self) -> None:
        alice, bob = self.pair()
        before = bob.dump()
        bob.take([forge(alice, bob, swap_body=b"\x80" * 500)])
        after = bob.dump()
        self.assertEqual(bob.shown("alice")[-1], "[unreadable]")
        for table in ("Entry", "Seen", "Talk", "Want"):
            before.pop(table)
            after.pop(table)
        self.assertEqual(before, after)


class PlaceholderTest(SimulatedCase):
    """What cannot be read says so, and the conversation goes on."""

    def test_garbage_of_every_sort_becomes_a_placeholder_and_the_next_message_is_read(self) -> None:
        alice, bob = self.pair()
        garbage = ("{", "{}", "no envelope", '{"v":1}', '{"v":2}', "", "\t")
        for number, body in enumerate(garbage):
            with self.subTest(body):
                bob.take([Delivery(body, "alice", 100 + number, 5)])
                self.assertNotEqual(bob.history("alice")[-1].kind, "text")
        alice.write("bob", "still here")
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "still here")
        self.assertEqual(len(bob.history("alice")), 2 + len(garbage) + 1)

    def test_a_newer_envelope_asks_for_a_newer_program(self) -> None:
        _, bob = self.pair()
        bob.take([Delivery('{"v":2}', "alice", 100, 5)])
        self.assertEqual(bob.history("alice")[-1].kind, "unsupported")

    def test_an_unknown_type_is_kept_whole(self) -> None:
        alice, bob = self.pair()
        bob.take([forge(alice, bob, changed(type="poll", content={"answers": [1, 2]}))])
        shown = bob.history("alice")[-1]
        self.assertEqual((shown.kind, shown.text), ("unsupported", ""))
        with bob.store.reading():
            row = bob.store.one(Entry, Entry.id == shown.id)
        self.assertIn(b'"answers":[1,2]', bytes(row.payload) if row and row.payload else b"")

    def test_unsealed_words_of_someone_without_keys_are_only_quoted(self) -> None:
        bob = self.device("bob")
        bob.take([Delivery("send me\nmoney", "plain", 1, 5)])
        (shown,) = bob.history("plain")
        self.assertEqual((shown.kind, shown.text), ("unreadable", ""))
        self.assertIn("Not sealed", shown.failure)
        self.assertIn("send me money", shown.failure)

    def test_e17_unsealed_words_of_someone_who_seals_are_not_even_quoted(self) -> None:
        _, bob = self.pair()
        bob.take([Delivery("send me money", "alice", 50, 5)])
        shown = bob.history("alice")[-1]
        self.assertEqual(shown.kind, "unreadable")
        self.assertNotIn("money", shown.failure)

    def test_a_mistake_of_ours_does_not_stop_the_mail(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "trips")
        alice.write("bob", "comes")
        trips, comes = bob.pending()
        with _breaking("_show", ZeroDivisionError), self.assertLogs(mailbox.log, "ERROR") as logs:
            bob.take([trips])
        bob.take([comes])
        self.assertEqual(bob.shown("alice")[-2:], ["[unreadable]", "comes"])
        self.assertNotIn("trips", str(logs.output))


class StrangerTest(SimulatedCase):
    """Who is not a contact is heard, but gets no answer."""

    def test_a_stranger_is_stored_as_a_request_and_told_nothing(self) -> None:
        alice, bob = self.device("alice"), self.device("bob")
        self.server.account("alice").contacts.append("bob")
        alice.connect()
        alice.write("bob", "may I?")
        bob.fetch()
        bob.seconds += 1
        bob.work()
        with bob.store.reading():
            (found,) = bob.parts.history.conversations()
        self.assertTrue(found.request)
        self.assertEqual([who for who, _ in self.server.sent], ["alice"])
        self.befriend(alice, bob)
        self.assertEqual([who for who, _ in self.server.sent], ["alice", "bob"])

    def test_events_carry_what_was_stored(self) -> None:
        alice, bob = self.pair()
        bob.told(MessageAdded)
        alice.write("bob", "hello")
        bob.fetch()
        (event,) = bob.told(MessageAdded)
        self.assertEqual(event.message, bob.history("alice")[-1])


def _spell(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _one_time_keys(store: Store) -> set[bytes]:
    with store.reading():
        return {bytes(row.id) for row in store.all(Prekey, Prekey.kind == 3)}


@contextlib.contextmanager
def _breaking(method: str, error: type[Exception] | None = None) -> Iterator[None]:
    """Let a method of the mailbox do its work and then fail, as a full disk would."""
    whole = getattr(mailbox.Mailbox, method)

    def broken(*arguments: object) -> None:
        whole(*arguments)
        if error is not None:
            raise error("trips")
        raise StoreError("The disk is full.")

    setattr(mailbox.Mailbox, method, broken)
    try:
        yield
    finally:
        setattr(mailbox.Mailbox, method, whole)
