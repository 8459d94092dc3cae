"""Users of some version of BPost, told what to do: ``citizen.py LIBRARY SERVER PIN``.

Only what every version has is used: the facade of its client library. A line of
JSON on standard input names a method of :class:`Citizen` and its arguments; the answer is a line
with ``result``, or with ``error``.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])

from bpost.client import Client, account
from bpost.crypto.password import PasswordKeys
from bpost.errors import BPostError
from bpost.limits import Limits

LIMITS = Limits(rates=False, reconnect_first=0.05, reconnect_most=0.2)
DEADLINE = 30 * float(os.environ.get("BPOST_TEST_PATIENCE", "1"))


def cheap_keys(username: str, password: str) -> PasswordKeys:
    """Turn a password into its keys as tests.client.town does, without the cost."""
    words = (f"{word} {username.lower()} {password}" for word in ("login", "wrap"))
    return PasswordKeys(*(hashlib.sha256(word.encode()).digest() for word in words))


class Citizen:
    """Several users, each with a profile of its own."""

    def __init__(self, server: str, pin: str, folder: Path) -> None:
        self._server, self._pin, self._folder = server, pin, folder
        self._clients: dict[str, Client] = {}

    def library(self) -> str:
        """Return where the library is."""
        return str(sys.modules["bpost"].__file__)

    def register(self, who: str) -> str:
        """Create the account of a user."""
        self._client(who).register(who, f"the password of {who}")
        return self._clients[who].username

    def log_in(self, who: str, server: str = "") -> str:
        """Log a user in, at another address of the server if one is given."""
        self._server = server or self._server
        self._client(who).log_in(who, f"the password of {who}")
        return self._clients[who].username

    def leave(self, who: str) -> None:
        """Log a user out, and close the profile."""
        self._clients.pop(who).close()

    def add(self, who: str, other: str) -> None:
        """Add a contact."""
        self._clients[who].add_contact(other)

    def send(self, who: str, other: str, text: str) -> str:
        """Send a text, and wait until the server has it; return its id."""
        sent = self._clients[who].send(other, text)
        self._wait(lambda: self._status(who, other, sent.id) not in ("waiting", "failed"))
        return sent.id

    def wait(self, who: str, other: str, what: str) -> list[tuple[str, str, str]]:
        """Wait until a text, or a remark, that holds ``what`` is shown; return all that is."""
        self._wait(lambda: any(what in line[1] for line in self.shown(who, other)))
        return self.shown(who, other)

    def wait_status(self, who: str, other: str, id_: str, status: str) -> None:
        """Wait until a message has a status."""
        self._wait(lambda: self._status(who, other, id_) == status)

    def shown(self, who: str, other: str) -> list[tuple[str, str, str]]:
        """Return kind, text or remark, and status of all that a conversation shows."""
        lines = self._clients[who].history(other, limit=1000)
        return [(line.kind, line.text or line.failure, line.status) for line in lines]

    def _status(self, who: str, other: str, id_: str) -> str:
        lines = self._clients[who].history(other, limit=1000)
        return next((str(line.status) for line in lines if line.id == id_), "")

    def _client(self, who: str) -> Client:
        folder = self._folder / who
        self._clients[who] = Client(self._server, folder, pin=self._pin, limits=LIMITS)
        return self._clients[who]

    def _wait(self, condition: Any) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError("waited in vain")
            time.sleep(0.02)

    def close(self) -> None:
        """Close all."""
        for who in list(self._clients):
            self.leave(who)


def main() -> None:
    """Do what standard input says until it ends."""
    setattr(account, "derive_password_keys", cheap_keys)  # noqa: B010 - it is not exported
    citizen = Citizen(sys.argv[2], sys.argv[3], Path.cwd())
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        try:
            answer = {"result": getattr(citizen, method)(*arguments)}
        except (BPostError, RuntimeError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
    citizen.close()


if __name__ == "__main__":
    main()
