"""Who is speaking, and what may be said."""

from __future__ import annotations

import time
import unittest
from dataclasses import replace
from unittest import mock

from bpost.errors import StoreError
from bpost.limits import Limits, Rate
from bpost.protocol import requests
from bpost.protocol.codes import SEPARATOR
from bpost.protocol.frames import REQUEST_TABLE
from bpost.protocol.shape import Request
from bpost.server import directory
from bpost.server.rules import RULES
from tests.server.parts import OTHER, PASSWORD, OfficeTest, device_of, reason

DEVICE = "a" * 16

# A good example of each request, as alice would make it.
EXAMPLES: dict[type[Request], Request] = {
    requests.Send: requests.Send("alice", "hello", "bob", "r1"),
    requests.LogIn: requests.LogIn("alice", PASSWORD),
    requests.Register: requests.Register("alice", PASSWORD),
    requests.ChangePassword: requests.ChangePassword("alice", PASSWORD, OTHER),
    requests.AddContact: requests.AddContact("alice", "carol"),
    requests.Acknowledge: requests.Acknowledge(1),
    requests.PutKey: requests.PutKey("alice", "KEY"),
    requests.GetBundles: requests.GetBundles("alice", "bob"),
    requests.ListDevices: requests.ListDevices(),
    requests.NameDevice: requests.NameDevice(DEVICE, "name"),
    requests.RevokeDevice: requests.RevokeDevice(DEVICE),
    requests.ListContacts: requests.ListContacts(),
    requests.RemoveContact: requests.RemoveContact("bob"),
    requests.BlockContact: requests.BlockContact("bob"),
    requests.UnblockContact: requests.UnblockContact("bob"),
    requests.UploadKeys: requests.UploadKeys(DEVICE, ("k1",)),
    requests.CountKeys: requests.CountKeys(DEVICE),
    requests.GetVault: requests.GetVault(),
    requests.PutVault: requests.PutVault(0, "vault"),
    requests.Signal: requests.Signal("alice", "typing", "bob"),
    requests.BeginBlob: requests.BeginBlob(1, "A" * 43),
    requests.PutChunk: requests.PutChunk("a" * 16, 0, b"x"),
    requests.GetChunk: requests.GetChunk("a" * 16, 0),
    requests.DeleteAccount: requests.DeleteAccount("alice", PASSWORD),
    requests.GetLinks: requests.GetLinks(0),
    requests.GetEntries: requests.GetEntries("bob", 0),
}
SILENT = (requests.Acknowledge, requests.Signal)
ENTRANCES = (requests.LogIn, requests.Register)


class TablesTest(unittest.TestCase):
    """That the tables are whole."""

    def test_every_request_has_a_rule_and_an_example(self) -> None:
        self.assertEqual(set(RULES), set(REQUEST_TABLE.values()))
        self.assertEqual(set(EXAMPLES), set(REQUEST_TABLE.values()))


