"""An open profile: who we are, and the database that everything is stored in.

Every other part of the client works on a :class:`Profile`. What changes, changes within
:meth:`Profile.change`; what it tells goes to the event queue after the commit and in its order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from bpost.client.events import Event, EventQueue
from bpost.client.keystore import Keystore, Remembered
from bpost.client.models import Fact, KeyList, Peer
from bpost.client.store import Store
from bpost.crypto.account import AccountKey
from bpost.crypto.handshake import LocalDevice
from bpost.crypto.keyfile import generate_database_key, seal_key_file
from bpost.crypto.password import PasswordKeys
from bpost.crypto.primitives import X25519Private, generate_x25519
from bpost.errors import ProfileError, SecurityError, StoreError
from bpost.limits import Limits
from bpost.protocol.fields import canonical

Clock = Callable[[], float]

YES = b"1"

# The facts that a profile keeps, by name.
USERNAME = "username"
ACCOUNT = "account"
IDENTITY = "identity"
DEVICE = "device"
REGISTERED = "registered"  # the server has the account
FOUNDER = "founder"  # this device made the account, so it was there for every message
BEGUN = "begun"  # this device made the account's key, which the server had none of
VAULT = "vault"  # the server's vault holds our account key
VAULT_OFF = "vault-off"  # the user wants none at the server
ANNOUNCED = "announced"  # own devices and contacts have been told of this device
NAMED = "named"  # the server has a sealed name of this device
RING = "ring"  # the own other devices whose coming has been shown
OFFERED = "offered"  # the user was asked whether to get the history of an other own device
RESTORED = "restored"  # this is an older copy of itself, or one of two: the message that told
EPOCH_BEGAN = "epoch"  # from which number this device counts on since it was restored
REMINDED = "reminded"  # when own devices that slept through a renewal were last sent the key
RENEWING = "renewing"  # the seeds of an account key that is to take over
REMOVED = "removed"  # another own device has removed this one


class Profile:
    """The open profile of one account on one device; any thread may use it."""

    def __init__(self, store: Store, events: EventQueue, limits: Limits, clock: Clock) -> None:
        """Read who we are; raise StoreError for a database that does not say."""
        self.store = store
        self.events = events
        self.limits = limits
        self._clock = clock
        with store.reading():
            facts = {fact.name: bytes(fact.value) for fact in store.all(Fact)}
        try:
            self.username = facts[USERNAME].decode()
            self.account = AccountKey.from_seeds(facts[ACCOUNT])
            self.identity = X25519Private(facts[IDENTITY])
        except KeyError:
            text = "The profile is not complete. Move its folder away, and log in again."
            raise StoreError(text) from None
        self.name = canonical(self.username)
        self.device = facts.get(DEVICE, b"").decode()

    def now(self) -> int:
        """Return the time in milliseconds."""
        return int(self._clock() * 1000)

    @contextmanager
    def change(self) -> Iterator[list[Event]]:
        """Hold a transaction; events appended to the list are told once it is committed."""
        events: list[Event] = []
        with self.store.lock:
            with self.store.transaction():
                yield events
            for event in events:
                self.events.put(event)

    def fact(self, name: str) -> bytes | None:
        """Return a fact, or None; within a transaction or reading."""
        found = self.store.one(Fact, Fact.name == name)
        return None if found is None else bytes(found.value)

    def know(self, name: str, value: bytes) -> None:
        """Store a fact; within a transaction."""
        self.store.run(Fact.insert(name=name, value=value).on_conflict_replace())

    def unknow(self, name: str) -> None:
        """Remove a fact; within a transaction."""
        self.store.remove(Fact, Fact.name == name)

    @property
    def removed(self) -> bool:
        """Whether this device was removed from its account: it can only be read then."""
        with self.store.reading():
            return self.store.recall("removed", lambda: self.fact(REMOVED) is not None)

    @property
    def has_vault(self) -> bool:
        """Whether the user lets the server keep a vault; within a transaction or reading."""
        return self.fact(VAULT_OFF) is None

    def keep_vault(self, on: bool) -> None:
        """Note whether the server's vault holds the account key; within a transaction."""
        known, unknown = (VAULT, VAULT_OFF) if on else (VAULT_OFF, VAULT)
        self.unknow(unknown)
        self.know(known, YES)

    def set_device(self, device: str) -> None:
        """Keep the id that the server gave this device; it is one that the server knows then."""
        with self.store.transaction():
            self.know(DEVICE, device.encode())
            self.know(REGISTERED, YES)
            self.store.forget()
        self.device = device

    @contextmanager
    def under(self, account: AccountKey) -> Iterator[list[Event]]:
        """Hold a :meth:`change` from which on ``account`` is the account's key, if it succeeds."""
        with self.store.lock:
            before, self.account = self.account, account
            try:
                with self.change() as events:
                    self.know(ACCOUNT, account.seeds)
                    self.store.forget()
                    yield events
            except BaseException:
                self.account = before
                raise

    def local(self) -> LocalDevice:
        """Return this device as sessions need it; within a transaction or reading."""
        return self.store.recall("local", self._read_local)

    def _read_local(self) -> LocalDevice:
        key = self.account.public
        found = self.store.one(KeyList, KeyList.peer == self.name, KeyList.account_key == key)
        if found is None:
            raise SecurityError("no-session", "This device has not published its keys yet.")
        device_list = bytes(found.device_list)
        return LocalDevice(self.name, self.device, self.identity, key, device_list)

    def __repr__(self) -> str:
        return f"Profile({self.username!r}, {self.device!r})"


