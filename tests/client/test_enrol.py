"""Registering and joining can be interrupted anywhere, and go on where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from bpost.client import Client
from bpost.client.link import Link
from bpost.errors import BPostError, ConnectionClosed, SecurityError
from bpost.protocol.replies import Bundles, VaultStored
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
