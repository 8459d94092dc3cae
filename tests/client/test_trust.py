"""Verified contacts and changed keys: what is asked before anything is sent, and what is kept."""

from __future__ import annotations

import json
from typing import Any, cast

from bpost import b64
from bpost.client.events import SecurityNotice
from bpost.client.models import KeyNote, Verification
from bpost.client.profile import ACCOUNT
from bpost.client.records import Contact, Safety
from bpost.client.store import Store
from bpost.crypto.account import AccountKey
from bpost.crypto.fingerprint import Verdict
from bpost.errors import UsageError
from tests.client.simulated import SimulatedCase, SimulatedDevice
from tests.client.test_cli import CommandLine


class TrustCase(SimulatedCase):
    """Alice and bob, and what alice thinks of his key."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.pair()

    def contact(self, who: SimulatedDevice | None = None) -> Contact:
        """Return what alice, or somebody else, knows of bob."""
        device = who or self.alice
        with device.store.reading():
            peer = device.parts.people.peer("bob")
            assert peer is not None
            return device.parts.people.contact(peer)

    def safety(self, device: SimulatedDevice, name: str) -> Safety:
        """Return what a device shows to compare."""
        with device.store.reading():
            return device.parts.trust.safety(name)

    def mark(self, key: str = "") -> None:
        """Let alice mark bob as verified."""
        with self.alice.profile.change() as events:
            events += self.alice.parts.trust.mark("bob", key or self.contact().key)

    def accept(self, key: str = "", *, anyway: bool = False) -> None:
        """Let alice go on with bob's new key."""
        with self.alice.profile.change() as events:
            events += self.alice.parts.trust.accept("bob", key or self.contact().key, anyway=anyway)

    def compare(self, code: str) -> Verdict:
        """Let alice compare a code with what she knows of bob."""
        with self.alice.profile.change() as events:
            verdict, told = self.alice.parts.trust.compare("bob", code)
            events += told
        return verdict

    def write(self, text: str = "secret") -> int:
        """Let alice write on a new connection; return how many messages left."""
        before = len(self.server.sent)
        self.alice.connect()
        self.alice.write("bob", text)
        return len(self.server.sent) - before

    def go_on(self) -> None:
        """Let alice send what was held."""
        self.alice.dispatch.ask_again("bob")
        self.alice.work()

    def happened(self) -> list[str]:
        """Return what happened to bob's keys."""
        with self.alice.store.reading():
            return [one.what for one in self.alice.parts.trust.history("bob")]


class ChangedKeyTest(TrustCase):
    """A changed key stops sending; a verified contact takes more than a click (E55)."""

    def test_e55_a_verified_contact_takes_a_verification_or_an_explicit_trust(self) -> None:
        self.mark()
        impostor = self.impostor("bob")
        self.assertEqual(self.write(), 0)
        self.assertTrue(self.contact().was_verified)
        with self.assertRaisesRegex(UsageError, "You had verified"):
            self.accept()
        self.go_on()
        impostor.fetch()
        self.assertNotIn("secret", impostor.shown("alice"))
        self.accept(anyway=True)
        self.go_on()
        impostor.fetch()
        self.assertIn("secret", impostor.shown("alice"))
        self.assertFalse(self.contact().verified)

    def test_e55_verifying_the_new_key_lets_go_what_was_held(self) -> None:
        self.mark()
        again = self.impostor("bob")
        self.write()
        self.mark()
        self.go_on()
        again.fetch()
        self.assertIn("secret", again.shown("alice"))
        self.assertTrue(self.contact().verified)

    def test_e55_a_change_is_a_line_in_the_conversation_before_anything_leaves(self) -> None:
        self.impostor("bob")
        self.assertEqual(self.write(), 0)
        notices = [m for m in self.alice.history("bob") if m.kind == "notice"]
        self.assertIn("has changed", notices[-1].text)
        self.assertEqual(len(self.alice.told(SecurityNotice)), 1)

    def test_e55_consent_is_for_the_key_that_was_shown(self) -> None:
        self.impostor("bob")
        self.write()
        shown = self.contact().key
        self.impostor("bob")
        self.write()
        for answer in (self.accept, self.mark):
            with self.subTest(answer.__name__), self.assertRaisesRegex(UsageError, "Look at it"):
                answer(shown)
        self.assertTrue(self.contact().key_changed)

    def test_e55_the_mark_cannot_be_taken_away_to_make_a_change_easier(self) -> None:
        self.mark()
        self.impostor("bob")
        self.write()
        with (
            self.assertRaisesRegex(UsageError, "new one first"),
            self.alice.profile.change() as events,
        ):
            events += self.alice.parts.trust.unmark("bob")
        self.assertTrue(self.contact().was_verified)

    def test_nothing_changed_is_nothing_to_accept(self) -> None:
        with self.assertRaisesRegex(UsageError, "no new key"):
            self.accept()
        for key in ("", "nonsense", b64.encode(bytes(32))):
            with self.subTest(key), self.assertRaises(UsageError):
                self.alice.parts.trust.mark("bob", key)