class FloodTest(OfficeTest):
    """Who does not stop when told is out; who is in a hurry is not (S26)."""

    limits = replace(
        Limits(),
        sends=Rate(1, 60, burst=200),
        requests=Rate(1, 60, burst=20),
        excess=Rate(1, 60, burst=50),
    )

    def test_s26_a_stranger_over_the_rate_is_out_whatever_he_says(self) -> None:
        for frame in (("5", "OK", "1"), ("0", "zed", "x", "zed"), ("9", "list"), ("1", "?", "?")):
            with self.subTest(frame=frame):
                stranger = self.visitor()
                for _ in range(20):
                    stranger.say(*frame)
                self.assertIsNone(stranger.wire.ended)
                stranger.say(*frame)
                self.assertEqual(stranger.wire.ended, (1008, "rate-limited"))

    def test_s26_a_flood_of_each_frame_is_ended_and_a_neighbour_goes_on(self) -> None:
        self.friends()
        flooding, beside = device_of(self.device("alice")), device_of(self.device("bob"))
        floods = {
            **EXAMPLES,
            requests.ChangePassword: requests.ChangePassword("alice", OTHER, OTHER),
            requests.DeleteAccount: requests.DeleteAccount("alice", OTHER),
        }
        for cls, request in floods.items():
            with self.subTest(request=cls.__name__):
                alice, frame, said = self.device("alice", flooding), request.text(), 0
                while alice.wire.ended is None and said < 400:
                    alice.session.hear(frame)
                    said += 1
                self.assertEqual(alice.wire.ended, (1008, "rate-limited"))
                bob = self.device("bob", beside)
                self.assertEqual(bob.ask("9", "list")[:2], ["9", "OK"])

    def test_s26_acknowledging_the_same_for_ever_ends_the_connection(self) -> None:
        _, bob = self.friends()
        for number in range(60):
            bob.ask("0", "bob", "hello", "alice", f"r{number}")
        phone = self.device("alice")
        for number in range(60):
            bob.ask("0", "bob", "hello", "alice", f"s{number}")
            phone.ask("5", "OK", str(60 + number + 1))
        self.assertIsNone(phone.wire.ended)
        for _ in range(51):
            phone.say("5", "OK", "3")
        self.assertEqual(phone.wire.ended, (1008, "rate-limited"))

    def test_s26_who_sends_on_although_refused_is_out_at_last(self) -> None:
        alice, _ = self.friends()
        answers = [reason(alice.ask("0", "alice", "x", "bob")) for _ in range(240)]
        self.assertEqual(set(answers), {"", "rate-limited"})
        self.assertIsNone(alice.wire.ended)
        for _ in range(60):
            alice.say("0", "alice", "x", "bob")
        self.assertEqual(alice.wire.ended, (1008, "rate-limited"))


class ClaimTest(OfficeTest):
    """A name in a frame is a claim, never a credential (S12)."""

    def test_s12_a_frame_in_another_name_is_refused_and_changes_nothing(self) -> None:
        self.friends()
        mallory = self.user("mallory")
        mallory.ask("4", "mallory", "bob")
        before = self.dump()
        for cls, request in EXAMPLES.items():
            if request.claimed is None or cls in ENTRANCES:
                continue
            with self.subTest(request=cls.__name__):
                frames = mallory.say(*request.text().split(SEPARATOR))
                answers = [reason(frame) for frame in frames]
                self.assertEqual(answers, [] if cls in SILENT else ["not-you"])
                self.assertEqual(self.dump(), before)
        self.assertIn("refused sender", self.log.getvalue())

    def test_s12_another_user_gets_nothing_from_a_false_sender(self) -> None:
        _, bob = self.friends()
        mallory = self.user("mallory")
        mallory.ask("4", "mallory", "bob")
        bob.ask("4", "bob", "mallory")
        for frame in (("0", "alice", "hi", "bob"), ("12", "alice", "hi", "bob")):
            mallory.say(*frame)
        self.assertEqual(bob.heard(), [])

    def test_s12_the_sender_is_shown_as_registered_whatever_the_frame_says(self) -> None:
        _, bob = self.friends()
        alice = self.device("alice")
        alice.ask("0", "ALICE", "hi", "BOB", "r")
        self.assertEqual(bob.heard(), [["5", "hi", "alice"]])

    def test_s12_keys_of_another_device_cannot_be_touched(self) -> None:
        self.friends()
        one, two = self.device("alice"), self.device("alice")
        other = device_of(two)
        one.ask("6", "alice", "K", device_of(one), "bundle")
        before = self.dump()
        for frame in (
            ("6", "alice", "K", other, "bundle"),
            ("10", "upload", other, '["k"]'),
            ("10", "count", other),
        ):
            with self.subTest(frame=frame):
                self.assertEqual(reason(one.ask(*frame)), "no-such-device")
        self.assertEqual(self.dump(), before)


