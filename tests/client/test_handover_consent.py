"""Who gets the history of an account, and what is believed of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

from bpost import b64
from bpost.client import SecurityNotice
from bpost.client.handing import ASKED_TEXT
from bpost.client.models import Peer
from bpost.crypto.account import AccountKey
from bpost.errors import UsageError
from bpost.protocol.canonical_json import Json
from bpost.protocol.handover import FETCH, HISTORY, PAGE
from bpost.protocol.payload import Payload
from tests.client.simulated import SimulatedDevice
from tests.client.test_handover import SMALL, HandoverCase, handovers

ASK: Mapping[str, Json] = {"name": "the new one", "before": "", "pages": 4}


def lines(device: SimulatedDevice) -> list[str]:
    """Return what a device says in the conversation with oneself."""
    return [m.text for m in device.history(device.name) if m.kind == "notice"]


class ConsentTest(HandoverCase):
    """Who is answered, and who is believed (E60)."""

    def test_e60_the_user_is_asked_before_a_new_device_gets_anything(self) -> None:
        second = self.joined()
        self.ask(second)
        self.assertEqual(lines(self.bob)[-1], ASKED_TEXT.format(name=" (“the new one”)"))
        self.exchange(second, rounds=3)
        self.assertEqual(second.history("alice"), [])
        self.assertEqual([one.state for one in handovers(second)], ["asked"])
        self.answer(second, yes=False)
        self.exchange(second)
        self.assertEqual([one.state for one in handovers(second)], ["refused"])
        self.ask(second)
        self.assertEqual([one.state for one in handovers(self.bob)], ["refused"])
        self.assertEqual(len([text for text in lines(self.bob) if "asks for" in text]), 1)
        self.assertEqual(second.history("alice"), [])

    def test_e60_nobody_but_a_listed_device_of_the_account_is_answered(self) -> None:
        self.say(self.alice, self.bob, FETCH, ASK)
        second = self.joined()
        with second.store.reading():
            version = second.parts.devices.device_list("bob", second.profile.account.public)
        self.assertIsNotNone(version)
        with self.bob.profile.change():
            self.bob.parts.ring.drop(second.device)
            request = Payload(
                type=FETCH,
                id=str(uuid.uuid4()),
                sender="bob",
                device=second.device,
                to="bob",
                conversation="direct:bob:bob",
                number=1,
                previous="",
                sent=0,
                recipients={"bob": (self.bob.device,)},
                content=ASK,
            )
            self.assertEqual(self.bob.parts.handing.take(request), [])
            self.assertEqual(self.bob.parts.handing.take(replace(request, sender="alice")), [])
        self.exchange()
        self.assertEqual(handovers(self.bob), [])
        self.assertFalse([text for text in lines(self.bob) if "asks for" in text])
        with self.assertRaises(UsageError), self.bob.profile.change():
            self.bob.parts.handing.decide(second.device, yes=True)

    def test_e60_nobody_is_believed_who_was_not_asked(self) -> None:
        second = self.joined()
        with self.bob.profile.change():
            page = self.bob.parts.handing._pages.page("m:", 0).content(PAGE)
        self.say(self.bob, second, HISTORY, page)
        self.say(self.alice, second, HISTORY, page)
        second.fetch()
        self.assertEqual(second.history("alice"), [])

    def test_e60_words_that_cannot_be_of_the_account_are_passed_over(self) -> None:
        second = self.joined()
        self.ask(second)
        with self.bob.profile.change():
            page = self.bob.parts.handing._pages.page("m:", 0)
        (one, *_) = [dict(m) for m in page.messages if isinstance(m, dict)]
        changes: list[dict[str, Json]] = [
            {"from": "carol"},
            {"device": second.device},
            {"from": "alice", "status": "read"},
            {"from": "bob", "kind": "text", "status": "received"},
        ]
        forged = [{**one, "id": str(uuid.uuid4()), **change} for change in changes]
        content = {**page.content(PAGE), "before": "", "people": [], "messages": forged}
        self.say(self.bob, second, HISTORY, content)
        second.fetch()
        self.assertEqual(handovers(second)[0].state, "done")
        self.assertEqual(second.history("alice"), [])

    def test_the_others_are_told_when_one_gives(self) -> None:
        second, third = self.joined(), self.joined()
        self.exchange(second, third, rounds=2)
        self.ask(third, second)
        self.assertEqual([one.state for one in handovers(second)], ["asked"])
        self.answer(third)
        self.until("done", third, second)
        self.exchange(third, second)
        self.assertEqual([one.way for one in handovers(second)], [])
        self.assertEqual(third.shown("alice"), ["first", "second"])

    def test_a_device_that_joined_is_offered_it_once(self) -> None:
        second = self.joined()
        with second.store.reading(), self.bob.store.reading():
            self.assertTrue(second.parts.fetching.offered)
            self.assertFalse(self.bob.parts.fetching.offered)
        with second.profile.change():
            second.parts.fetching.decline()
            self.assertFalse(second.parts.fetching.offered)

    def test_the_mailbox_is_not_filled_for_a_device_that_is_long_away(self) -> None:
        with mock.patch("tests.client.simulated.LIMITS", replace(SMALL, history_bytes=1)):
            self.chat(5)
            self.bob.store.close()
            self.bob.open()
            second = self.joined()
            self.joined()
            self.ask(second)
            self.answer(second)
            self.until("later", second)
            self.assertLess(len(second.history("alice")), 12)
            for device in (self.bob, second):
                device.seconds += 31 * 24 * 3600
            second.connect()
            self.bob.connect()
            self.exchange(second, rounds=3)
            self.assertNotEqual(handovers(second)[0].state, "later")


class PinTest(HandoverCase):
    """Keys that were known to the older device."""

    def _verified(self) -> None:
        with self.bob.profile.change():
            key = b64.encode(self.alice.profile.account.public)
            self.bob.parts.trust.mark("alice", key)

    def _contact(self, device: SimulatedDevice) -> Any:
        with device.store.reading():
            peer = device.parts.people.peer("alice")
            assert peer is not None
            return device.parts.people.contact(peer)

    def test_what_was_verified_there_is_verified_here(self) -> None:
        self._verified()
        second = self.joined()
        self.assertFalse(self._contact(second).verified)
        self.got(second)
        self.assertTrue(self._contact(second).verified)

    def test_e60_a_key_that_only_the_new_device_was_given_is_found_out(self) -> None:
        self._verified()
        second = self.joined()
        false = AccountKey.generate().public
        with second.profile.change():
            second.store.run(Peer.update(account_key=false).where(Peer.name == "alice"))
            second.store.forget()
        second.told(SecurityNotice)
        self.got(second)
        contact = self._contact(second)
        self.assertTrue(contact.key_changed and contact.was_verified)
        self.assertEqual(contact.key, b64.encode(false))
        causes = [notice.cause for notice in second.told(SecurityNotice)]
        self.assertEqual(causes, ["account-key-changed"])
