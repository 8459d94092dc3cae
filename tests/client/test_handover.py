"""A new device of an account gets its history from an older one, if the user there says so."""

from __future__ import annotations

import contextlib
import io
import threading
import uuid
from dataclasses import replace
from typing import Any, cast
from unittest import mock

from bpost.client import Client, HandoverInfo, KeyChange, Safety, cli
from bpost.client.history import NewEntry
from bpost.client.models import Entry
from bpost.client.pages import Page
from bpost.crypto.account import AccountKey
from tests.client.simulated import LIMITS, SimulatedCase, SimulatedDevice
from tests.client.town import Town, password_of, wait_for_text
from tests.support import wait_until

SMALL = replace(LIMITS, history_page=1_200, history_pages=2)


def handovers(device: SimulatedDevice) -> list[HandoverInfo]:
    """Return what is on its way at a device."""
    with device.store.reading():
        return [*device.parts.handing.shown(), *device.parts.fetching.shown()]


def facts(device: SimulatedDevice, name: str) -> list[tuple[Any, ...]]:
    """Return what a conversation shows, in its order."""
    return [
        (m.id, m.sender, m.own, m.kind, m.text, m.sent, m.status, m.failure)
        for m in device.history(name)
    ]


class HandoverCase(SimulatedCase):
    """Bob has a history with alice, and joins with a second device."""

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch("tests.client.simulated.LIMITS", SMALL)
        patch.start()
        self.addCleanup(patch.stop)
        self.alice, self.bob = self.pair()

    def joined(self) -> SimulatedDevice:
        """Return another device of bob, which everybody knows."""
        self.later()
        made = self.device("bob", of=self.bob)
        made.seconds = self.bob.seconds
        self.exchange(made, rounds=2)
        self.later(made)
        return made

    def exchange(self, *others: SimulatedDevice, rounds: int = 1) -> None:
        """Let everybody take and send what there is."""
        for _ in range(rounds):
            for device in (self.alice, self.bob, *others):
                device.fetch()
                device.work()

    def ask(self, device: SimulatedDevice, *others: SimulatedDevice) -> None:
        """Let a device ask all others, and those take it in."""
        with device.profile.change():
            listed = device.parts.devices.devices("bob")
            device.parts.fetching.begin(listed, "the new one")
        device.work()
        self.exchange(device, *others)

    def answer(
        self, new: SimulatedDevice, yes: bool = True, at: SimulatedDevice | None = None
    ) -> None:
        """Let bob say yes or no at one of his devices, the first if none is named."""
        asked = at or self.bob
        with asked.profile.change():
            asked.parts.handing.decide(new.device, yes)
        asked.work()

    def until(self, state: str, new: SimulatedDevice, *others: SimulatedDevice) -> None:
        """Let pages come until that is the state."""
        for _ in range(200):
            self.exchange(new, *others)
            if handovers(new)[0].state == state:
                return
        self.fail(f"never {state}: {handovers(new)}")

    def got(self, new: SimulatedDevice) -> None:
        """Let a device ask, bob agree, and everything come."""
        self.ask(new)
        self.answer(new)
        self.until("done", new)

    def chat(self, count: int) -> None:
        """Let alice and bob write so many messages each."""
        for number in range(count):
            self.later()
            self.alice.write("bob", f"from alice {number}")
            self.bob.fetch()
            self.bob.write("alice", f"from bob {number}")
        self.exchange(rounds=2)

    def later(self, *others: SimulatedDevice) -> None:
        """Let a second pass."""
        for device in (self.alice, self.bob, *others):
            device.seconds += 1

    def say(self, one: SimulatedDevice, to: SimulatedDevice, type_: str, content: Any) -> None:
        """Let a device say something to one other device alone."""
        other = to.name if to.name != one.name else one.name
        with one.profile.change():
            one.parts.errands.send(to.name, to.device, other, type_, content)
        one.work()


