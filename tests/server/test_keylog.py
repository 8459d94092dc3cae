"""The log of keys: what enters it, who may read what of it, and that it only grows."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import unittest
from dataclasses import replace
from typing import Any, cast

from bpost import b64
from bpost.crypto.keylog import Link, entry_value, first_head, grow, name_tag
from bpost.limits import Limits, Rate
from bpost.server import admin
from bpost.server.config import Config
from bpost.server.store import FILE
from bpost.server.store_keylog import problems
from tests.server.parts import PASSWORD, OfficeTest, Visitor, device_of, reason


class LogTest(OfficeTest):
    """An office where alice and bob are contacts."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.friends()

    def links(self, after: int = 0) -> tuple[bytes, list[Link]]:
        """Read the log, as any client does; return its name too."""
        log, head, size, links = b"", b"", 1, list[Link]()
        while len(links) < size:
            frame = self.alice.ask("15", "links", str(after + len(links)))
            self.assertEqual(frame[:3], ["15", "OK", "links"])
            log, size = b64.decode(frame[3]), int(frame[4]) - after
            head = links[-1].head if links else first_head(log)
            data = b64.decode(frame[6]) if len(frame) > 6 else b""
            links += grow(head, after + len(links), data)
        end = links[-1].head if links else first_head(log)
        self.assertEqual(end, b64.decode(frame[5]))
        return log, links

    def entries(self, asker: Visitor, name: str, after: int = 0) -> list[dict[str, object]]:
        """Read what the links of a user stand for."""
        frame = asker.ask("15", "entries", name, str(after))
        self.assertEqual(frame[:4], ["15", "OK", "entries", name])
        found: list[dict[str, object]] = json.loads(frame[4])
        return found

    def keys(self, asker: Visitor, name: str) -> list[object]:
        """Return the keys of a user in the log."""
        return [one["public_key"] for one in self.entries(asker, name)]


class EntriesTest(LogTest):
    """What enters the log."""

    def test_kt_each_key_is_an_entry_that_the_chain_bears_out(self) -> None:
        self.bob.ask("6", "bob", "K1")
        self.alice.ask("6", "alice", "A1")
        self.bob.ask("6", "bob", "K2")
        log, links = self.links()
        tags = [name_tag(log, name) for name in ("bob", "alice", "bob")]
        self.assertEqual([link.tag for link in links], tags)
        values = [entry_value(key, "") for key in ("K1", "A1", "K2")]
        self.assertEqual([link.value for link in links], values)
        said = self.entries(self.alice, "bob")
        self.assertEqual(
            [(one["position"], one["public_key"]) for one in said], [(1, "K1"), (3, "K2")]
        )

    def test_the_same_again_is_no_entry(self) -> None:
        for key in ("K1", "K1", "K2", "K1"):
            self.bob.ask("6", "bob", key)
        self.assertEqual(self.keys(self.bob, "bob"), ["K1", "K2", "K1"])

    def test_what_devices_state_in_turn_is_one_entry_each(self) -> None:
        phones = [self.device("bob") for _ in range(2)]
        for _ in range(2):
            for number, phone in enumerate(phones):
                phone.ask("6", "bob", "K", device_of(phone), "bundle", "", "", f"{number}.list")
        said = [one["statement"] for one in self.entries(self.bob, "bob")]
        self.assertEqual(said, ["0.list", "1.list"])

    def test_a_bundle_that_is_not_taken_leaves_no_entry(self) -> None:
        phone = self.device("bob")
        self.assertEqual(reason(phone.ask("6", "bob", "K", "a" * 16, "bundle")), "no-such-device")
        self.assertEqual(self.links()[1], [])

    def test_kt_a_key_from_before_the_log_enters_it_when_it_is_handed_out(self) -> None:
        with sqlite3.connect(self.folder / FILE) as other:
            other.execute("UPDATE clients SET public_key = 'OLD' WHERE canonical = 'bob'")
        other.close()
        answer = self.alice.ask("7", "alice", "bob")
        self.assertEqual((answer[3], answer[6]), ("OLD", "1"))
        self.assertEqual(self.keys(self.alice, "bob"), ["OLD"])

    def test_the_end_of_an_account_is_an_entry_and_what_it_said_is_forgotten(self) -> None:
        self.bob.ask("6", "bob", "BOBS-KEY")
        self.bob.ask("14", "bob", PASSWORD)
        _, links = self.links()
        self.assertEqual(links[-1].value, entry_value("", ""))
        self.assertEqual(reason(self.alice.ask("15", "entries", "bob", "0")), "no-such-user")
        self.assertNotIn("BOBS-KEY", self.dump())
        self.assertEqual(self.office.store.check(), [])

    def test_a_key_that_changes_all_the_time_is_refused(self) -> None:
        self.office.store.close()
        limits = Limits(key_changes=Rate(3, 3600))
        self.office = self.open(Config(data=self.folder, limits=limits))
        bob = self.device("bob")
        answers = [reason(bob.ask("6", "bob", f"K{number}")) for number in range(5)]
        self.assertEqual(answers, ["", "", "", "rate-limited", "rate-limited"])
        self.assertEqual(reason(bob.ask("6", "bob", "K2")), "")


