"""What is sent is stored first, leaves in order, and leaves again as the same bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from bpost.client.events import MessageChanged
from bpost.client.models import Frame, Outgoing
from bpost.client.store import Store
from bpost.crypto.message import parse_message
from bpost.errors import StoreError, UsageError
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.replies import SendAccepted, SendRefused
from bpost.protocol.requests import Send
from tests.client.simulated import LIMITS, SimulatedCase, SimulatedDevice


class OutboxTest(SimulatedCase):
    """Sending over a connection that may end anywhere."""

    def test_e27_the_ratchet_step_is_stored_before_the_frame_leaves(self) -> None:
        alice, _ = self.pair()
        states: list[bytes] = []
        posted = alice.link.post

        def post(request: Send) -> None:
            copy = self._reopened(alice)
            row = copy.one(Frame, Frame.ref == request.ref)
            states.append(row.body.encode() if row else b"")
            copy.close()
            posted(request)

        with mock.patch.object(alice.link, "post", post):
            alice.write("bob", "hello")
        self.assertEqual(states, [self.server.sent[-1][1].body.encode()])

    def test_e27_after_a_crash_the_same_bytes_leave_again(self) -> None:
        alice, bob = self.pair()
        with self._cut(alice):
            alice.write("bob", "a", work=False)
            alice.write("bob", "b", work=False)
            with contextlib.suppress(ConnectionError):
                alice.work()
        alice.store.close()
        alice.open()
        alice.work()
        alice.write("bob", "c")
        by_counter: dict[bytes, set[str]] = {}
        for user, sent in self.server.sent:
            if user == "alice":
                by_counter.setdefault(_counter(sent, bob), set()).add(sent.body)
        self.assertEqual([len(bodies) for bodies in by_counter.values()], [1] * len(by_counter))
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-3:], ["a", "b", "c"])

    def test_e27_a_seal_that_cannot_be_stored_never_leaves(self) -> None:
        alice, bob = self.pair()
        alice.write("bob", "hello", work=False)
        before, sent = alice.dump(), len(self.server.sent)
        remove = Store.remove

        def full(store: Store, table: type[Any], *where: Any) -> int:
            if table is Outgoing:  # the last step, when everything else is written
                raise StoreError("The disk is full.")
            return remove(store, table, *where)

        with mock.patch.object(Store, "remove", full), self.assertRaises(StoreError):
            alice.work()
        self.assertEqual((alice.dump(), len(self.server.sent)), (before, sent))
        alice.work()
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "hello")

    def test_what_the_server_has_not_stored_goes_again_in_order_with_the_same_ref(self) -> None:
        alice, bob = self.pair()
        for text in "abc":
            alice.write("bob", text, work=False)
        alice.dispatch.work()
        first = [request.ref for _, request in self.server.sent[-3:]]
        alice.connect()
        alice.work()
        self.assertEqual([request.ref for _, request in self.server.sent[-3:]], first)
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-3:], ["a", "b", "c"])

    def test_a_message_put_off_by_the_server_goes_again_and_keeps_its_place(self) -> None:
        alice, bob = self.pair()
        for text in "abc":
            alice.write("bob", text, work=False)
        alice.dispatch.work()
        for reply in alice.link.answers:
            assert isinstance(reply, SendAccepted)
            alice.dispatch.put_off(str(reply.ref))
        alice.link.answers.clear()
        sent = len(self.server.sent)
        alice.dispatch.work()
        self.assertEqual(len(self.server.sent), sent)
        with mock.patch("bpost.client.dispatch.time.monotonic", return_value=1e9):
            alice.work()
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-3:], ["a", "b", "c"])

    def test_a_refused_message_fails_with_the_servers_words_and_can_be_sent_again(self) -> None:
        alice, bob = self.pair()
        self.server.lie = lambda request, reply: (
            SendRefused(request.to, request.ref, "not-a-contact", "No.")
            if isinstance(request, Send)
            else reply
        )
        sent = alice.write("bob", "hello")
        self.server.account("bob").mailbox.pop()
        failed = alice.history("bob")[-1]
        self.assertEqual((failed.status, failed.failure), ("failed", "No."))
        self.server.lie = lambda _, reply: reply
        with alice.profile.change() as events:
            events += alice.parts.outbox.retry(sent.id)[1]
        alice.dispatch.send_again()
        alice.work()
        bob.fetch()
        self.assertEqual(bob.shown("alice")[-1], "hello")
        changes = [e.message.status for e in alice.told(MessageChanged)]
        self.assertEqual(changes[-3:], ["failed", "waiting", "stored"])

    def test_only_a_failed_message_is_sent_again(self) -> None:
        alice, _ = self.pair()
        for id_ in (alice.history("bob")[0].id, "no such id"):
            with self.subTest(id_), self.assertRaises(UsageError):
                alice.parts.outbox.retry(id_)

    def test_texts_that_cannot_be_sent_are_refused_at_once(self) -> None:
        alice, _ = self.pair()
        for text in ("", " \n", "\x00", "x" * LIMITS.message, "\n" * (LIMITS.message // 2)):
            with self.subTest(text[:9]), self.assertRaises(UsageError):
                alice.write("bob", text)
        self.assertEqual(len(alice.history("bob")), 2)

    def test_the_longest_text_arrives(self) -> None:
        alice, bob = self.pair()
        for text in ("é" * 55_000, "\n" * 55_000 + "."):
            alice.write("bob", text)
            bob.fetch()
            self.assertEqual(bob.history("alice")[-1].text, text)

    def test_rows_are_never_numbered_again(self) -> None:
        alice, _ = self.pair()
        seen = []
        for _ in range(3):
            alice.write("bob", "x", work=False)
            with alice.profile.change():
                alice.parts.outbox.seal_for("bob", 9)
                seen += [row for row, _ in alice.parts.outbox.frames(0, 9)]
            alice.work()
        self.assertEqual(len(set(seen)), 3)

    def test_one_reads_alone_without_other_devices(self) -> None:
        alice = self.device("alice")
        alice.write("alice", "note to self")
        self.assertEqual([m.status for m in alice.history("alice")], ["stored"])

    @contextlib.contextmanager
    def _cut(self, device: SimulatedDevice) -> Iterator[None]:
        """Let the connection break when a frame is on its way: nobody knows whether it arrived."""
        posted = device.link.post

        def post(request: Send) -> None:
            posted(request)
            raise ConnectionError

        with mock.patch.object(device.link, "post", post):
            yield

    def _reopened(self, device: SimulatedDevice) -> Store:
        """Return what is on the disk, seen over another connection."""
        return Store(device.keystore.database, device.database_key)


def _counter(sent: Send, to: SimulatedDevice) -> bytes:
    """Return which chain and number a message is sealed under: its session, and its header."""
    sealed = parse_envelope(sent.body, LIMITS).to[to.device]
    message = parse_message(sealed, LIMITS)
    return message.base_key + message.sealed[:40]
