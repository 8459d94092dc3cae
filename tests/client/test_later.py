"""What a version to come may send, taken by this one: kept, shown as such, and passed by."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from bpost import b64
from bpost.client.events import SecurityNotice
from bpost.client.models import Entry
from bpost.protocol import content
from bpost.protocol.content import CONTENT, TEXT
from bpost.protocol.replies import Bundles
from bpost.protocol.shape import Reply, Request
from tests.client.simulated import SimulatedCase, SimulatedDevice, altered

NEWER = "newer version"


@contextmanager
def writing_more() -> Iterator[None]:
    """Let texts have a key that no version has yet."""
    keys, check = CONTENT[TEXT]
    with mock.patch.object(content, "CONTENT", {**CONTENT, TEXT: (keys | {"mood"}, check)}):
        yield


class LaterTest(SimulatedCase):
    """Alice has the later version, bob this one."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.pair()

    def say(self, type_: str, **what: str) -> None:
        """Let alice send a payload of some type."""
        with self.alice.profile.change():
            self.alice.parts.outbox.queue("bob", type_, dict(what))
        self.alice.work()

    def shown_newer(self, device: SimulatedDevice) -> list[str]:
        """Return the kinds of what is shown as needing a newer version."""
        return [m.kind for m in device.history("alice") if NEWER in m.failure]

    def go_on(self) -> None:
        """Write in both directions."""
        self.alice.write("bob", "and then")
        self.bob.fetch()
        self.bob.write("alice", "I see")
        self.alice.fetch()
        self.assertEqual(self.bob.shown("alice")[-2:], ["and then", "I see"])
        self.assertEqual(self.alice.shown("bob")[-1], "I see")

    def test_e78_an_unknown_type_is_kept_as_it_came_and_shown_as_newer(self) -> None:
        self.say("poll", question="Tea?")
        self.bob.fetch()
        self.assertEqual(self.shown_newer(self.bob), ["unsupported"])
        with self.bob.store.reading():
            rows = self.bob.store.all(Entry)
        self.assertTrue(any(row.payload and b"Tea?" in bytes(row.payload) for row in rows))
        self.go_on()

    def test_e78_a_text_with_an_unknown_part_is_not_shown_without_it(self) -> None:
        with writing_more():
            self.say(TEXT, text="I love it", mood="irony")
        self.bob.fetch()
        self.assertEqual(self.shown_newer(self.bob), ["unsupported"])
        self.assertNotIn("I love it", self.bob.shown("alice"))
        self.go_on()
        with self.bob.store.reading():
            self.assertEqual(self.bob.parts.wants.expected(), [])

    def test_e78_an_envelope_of_a_later_version_says_so(self) -> None:
        self.alice.write("bob", "in a new envelope")
        (delivery,) = self.bob.pending()
        self.bob.take([altered(delivery, delivery.body.replace('"v":1}', '"v":2}'))])
        self.assertEqual(self.shown_newer(self.bob), ["unsupported"])
        self.go_on()

    def test_e78_keys_of_a_later_version_hold_the_message_and_say_why(self) -> None:
        def later(_request: Request, reply: Reply) -> Reply:
            if not isinstance(reply, Bundles):
                return reply
            newer = [bytearray(b64.decode(one.bundle)) for one in reply.bundles]
            for bundle in newer:
                bundle[0] += 1
            pairs = zip(reply.bundles, newer, strict=True)
            return replace(
                reply, bundles=tuple(replace(one, bundle=b64.encode(bytes(b))) for one, b in pairs)
            )

        carol = self.device("carol")
        self.befriend(self.alice, carol)
        self.server.lie = later
        carol.write("alice", "can you read this?")
        (message,) = carol.history("alice")
        self.assertEqual(message.status, "waiting")
        self.assertIn("No device of alice can be written to", message.failure)
        causes = {notice.cause for notice in carol.told(SecurityNotice)}
        self.assertEqual(causes, {"newer-version"})


if __name__ == "__main__":
    unittest.main()