class OrderTest(OfficeTest):
    """What may be said when, and what rights say (S13)."""

    def test_s13_before_log_in_only_entering_is_answered(self) -> None:
        self.friends()
        before = self.dump()
        for cls, request in EXAMPLES.items():
            if cls in ENTRANCES:
                continue
            with self.subTest(request=cls.__name__):
                frames = self.visitor().say(*request.text().split(SEPARATOR))
                answers = [reason(frame) for frame in frames]
                self.assertEqual(answers, [] if cls in SILENT else ["not-logged-in"])
                self.assertEqual(self.dump(), before)

    def test_s13_after_a_failed_log_in_nothing_is_open(self) -> None:
        self.friends()
        visitor = self.visitor()
        visitor.ask("1", "alice", OTHER)
        self.assertEqual(reason(visitor.ask("9", "list")), "not-logged-in")

    def test_s13_rights_are_checked_for_each_action(self) -> None:
        alice, bob = self.friends()
        self.user("carol")
        for frame, expected in (
            (("0", "alice", "hi", "carol"), "not-a-contact"),
            (("0", "alice", "hi", "nobody"), "not-a-contact"),
            (("7", "alice", "carol"), "not-a-contact"),
            (("8", "revoke", DEVICE), "no-such-device"),
            (("8", "name", DEVICE, "x"), "no-such-device"),
            (("9", "remove", "nobody"), "no-such-user"),
            (("13", "get", "a" * 16, "0"), "bad-frame"),
        ):
            with self.subTest(frame=frame):
                self.assertEqual(reason(alice.ask(*frame)), expected)
        alice.ask("9", "remove", "bob")
        self.assertEqual(reason(alice.ask("0", "alice", "hi", "bob")), "not-a-contact")
        self.assertEqual(bob.heard(), [])

    def test_s13_a_device_of_another_user_is_none_of_mine(self) -> None:
        self.friends()
        alice, bob = self.device("alice"), self.device("bob")
        self.assertEqual(reason(alice.ask("8", "revoke", device_of(bob))), "no-such-device")
        answer = self.visitor().ask("1", "alice", PASSWORD, device_of(bob))
        self.assertEqual(reason(answer), "no-such-device")

    def test_another_name_cannot_log_in_on_the_same_connection(self) -> None:
        alice, _ = self.friends()
        self.assertEqual(reason(alice.ask("1", "bob", PASSWORD)), "not-you")
        self.assertEqual(reason(alice.ask("2", "dave", PASSWORD)), "not-you")


class FieldTest(OfficeTest):
    """No field can put on another one's clothes (S14)."""

    def test_s14_separators_and_controls_never_get_through(self) -> None:
        alice, bob = self.friends()
        for bad in ("\x1f", "\x1f\x1f", "a\x1fb", "\x00", "\x1e", "\x0b", "\r"):
            with self.subTest(bad=bad):
                for fields in (("hi" + bad, "bob"), ("hi", bad + "bob"), (bad + "hi", "bob")):
                    self.assertEqual(alice.ask("0", "alice", *fields)[1], "Error")
                self.assertEqual(alice.ask("4", "alice", bad + "bob")[1], "Error")
        self.assertEqual(bob.heard(), [])

    def test_s14_a_body_cannot_become_a_sender(self) -> None:
        alice, bob = self.friends()
        answer = alice.ask("0", "alice", "hi\x1fmallory", "bob")
        self.assertEqual(answer[1], "Error")
        self.assertEqual(bob.heard(), [])

    def test_s14_too_few_and_far_too_many_fields_are_refused(self) -> None:
        alice, bob = self.friends()
        before = self.dump()
        for frame in (("0",), ("0", "alice"), ("0", "alice", "hi"), ("4", "alice"), ("8", "name")):
            with self.subTest(frame=frame):
                self.assertEqual(alice.ask(*frame)[1], "Error")
        self.assertEqual(alice.ask("0", "alice", "hi", "bob", *["x"] * 10_000)[1], "Error")
        self.assertEqual((self.dump(), bob.heard()), (before, []))

    def test_fields_beyond_those_known_are_ignored(self) -> None:
        alice, bob = self.friends()
        answer = alice.ask("0", "alice", "hi", "bob", "r1", "more")
        self.assertEqual(answer[:4], ["0", "WillBeSent", "bob", "r1"])
        self.assertEqual(bob.heard(), [["5", "hi", "alice"]])

    def test_a_password_that_is_no_key_is_a_bad_field(self) -> None:
        for word in ("hunter2", "", "A" * 42, "A" * 44, "A" * 42 + "+", "A" * 42 + "="):
            with self.subTest(word=word):
                self.assertEqual(reason(self.visitor().ask("2", "alice", word)), "bad-field")

    def test_a_message_over_the_limit_is_too_large(self) -> None:
        alice, bob = self.friends()
        answer = alice.ask("0", "alice", "é" * 100_000, "bob", "r9")
        self.assertEqual((answer[3], reason(answer)), ("r9", "too-large"))
        self.assertEqual(bob.heard(), [])


