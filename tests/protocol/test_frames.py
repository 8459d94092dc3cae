from __future__ import annotations

import threading
import unittest
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost.errors import FrameError, UsageError
from bpost.limits import Limits
from bpost.protocol.codes import SEPARATOR, Code, Reason
from bpost.protocol.frames import (
    REPLY_TABLE,
    REQUEST_TABLE,
    answer_to,
    parse_reply,
    parse_request,
)
from bpost.protocol.replies import (
    ContactRecord,
    ContactRecords,
    Delivery,
    LoggedIn,
    Refusal,
    SendAccepted,
    SendRefused,
)
from bpost.protocol.requests import (
    AddContact,
    ChangePassword,
    LogIn,
    PutChunk,
    PutKey,
    Register,
    Send,
    UploadKeys,
)
from bpost.protocol.shape import Frame, Request, slots
from tests.protocol import strategies
from tests.protocol.nasty import NASTY_BY_NAME
from tests.support import patience

KEY = "A" * 43


def frame(*parts: str) -> str:
    """Join parts as a plain client does."""
    return SEPARATOR.join(parts)


def parse(text: str, cls: type[Frame]) -> Frame:
    """Read ``text`` in the direction that frames of ``cls`` travel."""
    return parse_request(text) if issubclass(cls, Request) else parse_reply(text)


class RoundTripTest(unittest.TestCase):
    lasts = 10

    @settings(max_examples=400, deadline=None)
    @given(strategies.frames)
    def test_every_frame_survives_writing_and_reading(self, original: Frame) -> None:
        text = original.text()
        self.assertEqual(original.spelled(), text)
        self.assertEqual(parse(text, type(original)), original)
        self.assertEqual(parse(text, type(original)).text(), text)

    def test_every_class_is_written_and_read(self) -> None:
        for cls in (*strategies.FRAMES, Refusal):
            with self.subTest(cls=cls.__name__):
                self.check_one_class(cls)

    def check_one_class(self, cls: type[Frame]) -> None:
        @settings(max_examples=5, deadline=None, database=None)
        @given(strategies.frames_of(cls))
        def check(original: Frame) -> None:
            self.assertEqual(parse(original.text(), cls), original)

        check()

    @settings(max_examples=400, deadline=None)
    @given(
        st.text()
        | strategies.near_frames
        | strategies.altered(strategies.frames.map(lambda found: found.text()))
    )
    def test_any_text_is_a_frame_in_one_spelling_or_a_frame_error(self, text: str) -> None:
        for read in (parse_request, parse_reply):
            try:
                again = read(text).text()
            except FrameError:
                continue
            self.assertTrue(text == again or text.startswith(again + SEPARATOR), (text, again))

    def test_nasty_texts_are_frames_or_frame_errors_wherever_they_stand(self) -> None:
        for name, nasty in NASTY_BY_NAME.items():
            for code in Code:
                for place in range(1, 5):
                    parts = [str(int(code)), "alice", KEY, "bob", "1"]
                    parts[place] = nasty
                    with self.subTest(nasty=name, code=code, place=place):
                        self.check_text(frame(*parts))

    def check_text(self, text: str) -> None:
        for read in (parse_request, parse_reply):
            try:
                self.assertTrue((text + SEPARATOR).startswith(read(text).text() + SEPARATOR))
            except FrameError as error:
                self.assertIn(error.reason, vars(Reason).values())


