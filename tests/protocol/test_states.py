from __future__ import annotations

import unittest

from bpost.protocol import replies, requests
from bpost.protocol.codes import Code
from bpost.protocol.replies import KeyCount, Refusal, SendAccepted, SendRefused
from bpost.protocol.requests import CountKeys, GetBundles, Send
from bpost.protocol.states import (
    ANSWERS,
    BEFORE_LOG_IN,
    UNORDERED,
    UNSOLICITED,
    is_answer,
    is_legal,
)
from tests.protocol.test_original import REQUESTS


class StatesTest(unittest.TestCase):
    def test_only_logging_in_and_registering_are_legal_before_log_in(self) -> None:
        legal = {type(request) for _, request in REQUESTS if is_legal(request, logged_in=False)}
        self.assertEqual(legal, {requests.LogIn, requests.Register})
        self.assertEqual(legal, BEFORE_LOG_IN)

    def test_every_request_is_legal_after_log_in(self) -> None:
        self.assertTrue(all(is_legal(request, logged_in=True) for _, request in REQUESTS))

    def test_every_request_has_its_answers_and_every_reply_its_place(self) -> None:
        self.assertEqual(set(ANSWERS), set(requests.REQUESTS))
        placed = frozenset[type[object]]().union(UNSOLICITED, *ANSWERS.values())
        self.assertEqual(placed, {*replies.REPLIES, Refusal})

    def test_requests_that_are_never_answered_are_not_in_the_order(self) -> None:
        self.assertLessEqual({cls for cls, answers in ANSWERS.items() if not answers}, UNORDERED)

    def test_a_refusal_answers_the_request_of_its_code(self) -> None:
        asked = GetBundles("alice", "bob")
        self.assertTrue(is_answer(asked, Refusal(Code.BUNDLES)))
        self.assertFalse(is_answer(asked, Refusal(Code.VAULT)))
        self.assertFalse(is_answer(asked, KeyCount(3)))
        self.assertTrue(is_answer(CountKeys("a" * 16), KeyCount(3)))

    def test_a_send_is_answered_under_its_ref(self) -> None:
        sent = Send("alice", "hi", "bob", "r1")
        self.assertTrue(is_answer(sent, SendAccepted("bob", "r1", 1, 2)))
        self.assertTrue(is_answer(sent, SendRefused("", "r1", "bad-field")))
        self.assertFalse(is_answer(sent, SendAccepted("bob", "r2", 1, 2)))
        self.assertFalse(is_answer(sent, SendAccepted("eve", "r1", 1, 2)))

    def test_the_name_that_a_request_claims_is_known(self) -> None:
        for shown, request in REQUESTS:
            names_itself = hasattr(request, "username") or hasattr(request, "sender")
            with self.subTest(frame=shown):
                self.assertEqual(request.claimed, "alice" if names_itself else None)
