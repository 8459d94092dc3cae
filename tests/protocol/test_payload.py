from __future__ import annotations

import json
import unittest
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost import b64
from bpost.errors import SecurityError, UsageError
from bpost.limits import Limits
from bpost.protocol import canonical_json
from bpost.protocol.envelope import pad
from bpost.protocol.payload import Payload, check_origin, direct_conversation, parse_payload
from tests.protocol import strategies
from tests.protocol.nasty import NASTY_BY_NAME
from tests.protocol.test_envelope import other_spellings

PHONE, LAPTOP, DESK = "phone_of_alice-1", "laptop_of_alice1", "the_desk_of_bob1"
DIGEST = b64.encode(b"\xfb" * 32)
MESSAGE_ID = "01234567-89ab-4def-8123-456789abcdef"

TEXT = Payload(
    type="text",
    id=MESSAGE_ID,
    sender="alice",
    device=PHONE,
    to="bob",
    conversation="direct:alice:bob",
    number=2,
    previous=DIGEST,
    sent=1_700_000_000_000,
    recipients={"alice": (LAPTOP,), "bob": (DESK,)},
    content={"text": "hello"},
)


def spelled(**changes: Any) -> bytes:
    """Return the bytes of TEXT with parts replaced; None takes a part away."""
    value = {**json.loads(TEXT.to_bytes()), **changes}
    kept = {key: part for key, part in value.items() if part is not None}
    return canonical_json.write(kept).encode()


def spelled_loosely(**changes: Any) -> bytes:
    """Return the same for parts that cannot be written canonically."""
    value = {**json.loads(TEXT.to_bytes()), **changes}
    kept = {key: part for key, part in value.items() if part is not None}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True).encode()


def encoded(text: str) -> bytes:
    """Return UTF-8, with halves of surrogate pairs as they come."""
    return text.encode("utf-8", "surrogatepass")