class StrictnessTest(unittest.TestCase):
    def refuse(self, text: str, reason: str) -> FrameError:
        with self.assertRaises(FrameError) as caught:
            parse_request(text)
        self.assertEqual(caught.exception.reason, reason, caught.exception)
        return caught.exception

    def test_a_code_has_one_spelling(self) -> None:
        for code in ("00", "+0", " 0", "0 ", "-0", "0x0", "٠", "", "16", "98", "100", "Send"):
            with self.subTest(code=code):
                error = self.refuse(frame(code, "alice", "hi", "bob"), "bad-frame")
                self.assertIsNone(error.code)

    def test_a_number_has_one_spelling(self) -> None:
        for seq in ("01", "+1", " 1", "1_0", "1.0", "1e3", "-1", "", "٣", "²", "0x1", str(1 << 63)):
            with self.subTest(seq=seq):
                self.refuse(frame("5", "OK", seq), "bad-field")
        self.assertEqual(
            parse_request(frame("5", "OK", str((1 << 63) - 1))).text()[5:], str(2**63 - 1)
        )

    def test_a_missing_field_is_a_bad_frame(self) -> None:
        classes: tuple[type[Frame], ...] = (*strategies.FRAMES, Refusal)
        for cls in classes:
            needed = [slot for slot in slots(cls) if not slot.optional]
            head = (*(cls.head or ("1", "Error")), *["x"] * (len(needed) - 1))
            table = REQUEST_TABLE if issubclass(cls, Request) else REPLY_TABLE
            if needed and tuple(head) not in table:
                with self.subTest(cls=cls.__name__), self.assertRaises(FrameError) as caught:
                    parse(frame(*head), cls)
                self.assertEqual(caught.exception.reason, "bad-frame")

    def test_fields_beyond_those_known_are_passed_over(self) -> None:
        sent = parse_request(frame("0", "alice", "hi", "bob", "r1", "later", "", "more"))
        self.assertEqual(sent, Send("alice", "hi", "bob", "r1"))
        self.assertEqual(parse_reply(frame("1", "Error", "", "", "x", "y")), Refusal(Code.LOG_IN))

    def test_a_frame_does_not_end_in_an_empty_optional_field(self) -> None:
        for text in (frame("0", "alice", "hi", "bob", ""), frame("1", "alice", KEY, "")):
            self.refuse(text, "bad-field")

    def test_an_absent_field_before_a_present_one_is_empty(self) -> None:
        accepted = SendAccepted("bob", None, 7, 8)
        self.assertEqual(accepted.text(), frame("0", "WillBeSent", "bob", "", "7", "8"))
        self.assertEqual(parse_reply(accepted.text()), accepted)
        self.assertEqual(LoggedIn(None, 5).text(), frame("1", "OK", "", "5"))

    def test_sizes_are_counted_in_bytes_of_utf_8(self) -> None:
        limits = Limits(message=30, frame=100)
        for body, fits in (
            ("x" * 30, True),
            ("x" * 31, False),
            ("é" * 15, True),
            ("é" * 16, False),
            ("😀" * 7, True),
            ("😀" * 8, False),
        ):
            with self.subTest(body=body):
                text = frame("0", "alice", body, "bob", "r")
                if fits:
                    self.assertEqual(parse_request(text, limits).text(), text)
                else:
                    with self.assertRaises(FrameError) as caught:
                        parse_request(text, limits)
                    self.assertEqual(caught.exception.reason, "too-large")

    def test_a_frame_over_its_limit_is_too_large(self) -> None:
        limits = Limits(message=1000, frame=50)
        with self.assertRaises(FrameError) as caught:
            parse_request(frame("0", "alice", "é" * 20, "bob", "r1"), limits)
        error = caught.exception
        self.assertEqual((error.reason, error.code), ("too-large", 0))
        self.assertEqual((error.subject, error.ref), ("bob", "r1"))

    def test_a_password_that_was_not_hashed_is_refused_with_the_remedy(self) -> None:
        for password in ("hunter2", "A" * 42, "A" * 44, "A" * 42 + "é", "A" * 43 + "=", ""):
            for text in (
                frame("1", "alice", password),
                frame("2", "alice", password),
                frame("3", "alice", KEY, password),
                frame("14", "alice", password),
            ):
                with self.subTest(text=text):
                    error = self.refuse(text, "bad-field")
                    self.assertNotIn("hunter2", str(error))
        self.assertIn(
            "turned into its log-in key", str(self.refuse(frame("1", "al", "x"), "bad-field"))
        )

    def test_a_device_and_its_bundle_come_together(self) -> None:
        self.refuse(frame("6", "alice", "key", "a" * 16), "bad-frame")
        self.refuse(frame("6", "alice", "key", "", "bundle"), "bad-frame")
        with self.assertRaises(UsageError):
            PutKey("alice", "key", "a" * 16).text()

    def test_no_device_and_no_contact_is_listed_twice(self) -> None:
        twice = (ContactRecord("bob"), ContactRecord("bob", True))
        with self.assertRaises(UsageError):
            ContactRecords(twice).text()
        self.refuse(frame("7", "alice", "bob", ",".join(["a" * 16] * 2)), "bad-field")

    def test_more_keys_than_allowed_are_too_large(self) -> None:
        keys = tuple(str(number) for number in range(101))
        self.refuse(UploadKeys("a" * 16, keys).text(), "too-large")

    def test_deep_json_does_not_overflow_a_small_stack(self) -> None:
        text = frame("10", "upload", "a" * 16, "[" * 200_000)
        reasons: list[str] = []
        before = threading.stack_size(256 * 1024)
        try:
            thread = threading.Thread(
                target=lambda: reasons.append(self.refuse(text, "bad-field").reason)
            )
            thread.start()
        finally:
            threading.stack_size(before)
        thread.join(patience(20))
        self.assertEqual(reasons, ["bad-field"])


