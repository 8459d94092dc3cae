"""Servers that are silent, lie or lose frames, and disks that are full: over a real server."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from typing import Any
from unittest import mock

from bpost.client import Client, ConnectionState, courier
from bpost.client.link import Link
from bpost.client.store import Store
from bpost.client.upkeep import Upkeep
from bpost.errors import BPostError, SecurityError, StoreError, TransportError
from bpost.protocol.replies import ContactAdded, SendAccepted
from tests.client.town import LIMITS, Town, password_of, status, texts, wait_for_text
from tests.support import patience, wait_until


class OtherNameTest(Town):
    """An answer about somebody else is no answer."""

    def test_a_contact_under_another_name_than_the_one_asked_for_is_refused(self) -> None:
        alice, _ = self.register("alice"), self.register("Bob")
        whole = Link.request

        def lie(link: Link, request: Any, expected: Any) -> Any:
            honest = whole(link, request, expected)
            is_added = isinstance(honest, ContactAdded)
            return replace(honest, contact="mallory") if is_added else honest

        with mock.patch.object(Link, "request", lie), self.assertRaises(SecurityError):
            alice[0].add_contact("bob")
        self.assertEqual(alice[0].contacts(), [])
        self.assertIsNone(alice[0].contact("mallory"))
        self.assertEqual(alice[0].add_contact("bob").name, "Bob")


class FullDiskTest(Town):
    """What cannot be written does not keep a client open."""

    def test_a_client_closes_and_lets_its_folder_go_when_the_disk_is_full(self) -> None:
        (alice,) = self.register("alice")
        reader = threading.Thread(target=lambda: list(alice.events()), daemon=True)
        reader.start()
        full = StoreError("The disk is full: nothing was stored. Make room, then go on.")
        with mock.patch.object(Store, "checkpoint", side_effect=full):
            alice.close()
        reader.join(patience(10))
        self.assertFalse(reader.is_alive())
        again = self.log_in("alice")
        self.assertEqual(again.username, "alice")

    def test_whatever_breaks_while_closing_the_folder_is_let_go_and_readers_end(self) -> None:
        (alice,) = self.register("alice")
        with mock.patch.object(Store, "checkpoint", side_effect=ZeroDivisionError):
            self.assertRaises(ZeroDivisionError, alice.close)
        self.assertIs(alice.state, ConnectionState.OFFLINE)
        list(alice.events())  # ends
        again: Client = self.log_in("alice")
        self.assertEqual(again.username, "alice")


class SilentServerTest(Town):
    """A server that takes connections and says nothing keeps nobody waiting who wants to go."""

    def setUp(self) -> None:
        super().setUp()
        self.silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.silent.close)
        self.limits = replace(LIMITS, handshake_seconds=600, log_in_seconds=600)

    def _close_while_logging_in(self, profile: str) -> None:
        where = f"wss://127.0.0.1:{self.silent.getsockname()[1]}"
        client = Client(where, self.folder / profile, pin=self.pin, limits=self.limits)

        def log_in() -> None:
            with contextlib.suppress(BPostError):
                client.log_in("alice", password_of("alice"))

        thread = threading.Thread(target=log_in)
        thread.start()
        self.silent.settimeout(patience(20))
        connection, _ = self.silent.accept()
        self.addCleanup(connection.close)
        client.close()
        thread.join(patience(20))
        self.assertFalse(thread.is_alive())

    def test_closing_ends_a_log_in_of_a_new_device(self) -> None:
        self._close_while_logging_in("new")

    def test_closing_ends_a_log_in_with_a_profile(self) -> None:
        (alice,) = self.register("alice")
        alice.close()
        self._close_while_logging_in("alice")


class LostFrameTest(Town):
    """What the server does not confirm is sent again."""

    def test_a_message_whose_confirmation_is_lost_is_sent_again_on_a_new_connection(self) -> None:
        _, bob = self.register("alice", "bob")
        alice = self.client("second", limits=replace(LIMITS, request_seconds=patience(2)))
        whole, lost, armed = Link.receive, list[object](), threading.Event()

        def lose(link: Link, timeout: float | None) -> Any:
            reply = whole(link, timeout)
            if isinstance(reply, SendAccepted) and reply.to == "bob" and armed.is_set():
                armed.clear()
                lost.append(reply)
                return None
            return reply

        with mock.patch.object(Link, "receive", lose):
            alice.log_in("alice", password_of("alice"))
            alice.flush(patience(10))
            armed.set()
            sent = alice.send("bob", "once")
            wait_until(lambda: status(alice, sent) == "delivered")
            self.assertTrue(alice.flush(patience(10)))
        wait_for_text(bob, "alice", "once")
        self.assertEqual((len(lost), texts(bob, "alice")), (1, ["once"]))


class BrokenTest(Town):
    """A mistake of ours is not taken for success."""

    def test_a_device_whose_setting_up_broke_is_not_told_to_be_in_order(self) -> None:
        self.register("alice")
        broken = mock.patch.object(Upkeep, "settle", side_effect=ZeroDivisionError)
        with broken, self.assertLogs(courier.log, "ERROR"), self.assertRaises(TransportError):
            self.log_in("alice", "second")
        self.assertEqual(self.log_in("alice", "second").username, "alice")
