"""The server's log of keys: whoever shows two people two different keys is found out."""

from __future__ import annotations

import contextlib
import io
import shutil
import unittest
from collections.abc import Callable
from dataclasses import replace

from bpost import b64
from bpost.client.cli_verify import show_log
from bpost.client.events import SecurityNotice
from bpost.client.models import SentHead
from bpost.client.records import KeyLogState, LogFinding
from bpost.protocol.fields import canonical
from bpost.protocol.log_head import LogHead
from bpost.protocol.replies import Bundles, EntriesFound, LinksFound, LogEntry, Refusal
from bpost.protocol.requests import GetBundles, GetEntries, GetLinks
from bpost.protocol.shape import Reply, Request
from tests.client.forging import changed, forge
from tests.client.simulated import SimulatedAccount, SimulatedCase, SimulatedDevice, SimulatedServer
from tests.client.simulated_log import SimulatedLog
from tests.client.test_cli import CommandLine
from tests.client.town import Town, password_of, wait_for_event, wait_for_text
from tests.support import wait_until

NEVER = "Z" * 43


class TwoFacedServer(SimulatedServer):
    """A server that shows some of its users another directory than all the others."""

    def __init__(self) -> None:
        super().__init__()
        self.fooled: set[str] = set()
        self.other_log = self.log
        self.other_accounts: dict[str, SimulatedAccount] = {}

    def fork(self, *fooled: str) -> None:
        """Begin to show these users a log of their own."""
        self.other_log = self.log.fork()
        self.fooled = set(fooled)

    def log_for(self, asker: str) -> SimulatedLog:
        return self.other_log if canonical(asker) in self.fooled else self.log

    def answer(self, user: str, device: str, request: Request) -> Reply:
        false = None
        if isinstance(request, GetBundles) and canonical(user) in self.fooled:
            false = self.other_accounts.get(canonical(request.contact))
        if false is None or not isinstance(request, GetBundles):
            return super().answer(user, device, request)
        true, self.accounts[request.contact] = self.accounts[request.contact], false
        try:
            return super().answer(user, device, request)
        finally:
            self.accounts[request.contact] = true


class LogCase(SimulatedCase):
    """Alice and bob, who write to each other, at a server that may lie."""

    server: TwoFacedServer

    def setUp(self) -> None:
        super().setUp()
        self.server = TwoFacedServer()
        self.alice, self.bob = self.pair()
        for device in (self.alice, self.bob):
            device.connect()
            device.work()

    def causes(self, device: SimulatedDevice) -> list[str]:
        """Return what a device has told about the log since it was last asked."""
        told = [one.cause for one in device.told(SecurityNotice)]
        return [cause for cause in told if cause.startswith("log-")]

    def alarms(self, device: SimulatedDevice, *, over: bool = False) -> list[str]:
        """Return the causes of the alarms that a device keeps."""
        with device.store.reading():
            found = device.parts.gossip.state().findings
        return [one.cause for one in found if one.over is over]

    def lines(self, device: SimulatedDevice, name: str) -> str:
        """Return what a whole conversation says, and why something waits."""
        return " ".join(f"{one.text} {one.failure}" for one in device.history(name))

    def head(self, device: SimulatedDevice) -> LogHead | None:
        """Return the head that a device knows."""
        with device.store.reading():
            return device.parts.keylog.head()

    def impostor_for(self, name: str, fooled: str) -> SimulatedDevice:
        """Let the server show ``fooled`` a false account of this name, logged in a log apart."""
        true = self.server.accounts.pop(name)
        self.server.fork(fooled, name)
        false = self.device(name)
        self.server.account(name).contacts = true.contacts
        self.server.other_accounts[name] = self.server.accounts[name]
        self.server.accounts[name] = true
        self.server.fooled = {fooled}
        return false

    def exchange(self) -> None:
        """Let alice write to bob, and bob's receipt come back."""
        self.alice.write("bob", "to bob")
        self.bob.fetch()
        self.bob.work()
        self.bob.seconds += 1
        self.bob.work()
        self.alice.fetch()
        self.alice.work()


