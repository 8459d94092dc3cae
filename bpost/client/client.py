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

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from bpost.client import enrol
from bpost.client.enrol import Entrance
from bpost.client.events import (
    ConnectionState,
    ContactsChanged,
    Event,
    EventQueue,
    MessageAdded,
)
from bpost.client.keystore import Keystore
from bpost.client.people import contact_of
from bpost.client.profile import Profile
from bpost.client.records import Contact, Conversation, Message
from bpost.client.running import Running
from bpost.crypto.fingerprint import Party, safety_number
from bpost.crypto.password import derive_password_keys
from bpost.crypto.primitives import equal
from bpost.crypto.vault import seal_vault
from bpost.errors import Refused, TransportError, UsageError
from bpost.limits import Limits
from bpost.net.address import parse_address
from bpost.protocol.codes import Reason
from bpost.protocol.fields import canonical, check_username
from bpost.protocol.replies import (
    ContactAdded,
    ContactBlocked,
    ContactRemoved,
    ContactUnblocked,
    PasswordChanged,
)
from bpost.protocol.requests import (
    AddContact,
    BlockContact,
    ChangePassword,
    RemoveContact,
    UnblockContact,
)

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
        """Raise UsageError or SecurityError for an address that cannot be used."""
        self._server = server
        self._address = parse_address(server)
        self._pin = pin
        self._keystore = Keystore(profile)
        self._limits = limits
        self._clock = clock
        self._events = EventQueue(limits.events)
        # Keeps logging in and out apart; held for as long as that takes. Taken before any other.
        self._life = threading.Lock()
        self._running: Running | None = None
        self._closed = False

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
        check_username(username)
        with self._life:
            entrance = self._enter(username, password)
            try:
                profile = enrol.register(entrance, invite or self._address.token)
                self._start(entrance, profile, settle=True)
            except BaseException:
                self._leave()
                raise

    def log_in(self, username: str, password: str) -> None:
        """Open the profile, connect and log in; a new profile joins the account as a new device.

        With an existing profile and no network this succeeds too: history is readable, messages
        wait in the outbox, and the connection is made later.

        Raises: what :meth:`register` raises; ``Refused("wrong-password")`` for a wrong password.
        """
        check_username(username)
        with self._life:
            entrance = self._enter(username, password)
            settle = not self._keystore.exists
            try:
                self._start(entrance, enrol.enter(entrance), settle)
            except BaseException:
                self._leave()
                raise

    def log_out(self) -> None:
        """Disconnect and close the profile; another `log_in` may follow."""
        with self._life:
            self._leave()

    def close(self) -> None:
        """Log out for good and end `events`; may be called twice, and from any thread."""
        with self._life:
            self._closed = True
            self._leave()
        self._events.close()

    def change_password(self, current: str, new: str) -> None:
        """Change the password on the server and re-seal vault and key file.

        Raises: ``Refused("wrong-password")`` if ``current`` is wrong; TransportError if offline.
        """
        running = self._run
        profile, credentials = running.profile, running.credentials
        name = profile.username
        if not equal(derive_password_keys(name, current).login_key, credentials.keys.login_key):
            raise Refused(Reason.WRONG_PASSWORD, "The current password is wrong.")
        keys = derive_password_keys(name, new)
        vault = seal_vault(keys.wrapping_key, name, profile.account)
        after = replace(credentials, keys=keys)
        request = ChangePassword(name, credentials.password, after.password, vault)
        running.receiver.link.request(request, PasswordChanged)
        credentials.keys = keys
        enrol.reseal(self._keystore, profile.account, keys)

    @property
    def username(self) -> str:
        """The name that is logged in, as registered; empty before."""
        running = self._running
        return "" if running is None else running.profile.username

    @property
    def device(self) -> str:
        """The id of this device; empty before it has one."""
        running = self._running
        return "" if running is None else running.profile.device

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        running = self._running
        return ConnectionState.OFFLINE if running is None else running.receiver.state

    @property
    def waiting(self) -> int:
        """How many of the user's messages the server has not stored yet."""
        running = self._running
        if running is None:
            return 0
        with running.profile.store.reading():
            return running.parts.outbox.waiting()

    def reconnect(self) -> None:
        """Try to connect now instead of waiting for the next try."""
        self._run.receiver.reconnect()

    # People

    def add_contact(self, name: str) -> Contact:
        """Add ``name`` to the contact list on the server and fetch their keys.

        Raises: ``Refused("no-such-user")``; TransportError if offline.
        """
        running = self._run
        check_username(name)
        request = AddContact(running.profile.username, name)
        added = running.receiver.link.request(request, ContactAdded)
        shown = added.contact or name
        with running.profile.change() as events:
            running.parts.people.set_listed(shown, True)
            running.parts.history.open(shown)
            events += running.parts.devices.meet(shown, added.public_key)
            events.append(ContactsChanged())
            contact = contact_of(running.parts.people.know(shown))
        running.ask_again(shown)
        return contact

    def contacts(self) -> list[Contact]:
        """Return the contact list, sorted by name."""
        running = self._run
        with running.profile.store.reading():
            return running.parts.people.contacts()

    def contact(self, name: str) -> Contact | None:
        """Return what is known of ``name``, listed or not."""
        running = self._run
        with running.profile.store.reading():
            peer = running.parts.people.peer(name)
            return None if peer is None else contact_of(peer)

    def remove_contact(self, name: str) -> None:
        """Take ``name`` off the contact list; the conversation stays."""
        running = self._run
        running.receiver.link.request(RemoveContact(name), ContactRemoved)
        with running.profile.change() as events:
            running.parts.people.set_listed(name, False)
            events.append(ContactsChanged())

    def block(self, name: str) -> None:
        """Let the server drop whatever ``name`` sends; they are not told."""
        running = self._run
        running.receiver.link.request(BlockContact(name), ContactBlocked)
        running.set_blocked(name, True)

    def unblock(self, name: str) -> None:
        """Undo :meth:`block`."""
        running = self._run
        running.receiver.link.request(UnblockContact(name), ContactUnblocked)
        running.set_blocked(name, False)

    def trust_new_key(self, name: str) -> None:
        """Accept the changed account key of ``name``; what waited for it is sent."""
        running = self._run
        with running.profile.change() as events:
            running.parts.people.trust(name)
            events.append(ContactsChanged())
        running.ask_again(name)

    def safety_number(self, name: str) -> str:
        """Return the 60 digits that both sides see if nobody sits between; empty without keys."""
        running = self._run
        with running.profile.store.reading():
            peer = running.parts.people.peer(name)
        if peer is None or peer.account_key is None:
            return ""
        profile = running.profile
        me = Party(profile.username, profile.account.public)
        return safety_number(me, Party(peer.name, bytes(peer.offered_key or peer.account_key)))

    # Conversations

    def conversations(self) -> list[Conversation]:
        """Return all conversations, the one with the newest message first."""
        running = self._run
        with running.profile.store.reading():
            return running.parts.history.conversations()

    def history(self, name: str, before: str | None = None, limit: int = 100) -> list[Message]:
        """Return up to ``limit`` messages, oldest first, that stand before message id ``before``.

        None: the newest ones.
        """
        running = self._run
        with running.profile.store.reading():
            return running.parts.history.page(name, before, limit)

    def send(self, name: str, text: str) -> Message:
        """Put ``text`` into the outbox and return it as a waiting message; never blocks long.

        Raises: UsageError for an empty or too long text, or for someone not in the contact list.
        """
        running = self._run
        with running.profile.change() as events:
            peer = running.parts.people.peer(name)
            if canonical(name) != running.profile.name and (peer is None or not peer.listed):
                text = f"{name} is not in your contact list. Add the contact first."
                raise UsageError(text)
            message = running.parts.outbox.write(canonical(name), text)
            events.append(MessageAdded(message))
        running.courier.wake()
        return message

    def retry(self, id: str) -> Message:  # noqa: A002 (the records call it id)
        """Send a failed message again, as the same message."""
        running = self._run
        with running.profile.change() as events:
            events += running.parts.outbox.retry(id)
            row = running.parts.history.own(id)
            if row is None:
                raise UsageError("There is no such message.")
            message = running.parts.history.record(row)
        running.courier.wake(lambda dispatch: dispatch.send_again())
        return message

    def mark_read(self, name: str) -> None:
        """Mark everything in the conversation as read, and tell the sender."""
        running = self._run
        with running.profile.change() as events:
            events += running.parts.read_all(name)
        running.courier.wake()

    def draft(self, name: str) -> str:
        """Return the unsent text kept for this conversation."""
        running = self._run
        with running.profile.store.reading():
            return running.parts.history.draft(name)

    def set_draft(self, name: str, text: str) -> None:
        """Keep an unsent text for this conversation; empty forgets it."""
        running = self._run
        with running.profile.change() as events:
            events += running.parts.history.set_draft(name, text)

    def flush(self, timeout: float) -> bool:
        """Wait until the server has stored all that is in the outbox and knows what we hold.

        Returns whether that is so; False after ``timeout`` seconds.
        """
        running = self._run
        deadline = time.monotonic() + timeout
        while True:
            running.receiver.acknowledge()
            with running.profile.store.reading():
                if running.parts.outbox.is_empty():
                    return True
            left = deadline - time.monotonic()
            if left <= 0 or running.receiver.state is ConnectionState.REFUSED:
                return False
            running.courier.wait(min(left, 0.1))

    # Events

    def next_event(self, timeout: float | None = 0) -> Event | None:
        """Take the next event, waiting up to ``timeout`` seconds (None: until closed)."""
        return self._events.get(timeout)

    def events(self) -> Iterator[Event]:
        """Yield events until the client is closed."""
        while not self._events.closed:
            event = self._events.get(None)
            if event is not None:
                yield event

    # How it works

    @property
    def _run(self) -> Running:
        """What runs while logged in; raise UsageError if nothing does."""
        running = self._running
        if running is None:
            raise UsageError("Log in first.")
        return running

    def _enter(self, username: str, password: str) -> Entrance:
        """Take the profile folder, and turn the password into its keys."""
        if self._closed or self._running is not None:
            raise UsageError("This client is logged in or closed already. Make a new one.")
        self._keystore.lock()
        try:
            known = self._keystore.read_remembered() if self._keystore.exists else None
            pin = self._pin or self._address.pin or (known.pin if known else None)
            return Entrance(
                keystore=self._keystore,
                server=self._server.partition("#")[0],
                address=replace(self._address, pin=pin),
                username=username,
                keys=derive_password_keys(username, password),
                limits=self._limits,
                clock=self._clock,
                events=self._events,
            )
        except BaseException:
            self._keystore.unlock()
            raise

    def _start(self, entrance: Entrance, profile: Profile, settle: bool) -> None:
        """Start the threads, and wait for the first connection, or for all to be in order."""
        running = self._running = Running(entrance, profile)
        running.start()
        failure = running.receiver.wait_first(self._limits.log_in_seconds)
        if settle and failure is None:
            running.courier.wait_settled(self._limits.log_in_seconds)
        elif failure is not None and (settle or not isinstance(failure, TransportError)):
            raise failure

    def _leave(self) -> None:
        """Stop what runs and let the folder go."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()
        self._keystore.unlock()
