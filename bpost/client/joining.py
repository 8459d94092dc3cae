"""Joining an account by a code that another of its devices shows, before there is a profile."""

from __future__ import annotations

import platform
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bpost.client.link import Link
from bpost.client.linking import (
    CONFIRM,
    GIVE,
    HELLO,
    MEET,
    ON,
    REFUSE,
    THANKS,
    read_signal,
    write_signal,
)
from bpost.crypto.account import AccountKey
from bpost.crypto.linking import LinkCode, LinkKeys, link_keys, parse_code, seal_hello
from bpost.crypto.primitives import equal, generate_x25519
from bpost.errors import Refused, SecurityError, TimedOut
from bpost.limits import Limits
from bpost.protocol.fields import canonical
from bpost.protocol.replies import SignalDelivery
from bpost.protocol.requests import Signal

Compare = Callable[[str], bool]
"""Show a number, and say whether the other device shows the same; called in a thread of its own."""

AGAIN_SECONDS = 2.0
"""A signal may be lost: it is sent again after so long without an answer."""

NAME = 40

DIFFERENT = (
    "The two numbers were not the same: somebody else may have seen the code. Nothing was given "
    "away. Show a new code on your other device, where nobody else sees it."
)


@dataclass(frozen=True)
class Invitation:
    """A code as it was read, and how its number is compared."""

    code: LinkCode
    compare: Compare = field(repr=False)


@dataclass(frozen=True)
class Linked:
    """What the other device gave: the account's key, and whether it keeps a vault."""

    account: AccountKey = field(repr=False)
    vault: bool


def code_error(text: str) -> str:
    """Say what is wrong with a code, before it is used; empty if it can be one."""
    try:
        parse_code(text)
    except SecurityError as error:
        return str(error)
    return ""


def read_invitation(code: str, compare: Compare) -> Invitation:
    """Read a code; raise SecurityError as :func:`bpost.crypto.linking.parse_code`."""
    return Invitation(parse_code(code), compare)


def join(link: Link, username: str, invitation: Invitation, limits: Limits) -> Linked:
    """Get the account's key over a link that is logged in and read by nobody else.

    Raises:
        Refused: the code is over, or one of the users said no.
        SecurityError: the other side is not what its code says.
        TransportError.
    """
    return _Joining(link, username, invitation, limits).run()


class _Joining:
    """One try with one code."""

    def __init__(self, link: Link, username: str, invitation: Invitation, limits: Limits) -> None:
        self._link = link
        self._username = username
        self._invitation = invitation
        self._until = time.monotonic() + limits.link_seconds
        self._private = generate_x25519()
        self._keys: LinkKeys = link_keys(
            invitation.code, username, self._private, self._private.public
        )

    def run(self) -> Linked:
        code, name = self._invitation.code, platform.node()[:NAME]
        hello = seal_hello(code, self._username, self._private.public, name)
        public = self._exchange(HELLO, hello, MEET)
        self._confirm()
        given = self._exchange(CONFIRM, self._keys.seal(CONFIRM, b""), GIVE)
        account = AccountKey.from_seeds(given[1:])
        if not equal(account.public, public):
            raise SecurityError("bad-key", "The other device gave another key than it had named.")
        self._post(THANKS, self._keys.seal(THANKS, b""))
        return Linked(account, given[:1] == ON)

    def _confirm(self) -> None:
        """Let the user compare, while the link is read: the server would else end it."""
        answers: queue.Queue[bool] = queue.Queue()
        number = self._keys.number
        ask = lambda: answers.put(self._invitation.compare(number))  # noqa: E731
        threading.Thread(target=ask, name="bpost-compare", daemon=True).start()
        while answers.empty():
            self._receive(0.2)
        if not answers.get():
            raise Refused("refused", DIFFERENT)

    def _exchange(self, step: int, data: bytes, expected: int) -> bytes:
        """Send a message until it is answered; return what the answer holds."""
        due = 0.0
        while True:
            now = time.monotonic()
            if now >= due:
                self._post(step, data)
                due = now + AGAIN_SECONDS
            found = self._receive(min(due, self._until) - now)
            if found is None:
                continue
            answer, sealed = found
            if answer not in (expected, REFUSE):
                continue
            try:
                content = self._keys.open(answer, sealed)
            except SecurityError:  # not from the device whose code this is
                continue
            if answer == REFUSE:
                raise Refused("refused", DIFFERENT)
            return content

    def _receive(self, wait: float) -> tuple[int, bytes] | None:
        """Return the next message of the other device, if one comes in time."""
        if time.monotonic() >= self._until:
            text = "Your other device did not answer: the code may be over. Show a new one there."
            raise Refused("refused", text)
        try:
            frame = self._link.receive(max(0.05, wait))
        except TimedOut:
            return None
        mine = isinstance(frame, SignalDelivery) and canonical(frame.sender) == canonical(
            self._username
        )
        if not (mine and isinstance(frame, SignalDelivery)):
            return None
        return read_signal(frame.body, self._invitation.code.slot)

    def _post(self, step: int, data: bytes) -> None:
        body = write_signal(self._invitation.code.slot, step, data)
        self._link.post(Signal(self._username, body, self._username))
