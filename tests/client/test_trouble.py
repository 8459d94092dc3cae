"""Servers that are silent, lie or lose frames, and disks that are full: over a real server."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any
from unittest import mock

from bpost.client import Client, ConnectionState
from bpost.client.link import Link
from bpost.client.store import Store
from bpost.errors import SecurityError, StoreError
from bpost.protocol.replies import ContactAdded
from tests.client.town import Town
from tests.support import patience


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