class VerifiedTest(TrustCase):
    """What a mark belongs to (E58, E59)."""

    def test_marked_and_unmarked(self) -> None:
        self.assertFalse(self.contact().verified)
        self.mark()
        self.assertTrue(self.contact().verified)
        with self.alice.profile.change() as events:
            events += self.alice.parts.trust.unmark("bob")
        self.assertFalse(self.contact().verified)
        with self.assertRaises(UsageError), self.alice.profile.change():
            self.alice.parts.trust.unmark("bob")

    def test_e58_a_name_that_is_registered_anew_is_not_verified(self) -> None:
        self.mark()
        self.impostor("bob")
        self.write()
        self.assertFalse(self.contact().verified)
        self.accept(anyway=True)
        self.assertFalse(self.contact().verified)

    def test_e58_a_verified_key_that_comes_back_still_is(self) -> None:
        self.mark()
        real = self.server.accounts["bob"]
        self.impostor("bob")
        self.write()
        self.server.accounts["bob"] = real
        self.alice.connect()
        self.alice.work()
        self.assertTrue(self.contact().verified)
        self.bob.fetch()
        self.assertEqual(self.bob.shown("alice")[-1], "secret")
        self.assertEqual(self.happened(), ["first", "verified", "changed", "returned"])

    def test_e59_with_another_own_key_every_mark_is_void(self) -> None:
        self.mark()
        with self.alice.store.transaction():
            self.alice.profile.know(ACCOUNT, AccountKey.generate().seed)
        self.alice.store.close()
        self.alice.open()
        self.assertFalse(self.contact().verified)
        self.mark()
        self.assertTrue(self.contact().verified)

    def test_history_has_every_step_with_its_time(self) -> None:
        self.alice.seconds += 60
        self.mark()
        self.impostor("bob")
        self.write()
        self.alice.seconds += 60
        self.accept(anyway=True)
        self.assertEqual(self.happened(), ["first", "verified", "changed", "trusted"])
        with self.alice.store.reading():
            history = self.alice.parts.trust.history("BOB")
        self.assertEqual(len({one.key for one in history}), 2)
        self.assertEqual(sorted({one.time - history[0].time for one in history})[-1], 120_000)

    def test_a_server_that_swaps_keys_for_ever_fills_no_disk(self) -> None:
        with self.alice.profile.change():
            for number in range(150):
                self.alice.parts.people._book.note("bob", bytes([number]) * 32, "changed")
        self.assertEqual(len(self.happened()), 100)


class CodeTest(TrustCase):
    """Codes are compared by the program, with answers that nobody can mistake (E57)."""

    def test_e57_the_code_of_the_other_verifies(self) -> None:
        code = self.safety(self.bob, "alice").code
        broken = f" {code[:20]}\n{code[20:]} "  # as it comes out of a mail
        for text in (code, broken):
            with self.subTest(text):
                self.assertIs(self.compare(text), Verdict.SAME)
                self.assertTrue(self.contact().verified)

    def test_e57_any_other_code_verifies_nobody(self) -> None:
        own = self.safety(self.alice, "bob").code
        code = self.safety(self.bob, "alice").code
        impostor = self.impostor("bob")
        impostor.write("alice", "it is me")
        for text, verdict in (
            (self.safety(impostor, "alice").code, Verdict.DIFFERENT),
            (own, Verdict.OWN_CODE),
            (code[:-1], Verdict.UNREADABLE),
            (code.replace(":1:", ":2:"), Verdict.OTHER_VERSION),
            ("", Verdict.UNREADABLE),
        ):
            with self.subTest(text):
                self.assertIs(self.compare(text), verdict)
                self.assertFalse(self.contact().verified)

    def test_both_see_one_number_also_under_a_changed_key(self) -> None:
        self.assertEqual(
            self.safety(self.alice, "bob").number, self.safety(self.bob, "alice").number
        )
        before = self.safety(self.alice, "bob")
        again = self.impostor("bob")
        again.write("alice", "it is me")
        self.alice.fetch()
        after = self.safety(self.alice, "bob")
        self.assertNotEqual(after.number, before.number)
        self.assertEqual(after.number, self.safety(again, "alice").number)
        self.assertIs(self.compare(self.safety(again, "alice").code), Verdict.SAME)
        self.assertFalse(self.contact().key_changed)

    def test_who_has_no_keys_has_no_number(self) -> None:
        self.assertEqual(self.safety(self.alice, "nobody"), Safety("nobody"))
        with self.assertRaises(UsageError), self.alice.profile.change():
            self.alice.parts.trust.compare("nobody", "bpost-safety:1:")