class TwoViewsTest(LogCase):
    """Two people are shown two different keys for a third."""

    def test_kt_two_views_of_the_directory_are_found_out_by_the_next_message(self) -> None:
        carol = self.device("carol")
        self.befriend(self.alice, self.bob, carol)
        self.impostor_for("carol", "bob")
        self.bob.connect()
        self.bob.write("carol", "for the true one")
        self.alice.connect()
        self.alice.write("carol", "hello")
        self.assertEqual(self.causes(self.alice) + self.causes(self.bob), [])
        self.exchange()
        self.assertEqual(self.causes(self.alice), ["log-forked"])
        self.assertIn("hides keys from you", self.lines(self.alice, "bob"))
        self.assertEqual(self.bob.shown("alice")[-1], "to bob")
        sent = [one for one in self.alice.history("bob") if one.kind == "text"]
        self.assertEqual(sent[-1].status, "delivered")

    def test_kt_two_heads_of_the_same_length_are_found_out_by_either_side(self) -> None:
        self.server.fork("bob")
        self.server.log.put("carol", "A" * 43, "")
        self.server.other_log.put("carol", "B" * 43, "")
        for device in (self.alice, self.bob):
            device.connect()
            device.work()
        self.exchange()
        for device, name in ((self.alice, "bob"), (self.bob, "alice")):
            with self.subTest(device.name):
                self.assertEqual(self.causes(device), ["log-forked"])
                self.assertIn("shows people different keys", self.lines(device, name))

    def test_kt_the_evidence_is_kept_and_the_same_is_told_once(self) -> None:
        self.server.fork("bob")
        self.server.other_log.put("carol", "B" * 43, "")
        self.bob.connect()
        self.exchange()
        self.exchange()
        self.assertEqual(self.causes(self.alice), ["log-forked"])
        with self.alice.store.reading():
            (found,) = self.alice.parts.gossip.state().findings
        self.assertEqual((found.contact, found.size), ("bob", self.server.other_log.size))
        self.assertEqual(b64.decode(found.theirs), self.server.other_log.head())

    def test_kt_a_server_that_shows_the_same_log_again_is_told_of_too(self) -> None:
        self.server.fork("bob")
        self.server.other_log.put("carol", "B" * 43, "")
        self.bob.connect()
        self.exchange()
        self.server.log = self.server.other_log
        self.exchange()
        self.assertEqual(self.alarms(self.alice, over=True), ["log-forked"])
        self.assertIn("and you the same log of keys again", self.lines(self.alice, "bob"))

    def test_an_honest_server_is_never_accused(self) -> None:
        carol = self.device("carol")
        self.befriend(self.alice, self.bob, carol)
        for _ in range(3):
            self.exchange()
            self.device("dave" + str(len(self.server.accounts)))
            second = self.device("bob", of=self.bob)
            second.write("alice", "from the second")
            self.alice.fetch()
            self.alice.work()
        for device in (self.alice, self.bob, carol):
            self.assertEqual(self.alarms(device), [], device.name)
        self.assertEqual(
            self.head(self.alice), LogHead(self.server.log.size, self.server.log.head())
        )

    def test_kt_a_stranger_cannot_cry_wolf(self) -> None:
        mallory = self.device("mallory")
        self.server.account("mallory").contacts.append("alice")
        mallory.connect()
        mallory.write("alice", "hello")
        self.alice.fetch()
        false = changed(log=LogHead(1, bytes(32)))
        self.alice.take([forge(mallory, self.alice, false)])
        self.assertEqual(self.alice.shown("mallory"), ["hello", "forged"])
        self.alice.work()
        self.assertEqual(self.alarms(self.alice), [])

    def test_a_payload_that_is_sent_again_is_the_same_to_the_byte(self) -> None:
        sent = self.alice.write("bob", "once more")
        with self.alice.store.reading():
            row = self.alice.parts.journal.numbered("direct:alice:bob", 2)
            assert row is not None
            self.assertEqual(row.id, sent.id)
            payload = self.alice.parts.journal.payload(row)
            assert payload is not None
            self.assertEqual(payload.log, self.head(self.alice))
            self.assertTrue(self.alice.store.count(SentHead))