class FetchTest(HandoverCase):
    """What comes over, and how."""

    def test_a_new_device_has_the_same_history_as_the_old_one(self) -> None:
        self.chat(5)
        second = self.joined()
        self.assertEqual(second.history("alice"), [])
        self.got(second)
        self.assertEqual(facts(second, "alice"), facts(self.bob, "alice"))
        self.assertEqual(len(second.shown("alice")), 12)
        done = handovers(second)[0]
        self.assertEqual((done.way, done.count), ("get", done.total))
        self.assertEqual([one.state for one in handovers(self.bob)], ["done"])

    def test_placeholders_and_lines_from_before_come_too(self) -> None:
        self.bob.seconds -= 10
        with self.bob.profile.change():
            conversation = self.bob.parts.history.open("alice")
            for entry in (
                NewEntry("alice", "unreadable", failure="It was lost. The sender was told."),
                NewEntry("alice", "notice", "One message is missing here."),
                NewEntry("bob", "text", "refused", device=self.bob.device, status="failed"),
                NewEntry("alice", "unsupported", id=str(uuid.uuid4()), payload=b"{}", sent=1),
            ):
                self.bob.parts.history.add(conversation, entry)
        second = self.joined()
        self.got(second)
        self.assertEqual(facts(second, "alice"), facts(self.bob, "alice"))
        with second.store.reading():
            (row,) = second.store.all(Entry, Entry.kind == "unsupported")
        self.assertEqual(bytes(row.payload or b""), b"{}")

    def test_what_happened_to_keys_comes_with_its_dates_and_once(self) -> None:
        self.later()
        with self.bob.profile.change():
            trust = self.bob.parts.trust
            trust.mark("alice", self.safety(self.bob).key)
        second = self.joined_later()
        self.later(second)
        self.got(second)
        before = [(one.key, one.time, one.what) for one in self.keys(self.bob)]
        self.assertEqual([what for _, _, what in before], ["first", "verified"])
        self.assertEqual([(one.key, one.time, one.what) for one in self.keys(second)], before)
        self.assertTrue(self.safety(second).verified)
        page = self.first_page(second)
        with second.profile.change():
            second.parts.fetching._merging.take_people(cast("Any", page.people))
        self.assertEqual(len(self.keys(second)), 2)

    def test_of_keys_that_an_older_version_hands_on_there_are_no_dates(self) -> None:
        second = self.joined()
        page = self.first_page(second)
        for one in page.people:
            del one["notes"]  # type: ignore[union-attr]
        with second.profile.change():
            second.parts.fetching._merging.take_people(cast("Any", page.people))
        self.assertEqual([one.what for one in self.keys(second)], ["first"])

    def test_people_with_long_key_histories_come_page_by_page(self) -> None:
        with self.bob.profile.change():
            for number in range(20):
                name = f"friend{number:02}"
                key = AccountKey.generate().public
                self.bob.parts.people.know(name)
                self.bob.parts.people.pin(name, key)
                for _ in range(30):
                    self.bob.seconds += 1
                    self.bob.parts.people._book.note(name, key, "returned")
        second = self.joined_later()
        self.got(second)
        for number in (0, 19):
            self.assertEqual(len(self.keys(second, f"friend{number:02}")), 31)

    def joined_later(self) -> SimulatedDevice:
        """Return another device of bob, which was put on the list only now."""
        with mock.patch("tests.client.simulated.START", self.bob.seconds + 1):
            return self.joined()

    def keys(self, device: SimulatedDevice, name: str = "alice") -> list[KeyChange]:
        """Return what a device shows of somebody's keys."""
        with device.store.reading():
            return device.parts.trust.history(name)

    def safety(self, device: SimulatedDevice) -> Safety:
        """Return what bob and alice compare."""
        with device.store.reading():
            return device.parts.trust.safety("alice")

    def first_page(self, new: SimulatedDevice) -> Page:
        """Return what the old device hands on first."""
        with self.bob.store.reading():
            handing = self.bob.parts.handing
            return handing._pages.page("", handing._joined(new.device))

    def test_what_cannot_be_handed_on_holds_nothing_up(self) -> None:
        self.bob.seconds -= 10
        with self.bob.profile.change():
            conversation = self.bob.parts.history.open("alice")
            for entry in (
                NewEntry("alice", "unreadable", failure="Not sealed. It says: \x07bell"),
                NewEntry("alice", "text", "of no known id", id="1"),
            ):
                self.bob.parts.history.add(conversation, entry)
        second = self.joined()
        self.got(second)
        self.assertEqual(second.shown("alice"), ["first", "second", "[unreadable]"])
        self.assertEqual(second.history("alice")[-1].failure, "Not sealed. It says: bell")

    def test_what_came_meanwhile_stands_behind_it_once(self) -> None:
        second = self.joined()
        self.alice.write("bob", "third")
        self.exchange(second)
        second.write("alice", "fourth")
        self.exchange(second)
        self.got(second)
        self.got(second)
        self.assertEqual(second.shown("alice"), ["first", "second", "third", "fourth"])
        self.assertEqual(self.bob.shown("alice"), ["first", "second", "third", "fourth"])

    def test_a_message_that_the_new_device_missed_finds_its_place(self) -> None:
        second = self.joined()
        for number in range(3):
            self.later(second)
            self.alice.write("bob", str(number))
            self.exchange(second)
        with second.profile.change():
            second.store.remove(Entry, Entry.text == "1")
        self.got(second)
        self.assertEqual(second.shown("alice"), ["first", "second", "0", "1", "2"])

    def test_what_was_not_read_there_is_not_read_here(self) -> None:
        with self.bob.profile.change():
            self.bob.parts.read("alice", None)
        self.alice.write("bob", "third")
        self.bob.fetch()
        second = self.joined()
        self.got(second)
        with second.store.reading():
            self.assertEqual([m.text for m in second.parts.unread("alice")], ["third"])

    def test_receipts_still_climb(self) -> None:
        second = self.joined()
        self.got(second)
        self.assertEqual(second.history("alice")[-1].status, "delivered")
        with self.alice.profile.change():
            self.alice.parts.read("bob", None)
        self.alice.work()
        self.alice.seconds += 1
        self.exchange(second)
        self.assertEqual(second.history("alice")[-1].status, "read")

    def test_only_a_few_pages_are_on_their_way_at_any_time(self) -> None:
        self.chat(5)
        second = self.joined()
        self.ask(second)
        before = len(self.server.sent)
        self.answer(second)
        self.bob.work()
        self.assertEqual(len(self.server.sent) - before, SMALL.history_pages)