class PayloadTest(unittest.TestCase):
    lasts = 12

    def refuse(self, data: bytes, cause: str = "bad-encoding") -> None:
        with self.assertRaises(SecurityError) as caught:
            parse_payload(data)
        self.assertEqual(caught.exception.cause, cause, caught.exception)

    @settings(max_examples=200, deadline=None)
    @given(strategies.payloads())
    def test_e49_every_payload_survives_writing_and_reading(self, original: Payload) -> None:
        self.assertEqual(parse_payload(original.to_bytes()), original)

    @settings(max_examples=400, deadline=None)
    @given(
        st.binary()
        | st.sampled_from(list(NASTY_BY_NAME.values())).map(encoded)
        | strategies.altered(
            strategies.payloads().map(lambda found: found.to_bytes().decode())
        ).map(encoded)
    )
    def test_e49_any_bytes_are_a_payload_in_one_spelling_or_a_security_error(
        self, data: bytes
    ) -> None:
        try:
            found = parse_payload(data)
        except SecurityError:
            return
        self.assertEqual(found.to_bytes(), data)

    def test_e49_no_part_may_be_missing_or_of_another_type(self) -> None:
        wrong: tuple[Any, ...] = (None, [], {}, 1.5, True, "", -1, [1], {"a": []}, {"bob": [[]]})
        for key in json.loads(TEXT.to_bytes()):
            for value in wrong:
                with self.subTest(key=key, value=value):
                    self.refuse(spelled_loosely(**{key: value}))

    def test_e49_trailing_bytes_and_other_encodings_are_refused(self) -> None:
        data = TEXT.to_bytes()
        for bad in (
            data + b"\n",
            data + b"\0",
            b"\xef\xbb\xbf" + data,
            data + data,
            data[:-1],
            data.decode().encode("utf-16"),
            b"\xff" + data,
            b"",
        ):
            self.refuse(bad)

    def test_usernames_are_canonical_and_devices_sorted(self) -> None:
        wrong: tuple[dict[str, Any], ...] = (
            {"from": "Alice"},
            {"to": "Bob"},
            {"recipients": {"Bob": [DESK]}},
            {"recipients": {"bob": [PHONE, LAPTOP]}},
            {"recipients": {"bob": [DESK, DESK]}},
            {"recipients": {"bob": []}},
            {"recipients": {}},
            {"device": "plain"},
        )
        for changes in wrong:
            with self.subTest(changes=changes):
                self.refuse(spelled(**changes))

    def test_only_the_first_has_nothing_before_it(self) -> None:
        self.refuse(spelled(number=1))
        self.refuse(spelled(previous=""))
        self.refuse(spelled(number=0, previous=""))
        self.assertEqual(parse_payload(spelled(number=1, previous="")).number, 1)

    def test_ends_of_earlier_runs_are_few_rising_and_before_it(self) -> None:
        good = [3, 1 << 23]
        wrong: tuple[Any, ...] = ([], [0], [3, 3], [4, 3], [1 << 24], [True], ["3"], [[3]], {})
        for ends in (*wrong, list(range(1, 10))):
            with self.subTest(ends=ends):
                self.refuse(spelled(number=1 << 24, ends=ends))
        found = parse_payload(spelled(number=1 << 24, ends=good))
        self.assertEqual(found.ends, tuple(good))
        self.assertEqual(parse_payload(found.to_bytes()), found)

    def test_e47_other_spellings_of_a_hash_are_refused(self) -> None:
        for name, other in other_spellings(DIGEST):
            with self.subTest(what=name):
                self.refuse(spelled_loosely(previous=other))

    def test_a_message_id_is_a_uuid_in_lower_case(self) -> None:
        for bad in (
            "",
            "x",
            MESSAGE_ID.upper(),
            "{" + MESSAGE_ID + "}",
            MESSAGE_ID.replace("-", ""),
        ):
            self.refuse(spelled(id=bad))

    def test_a_text_holds_no_control_characters(self) -> None:
        for bad in ("", "a\x1fb", "\0", "\x1b[2J", "\r\n"):
            self.refuse(spelled(text=bad))
        self.assertEqual(parse_payload(spelled(text="tab\t\n😀")).content["text"], "tab\t\n😀")

    def test_a_receipt_names_messages_once_and_says_what_became_of_them(self) -> None:
        receipt = {"type": "receipt", "text": None, "kind": "read", "ids": [MESSAGE_ID]}
        self.assertEqual(parse_payload(spelled(**receipt)).content["ids"], [MESSAGE_ID])
        wrong: tuple[dict[str, Any], ...] = (
            {"kind": "eaten"},
            {"ids": []},
            {"ids": [MESSAGE_ID] * 2},
            {"ids": ["x"]},
            {"ids": "x"},
            {"kind": None},
        )
        for changes in wrong:
            self.refuse(spelled(**{**receipt, **changes}))

    def test_an_unknown_type_keeps_its_content(self) -> None:
        data = spelled(type="hologram", beam={"angle": [1, None, True]})
        found = parse_payload(data)
        self.assertEqual(found.content, {"text": "hello", "beam": {"angle": [1, None, True]}})
        self.assertEqual(found.to_bytes(), data)

    def test_a_known_type_with_more_than_is_known_needs_a_newer_version(self) -> None:
        found = parse_payload(spelled(quote="x"))
        self.assertTrue(found.newer)
        self.assertEqual(
            (found.type, found.means, parse_payload(spelled()).means), ("text", "", "text")
        )
        self.refuse(
            spelled(type="lost", reason="gone", numbers=[], hashes=[], text="x"), "newer-version"
        )
        with self.assertRaises(UsageError):
            replace(TEXT, content={"text": "hi", "quote": "x"}).to_bytes()

    def test_depth_and_size_are_bounded(self) -> None:
        deep: list[Any] = []
        for _ in range(9):
            deep = [deep]
        self.refuse(spelled(type="later", beam=deep))
        with self.assertRaises(SecurityError) as caught:
            parse_payload(TEXT.to_bytes(), Limits(message=99))
        self.assertEqual(caught.exception.cause, "too-large")

    def test_what_could_not_be_read_is_not_written(self) -> None:
        fraction: Any = 1.5
        for bad in (
            replace(TEXT, sender="Alice"),
            replace(TEXT, recipients={}),
            replace(TEXT, number=0),
            replace(TEXT, content={}),
            replace(TEXT, content={"text": "\x1f"}),
            replace(TEXT, content={"text": "\ud800"}),
            replace(TEXT, content={"text": 1}),
            replace(TEXT, type="later", content={"size": fraction}),
            replace(TEXT, type="later", content={"from": "eve"}),
            replace(TEXT, type="later", content={"Key": 1}),
            replace(TEXT, type="Text"),
            replace(TEXT, conversation="bob"),
        ):
            with self.subTest(payload=bad), self.assertRaises(UsageError):
                bad.to_bytes()

    def test_repr_hides_what_was_written(self) -> None:
        self.assertNotIn("hello", repr(TEXT))

    def test_e45_short_messages_receipts_and_empty_payloads_have_one_size(self) -> None:
        padded = {len(pad(spelled(text="x" * length))) for length in range(1, 256)}
        others: tuple[dict[str, Any], ...] = (
            {"type": "receipt", "kind": "read", "ids": [MESSAGE_ID]},
            {"type": "empty"},
            {"type": "reaction", "about": MESSAGE_ID, "sign": "👍"},
            {"type": "edit", "about": MESSAGE_ID, "new": "x" * 99},
        )
        for changes in others:
            padded.add(len(pad(spelled(text=None, **changes))))
        self.assertEqual(padded, {1024})


