"""A post office that lies: the real one, but for what it says on the way out, or makes up.

``office.lies`` sees each frame that is about to leave and says what leaves in its place; and
:meth:`LyingPostOffice.insert` puts letters into mailboxes that nobody has sent. Whatever a server's
owner can do to others, one of the two does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast

from bpost.client import Client
from bpost.client.events import SecurityNotice
from bpost.client.link import Link
from bpost.errors import FrameError
from bpost.limits import Limits
from bpost.net.ws_server import ServerConnection
from bpost.protocol.envelope import Envelope, parse_envelope
from bpost.protocol.frames import parse_reply
from bpost.protocol.replies import Delivery
from bpost.protocol.shape import Reply
from bpost.server.config import Config
from bpost.server.listener import Listener
from bpost.server.mailroom import Posting
from bpost.server.post_office import PostOffice
from bpost.server.records import Letter
from bpost.server.rules import RULES
from bpost.server.session import Session
from bpost.server.wire import Wire
from tests.client.town import LIMITS, Town
from tests.support import wait_until

HASTY = replace(LIMITS, missing_seconds=0.2)
"""What is missing is asked for at once."""

Lie = Callable[[str, Reply], Reply | None]


def honest(_user: str, reply: Reply) -> Reply:
    """Say what is so."""
    return reply


class LyingWire:
    """A connection on which the user who is logged in is lied to."""

    def __init__(self, office: LyingPostOffice, connection: ServerConnection) -> None:
        self._office = office
        self._connection = connection
        self.session: Session | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def send(self, text: str) -> bool:
        """Send a text, or a lie."""
        return self.send_many((text,))

    def send_many(self, texts: Iterable[str]) -> bool:
        """Send texts, or lies."""
        return self._connection.send_many([said for text in texts for said in self._said(text)])

    def _said(self, text: str) -> list[str]:
        account = None if self.session is None else self.session.account
        try:
            reply = parse_reply(text)
        except FrameError:
            reply = None
        if account is None or reply is None:
            return [text]
        if isinstance(reply, Delivery):
            self._office.handed.append((account.canonical, reply))
        said = self._office.lies(account.canonical, reply)
        return [] if said is None else [said.text()]


class LyingListener(Listener):
    """Listens with wires that lie."""

    def __init__(self, office: LyingPostOffice) -> None:
        super().__init__(office.office, office._tls)
        self._liar = office

    def _meet(self, connection: ServerConnection) -> Session:
        wire = LyingWire(self._liar, connection)
        session = wire.session = Session(self._office, cast(Wire, wire), RULES)
        return session


class Nobody:
    """The wire of a letter that nobody sent, so nobody is answered."""

    def send_many(self, texts: Iterable[str]) -> bool:
        """Say it to nobody."""
        return not list(texts)


class LyingPostOffice(PostOffice):
    """The real post office, with a will of its own."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.lies: Lie = honest
        self.handed: list[tuple[str, Delivery]] = []
        """Every letter that was to be handed over, and to whom."""
        self._listener = LyingListener(self)

    def insert(self, sender: str, to: str, body: str) -> None:
        """Put a letter into the mailbox of ``to``, as if ``sender`` had sent it."""
        account = self.office.store.accounts.find(sender)
        assert account is not None
        letter = Letter(account.id, account.name, "A" * 16, to, body)
        self.office.mailroom.post(Posting(letter, cast(Wire, Nobody()), to))


class LyingTown(Town):
    """Tests with real clients of a server that lies."""

    office: LyingPostOffice

    def start(self) -> None:
        """Start the server."""
        config = Config(
            data=self.folder / "server", port=self.port, limits=HASTY, log_level="error"
        )
        self.office = LyingPostOffice(config)
        self.office.start()
        self.port, self.pin = self.office.port, self.office.pin

    def client(self, profile: str, *, limits: Limits = HASTY, **settings: Any) -> Client:
        """Make a client that asks at once for what is missing."""
        return super().client(profile, limits=limits, **settings)

    def lie(self, about: type[Reply], to: str, change: Callable[[Any], Reply | None]) -> None:
        """Lie to ``to`` from now on, about one kind of answer."""

        def said(user: str, reply: Reply) -> Reply | None:
            return change(reply) if user == to and isinstance(reply, about) else reply

        self.office.lies = said

    def confess(self) -> None:
        """Lie no more."""
        self.office.lies = honest

    def last(self, to: str, sender: str) -> Delivery:
        """Return the last letter of ``sender`` that ``to`` was to get."""
        return next(
            letter
            for user, letter in reversed(self.office.handed)
            if (user, letter.sender) == (to, sender)
        )


def cut(client: Client) -> Link:
    """Cut the connection of a client, and wait for the next one."""
    before = client._run.receiver.link
    before.close("cut by a test")
    wait_until(lambda: _link(client) not in (None, before), what="a new connection")
    return client._run.receiver.link


def _link(client: Client) -> Link | None:
    return client._run.receiver._link


def told(client: Client) -> list[str]:
    """Take the events told so far, and return the causes of the notices among them."""
    found, event = [], client.next_event(0)
    while event is not None:
        if isinstance(event, SecurityNotice):
            found.append(event.cause)
        event = client.next_event(0)
    return found


def wait_told(client: Client, cause: str) -> None:
    """Wait until the user is told this cause."""
    causes: list[str] = []

    def is_told() -> bool:
        causes.extend(told(client))
        return cause in causes

    wait_until(is_told, what=f"{cause} of {causes}")


def opened(body: str) -> Envelope:
    """Read an envelope."""
    return parse_envelope(body, LIMITS)


def spliced(envelope: str, **changes: Any) -> str:
    """Return an envelope with other parts."""
    return replace(opened(envelope), **changes).text()