class FalseKeyTest(LogCase):
    """A key that the server hands out must be the last one in its log."""

    def setUp(self) -> None:
        super().setUp()
        self.bundle_before = self.server.account("bob").devices[self.bob.device].bundle

    def lie(self, change: Callable[[Bundles], Bundles]) -> None:
        self.server.lie = lambda request, reply: (
            change(reply)
            if isinstance(request, GetBundles)
            and isinstance(reply, Bundles)
            and (canonical(request.username), request.contact) == ("bob", "carol")
            else reply
        )

    def test_kt_a_key_that_the_log_does_not_have_gets_nothing(self) -> None:
        carol = self.device("carol")
        self.befriend(self.bob, carol)
        other = b64.encode(self.device("mallory").profile.account.public)
        self.lie(lambda reply: replace(reply, public_key=other))
        before = len(self.server.sent)
        self.bob.connect()
        self.bob.write("carol", "secret")
        self.assertEqual(self.causes(self.bob), ["log-false-key"])
        self.assertEqual(len(self.server.sent), before)
        self.assertIn("not the last one of carol", self.lines(self.bob, "carol"))
        self.server.lie = lambda _request, reply: reply
        self.bob.connect()
        self.bob.work()
        carol.fetch()
        self.assertEqual(carol.shown("bob"), ["secret"])
        self.assertEqual(self.alarms(self.bob), [])

    def test_kt_entries_that_say_what_the_log_does_not_are_not_believed(self) -> None:
        carol = self.device("carol")
        self.befriend(self.bob, carol)

        def lie(request: Request, reply: Reply) -> Reply:
            if isinstance(request, GetEntries) and request.contact == "carol":
                return EntriesFound("carol", (LogEntry(self.server.log.size, NEVER),))
            return reply

        self.server.lie = lie
        self.bob.connect()
        self.bob.write("carol", "secret")
        self.assertEqual(self.causes(self.bob), ["log-broken"])
        self.assertEqual(carol.pending(), [])

    def test_kt_an_older_list_of_devices_than_the_one_in_the_log_is_told(self) -> None:
        old = dict(self.server.account("bob").devices)
        second = self.device("bob", of=self.bob)
        self.bob.connect()
        self.bob.work()
        new = dict(self.server.account("bob").devices)
        old[self.bob.device] = replace(old[self.bob.device], bundle=self.bundle_before)
        self.server.account("bob").devices = old
        self.alice.connect()
        self.alice.write("bob", "to whom?")
        self.assertEqual(self.causes(self.alice), [])
        self.assertIn("an older list", self.lines(self.alice, "bob"))
        self.alice.dispatch.ask_again("bob")
        self.alice.work()
        self.assertEqual(self.causes(self.alice), ["log-old-list"])
        self.bob.fetch()
        self.assertEqual(self.bob.shown("alice")[-1], "to whom?")
        self.server.account("bob").devices = new
        self.alice.connect()
        self.alice.write("bob", "to both")
        second.fetch()
        self.assertEqual(second.shown("alice")[-1], "to both")
        self.assertEqual(self.alarms(self.alice), [])

    def test_kt_a_key_in_the_log_under_my_name_is_shown_to_me(self) -> None:
        self.server.log.put("bob", NEVER, "")
        self.bob.connect()
        self.bob.work()
        self.assertEqual(self.causes(self.bob), ["log-own-key"])

    def test_a_renewed_key_is_no_alarm_for_anybody(self) -> None:
        second = self.device("bob", of=self.bob)
        for device in (self.bob, second):
            device.connect()
            device.work()
        with self.bob.profile.change():
            self.bob.parts.renewal.begin()
        self.bob.work()
        for device in (second, self.alice, self.bob, second):
            device.connect()
            device.work()
            device.fetch()
            device.work()
        self.alice.write("bob", "to the new key")
        self.bob.fetch()
        self.assertEqual(self.bob.shown("alice")[-1], "to the new key")
        for device in (self.alice, self.bob, second):
            self.assertEqual(self.alarms(device), [], device.name)

    def test_a_second_device_and_a_new_list_are_no_alarm(self) -> None:
        second = self.device("bob", of=self.bob)
        for device in (self.bob, second):
            device.connect()
            device.work()
            self.assertEqual(self.alarms(device), [])