class OriginTest(unittest.TestCase):
    def origin(self, payload: Payload = TEXT, **changes: Any) -> None:
        """Check a payload as it would arrive at bob's desk, with parts of that changed."""
        honest: dict[str, Any] = {
            "frame_sender": "Alice",
            "envelope_device": PHONE,
            "me": "Bob",
            "my_device": DESK,
            "envelope_devices": [DESK],
        }
        check_origin(payload, **{**honest, **changes})

    def refuse(self, cause: str, payload: Payload = TEXT, **changes: Any) -> None:
        with self.assertRaises(SecurityError) as caught:
            self.origin(payload, **changes)
        self.assertEqual(caught.exception.cause, cause, caught.exception)

    def test_an_honest_message_and_the_copy_for_an_own_device_pass(self) -> None:
        self.origin()
        self.origin(me="alice", my_device=LAPTOP, envelope_devices=[LAPTOP])

    def test_e41_whatever_the_server_changes_outside_is_noticed(self) -> None:
        self.refuse("wrong-sender", frame_sender="mallory")
        self.refuse("wrong-sender", envelope_device=LAPTOP)
        self.refuse("wrong-recipient", envelope_devices=[DESK, LAPTOP])
        self.refuse("wrong-recipient", envelope_devices=[])
        self.refuse("wrong-recipient", me="carol")
        self.refuse("wrong-conversation", replace(TEXT, to="carol"))
        self.refuse("wrong-conversation", replace(TEXT, conversation="direct:alice:carol"))

    def test_e41_a_message_of_two_shows_no_third(self) -> None:
        crowd = replace(TEXT, recipients={"bob": (DESK,), "carol": (LAPTOP,)})
        self.refuse("wrong-conversation", crowd)

    def test_e42_no_message_is_moved_between_conversations(self) -> None:
        other = replace(TEXT, to="carol", conversation="direct:alice:carol")
        self.refuse("wrong-conversation", other)
        self.refuse("newer-version", replace(TEXT, conversation="group:abc"))
        self.refuse("wrong-conversation", replace(TEXT, conversation="direct:bob:alice"))
        self.refuse("wrong-conversation", replace(TEXT, conversation="direct:alice:bob:carol"))

    def test_e42_a_message_is_not_reflected_to_its_sender(self) -> None:
        at_home = {"me": "alice", "my_device": PHONE, "envelope_devices": [PHONE]}
        own = replace(TEXT, recipients={"alice": (PHONE,)})
        self.refuse("wrong-sender", own, **at_home)
        self.refuse("wrong-sender", own, frame_sender="bob", **at_home)
        self.refuse(
            "wrong-sender",
            frame_sender="bob",
            me="alice",
            my_device=LAPTOP,
            envelope_devices=[LAPTOP],
        )

    def test_e44_a_message_for_another_user_or_device_is_not_taken(self) -> None:
        self.refuse("wrong-recipient", my_device=LAPTOP, envelope_devices=[LAPTOP])
        self.refuse("wrong-recipient", me="carol", my_device=DESK)
        swapped = replace(TEXT, recipients={"alice": (DESK,), "bob": (LAPTOP,)})
        self.refuse("wrong-recipient", swapped)

    def test_both_sides_name_their_conversation_alike(self) -> None:
        self.assertEqual(direct_conversation("Bob", "alice"), "direct:alice:bob")
        self.assertEqual(direct_conversation("ALICE", "bob"), "direct:alice:bob")