class InterruptedTest(HandoverCase):
    """Either side may stop anywhere, and what is lost is asked for again."""

    def setUp(self) -> None:
        super().setUp()
        self.chat(5)
        self.second = self.joined()
        self.ask(self.second)
        self.answer(self.second)

    def _reopen(self, device: SimulatedDevice) -> None:
        device.store.close()
        device.open()

    def test_it_goes_on_after_both_sides_were_killed_again_and_again(self) -> None:
        for _ in range(100):
            self.exchange(self.second)
            self._reopen(self.second)
            self._reopen(self.bob)
            if handovers(self.second)[0].state == "done":
                break
        self.assertEqual(facts(self.second, "alice"), facts(self.bob, "alice"))

    def test_pages_that_were_lost_are_asked_for_again(self) -> None:
        self.exchange(self.second)
        self.bob.fetch()
        self.bob.work()
        self.second.pending()  # and nobody reads it
        self.second.work()
        self.assertEqual(handovers(self.second)[0].state, "fetching")
        self.second.seconds += SMALL.history_seconds + 1
        self.until("done", self.second)
        self.assertEqual(facts(self.second, "alice"), facts(self.bob, "alice"))

    def test_a_page_that_comes_twice_changes_nothing(self) -> None:
        for _ in range(100):
            found = self.second.pending()
            self.second.take([*found, *found])
            self.second.work()
            self.bob.fetch()
            self.bob.work()
            if handovers(self.second)[0].state == "done":
                break
        self.assertEqual(facts(self.second, "alice"), facts(self.bob, "alice"))

    def test_it_ends_when_the_other_device_is_removed(self) -> None:
        self.exchange(self.second)
        with self.second.profile.change():
            self.second.parts.ring.drop(self.bob.device)
        self.second.work()
        self.assertEqual(handovers(self.second)[0].state, "gone")


class RealTest(Town):
    """A real server, real threads, and the command line."""

    def _cli(self, profile: str, *arguments: str) -> tuple[int, str]:
        secret = self.folder / "secret"
        secret.write_text(password_of("bob"))
        common = ["--profile", str(self.folder / profile), "--password-file", str(secret)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = cli.main([*arguments, *common])
        return status, out.getvalue()

    def _asked(self, bob: Client) -> str:
        wait_until(bob.handovers, what="the question")
        return bob.handovers()[0].device

    def test_e60_the_command_line_fetches_the_history_when_the_other_device_says_yes(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "before")
        wait_for_text(bob, "alice", "before")
        self.log_in("bob", "second").close()
        agree = threading.Thread(target=lambda: bob.give_history(self._asked(bob)))
        agree.start()
        status, out = self._cli("second", "history", "--fetch")
        agree.join()
        self.assertEqual(status, 0, out)
        self.assertIn("Say yes on one of your other devices", out)
        self.assertIn("before", self._cli("second", "history", "alice")[1])

    def test_the_command_line_gives_and_refuses(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "before")
        wait_for_text(bob, "alice", "before")
        second = self.log_in("bob", "second")
        second.fetch_history()
        asked = self._asked(bob)
        bob.close()
        self.assertIn(f"devices give {asked}", self._cli("bob", "devices")[1])
        self.assertEqual(self._cli("bob", "devices", "refuse", asked), (0, ""))
        wait_until(lambda: second.handovers()[0].state == "refused")
        self.assertEqual(self._cli("bob", "devices", "give", alice.device)[0], 1)
        second.fetch_history()
        status, out = self._cli("bob", "devices", "give", asked)
        self.assertEqual((status, "messages are sent" in out), (0, True), out)
        wait_for_text(second, "alice", "before")