class InjectionTest(unittest.TestCase):
    """S14: no field can become two, and no field can change its neighbour."""

    FORBIDDEN = ("\x1f", "\x1f\x1f", "\0", "\x1e", "\x1b", "\r", "\x08", "\ud800", "\udfff")
    STRUCTURAL = ("\x7f", "\x80", "\x85", "\x9f", "\u2028", "\u2029")

    def places(self) -> list[tuple[Frame, str, bool]]:
        """Return a frame, the name of one of its text fields, and whether people write in it."""
        found = []
        for example in EXAMPLES:
            for slot in slots(type(example)):
                if isinstance(getattr(example, slot.name), str):
                    found.append((example, slot.name, slot.name == "body"))
        return found

    def test_s14_no_field_is_sent_with_a_separator_or_control_character(self) -> None:
        for example, name, free in self.places():
            for bad in self.FORBIDDEN + (() if free else self.STRUCTURAL):
                value = getattr(example, name)
                for text in (bad + value, value + bad, value[:1] + bad + value[1:]):
                    with self.subTest(frame=type(example).__name__, field=name, text=text):
                        with self.assertRaises(UsageError):
                            replace(example, **{name: text}).text()

    def test_s14_no_field_arrives_with_a_control_character(self) -> None:
        for example, name, free in self.places():
            text = example.text()
            value = getattr(example, name)
            for bad in self.FORBIDDEN[2:] + (() if free else self.STRUCTURAL):
                with self.subTest(frame=type(example).__name__, field=name, bad=bad):
                    with self.assertRaises(FrameError) as caught:
                        parse(text.replace(value, value + bad), type(example))
                    self.assertEqual(caught.exception.reason, "bad-field")

    def test_s14_not_even_a_field_that_is_passed_over_holds_one(self) -> None:
        for bad in self.FORBIDDEN[2:]:
            with self.subTest(bad=bad), self.assertRaises(FrameError):
                parse_request(Send("alice", "hi", "bob", "r1").text() + SEPARATOR + bad)

    def test_s14_a_separator_divides_fields_wherever_it_stands(self) -> None:
        for example in EXAMPLES:
            text = example.text()
            for place in range(len(text) + 1):
                with self.subTest(frame=type(example).__name__, place=place):
                    self.check_separator(example, text[:place] + SEPARATOR + text[place:])

    def check_separator(self, example: Frame, text: str) -> None:
        try:
            found = parse(text, type(example))
        except FrameError:
            return
        self.assertTrue(text.startswith(found.text()))
        self.assertEqual(
            found.text().split(SEPARATOR),
            text.split(SEPARATOR)[: found.text().count(SEPARATOR) + 1],
        )

    def test_s14_too_few_and_far_too_many_fields_are_refused(self) -> None:
        parts = Send("alice", "hi", "bob").text().split(SEPARATOR)
        for text in (
            frame(*parts[:-1]),
            frame(*parts, *["x"] * 10_000),
            frame(*parts, *["x"] * 13),
        ):
            with self.subTest(size=len(text)), self.assertRaises(FrameError) as caught:
                parse_request(text)
            self.assertEqual(caught.exception.reason, "bad-frame")

    def test_s14_people_may_write_anything_else_in_a_message(self) -> None:
        body = "tab\tnewline\n\x7f\x85\u2028\u2029\u202e é 😀 \ufeff"
        self.assertEqual(parse_reply(Delivery(body, "alice").text()), Delivery(body, "alice"))


