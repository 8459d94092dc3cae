"""A real server and real clients, in one process, over TLS."""

from __future__ import annotations

import shutil
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.client import Client, Event, Message
from bpost.crypto.password import PasswordKeys
from bpost.crypto.primitives import sha256
from bpost.limits import Limits
from bpost.server.config import Config
from bpost.server.post_office import PostOffice
from tests.support import patience, wait_until

LIMITS = Limits(rates=False, reconnect_first=0.05, reconnect_most=0.2)


def password_keys(username: str, password: str) -> PasswordKeys:
    """Turn a password into its keys without the cost, which is tried where it belongs."""
    keys = (sha256(f"{word} {username.lower()} {password}".encode()) for word in ("login", "wrap"))
    return PasswordKeys(*keys)


def password_of(name: str) -> str:
    """Return the password of a user of the town."""
    return f"the password of {name.lower()}"


class Town(unittest.TestCase):
    """Tests with a server; clients that a test makes are closed at its end."""

    registration = "auto"

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        patch = mock.patch("bpost.client.account.derive_password_keys", password_keys)
        patch.start()
        self.addCleanup(patch.stop)
        self.office: PostOffice | None = None
        self.port = 0
        self.addCleanup(self.stop)
        self.start()

    def start(self) -> None:
        """Start the server, again on the port that it had."""
        data = self.folder / "server"
        config = Config(
            data=data,
            port=self.port,
            limits=LIMITS,
            log_level="error",
            registration=self.registration,
        )
        self.office = PostOffice(config).start()
        self.port, self.pin = self.office.port, self.office.pin

    def stop(self) -> None:
        """Stop the server."""
        office, self.office = self.office, None
        if office is not None:
            office.stop()

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"wss://127.0.0.1:{self.port}"

    def client(self, profile: str, **settings: Any) -> Client:
        """Make a client that trusts the server, with a profile of this name."""
        made = Client(
            self.url, self.folder / profile, **{"pin": self.pin, "limits": LIMITS, **settings}
        )
        self.addCleanup(made.close)
        return made

    def register(self, *names: str) -> list[Client]:
        """Register users who are contacts of each other."""
        made = []
        for name in names:
            client = self.client(name)
            client.register(name, password_of(name))
            made.append(client)
        for client in made:
            for other in made:
                if other is not client:
                    client.add_contact(other.username)
        return made

    def log_in(self, name: str, profile: str = "", password: str = "") -> Client:
        """Log a user in, from another profile if one is named."""
        made = self.client(profile or name)
        made.log_in(name, password or password_of(name))
        return made


def texts(client: Client, name: str) -> list[str]:
    """Return the texts of a whole conversation."""
    return [m.text for m in client.history(name, limit=100_000) if m.kind == "text"]


def wait_for_text(client: Client, name: str, text: str) -> None:
    """Wait until ``text`` stands in a conversation."""
    wait_until(lambda: text in texts(client, name), what=f"{text!r} at {client.username}")


def wait_for_event(client: Client, wanted: Callable[[Event], object]) -> Event:
    """Take events until one is ``wanted``."""
    while True:
        event = client.next_event(patience(20))
        if event is None:
            raise AssertionError("the event never came")
        if wanted(event):
            return event


def status(client: Client, message: Message) -> str:
    """Return the status that a message has now."""
    found = {m.id: m.status for m in client.history(message.conversation, limit=100_000)}
    return found[message.id]
