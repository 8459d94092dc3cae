"""A client library in memory, that can misbehave as a real one over a real network would.

It has the methods of `bpost.client.Client` that the window uses, answers at once, and is told
by the tests what to do: hold an answer back, raise, or let a flood of events come in.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar, cast

from bpost.client import (
    Client,
    ConnectionChanged,
    ConnectionState,
    Contact,
    ContactsChanged,
    Conversation,
    ConversationChanged,
    DeviceInfo,
    Event,
    HandoverChanged,
    HandoverInfo,
    KeyChange,
    KeyLogState,
    LinkInfo,
    Message,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    Safety,
    SignedOut,
    Verdict,
)
from bpost.client.records import KeyWord
from bpost.errors import BPostError, Refused

T = TypeVar("T")


class World:
    """Everybody on one server; ``fail`` and ``hold`` make calls misbehave by their names."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.fail: dict[str, BPostError] = {}
        self.hold: dict[str, threading.Event] = {}
        self.clients: list[SimulatedClient] = []
        self.people = {"bob", "carol", "dave"}

    def make(self, server: str, profile: Path, *, pin: str | None = None) -> Client:
        """Stand in for `Client`."""
        client = SimulatedClient(self, server, profile, pin)
        self.clients.append(client)
        return cast("Client", client)

    def enter(self, name: str) -> None:
        """Wait and fail as the test wants the call ``name`` to."""
        held = self.hold.get(name)
        if held is not None:
            held.wait(20)
        error = self.fail.get(name)
        if error is not None:
            raise error

    @property
    def client(self) -> SimulatedClient:
        """The client that was made last."""
        return self.clients[-1]