class SecretsTest(unittest.TestCase):
    def test_repr_hides_passwords_bodies_and_vaults(self) -> None:
        secret = "S" * 42 + "A"
        for shown in (
            LogIn("alice", secret),
            Register("alice", secret, secret),
            ChangePassword("alice", secret, secret, secret),
            Send("alice", secret, "bob"),
            Delivery(secret, "bob"),
            PutChunk("b" * 16, 0, secret.encode()),
        ):
            with self.subTest(frame=type(shown).__name__):
                self.assertNotIn(secret, repr(shown))


class AnswerTest(unittest.TestCase):
    def answer(self, *parts: str) -> Frame | None:
        with self.assertRaises(FrameError) as caught:
            parse_request(frame(*parts))
        return answer_to(caught.exception)

    def test_a_bad_send_is_refused_with_the_ref_and_recipient_it_named(self) -> None:
        answer = self.answer("0", "no name", "hi", "bob", "r1")
        assert isinstance(answer, SendRefused)
        self.assertEqual((answer.to, answer.ref, answer.reason), ("bob", "r1", "bad-field"))
        self.assertEqual(parse_reply(answer.text()), answer)

    def test_a_bad_send_without_recipient_is_refused_all_the_same(self) -> None:
        answer = self.answer("0", "alice", "hi")
        assert isinstance(answer, SendRefused)
        self.assertEqual(parse_reply(answer.text()), answer)

    def test_a_bad_request_is_refused_with_its_code(self) -> None:
        for parts in (("1", "alice", "x"), ("8", "what"), ("11", "put", "x", "y"), ("14", "alice")):
            answer = self.answer(*parts)
            assert isinstance(answer, Refusal)
            self.assertEqual(str(int(answer.code)), parts[0])
            self.assertEqual(parse_reply(answer.text()), answer)

    def test_a_bad_contact_is_named_in_the_refusal(self) -> None:
        answer = self.answer("4", "no name", "bob")
        assert isinstance(answer, Refusal)
        self.assertEqual(answer.subject, "bob")

    def test_acknowledgements_signals_and_unknown_codes_have_no_refusal(self) -> None:
        for parts in (("5", "OK", "x"), ("12", "alice"), ("55", "x"), ("99", "x", "y"), ("",)):
            self.assertIsNone(self.answer(*parts))

    def test_a_message_that_says_error_is_a_message(self) -> None:
        self.assertEqual(parse_reply(frame("5", "Error", "bob")), Delivery("Error", "bob"))
        with self.assertRaises(UsageError):
            Refusal(Code.MESSAGE).text()


EXAMPLES: tuple[Frame, ...] = (
    Send("alice", "hello", "bob", "ref-1"),
    LogIn("alice", KEY, "a" * 16),
    Register("alice", "B" * 42 + "A", "token"),
    AddContact("alice", "bob"),
    PutKey("alice", "public", "a" * 16, "bundle"),
    SendAccepted("bob", "ref-1", 7, 8),
    SendRefused("bob", "ref-1", "not-a-contact", "Add bob first."),
    Delivery("hello", "bob", 7, 8),
    Refusal(Code.ADD_CONTACT, "no-such-user", "There is no such user.", "bob"),
)
