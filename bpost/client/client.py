"""The facade: what the window, the command line and bots use.

    with Client("wss://home:8765", folder) as me:
        me.log_in("alice", password)
        me.send("bob", "hi")
        for event in me.events():
            ...

Every method may be called from any thread. Those that talk to the server block until it has
answered (`add_contact`, `remove_contact`, `block`, `unblock`, `change_password`, `register` and
`log_in`); all others only read or write the profile and return at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from bpost.client.events import ConnectionState, Event
from bpost.client.records import Contact, Conversation, Message
from bpost.limits import Limits

DEFAULT_LIMITS = Limits()


class Client:
    """One account on one device: a profile folder and a connection to its server.

    ``server`` is anything ``bpost.net.address.parse_address`` reads, an invite link too. ``pin``
    trusts one certificate; it is remembered in the profile after the first log-in.
    """

    def __init__(
        self,
        server: str,
        profile: Path,
        *,
        pin: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        raise NotImplementedError

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Account

    def register(self, username: str, password: str, invite: str | None = None) -> None:
        """Create the account and this first device, and log in.

        Interrupted at any point, the same call again goes on where it stopped.

        Raises:
            Refused: ``name-taken``, ``invite-needed``, ``rate-limited`` …
            UsageError: a name or password that cannot be.
            UntrustedCertificate: show ``error.pin``, then try with a Client that has this pin.
            SecurityError: the certificate is not the pinned one, …
            TransportError: the server cannot be reached.
            ProfileError: the folder cannot be used, or another program uses it.
        """
        raise NotImplementedError

    def log_in(self, username: str, password: str) -> None:
        """Open the profile, connect and log in; a new profile joins the account as a new device.

        With an existing profile and no network this succeeds too: history is readable, messages
        wait in the outbox, and the connection is made later.

        Raises: what :meth:`register` raises; ``Refused("wrong-password")`` for a wrong password.
        """
        raise NotImplementedError

    def log_out(self) -> None:
        """Disconnect and close the profile; another `log_in` may follow."""
        raise NotImplementedError

    def close(self) -> None:
        """Log out for good and end `events`; may be called twice, and from any thread."""
        raise NotImplementedError

    def change_password(self, current: str, new: str) -> None:
        """Change the password on the server and re-seal vault and key file.

        Raises: ``Refused("wrong-password")`` if ``current`` is wrong; TransportError if offline.
        """
        raise NotImplementedError

    @property
    def username(self) -> str:
        """The name that is logged in, as registered; empty before."""
        raise NotImplementedError

    @property
    def device(self) -> str:
        """The id of this device; empty before it has one."""
        raise NotImplementedError

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """How many of the user's messages the server has not stored yet."""
        raise NotImplementedError

    def reconnect(self) -> None:
        """Try to connect now instead of waiting for the next try."""
        raise NotImplementedError

    # People

    def add_contact(self, name: str) -> Contact:
        """Add ``name`` to the contact list on the server and fetch their keys.

        Raises: ``Refused("no-such-user")``; TransportError if offline.
        """
        raise NotImplementedError

    def contacts(self) -> list[Contact]:
        """Return the contact list, sorted by name."""
        raise NotImplementedError

    def contact(self, name: str) -> Contact | None:
        """Return what is known of ``name``, listed or not."""
        raise NotImplementedError

    def remove_contact(self, name: str) -> None:
        """Take ``name`` off the contact list; the conversation stays."""
        raise NotImplementedError

    def block(self, name: str) -> None:
        """Let the server drop whatever ``name`` sends; they are not told."""
        raise NotImplementedError

    def unblock(self, name: str) -> None:
        """Undo :meth:`block`."""
        raise NotImplementedError

    def trust_new_key(self, name: str) -> None:
        """Accept the changed account key of ``name``; what waited for it is sent."""
        raise NotImplementedError

    def safety_number(self, name: str) -> str:
        """Return the 60 digits that both sides see if nobody sits between; empty without keys."""
        raise NotImplementedError

    # Conversations

    def conversations(self) -> list[Conversation]:
        """Return all conversations, the one with the newest message first."""
        raise NotImplementedError

    def history(self, name: str, before: str | None = None, limit: int = 100) -> list[Message]:
        """Return up to ``limit`` messages, oldest first, that stand before message id ``before``.

        None: the newest ones.
        """
        raise NotImplementedError

    def send(self, name: str, text: str) -> Message:
        """Put ``text`` into the outbox and return it as a waiting message; never blocks long.

        Raises: UsageError for an empty or too long text, or for someone not in the contact list.
        """
        raise NotImplementedError

    def retry(self, id: str) -> Message:  # noqa: A002 (the records call it id)
        """Send a failed message again, as the same message."""
        raise NotImplementedError

    def mark_read(self, name: str) -> None:
        """Mark everything in the conversation as read, and tell the sender."""
        raise NotImplementedError

    def draft(self, name: str) -> str:
        """Return the unsent text kept for this conversation."""
        raise NotImplementedError

    def set_draft(self, name: str, text: str) -> None:
        """Keep an unsent text for this conversation; empty forgets it."""
        raise NotImplementedError

    def flush(self, timeout: float) -> bool:
        """Wait until the server has stored all that is in the outbox and knows what we hold.

        Returns whether that is so; False after ``timeout`` seconds.
        """
        raise NotImplementedError

    # Events

    def next_event(self, timeout: float | None = 0) -> Event | None:
        """Take the next event, waiting up to ``timeout`` seconds (None: until closed)."""
        raise NotImplementedError

    def events(self) -> Iterator[Event]:
        """Yield events until the client is closed."""
        raise NotImplementedError