class SimulatedClient:
    """One account of a `World`."""

    def __init__(self, world: World, server: str, profile: Path, pin: str | None) -> None:
        self.world = world
        self.server = server
        self.profile = profile
        self.pin = pin
        self.username = ""
        self.state = ConnectionState.OFFLINE
        self.closed = False
        self.removed = False
        self.calls: list[str] = []
        now = int(time.time() * 1000)
        self.own_devices = [
            DeviceInfo("laptop0000000000", "Laptop", now - 5_000_000_000, now, this=True),
            DeviceInfo("phone00000000000", "Telephone", now - 900_000_000, now - 60_000),
            DeviceInfo("old0000000000000", "", now - 9_000_000_000, now - 4_000_000_000),
        ]
        self.link = LinkInfo()
        self.has_vault = True
        self.history_offered = False
        self.on_its_way: list[HandoverInfo] = []
        self._events: deque[Event] = deque()
        self._contacts: dict[str, Contact] = {}
        self._messages: dict[str, list[Message]] = {}
        self._unread: dict[str, int] = {}
        self._drafts: dict[str, str] = {}
        self.key_changes: dict[str, list[KeyChange]] = {}
        self.log = KeyLogState()
        self._places = itertools.count(1)
        self._lock = threading.RLock()  # guards all of the above

    # Account

    def register(self, username: str, password: str, invite: str | None = None) -> None:
        """Create an account."""
        self.calls.append("register")
        self.world.enter("register")
        if username.lower() in self.world.passwords:
            raise Refused("name-taken")
        self.world.passwords[username.lower()] = password
        self._in(username)

    def log_in(
        self,
        username: str,
        password: str,
        code: str = "",
        compare: Callable[[str], bool] = lambda _: True,
        *,
        connect: bool = True,
    ) -> None:
        """Log in."""
        self.calls.append("log_in")
        if connect:
            self.world.enter("log_in")
        if code and not compare("123456"):
            raise Refused("refused", "The two numbers were not the same.")
        if self.world.passwords.get(username.lower()) != password:
            raise Refused("wrong-password")
        self._in(username)

    def begin_anew(self, username: str, password: str) -> None:
        """Begin the account anew."""
        self.calls.append("begin_anew")
        self.world.enter("begin_anew")
        self.world.fail.pop("log_in", None)
        self._in(username)

    def _in(self, username: str) -> None:
        self.username = username
        self.connection(ConnectionState.CONNECTED)

    def close(self) -> None:
        """Log out."""
        self.closed = True

    def change_password(self, current: str, new: str) -> None:
        """Change the password."""
        self.calls.append("change_password")
        self.world.enter("change_password")
        if self.world.passwords[self.username.lower()] != current:
            raise Refused("wrong-password")
        self.world.passwords[self.username.lower()] = new

    def devices(self) -> list[DeviceInfo]:
        """Return the devices."""
        self.world.enter("devices")
        return list(self.own_devices)

    def name_device(self, name: str, device: str = "") -> None:
        """Name this device, or another."""
        self.world.enter("name_device")
        for place, one in enumerate(self.own_devices):
            if one.id == device or (one.this and not device):
                self.own_devices[place] = dataclasses.replace(one, name=name)

    def renew_key(self) -> None:
        """Renew the account key."""
        self.calls.append("renew_key")
        self.world.enter("renew_key")

    def remove_device(self, device: str, *, renew: bool = False) -> None:
        """Remove a device."""
        self.calls.append(f"remove_device {device}" + (" renew" if renew else ""))
        self.world.enter("remove_device")
        self.own_devices = [one for one in self.own_devices if one.id != device]

    def show_link(self) -> LinkInfo:
        """Make a code."""
        self.world.enter("show_link")
        code = "bpost-link:1:" + "Zk3v9QxT1bLmE-0w" * 4
        self.link = LinkInfo(code, "waiting", left=299.0)
        return self.link

    def decide_link(self, yes: bool) -> None:
        """Say whether the numbers are the same."""
        state = "agreed" if yes else "refused"
        self.link = dataclasses.replace(self.link, state=state)

    def end_link(self) -> None:
        """Show no code any more."""
        self.calls.append("end_link")

    def keep_vault(self, on: bool) -> None:
        """Keep a vault, or none."""
        self.world.enter("keep_vault")
        self.has_vault = on

    def handovers(self) -> list[HandoverInfo]:
        """Return what is on its way."""
        self.world.enter("handovers")
        return list(self.on_its_way)

    def fetch_history(self) -> None:
        """Ask for the history."""
        self.calls.append("fetch_history")
        self.world.enter("fetch_history")
        self.history_offered = False
        self.hand_over(HandoverInfo("phone00000000000", "", "get", "asked"))

    def decline_history(self) -> None:
        """Offer it no more."""
        self.history_offered = False

    def give_history(self, device: str, yes: bool = True) -> None:
        """Give the history, or not."""
        self.calls.append(f"give_history {device} {yes}")
        state = "sending" if yes else "refused"
        self.hand_over(HandoverInfo(device, "Telephone", "give", state, 1_200, 8_400))

    def hand_over(self, *now: HandoverInfo) -> None:
        """Let this be on its way."""
        self.on_its_way = list(now)
        self.tell(HandoverChanged())

    @property
    def folder(self) -> Path:
        """The folder of the profile."""
        return self.profile

    def backup(self, file: Path, passphrase: str, settings: Mapping[str, object]) -> None:
        """Write a backup, of sorts."""
        self.calls.append("backup")
        self.world.enter("backup")
        file.write_text(f"{passphrase} {dict(settings)}")

    def export(self, name: str, format: str) -> Iterator[str]:  # noqa: A002
        """Export a conversation."""
        self.world.enter("export")
        return iter([format, *(message.text for message in self._messages[name.lower()])])

    def delete_account(self, password: str) -> Mapping[str, int]:
        """Delete the account."""
        self.calls.append("delete_account")
        self.world.enter("delete_account")
        if self.world.passwords[self.username.lower()] != password:
            raise Refused("wrong-password")
        del self.world.passwords[self.username.lower()]
        self.tell(SignedOut("no-such-user", "This account was deleted."))
        return {"messages": 3, "contacts": 2, "devices": 1, "keys": 90}

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        with self._lock:
            every = itertools.chain.from_iterable(self._messages.values())
            return sum(message.status == "waiting" for message in every)

    def reconnect(self) -> None:
        """Connect now."""
        self.calls.append("reconnect")
        self.connection(ConnectionState.CONNECTED)

    # People

    def add_contact(self, name: str) -> Contact:
        """Add somebody."""
        self.calls.append("add_contact")
        self.world.enter("add_contact")
        if name.lower() not in self.world.people:
            raise Refused("no-such-user")
        contact = Contact(name=name, added=0, has_key=True)
        self.know(contact)
        return contact

    def contacts(self) -> list[Contact]:
        """Return the contacts."""
        with self._lock:
            return sorted(self._contacts.values(), key=lambda one: one.name)

    def remove_contact(self, name: str) -> None:
        """Take somebody off the list."""
        self.know(dataclasses.replace(self._contacts[name.lower()], listed=False))

    def block(self, name: str) -> None:
        """Block somebody."""
        self.know(dataclasses.replace(self._contacts[name.lower()], blocked=True))

    def unblock(self, name: str) -> None:
        """Unblock somebody."""
        self.know(dataclasses.replace(self._contacts[name.lower()], blocked=False))

    def trust_new_key(self, name: str, key: str, *, anyway: bool = False) -> None:
        """Trust the new key."""
        self.calls.append("trust_new_key" + (" anyway" if anyway else ""))
        self._know_key(name, "accepted", verified=False)

    def safety(self, name: str) -> Safety:
        """Return sixty digits, and what is known of the key."""
        self.world.enter("safety")
        known = self._contacts[name.lower()]
        if not known.has_key:
            return Safety(name)
        return Safety(
            name=known.name,
            number=("".join(str(ord(char) % 10) for char in name) * 60)[:60],
            code=f"bpost-safety:1:{'A' * 43}:{'B' * 43}",
            key=known.key or "first-key",
            key_changed=known.key_changed,
            verified=known.verified,
            was_verified=known.was_verified,
        )

    def key_log(self) -> KeyLogState:
        """As `Client.key_log`."""
        return self.log

    def key_history(self, name: str) -> list[KeyChange]:
        """Return what happened."""
        return self.key_changes.get(name.lower(), [])

    def mark_verified(self, name: str, key: str) -> None:
        """Mark somebody as verified."""
        self.world.enter("mark_verified")
        self._know_key(name, "verified", verified=True)

    def unmark_verified(self, name: str) -> None:
        """Take the mark away."""
        self._know_key(name, "unverified", verified=False)

    def compare_code(self, name: str, code: str) -> Verdict:
        """Answer with the verdict that is spelled."""
        verdict = Verdict(code)
        if verdict is Verdict.SAME:
            self.mark_verified(name, "")
        return verdict

    def _know_key(self, name: str, what: KeyWord, *, verified: bool) -> None:
        """Let something happen to the key of somebody."""
        known = self._contacts[name.lower()]
        change = KeyChange(known.key or "first-key", int(time.time() * 1000), what)
        self.key_changes.setdefault(name.lower(), []).append(change)
        self.know(
            dataclasses.replace(known, key_changed=False, was_verified=False, verified=verified)
        )

    # Conversations

    def conversations(self) -> list[Conversation]:
        """Return all conversations, newest first."""
        self.calls.append("conversations")
        self.world.enter("conversations")
        with self._lock:
            found = [
                Conversation(
                    name=self._named(key),
                    last=messages[-1] if messages else None,
                    unread=self._unread.get(key, 0),
                    draft=self._drafts.get(key, ""),
                    request=key not in self._contacts or not self._contacts[key].listed,
                )
                for key, messages in self._messages.items()
            ]
        return sorted(found, key=lambda one: one.last.place if one.last else 0, reverse=True)

    def _named(self, key: str) -> str:
        return self._contacts[key].name if key in self._contacts else key

    def history(self, name: str, before: str | None = None, limit: int = 100) -> list[Message]:
        """Return older messages."""
        self.calls.append("history")
        self.world.enter("history")
        with self._lock:
            messages = self._messages.get(name.lower(), [])
            end = len(messages)
            if before is not None:
                end = next(n for n, one in enumerate(messages) if one.id == before)
            return messages[max(0, end - limit) : end]

    def send(self, name: str, text: str) -> Message:
        """Send a message."""
        self.calls.append("send")
        self.world.enter("send")
        status = "stored" if self.state is ConnectionState.CONNECTED else "waiting"
        return self.put(name, text, own=True, status=status)

    def why_not_edited(self, name: str, id: str) -> str:  # noqa: A002
        """Say why a message cannot be changed."""
        self.world.enter("why_not_edited")
        return ""

    def edit(self, name: str, id: str, text: str) -> Message:  # noqa: A002
        """Change a message."""
        self.calls.append(f"edit {text}")
        self.world.enter("edit")
        return self.change(id, text=text, edited=int(time.time() * 1000), revision=1)

    def delete(self, name: str, id: str, *, everyone: bool = False) -> None:  # noqa: A002
        """Delete a message."""
        self.calls.append("delete" + (" everyone" if everyone else ""))
        self.world.enter("delete")
        if everyone:
            gone = "You deleted this message."
            self.change(id, kind="deleted", text="", failure=gone, edited=None)
            return
        with self._lock:
            kept = [one for one in self._messages[name.lower()] if one.id != id]
            self._messages[name.lower()] = kept
        self.tell(MessageRemoved(name, id))

    def retry(self, id: str) -> Message:  # noqa: A002
        """Send a failed message again."""
        self.calls.append("retry")
        return self.change(id, status="stored", failure="")

    def mark_read(self, name: str) -> None:
        """Mark as read."""
        self.calls.append(f"mark_read {name}")
        self._unread[name.lower()] = 0
        self.tell(ConversationChanged(name))

    def draft(self, name: str) -> str:
        """Return the draft."""
        return self._drafts.get(name.lower(), "")

    def set_draft(self, name: str, text: str) -> None:
        """Keep a draft."""
        if self._drafts.get(name.lower(), "") != text:
            self._drafts[name.lower()] = text
            self._messages.setdefault(name.lower(), [])
            self.tell(ConversationChanged(name))

    def next_event(self, timeout: float | None = 0) -> Event | None:
        """Take the next event."""
        with self._lock:
            return self._events.popleft() if self._events else None

    # What only tests do

    def tell(self, event: Event) -> None:
        """Let an event come in."""
        with self._lock:
            self._events.append(event)

    def connection(
        self, state: ConnectionState, retry_in: float | None = None, text: str = ""
    ) -> None:
        """Let the connection change."""
        self.state = state
        self.tell(ConnectionChanged(state, retry_in, self.waiting, text))

    def know(self, contact: Contact) -> None:
        """Let something be known of somebody."""
        with self._lock:
            self._contacts[contact.name.lower()] = contact
        self.tell(ContactsChanged())

    def put(
        self,
        name: str,
        text: str,
        own: bool = False,
        status: str = "received",
        sent: float | None = None,
        quiet: bool = False,
        **other: object,
    ) -> Message:
        """Let a message be in the conversation with ``name``."""
        fields: dict[str, object] = {
            "id": str(uuid.uuid4()),
            "conversation": self._named(name.lower()) if name.lower() in self._contacts else name,
            "sender": self.username if own else name,
            "own": own,
            "kind": "text",
            "text": text,
            "sent": round((time.time() if sent is None else sent) * 1000),
            "received": None,
            "status": status,
            "place": float(next(self._places)),
            **other,
        }
        message = Message(**fields)  # type: ignore[arg-type]
        with self._lock:
            messages = self._messages.setdefault(name.lower(), [])
            bisect.insort(messages, message, key=lambda one: one.place)
            if not own:
                self._unread[name.lower()] = self._unread.get(name.lower(), 0) + 1
        if not quiet:
            self.tell(MessageAdded(message))
        return message

    def change(self, key: str, **fields: object) -> Message:
        """Let a message change."""
        with self._lock:
            for messages in self._messages.values():
                for place, message in enumerate(messages):
                    if message.id == key:
                        messages[place] = dataclasses.replace(message, **fields)  # type: ignore[arg-type]
                        self.tell(MessageChanged(messages[place]))
                        return messages[place]
        raise KeyError(key)

    def seen(self, name: str) -> None:
        """Let everything so far be read, without a word."""
        self._unread[name.lower()] = 0
