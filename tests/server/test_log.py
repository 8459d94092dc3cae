"""The log: one line for each event, nothing foreign in it, nothing secret (S53, S54)."""

from __future__ import annotations

import io
import json
import logging
import unittest
from unittest import mock

from bpost.limits import Limits, Rate
from bpost.server import directory
from bpost.server.files import lock_folder
from bpost.server.log import LONGEST, EventLog
from bpost.server.repeats import CAUSES, Repeats
from bpost.server.store import now_ms
from tests.server.parts import OTHER, PASSWORD, OfficeTest, ServerTest, device_of

FOREIGN = (
    "x\n2026 INFO admin logged in",
    "x\r\ny",
    "\x1b[2J",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\x00\x7f\x85\u2028\u2029\ufeff\ud800",
    'a" b="c',
    "back\\slash",
)


class LineTest(unittest.TestCase):
    """What a line looks like."""

    def lines(self, form: str, value: str) -> list[str]:
        """Log one event with ``value`` in it; return what was written, split in every way."""
        stream = io.StringIO()
        EventLog(form, stream=stream).info("event", name=value)
        return stream.getvalue().splitlines()

    def test_s53_foreign_text_stays_on_its_line_and_shows_what_it_is(self) -> None:
        for form in ("text", "json"):
            for value in FOREIGN:
                with self.subTest(form=form, value=value):
                    (line,) = self.lines(form, value)
                    self.assertTrue(all(" " <= sign <= "~" for sign in line), line)

    def test_s53_a_value_cannot_pretend_to_be_another_field(self) -> None:
        (line,) = self.lines("text", 'a" b="c')
        self.assertTrue(line.endswith(' name="a\\" b=\\"c"'), line)

    def test_s53_json_reads_back(self) -> None:
        for value in FOREIGN[:-3]:
            self.assertEqual(json.loads(self.lines("json", value)[0])["name"], value)

    def test_s53_long_values_are_cut(self) -> None:
        for form in ("text", "json"):
            self.assertLess(len(self.lines(form, "x" * 10_000)[0]), LONGEST + 120)

    def test_addresses_can_be_cut_to_their_network(self) -> None:
        stream = io.StringIO()
        EventLog("text", addresses="network", stream=stream).info("x", address="192.0.2.7:50")
        self.assertIn('address="192.0.2.0/24"', stream.getvalue())

    def test_s55_what_repeats_is_told_once_and_counted(self) -> None:
        stream, now = io.StringIO(), [0.0]
        log = EventLog("text", stream=stream)
        log._repeats = Repeats(lambda: now[0])
        for number in range(100_000):
            log.warning("refused sender", user=f"user{number % 3}", claimed="x" * 50)
        self.assertEqual(len(stream.getvalue().splitlines()), 3)
        now[0] = 61
        log.sum_up()
        told = stream.getvalue().splitlines()[3:]
        self.assertEqual(len(told), 3)
        self.assertIn('user="user0" repeated=33333', told[0])
        log.warning("refused sender", user="user0")
        self.assertEqual(len(stream.getvalue().splitlines()), 7)

    def test_s55_a_million_names_do_not_fill_the_log_or_the_memory(self) -> None:
        stream = io.StringIO()
        log = EventLog("text", stream=stream)
        for number in range(10_000):
            log.warning("wrong password", user=f"user{number}")
            log.failure("request", ValueError(), incident="x")
        self.assertLessEqual(len(stream.getvalue().splitlines()), CAUSES + 11)
        self.assertLessEqual(len(log._repeats._counts), CAUSES + 2)

    def test_levels_below_the_chosen_one_are_left_out(self) -> None:
        stream = io.StringIO()
        log = EventLog("text", "warning", stream=stream)
        log.info("no")
        log.debug("no")
        log.warning("yes")
        self.assertEqual(len(stream.getvalue().splitlines()), 1)

    def test_a_log_that_cannot_be_written_is_no_reason_to_fail(self) -> None:
        stream = mock.Mock()
        stream.write.side_effect = OSError("no space left on device")
        EventLog("text", stream=stream).info("event")