class RestoredTest(LogCase):
    """A server that was restored from an older copy: told, and everything goes on."""

    def reconnect(self) -> None:
        for device in (self.alice, self.bob):
            device.connect()
            device.work()

    def test_kt_a_restored_server_is_told_with_both_explanations_and_goes_on(self) -> None:
        copy = self.server.log.fork()
        self.device("carol")
        self.reconnect()
        known = self.head(self.alice)
        self.server.log = copy
        self.reconnect()
        self.exchange()
        for device in (self.alice, self.bob):
            self.assertEqual(self.causes(device), ["log-restored"])
        with self.alice.store.reading():
            (found,) = self.alice.parts.gossip.state().findings
            self.assertIn("Either the server was restored", found.text)
            self.assertIn("Nothing is lost", found.text)
            assert known is not None
            self.assertTrue(self.alice.parts.keylog.was_head(known))
        self.assertEqual(self.bob.shown("alice")[-1], "to bob")

    def test_kt_a_restored_server_logs_again_what_it_lost(self) -> None:
        self.server.log = SimulatedLog()
        self.reconnect()
        self.reconnect()
        self.assertEqual({name for name, _, _ in self.server.log.said}, {"alice", "bob"})
        self.exchange()
        self.assertEqual(self.alarms(self.alice), ["log-restored"])
        self.assertEqual(self.head(self.alice), self.head(self.bob))

    def test_kt_a_log_that_grew_again_after_a_restoration_is_another_one(self) -> None:
        copy = self.server.log.fork()
        self.device("carol")
        self.reconnect()
        self.server.log = copy
        for name in ("dave", "erin", "fred"):
            self.device(name)
        self.reconnect()
        self.exchange()
        self.assertEqual(self.alarms(self.alice), ["log-restored"])
        self.assertEqual(self.alarms(self.bob), ["log-restored"])

    def test_a_head_from_before_the_restoration_is_no_fork(self) -> None:
        copy = self.server.log.fork()
        self.device("carol")
        self.reconnect()
        self.alice.write("bob", "sealed before")
        self.server.log = copy
        self.device("dave")
        self.bob.seconds += 60
        self.bob.connect()
        self.bob.work()
        self.bob.fetch()
        self.bob.work()
        self.assertEqual(self.alarms(self.bob), ["log-restored"])

    def test_kt_a_fork_cannot_be_passed_off_as_a_restoration(self) -> None:
        self.device("carol")
        self.reconnect()
        self.server.fork("bob")
        self.server.other_log.said.pop()
        self.server.other_log.put("carol", NEVER, "")
        self.bob.connect()
        self.bob.work()
        self.assertEqual(self.alarms(self.bob), ["log-restored"])
        self.alice.seconds += 60
        self.exchange()
        self.assertIn("log-forked", self.alarms(self.bob))


