"""Bodies are sealed once each, under a key of their own, and open only as they were sealed."""

from __future__ import annotations

import unittest

from bpost.client.sealing import envelope_size, open_body, seal_body
from bpost.crypto.primitives import KEY
from bpost.errors import SecurityError
from bpost.protocol.envelope import Envelope


class SealingTest(unittest.TestCase):
    def test_e40_no_key_and_no_token_ever_comes_twice(self) -> None:
        sealed = [seal_body(b"the same text") for _ in range(10_000)]
        self.assertEqual(len({one.secret[:KEY] for one in sealed}), len(sealed))
        self.assertEqual(len({one.body for one in sealed}), len(sealed))

    def test_a_body_opens_with_its_secret(self) -> None:
        sealed = seal_body(b"payload")
        self.assertEqual(open_body(sealed.body, sealed.secret), b"payload")

    def test_e39_a_body_sealed_again_under_the_same_key_is_refused(self) -> None:
        sealed = seal_body(b"payload")
        key = sealed.secret[:KEY]
        other = seal_body(b"another", random=lambda _: key)
        with self.assertRaises(SecurityError) as raised:
            open_body(other.body, sealed.secret)
        self.assertEqual(raised.exception.cause, "bad-token")

    def test_every_altered_byte_is_refused(self) -> None:
        sealed = seal_body(b"payload")
        for at in range(len(sealed.body)):
            body = bytearray(sealed.body)
            body[at] ^= 1
            with self.assertRaises(SecurityError):
                open_body(bytes(body), sealed.secret)

    def test_a_short_secret_is_refused(self) -> None:
        sealed = seal_body(b"payload")
        for secret in (b"", sealed.secret[:-1], sealed.secret + b"\0"):
            with self.assertRaises(SecurityError):
                open_body(sealed.body, secret)

    def test_the_size_of_an_envelope_is_never_underestimated(self) -> None:
        for size, devices in ((1, 1), (1000, 3), (50_000, 10)):
            sealed = seal_body(b"x" * size)
            to = {f"{number:016}": bytes(2200) for number in range(devices)}
            text = Envelope("A" * 16, to, sealed.body).text()
            self.assertGreater(envelope_size(size, devices), len(text))

    def test_secrets_are_not_shown(self) -> None:
        self.assertEqual(repr(seal_body(b"payload")), "SealedBody()")
