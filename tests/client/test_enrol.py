"""Registering and joining can be interrupted anywhere, and go on where they stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from bpost.client import Client
from bpost.client.link import Link
from bpost.errors import BPostError, ConnectionClosed, Refused, SecurityError
from bpost.protocol.replies import Bundles, DeviceRecords, DeviceRevoked, VaultStored
from bpost.protocol.requests import ListDevices, RevokeDevice
from bpost.server.entry import hash_invite, new_invite
from tests.client.town import Town, password_of, wait_for_text


class Cut:
    """Breaks the connection at the n-th request of a kind: before it is sent, or after it."""

    def __init__(self, at: int, after: bool) -> None:
        self.left = at
        self.after = after

    def __call__(self, whole: Callable[..., Any]) -> Callable[..., Any]:
        def cut(link: Link, *arguments: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise ConnectionClosed("cut")
            answer = whole(link, *arguments)
            if self.left == 0:
                raise ConnectionClosed("cut")
            return answer

        return cut

    def during(self, work: Callable[[], None]) -> bool:
        """Do ``work``, which may fail; return whether the cut came at all."""
        with (
            mock.patch.object(Link, "ask", self(Link.ask)),
            mock.patch.object(Link, "request", self(Link.request)),
        ):
            try:
                work()
            except BPostError:
                return True
        return self.left <= 0


class InterruptedTest(Town):
    """For every request of a set-up, a test that loses it, and one that loses its answer."""

    lasts = 18

    def _cut_everywhere(self, work: Callable[[Client, str], None], prepare: bool) -> None:
        for after in (False, True):
            at = came = 1
            while came:
                name = f"user-{int(after)}-{at}"
                if prepare:
                    self.register(name)
                profile = f"{name} here"
                first = self.client(profile)
                came = Cut(at, after).during(lambda c=first, n=name: work(c, n))  # type: ignore[misc]
                first.close()
                with self.subTest(at=at, after=after):
                    self._finish(name, profile)
                at += 1
            self.assertGreater(at, 4)

    def _finish(self, name: str, profile: str) -> None:
        """Go on, and see that everything works."""
        again = self.client(profile)
        try:
            again.register(name, password_of(name))
        except BPostError:
            again = self.log_in(name, profile)
        again.add_contact("bob")
        self.bob.add_contact(name)
        self.bob.send(name, f"hello {name}")
        wait_for_text(again, "bob", f"hello {name}")
        again.send("bob", f"hello from {name}")
        wait_for_text(self.bob, name, f"hello from {name}")
        again.close()

    def test_registering_can_be_interrupted_anywhere(self) -> None:
        (self.bob,) = self.register("bob")
        self._cut_everywhere(lambda c, name: c.register(name, password_of(name)), prepare=False)

    def test_joining_can_be_interrupted_anywhere(self) -> None:
        (self.bob,) = self.register("bob")
        self._cut_everywhere(lambda c, name: c.log_in(name, password_of(name)), prepare=True)


class LeftoverTest(Town):
    """What is interrupted leaves nothing behind that counts."""

    def test_a_join_that_is_cut_again_and_again_leaves_no_devices_behind(self) -> None:
        self.register("alice")
        for at in (2, 3, 2, 3):
            client = self.client("second")
            cut = Cut(at, after=True)
            self.assertTrue(cut.during(lambda c=client: c.log_in("alice", password_of("alice"))))  # type: ignore[misc]
            client.close()
        second = self.log_in("alice", "second")
        link = second._run.receiver.link
        self.assertEqual(len(link.request(ListDevices(), DeviceRecords).devices), 2)
        self.assertFalse((self.folder / "second" / "joining").exists())

    def test_a_device_that_was_removed_before_it_had_joined_joins_as_another(self) -> None:
        (alice,) = self.register("alice")
        client = self.client("second")
        Cut(2, after=True).during(lambda: client.log_in("alice", password_of("alice")))
        client.close()
        link = alice._run.receiver.link
        records = link.request(ListDevices(), DeviceRecords).devices
        (begun,) = {one.device for one in records} - {alice.device}
        link.request(RevokeDevice(begun), DeviceRevoked)
        second = self.log_in("alice", "second")
        self.assertNotIn(second.device, ("", begun))


class InvitedTest(Town):
    """An invitation is good for one account, however often its registering is cut."""

    registration = "invite"

    def test_registering_with_an_invitation_can_be_interrupted(self) -> None:
        assert self.office is not None
        invite, now = new_invite(), int(time.time() * 1000)
        self.office.office.store.accounts.add_invite(hash_invite(invite), now, now + 10**9)
        register = ("alice", password_of("alice"), invite)
        first = self.client("alice")
        self.assertTrue(Cut(1, after=True).during(lambda: first.register(*register)))
        first.close()
        again = self.client("alice")
        again.register(*register)
        self.assertEqual(again.username, "alice")

    def test_a_profile_that_was_there_before_is_never_thrown_away(self) -> None:
        first = self.client("alice")
        self.assertTrue(Cut(1, after=False).during(lambda: first.register("alice", "pass words")))
        first.close()
        again = self.client("alice")
        with self.assertRaises(Refused):
            again.register("alice", "pass words", new_invite())
        self.assertTrue((self.folder / "alice" / "key").exists())


class LyingServerTest(Town):
    """What a new device believes of its own account."""

    def _lie(self, about: type[Any], answer: Any) -> Any:
        whole = Link.ask

        def ask(link: Link, request: Any, expected: type[Any]) -> Any:
            honest = whole(link, request, expected)
            return answer(honest) if isinstance(honest, about) else honest

        return mock.patch.object(Link, "ask", ask)

    def test_a_device_does_not_join_under_a_key_that_is_not_the_accounts(self) -> None:
        self.register("alice")
        lie = lambda honest: Bundles(honest.contact, "A" * 43, honest.bundles)  # noqa: E731
        with self._lie(Bundles, lie), self.assertRaises(SecurityError) as raised:
            self.log_in("alice", "second")
        self.assertEqual(raised.exception.cause, "account-key-changed")

    def test_a_missing_or_altered_vault_is_told(self) -> None:
        self.register("alice")
        for cause, vault in (("vault-missing", ""), ("bad-vault", "AQAAAEk" + "A" * 100)):
            with self._lie(VaultStored, lambda honest, v=vault: VaultStored(honest.version, v)):
                with self.subTest(cause), self.assertRaises(SecurityError):
                    self.log_in("alice", "second")
        self.assertFalse((self.folder / "second" / "key").exists())