class SecretTest(OfficeTest):
    """Canaries in every field, at the level that tells most."""

    def test_s54_no_secret_and_no_content_is_ever_logged(self) -> None:
        root = io.StringIO()
        handler = logging.StreamHandler(root)
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)
        self.addCleanup(logging.getLogger().setLevel, logging.getLogger().level)
        logging.getLogger().setLevel(logging.DEBUG)
        self.live()
        written = self.log.getvalue() + root.getvalue()
        self.assertIn("registered", written)
        self.assertIn("RuntimeError", written)
        for canary in (PASSWORD, OTHER, "CANARY"):
            self.assertNotIn(canary, written)

    def live(self) -> None:
        """Do everything once, rightly and wrongly, with canaries in all that is private."""
        alice, _ = self.friends()
        phone = self.device("bob")
        for frame in (
            ("0", "alice", "CANARY-body", "bob", "r"),
            ("0", "alice", "CANARY-body", "nobody", "r"),
            ("12", "alice", "CANARY-signal", "bob"),
            ("6", "alice", "CANARY-key"),
            ("11", "put", "0", "CANARY-vault"),
            ("11", "put", "7", "CANARY-vault"),
            ("3", "alice", OTHER, PASSWORD, "CANARY-vault"),
            ("2", "carol", PASSWORD, "CANARY-invite"),
            ("0", "mallory", "CANARY-body", "bob"),
            ("77", "CANARY-frame"),
            ("0", "alice", "CANARY\x00", "bob"),
        ):
            alice.say(*frame)
        phone.say("6", "bob", "CANARY-key", device_of(phone), "CANARY-bundle")
        phone.say("10", "upload", device_of(phone), '["CANARY-one-time"]')
        self.visitor().say("1", "alice", OTHER)
        self.visitor().say("CANARY-garbage")
        problem = RuntimeError("CANARY in a foreign message")
        with mock.patch.object(directory, "_user", side_effect=problem):
            alice.say("4", "alice", "bob")
        with mock.patch.object(self.office.store.mail, "store", side_effect=problem):
            alice.say("0", "alice", "CANARY-body", "bob")


class SecurityEventTest(OfficeTest):
    """What must be found in the log afterwards (S56)."""

    limits = Limits(log_ins_account=Rate(3, 600), sends=Rate(1, 600), excess=Rate(1, 600))

    def test_s56_each_security_event_is_there_with_its_time_and_connection(self) -> None:
        self.friends()
        self.visitor().ask("1", "alice", OTHER)
        phone, tablet = self.device("alice"), self.device("alice")
        self.visitor().ask("1", "alice", OTHER)
        phone.ask("6", "alice", "KEY", device_of(phone), "BUNDLE")
        phone.ask("8", "revoke", device_of(tablet))
        phone.ask("3", "alice", PASSWORD, OTHER)
        bob = self.device("bob")
        bob.ask("0", "mallory", "hi", "alice")
        for number in range(3):
            bob.ask("0", "bob", "hi", "alice", f"r{number}")
        self.user("carol").ask("14", "carol", PASSWORD)
        self.office.store.accounts.disable("alice", now_ms())
        self.office.clerk.round()
        lines = self.log.getvalue().splitlines()
        for event, about in (
            ("INFO registered", 'user="alice"'),
            ("INFO log-in", 'user="bob"'),
            ("WARNING wrong password", 'user="alice"'),
            ("INFO device added", device_of(phone)),
            ("INFO device removed", 'user="alice"'),
            ("INFO key published", 'user="alice"'),
            ("INFO password changed", 'user="alice"'),
            ("WARNING rate limited", 'user="alice"'),
            ("WARNING rate limited", 'user="bob"'),
            ("WARNING flooded", 'user="bob"'),
            ("WARNING refused sender", 'claimed="mallory"'),
            ("INFO account deleted", 'user="carol"'),
            ("INFO expelled", 'reason="disabled"'),
        ):
            with self.subTest(event=event, about=about):
                found = [line for line in lines if f" {event} " in line and about in line]
                self.assertTrue(found, lines)
                self.assertRegex(found[0], r"\A20\d\d-\d\d-\d\dT[\d:.]+\+00:00 ")
                self.assertIn("connection=", found[0])


class LifeEventTest(ServerTest):
    """The same of the server itself."""

    def test_s56_start_stop_and_a_new_certificate_are_there(self) -> None:
        self.post_office.reload()
        self.post_office.stop()
        self.post_office._lock = lock_folder(self.folder)  # which the end of the test gives back
        for event in ("started", "certificate reloaded", "stopped"):
            self.assertIn(f" INFO {event}", self.log.getvalue())


if __name__ == "__main__":
    unittest.main()