LATER_COLUMNS = ("revision", "editor", "edited")
"""What messages have got since that version."""


class OldProfileTest(TrustCase):
    """A profile of the version before opens, and knows its keys."""

    def test_the_pinned_keys_are_in_the_history(self) -> None:
        store = self.alice.store
        with store.transaction():
            for statement in (
                "ALTER TABLE peers ADD COLUMN verified INTEGER NOT NULL DEFAULT 0",
                "DROP TABLE key_history",
                "DROP TABLE verifications",
                *(f"ALTER TABLE messages DROP COLUMN {name}" for name in LATER_COLUMNS),
                "UPDATE facts SET value = x'32' WHERE name = 'version'",
            ):
                cast(Any, store._database).execute_sql(statement)
        store.close()
        self.alice.open()
        with self.alice.store.reading():
            self.assertEqual([row.peer for row in self.alice.store.all(KeyNote)], ["bob"])
            self.assertEqual(self.alice.store.all(Verification), [])
        self.mark()
        self.assertEqual(self.happened(), ["first", "verified"])
        self.alice.store.close()
        self.alice.store = Store(self.alice.keystore.database, self.alice.database_key)


class CommandTest(CommandLine):
    """``bpost-cli verify`` and ``keys``."""

    def setUp(self) -> None:
        super().setUp()
        self.sign_up("alice", "bob")
        self.run_cli("alice", "send", "bob", "hello")
        self.run_cli("bob", "listen", "--count", "1")

    def code(self, name: str, other: str) -> str:
        """Return the code that ``verify`` prints."""
        return self.run_cli(name, "verify", other)[1].splitlines()[-1]

    def test_both_print_one_number_and_mark_it(self) -> None:
        shown = self.run_cli("alice", "verify", "bob")[1].splitlines()
        self.assertEqual(shown[:3], self.run_cli("bob", "verify", "alice")[1].splitlines()[:3])
        self.assertRegex(" ".join(shown[:3]), r"^(\d{5} ){11}\d{5}$")
        self.assertIn("Not verified yet.", shown)
        self.assertEqual(self.run_cli("alice", "verify", "bob", "--mark")[0], 0)
        self.assertIn("\nVerified.\n", self.run_cli("alice", "verify", "bob")[1])
        self.assertEqual(self.run_cli("alice", "verify", "bob", "--unmark")[0], 0)
        self.assertIn("Not verified", self.run_cli("alice", "verify", "bob")[1])

    def test_e57_three_answers_have_three_exit_statuses(self) -> None:
        own, theirs = self.code("alice", "bob"), self.code("bob", "alice")
        other = theirs.replace(theirs[-20:], own[-20:])
        for code, status, said in (
            (other, 1, "Different"),
            (own, 3, "your own code"),
            (theirs[:-4], 3, "only a part"),
            (theirs.replace(":1:", ":2:"), 3, "another version"),
            (theirs, 0, "verified"),
        ):
            with self.subTest(code):
                found, out, err = self.run_cli("alice", "verify", "bob", "--code", code)
                self.assertEqual(found, status)
                self.assertIn(said, out if status == 0 else err)

    def test_what_cannot_be_done_is_said(self) -> None:
        for arguments in (("nobody",), ("bob", "--trust"), ("bob", "--unmark")):
            with self.subTest(arguments):
                code, out, err = self.run_cli("alice", "verify", *arguments)
                self.assertEqual((code, out), (1, ""))
                self.assertRegex(err, r"^\S.*[.]\n$")
        self.assertEqual(self.run_cli("alice", "verify", "bob", "--mark", "--unmark")[0], 2)

    def test_keys_are_listed_with_dates(self) -> None:
        self.run_cli("alice", "verify", "bob", "--mark")
        self.assertRegex(
            self.run_cli("alice", "keys", "bob")[1],
            r"^\d{4}-\d\d-\d\d \d\d:\d\d  \S{8}  First .*\n.* You verified this key\n$",
        )
        lines = self.run_cli("alice", "keys", "bob", "--json")[1].splitlines()
        self.assertEqual([json.loads(line)["what"] for line in lines], ["first", "verified"])
