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
from collections.abc import Iterator

from bpost.client.admission import Admission
from bpost.client.correcting import Correcting
from bpost.client.custody import Custody
from bpost.client.events import ConnectionState, ContactsChanged, Event, MessageAdded
from bpost.client.heritage import Heritage
from bpost.client.household import Household
from bpost.client.people import check_answer
from bpost.client.records import Contact, Conversation, Message
from bpost.client.verifying import Verifying
from bpost.errors import UsageError
from bpost.protocol.fields import canonical, check_username
from bpost.protocol.replies import ContactAdded, ContactBlocked, ContactRemoved, ContactUnblocked
from bpost.protocol.requests import AddContact, BlockContact, RemoveContact, UnblockContact


class Client(Custody, Verifying, Household, Heritage, Admission, Correcting):
    """One account on one device: its people and conversations.

    Made and logged in as :class:`Account` says; :class:`Custody` has backups and exports,
    :class:`Verifying` safety numbers and keys, :class:`Household` the account's devices,
    :class:`Heritage` what they hand on to each other, :class:`Admission` how new ones get in, and
    :class:`Correcting` edits and deletions.
    """

    # People

    def add_contact(self, name: str) -> Contact:
        """Add ``name`` to the contact list on the server and fetch their keys.

        Raises: ``Refused("no-such-user")``; TransportError if offline; SecurityError if the
        server answers about somebody else.
        """
        running = self._run
        check_username(name)
        request = AddContact(running.profile.username, name)
        added = running.receiver.link.request(request, ContactAdded)
        shown = check_answer(name, added.contact or name)
        with running.profile.change() as events:
            running.parts.people.set_listed(shown, True)
            running.parts.history.open(shown)
            events += running.parts.devices.meet(shown, added.public_key)
            events.append(ContactsChanged())
            contact = running.parts.people.contact(running.parts.people.know(shown))
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
            return None if peer is None else running.parts.people.contact(peer)

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
        running = self._writing
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
        """Send a failed message again, and return it.

        It is the same message, or a new one where the old one was stored and lost later.
        """
        running = self._writing
        with running.profile.change() as events:
            now, told = running.parts.outbox.retry(id)
            events += told
            row = running.parts.history.own(now)
            if row is None:
                raise UsageError("There is no such message.")
            message = running.parts.history.record(row)
        running.courier.wake(lambda dispatch: dispatch.send_again())
        return message

    def unread(self, name: str) -> list[Message]:
        """Return the messages of others in this conversation that were not marked as read."""
        running = self._run
        with running.profile.store.reading():
            return running.parts.unread(name)

    def mark_read(self, name: str, upto: str | None = None) -> None:
        """Mark everything, or what stands up to message ``upto``, as read, and tell the sender."""
        running = self._run
        with running.profile.change() as events:
            events += running.parts.read(name, upto)
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
