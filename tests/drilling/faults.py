"""A channel between a client and the server that drops, doubles, delays, reorders and alters.

It stands where the TLS connection would be, and sees whole frames: what a lying server, or a relay
behind its certificate, could do. Its randomness is handed in, so a seed repeats it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bpost.errors import TimedOut
from bpost.net.ws_client import ClientConnection
from bpost.protocol.codes import SEPARATOR

LOOK_SECONDS = 0.25
"""How often a bad line looks for what it held back; a good one holds nothing."""
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
FATES = ("drop", "double", "delay", "reorder", "alter")

GATHER_SECONDS = 0.1
"""Frames come in small piles, each of which is one transaction: so many clients share a machine."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Rates:
    """How likely each fate is, for a frame with a message and for any other."""

    message: float = 0.01
    other: float = 0.002
    alters: bool = True

    def fate(self, chance: random.Random, text: str) -> str:
        """Return what happens to a frame; empty for nothing."""
        if chance.random() >= len(FATES) * (self.message if is_message(text) else self.other):
            return ""
        fate = chance.choice(FATES)
        may = self.alters and is_message(text)
        return fate if fate != "alter" or may else "drop"


NONE = Rates(0.0, 0.0)


class FaultyConnection:
    """A connection of a client, with a fate for each frame; used as the one inside."""

    def __init__(
        self, inside: ClientConnection, chance: random.Random, rates: Rates, tell: Tell
    ) -> None:
        self._inside = inside
        self._chance = chance
        self._rates = rates
        self._tell = tell
        self.pin = inside.pin
        # Guards the rest; the connection is sent on while it is held, which keeps the order.
        self._lock = threading.Lock()
        self._leaving: list[tuple[float, str]] = []  # held back, with the time to let them go
        self._coming: list[tuple[float, str]] = []
        self._ready: list[str] = []

    def send(self, text: str) -> None:
        """Send a frame, or what becomes of it."""
        with self._lock:
            for one in self._passed(text, self._leaving):
                self._inside.send(one)

    def receive(self, timeout: float | None) -> str:
        """Return the next frame, or what became of one; let some gather where one is waited for."""
        text = self._next(timeout)
        if timeout:
            time.sleep(GATHER_SECONDS)
        return text

    def _next(self, timeout: float | None) -> str:
        if self._rates == NONE:
            return self._inside.receive(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                for one in _due(self._leaving):
                    self._inside.send(one)
                self._ready += _due(self._coming)
                if self._ready:
                    return self._ready.pop(0)
            left = LOOK_SECONDS if deadline is None else deadline - time.monotonic()
            try:
                text = self._inside.receive(max(0.0, min(left, LOOK_SECONDS)))
            except TimedOut:
                if deadline is not None and time.monotonic() >= deadline:
                    raise
                continue
            with self._lock:
                self._ready += self._passed(text, self._coming)

    def close(self) -> None:
        """Close the connection; what was held back is lost."""
        self._inside.close()

    def _passed(self, text: str, held: list[tuple[float, str]]) -> list[str]:
        """Return what passes now that a frame comes: it or not, twice or altered, and others."""
        fate = self._rates.fate(self._chance, text)
        if fate:
            self._tell(f"frame {fate}")
        if fate in ("delay", "reorder"):
            seconds = self._chance.uniform(0.2, 1.0) if fate == "delay" else 0.05
            held.append((time.monotonic() + seconds, text))
            return _due(held)
        texts = {"drop": [], "double": [text, text]}.get(fate, [text])
        if fate == "alter":
            texts = [altered(text, self._chance)]
        return [*texts, *_due(held)]


def is_message(text: str) -> bool:
    """Say whether a frame carries a message: a request to send one, or its delivery."""
    code, _, rest = text.partition(SEPARATOR)
    return code in ("0", "5") and "{" in rest


def altered(text: str, chance: random.Random) -> str:
    """Return a frame with its envelope changed somewhere, or cut off."""
    start, end = text.index("{"), text.rfind("}") + 1 or len(text)  # it may be cut off already
    at = chance.randrange(start, end)
    if chance.random() < 0.1:
        return text[:at] + text[end:]
    return text[:at] + chance.choice(ALPHABET) + text[at + 1 :]


def _due(held: list[tuple[float, str]]) -> list[str]:
    """Take out of ``held`` what has waited long enough."""
    now = time.monotonic()
    due = [text for when, text in held if when <= now]
    held[:] = [one for one in held if one[0] > now]
    return due