def create_profile(
    keystore: Keystore,
    facts: Remembered,
    account: AccountKey,
    keys: PasswordKeys,
    marks: tuple[str, ...],
) -> None:
    """Make the files of a new profile; its key file comes last, so half a profile is none.

    ``marks`` are the facts that hold from the start.

    Raises:
        ProfileError, StoreError: a file cannot be written.
    """
    keystore.discard()
    database_key = generate_database_key()
    keystore.create_database()
    store = Store(keystore.database, database_key)
    try:
        with store.transaction():
            write_first_facts(store, facts, account, marks)
    finally:
        store.close()
    keystore.remember(facts)
    keystore.write_key(seal_key_file(database_key, keys.wrapping_key, account))


def write_first_facts(
    store: Store, facts: Remembered, account: AccountKey, marks: tuple[str, ...]
) -> None:
    """Write down who we are, in a database that knows nothing else, or what a backup held.

    ``marks`` are the facts that hold from the start; within a transaction.
    """
    values = {
        USERNAME: facts.username.encode(),
        ACCOUNT: account.seeds,
        IDENTITY: generate_x25519().raw,
    }
    if facts.device:
        values[DEVICE] = facts.device.encode()
    values.update(dict.fromkeys(marks, YES))
    for name, value in values.items():
        store.run(Fact.insert(name=name, value=value))
    name = canonical(facts.username)
    key = account.public
    row = Peer.insert(name=name, shown=facts.username, account_key=key, added=0)
    store.run(row.on_conflict_ignore())


class Memory:
    """What the profile remembers outside the seal, kept in step with what becomes known."""

    def __init__(self, keystore: Keystore, facts: Remembered) -> None:
        self._keystore = keystore
        self._facts = facts
        self._lock = threading.Lock()  # guards the facts and their file

    @property
    def facts(self) -> Remembered:
        """What is known."""
        with self._lock:
            return self._facts

    def update(self, **changes: str | None) -> None:
        """Change facts, and write them if they are new; a write that fails is no harm."""
        with self._lock, suppress(ProfileError):
            new = replace(self._facts, **changes)  # type: ignore[arg-type]
            if new != self._facts:
                self._facts = new
                self._keystore.remember(new)