class ReadersTest(LogTest):
    """Who may read what."""

    def test_kt_the_links_name_nobody_and_no_key(self) -> None:
        self.bob.ask("6", "bob", "BOBS-KEY")
        frame = self.alice.ask("15", "links", "0")
        data = b64.decode(frame[6])
        for word in (b"bob", b"BOBS-KEY"):
            self.assertNotIn(word, data)

    def test_kt_what_they_stand_for_is_told_to_those_who_have_the_contact(self) -> None:
        self.bob.ask("6", "bob", "K")
        carol = self.user("carol")
        self.assertEqual(reason(carol.ask("15", "entries", "bob", "0")), "not-a-contact")
        self.assertEqual(self.keys(self.alice, "bob"), ["K"])
        self.assertEqual(self.keys(self.bob, "bob"), ["K"])

    def test_nobody_reads_it_before_the_log_in(self) -> None:
        for fields in (("links", "0"), ("entries", "bob", "0")):
            self.assertEqual(reason(self.visitor().ask("15", *fields)), "not-logged-in")

    def test_it_is_read_in_pages(self) -> None:
        self.office.limits = replace(self.office.limits, log_links=2, log_entries=2)
        for number in range(5):
            self.bob.ask("6", "bob", f"K{number}")
        self.assertEqual(len(self.links()[1]), 5)
        after = [one["position"] for one in self.entries(self.bob, "bob", after=2)]
        self.assertEqual(after, [3, 4])


class ChecksTest(LogTest):
    """What was changed by hand is found."""

    def test_kt_check_finds_any_change_of_the_log(self) -> None:
        for key in ("K1", "K2", "K3"):
            self.bob.ask("6", "bob", key)
        self.assertEqual(self.office.store.check(), [])
        for change in (
            "SET public_key = 'X' WHERE position = 2",
            "SET statement = 'X' WHERE position = 2",
            "SET tag = x'00' WHERE position = 2",
            "SET value = x'00' WHERE position = 2",
            "SET head = x'00' WHERE position = 2",
            "SET position = 9 WHERE position = 3",
        ):
            with self.subTest(change), self.office.store.transaction() as database:
                run = cast(Any, database).execute_sql
                run("SAVEPOINT undo")
                run(f"UPDATE key_log_entries {change}")
                found = problems(database)
                run("ROLLBACK TO undo")
                self.assertIn("The log of keys was changed at entry", " ".join(found))

    def test_check_of_the_administrator_looks_at_it_too(self) -> None:
        self.bob.ask("6", "bob", "K1")
        with self.office.store.transaction() as database:
            cast(Any, database).execute_sql("UPDATE key_log_entries SET head = x'00'")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            status = admin.main(["--data", str(self.folder), "check"])
        self.assertEqual(status, 1)
        self.assertIn("The log of keys was changed at entry 1", out.getvalue())


if __name__ == "__main__":
    unittest.main()