class NonsenseTest(OfficeTest):
    """What is no frame at all (S59)."""

    def test_s59_errors_say_a_reason_and_a_sentence_and_nothing_of_the_inside(self) -> None:
        alice, _ = self.friends()
        with mock.patch.object(directory, "_user", side_effect=RuntimeError("SELECT /secret/x")):
            answer = alice.ask("4", "alice", "bob")
        self.assertEqual(answer[:3], ["4", "Error", "internal"])
        self.assertNotIn("SELECT", "".join(answer))
        self.assertNotIn("Traceback", "".join(answer))
        name = answer[3].split()[-1].rstrip(".")
        self.assertIn(name, self.log.getvalue())
        self.assertEqual(alice.ask("9", "list")[:2], ["9", "OK"])

    def test_s59_a_store_that_fails_is_busy_and_tells_no_path(self) -> None:
        alice, bob = self.friends()
        self.office.store.close()
        with mock.patch.object(self.office.store, "_connected", side_effect=_storage_failure()):
            for frame in (("4", "alice", "bob"), ("0", "alice", "hi", "bob"), ("9", "list")):
                with self.subTest(frame=frame):
                    answer = alice.ask(*frame)
                    self.assertEqual(reason(answer), "busy")
                    self.assertNotIn("/", "".join(answer))
        self.assertEqual(bob.heard(), [])
        self.assertEqual(alice.ask("0", "alice", "hi", "bob"), ["0", "WillBeSent", "bob"])

    def test_s59_a_number_that_is_no_code_is_answered_under_that_number(self) -> None:
        alice, _ = self.friends()
        for number in ("16", "77", "98", "999"):
            with self.subTest(number):
                self.assertEqual(alice.ask(number, "x")[:3], [number, "Error", "bad-frame"])
        self.assertTrue(alice.wire.open)

    def test_s59_what_has_no_number_ends_the_connection_with_a_reason(self) -> None:
        for text in ("", "hello", "\x1f", "-1\x1fx", "١\x1fx", "{}"):
            with self.subTest(text=text):
                visitor = self.visitor()
                frames = visitor.say(text)
                self.assertEqual([frame[:1] for frame in frames], [["99"]])
                self.assertFalse(visitor.wire.open)


class FormTest(OfficeTest):
    """Answers have the form of their questions."""

    def test_the_original_forms_get_the_original_forms(self) -> None:
        alice, bob = self.friends()
        self.assertEqual(alice.ask("6", "alice", "KEY"), ["6", "OK"])
        self.assertEqual(bob.ask("4", "bob", "alice"), ["4", "OK", "KEY"])
        self.assertEqual(alice.ask("0", "alice", "hi", "bob"), ["0", "WillBeSent", "bob"])
        self.assertEqual(bob.heard(), [["5", "hi", "alice"]])
        self.assertEqual(self.visitor().ask("1", "alice", PASSWORD), ["1", "OK"])

    def test_a_device_gets_the_full_forms(self) -> None:
        alice, _ = self.friends()
        before = int(time.time() * 1000)
        phone = self.device("bob")
        alice.ask("0", "alice", "hi", "bob")
        (frame,) = phone.heard()
        self.assertEqual(frame[:4], ["5", "hi", "alice", "1"])
        self.assertGreaterEqual(int(frame[4]), before)
        self.assertEqual(phone.ask("4", "bob", "ALICE"), ["4", "OK", "", "alice"])

    def test_log_in_tells_a_device_its_id_the_time_and_the_limits(self) -> None:
        self.user("alice")
        answer = self.visitor().ask("1", "alice", PASSWORD, "new")
        self.assertEqual((len(answer[2]), answer[4][0]), (16, "{"))
        self.assertIn('"message":196608', answer[4])

    def test_whoever_comes_is_told_what_is_wrong_with_the_name(self) -> None:
        alice, _ = self.friends()
        answer = alice.ask("4", "alice", "nobody")
        self.assertEqual((answer[:3], answer[4]), (["4", "Error", "no-such-user"], "nobody"))


def _storage_failure() -> Exception:
    return StoreError("The database /var/lib/x/bpost.db cannot be used (disk I/O error).")


if __name__ == "__main__":
    unittest.main()