class WithoutTest(LogCase):
    """Servers that have no log, or show it no more."""

    def silence(self, request: Request, reply: Reply) -> Reply:
        if isinstance(reply, Bundles):
            return replace(reply, logged=None)
        return Refusal(15, "bad-frame") if isinstance(request, GetLinks | GetEntries) else reply  # type: ignore[arg-type]

    def test_a_server_that_never_had_a_log_is_used_as_before(self) -> None:
        self.server.lie = self.silence
        dave, erin = self.device("dave"), self.device("erin")
        self.befriend(dave, erin)
        dave.write("erin", "hello")
        erin.fetch()
        self.assertEqual(erin.shown("dave"), ["hello"])
        self.assertEqual(self.alarms(dave) + self.alarms(erin), [])

    def test_kt_a_server_that_shows_its_log_no_more_is_told_of(self) -> None:
        self.server.lie = self.silence
        self.alice.connect()
        self.alice.write("bob", "still")
        self.bob.fetch()
        self.assertEqual(self.causes(self.alice), ["log-broken"])
        self.assertEqual(self.bob.shown("alice")[-1], "still")

    def test_kt_a_server_that_hides_its_log_from_one_is_told_of(self) -> None:
        self.server.lie = self.silence
        dave = self.device("dave")
        self.befriend(self.alice, dave)
        self.server.lie = lambda _request, reply: reply
        self.alice.connect()
        self.alice.write("dave", "hello")
        self.server.lie = self.silence
        dave.fetch()
        dave.work()
        self.assertEqual(self.causes(dave), ["log-forked"])

    def test_a_log_that_is_not_what_its_hash_says_is_broken(self) -> None:
        def lie(request: Request, reply: Reply) -> Reply:
            if isinstance(reply, LinksFound) and isinstance(request, GetLinks):
                return replace(reply, hash=b64.encode(bytes(32)))
            return reply

        self.server.lie = lie
        before = self.head(self.alice)
        self.alice.connect()
        self.alice.work()
        self.assertEqual(self.causes(self.alice), ["log-broken"])
        self.assertEqual(self.head(self.alice), before)
        self.server.lie = lambda _request, reply: reply
        self.alice.connect()
        self.alice.work()
        self.assertEqual(self.alarms(self.alice), [])


class RestoredFolderTest(Town):
    """A real server whose folder was put back, and real clients."""

    def test_kt_a_folder_that_is_put_back_is_told_and_the_log_goes_on(self) -> None:
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "before")
        wait_for_text(bob, "alice", "before")
        self.stop()
        copy = shutil.copytree(self.folder / "server", self.folder / "copy")
        self.start()
        self.client("carol").register("carol", password_of("carol"))
        alice.close()
        bob.close()
        alice, bob = self.log_in("alice"), self.log_in("bob")
        for client in (alice, bob):
            wait_until(lambda: client.key_log().size == self.size())  # noqa: B023
        self.stop()
        shutil.rmtree(self.folder / "server")
        shutil.copytree(copy, self.folder / "server")
        self.start()
        for client in (alice, bob):
            told = wait_for_event(client, lambda e: isinstance(e, SecurityNotice))
            self.assertIn("restored from an older copy", getattr(told, "text", ""))
        for sender, to in ((alice, bob), (bob, alice)):
            sender.send(to.username, f"after, from {sender.username}")
            wait_for_text(to, sender.username, f"after, from {sender.username}")
        for client in (alice, bob):
            self.assertEqual([one.cause for one in client.key_log().open], ["log-restored"])
            self.assertEqual(client.key_log().size, self.size())

    def size(self) -> int:
        """Return how long the server's log is."""
        assert self.office is not None
        return self.office.office.store.keylog.page(0, 0).size


class CommandTest(CommandLine):
    """``bpost-cli verify --log``."""

    def test_the_head_and_what_was_found_are_printed(self) -> None:
        self.sign_up("alice", "bob")
        code, out, _ = self.run_cli("alice", "verify", "--log")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"log of keys has \d+ entries. Its head is\n\S{43}\n")
        code, _, err = self.run_cli("alice", "verify")
        self.assertEqual((code, err[:13]), (1, "Name the user"))

    def test_what_is_amiss_is_a_status_of_its_own(self) -> None:
        heads = {"size": 7, "ours": "O" * 43, "theirs": "T" * 43}
        finding = LogFinding(0, "log-forked", "bob", "Two logs.", **heads)  # type: ignore[arg-type]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(show_log(KeyLogState(7, "O" * 43, (finding,))), 1)
            self.assertEqual(show_log(KeyLogState(7, "O" * 43, (replace(finding, over=True),))), 0)
            self.assertEqual(show_log(KeyLogState()), 0)
        text = out.getvalue()
        self.assertIn(f"at 7 entries, here: {'O' * 43}; there: {'T' * 43}", text)
        self.assertIn("Two logs. (cleared up)", text)


if __name__ == "__main__":
    unittest.main()
