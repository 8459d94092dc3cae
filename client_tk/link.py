"""Letting another device into the account, and the number that is compared. No Tk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from bpost.client import Client, LinkInfo
from bpost.errors import BPostError
from client_tk.lanes import Lanes

Failed = Callable[[BPostError], object]

ENDS = {
    "over": "The code is over: no other device came in time.",
    "refused": "The other device got nothing. If it was not yours, somebody has seen the code.",
    "spied": (
        "A second device came with the same code: somebody else has seen it, or the first one "
        "began again. Nothing is given away. Make a new code, where nobody else sees it."
    ),
    "done": "The new device has joined your account.",
}


class LinkDesk:
    """What the sheet about a new device asks the client library."""

    def __init__(self, client: Client, lanes: Lanes) -> None:
        self._client = client
        self._lanes = lanes

    def begin(self, done: Callable[[LinkInfo], object], failed: Failed) -> None:
        """Make a new code."""
        self._lanes.quick(self._client.show_link, done, failed)

    def look(self, done: Callable[[LinkInfo], object], failed: Failed) -> None:
        """Look how it stands."""
        self._lanes.quick(lambda: self._client.link, done, failed)

    def decide(self, yes: bool, failed: Failed) -> None:
        """Say whether both devices show the same number."""
        self._lanes.quick(lambda: self._client.decide_link(yes), failed=failed)

    def end(self) -> None:
        """Let the code be worth nothing from now on."""
        self._lanes.quick(self._client.end_link, failed=lambda _: None)

    def vault(self, done: Callable[[bool], object], failed: Failed) -> None:
        """Look whether the server keeps the account key."""
        self._lanes.quick(lambda: self._client.has_vault, done, failed)

    def keep_vault(self, on: bool, done: Callable[[bool], object], failed: Failed) -> None:
        """Let the server keep the account key, or no longer."""

        def work() -> bool:
            self._client.keep_vault(on)
            return on

        self._lanes.slow(work, done, failed)


class Question:
    """A number that another thread wants to have compared."""

    def __init__(self) -> None:
        # Guards what follows; nothing is called while it is held.
        self._lock = threading.Lock()
        self._number = ""
        self._answers: queue.Queue[bool] | None = None

    def ask(self, number: str) -> bool:
        """Wait for the answer; any thread but that of Tk."""
        answers: queue.Queue[bool] = queue.Queue()
        with self._lock:
            self._number, self._answers = number, answers
        return answers.get()

    def take(self) -> str:
        """Return a number that was not shown yet; empty if there is none."""
        with self._lock:
            number, self._number = self._number, ""
            return number

    def answer(self, same: bool) -> None:
        """Let the thread go that waits, if one does."""
        with self._lock:
            answers, self._answers, self._number = self._answers, None, ""
        if answers is not None:
            answers.put(same)


def spaced(number: str) -> str:
    """Return a number as it is read out."""
    return f"{number[:3]} {number[3:]}"


def time_left(seconds: float) -> str:
    """Say for how long a code is good."""
    minutes, rest = divmod(round(seconds), 60)
    return f"Good for one device, and for {minutes}:{rest:02} more"
