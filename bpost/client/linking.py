"""Showing a code with which another device joins the account (E60).

The device that shows the code only answers; what the server carries are frames 12, so both are
connected meanwhile, and nothing is stored anywhere. A code serves one device, for some minutes.
The account key leaves only when both sides have confirmed: the user here by saying that both show
the same number, the other side in a message that only the device with that number can seal.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

from bpost import b64
from bpost.client.events import EventQueue, LinkChanged
from bpost.client.profile import Profile
from bpost.client.records import LinkInfo
from bpost.crypto.linking import LinkCode, LinkKeys, link_keys, make_code, open_hello
from bpost.crypto.primitives import X25519Private, equal
from bpost.errors import SecurityError, UsageError

HELLO = 0
MEET = 1
CONFIRM = 2
GIVE = 3
THANKS = 4
REFUSE = 5
"""The steps: even ones come from the device that joins, odd ones from the other."""

WORD = "link"
NAME = 48
ON = b"\x01"
OFF = b"\x00"


@dataclass
class _Open:
    """The code that is shown, and the device that has read it."""

    code: LinkCode
    private: X25519Private = field(repr=False)
    until: float
    state: str = "waiting"
    name: str = ""
    joining: bytes = b""
    keys: LinkKeys | None = None


class Linking:
    """The code of this device; any thread may use it."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._events: EventQueue = profile.events
        # Guards what follows; EventQueue's is the only lock taken inside.
        self._lock = threading.Lock()
        self._open: _Open | None = None

    def begin(self) -> LinkInfo:
        """Make a new code; an older one is worth nothing any more."""
        code, private = make_code()
        until = time.monotonic() + self._profile.limits.link_seconds
        with self._lock:
            self._open = _Open(code, private, until)
        return self.info

    def end(self) -> None:
        """Show no code any more."""
        with self._lock:
            self._open = None

    @property
    def info(self) -> LinkInfo:
        """How it stands."""
        with self._lock:
            now = self._current()
            if now is None:
                return LinkInfo()
            left = max(0.0, now.until - time.monotonic())
            number = "" if now.keys is None else now.keys.number
            return LinkInfo(now.code.text(), now.state, now.name, number, left)

    def decide(self, yes: bool) -> None:
        """Say whether both devices show the same number; raise UsageError if none has come."""
        with self._lock:
            now = self._current()
            if now is None or now.state != "met":
                raise UsageError("No device is waiting for that. Show a new code.")
            now.state = "agreed" if yes else "refused"
        self._events.put(LinkChanged())

    def take(self, body: str) -> list[str]:
        """Take a signal from the own account; return what to answer with."""
        with self._profile.store.reading():
            vault = ON if self._profile.has_vault else OFF
        with self._lock:
            now = self._current()
            parted = read_signal(body, now.code.slot) if now is not None else None
            if now is None or parted is None:
                return []
            before = replace(now)
            try:
                answers = self._answer(now, *parted, vault)
            except SecurityError:  # made without the code, or by another than the first who came
                return []
            changed = (now.state, now.name) != (before.state, before.name)
        if changed:
            self._events.put(LinkChanged())
        return answers

    def _answer(self, now: _Open, step: int, data: bytes, vault: bytes) -> list[str]:
        """Answer one message of the device that joins; within the lock."""
        if step == HELLO:
            return self._meet(now, data)
        if now.keys is None or step not in (CONFIRM, THANKS):
            return []
        now.keys.open(step, data)
        if step == THANKS:
            now.state = "done" if now.state == "agreed" else now.state
        elif now.state == "agreed":
            return [self._say(now, GIVE, vault + self._profile.account.seeds)]
        elif now.state in ("refused", "spied"):
            return [self._say(now, REFUSE, b"")]
        return []

    def _meet(self, now: _Open, data: bytes) -> list[str]:
        """Let a device that has the code in; a second one means that somebody has seen it."""
        joining, name = open_hello(now.code, self._profile.name, data)
        if now.keys is None:
            now.keys = link_keys(now.code, self._profile.name, now.private, joining)
            now.joining, now.name, now.state = joining, name[:NAME], "met"
        elif not equal(joining, now.joining):
            if now.state in ("met", "agreed"):
                now.state = "spied"
            return []
        return [self._say(now, MEET, self._profile.account.public)]

    def _say(self, now: _Open, step: int, content: bytes) -> str:
        assert now.keys is not None  # noqa: S101 - a device has come
        return write_signal(now.code.slot, step, now.keys.seal(step, content))

    def _current(self) -> _Open | None:
        """Return the open code, which ends after its time unless it was used; within the lock."""
        now = self._open
        if now is not None and now.state != "done" and now.until <= time.monotonic():
            now.state, now.keys = "over", None
            return None
        return now


def write_signal(slot: str, step: int, data: bytes) -> str:
    """Spell a message for frame 12."""
    return f"{WORD}.{slot}.{step}.{b64.encode(data)}"


def read_signal(body: str, slot: str) -> tuple[int, bytes] | None:
    """Read a message of one conversation; None for any other signal."""
    word, _, rest = body.partition(".")
    found, _, rest = rest.partition(".")
    step, _, data = rest.partition(".")
    if (word, found) != (WORD, slot) or step not in ("0", "1", "2", "3", "4", "5"):
        return None
    try:
        return int(step), b64.decode(data)
    except SecurityError:
        return None
