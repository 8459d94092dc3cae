"""A server in memory that can lie, and devices that work over it step by step, without threads.

The devices are real: profiles on disk, mailbox, outbox, dispatch. Only the server and the network
between are simulated, so a test can drop, swap, repeat and alter whatever passes, and be exact.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import unittest
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from bpost import b64
from bpost.client.credentials import Credentials
from bpost.client.dispatch import Dispatch
from bpost.client.events import Event, EventQueue
from bpost.client.keystore import Keystore, Remembered
from bpost.client.link import Link
from bpost.client.models import TABLES
from bpost.client.parts import assemble
from bpost.client.profile import FOUNDER, Profile, create_profile
from bpost.client.records import Message
from bpost.client.store import Store
from bpost.client.upkeep import Upkeep
from bpost.crypto.account import AccountKey
from bpost.crypto.keyfile import open_with_password
from bpost.crypto.password import PasswordKeys
from bpost.errors import Refused
from bpost.limits import Limits
from bpost.protocol.codes import Code
from bpost.protocol.fields import canonical
from bpost.protocol.replies import (
    Bundles,
    ContactRecord,
    ContactRecords,
    Delivery,
    DeviceKeys,
    DeviceNamed,
    DeviceRecord,
    DeviceRecords,
    DeviceRevoked,
    KeyCount,
    KeyStored,
    Refusal,
    SendAccepted,
    SendRefused,
    VaultStored,
)
from bpost.protocol.requests import (
    CountKeys,
    GetBundles,
    GetEntries,
    GetLinks,
    GetVault,
    ListContacts,
    ListDevices,
    NameDevice,
    PutKey,
    PutVault,
    RevokeDevice,
    Send,
    UploadKeys,
)
from bpost.protocol.shape import Reply, Request
from tests.client.simulated_log import SimulatedLog

R = TypeVar("R", bound=Reply)

LIMITS = Limits(rates=False, one_time_keys=6, one_time_keys_low=3)
START = 1_800_000_000.0


@dataclass
class SimulatedKeys:
    """What the server keeps of one device."""

    bundle: str = ""
    name: str = ""
    one_time: list[str] = field(default_factory=list)


@dataclass
class SimulatedAccount:
    """What the server keeps of one user."""

    public_key: str = ""
    succession: str = ""
    vault: str = ""
    vault_version: int = 0
    devices: dict[str, SimulatedKeys] = field(default_factory=dict)
    contacts: list[str] = field(default_factory=list)
    mailbox: list[Delivery] = field(default_factory=list)


class SimulatedServer:
    """Answers requests; ``lie`` may change any answer before it leaves."""

    def __init__(self) -> None:
        self.accounts: dict[str, SimulatedAccount] = {}
        self.requests: list[tuple[str, Request]] = []
        self.sent: list[tuple[str, Send]] = []
        self.last_refs: dict[str, str | None] = {}
        self.log = SimulatedLog()
        self.ghosts: list[str] = []
        """Devices that it claims everyone has."""
        self.lie: Callable[[Request, Reply], Reply] = lambda _request, reply: reply

    def account(self, name: str) -> SimulatedAccount:
        """Return an account, which there is from now on."""
        return self.accounts.setdefault(canonical(name), SimulatedAccount())

    def answer(self, user: str, device: str, request: Request) -> Reply:
        """Answer a request of a device, or lie."""
        self.requests.append((user, request))
        me = self.account(user)
        if isinstance(request, Send):
            self.sent.append((user, request))
            self.last_refs[device] = request.ref
            return self.lie(request, self._send(user, device, request))
        if isinstance(request, GetLinks | GetEntries):
            return self.lie(request, self.log_for(user).answer(request))
        honest = self._rules[type(request)](self, me, device, request)
        return self.lie(request, honest)

    def log_for(self, _asker: str) -> SimulatedLog:
        """Return the log of keys that somebody is shown: an honest server has one."""
        return self.log

    def _send(self, user: str, device: str, request: Send) -> Reply:
        to = canonical(request.to)
        if to != user and to not in self.account(user).contacts:
            return SendRefused(request.to, request.ref, "not-a-contact", "Not a contact.")
        box = self.account(to).mailbox
        box.append(Delivery(request.body, user, len(box) + 1, int(START * 1000)))
        own = tuple(one for one in self._published(user) if one != device)
        devices = own if to == user else (*self._published(to), *self.ghosts)
        return SendAccepted(
            request.to, request.ref, len(box), int(START * 1000), devices or None, own
        )

    def _published(self, user: str) -> tuple[str, ...]:
        return tuple(id_ for id_, keys in self.account(user).devices.items() if keys.bundle)

    def _bundles(self, me: SimulatedAccount, device: str, request: GetBundles) -> Reply:
        them, found = self.account(request.contact), []
        for id_, keys in them.devices.items():
            if keys.bundle and not (them is me and id_ == device):
                take = id_ not in (request.known or ()) and keys.one_time
                once = keys.one_time.pop(0) if take else None
                found.append(DeviceKeys(id_, keys.bundle, once))
        proof, log = them.succession or None, self.log_for(request.username)
        log.hand_out(request.contact, them.public_key)
        return Bundles(request.contact, them.public_key, tuple(found), proof, log.size)

    def _put_key(self, me: SimulatedAccount, device: str, request: PutKey) -> Reply:
        if request.public_key != me.public_key:
            if me.public_key and request.replacing not in (None, me.public_key):
                return Refusal(Code.PUBLIC_KEY, "conflict")
            for keys in me.devices.values():
                keys.one_time.clear()
        log = self.log_for(request.username)
        log.put(request.username, request.public_key, request.statement or "")
        me.public_key, me.succession = request.public_key, request.succession or ""
        if request.bundle is None:
            return KeyStored()
        me.devices.setdefault(device, SimulatedKeys()).bundle = request.bundle or ""
        return KeyStored()

    def _upload(self, me: SimulatedAccount, device: str, request: UploadKeys) -> Reply:
        keys = me.devices.setdefault(device, SimulatedKeys()).one_time
        keys.extend(request.keys)
        return KeyCount(len(keys))

    def _count(self, me: SimulatedAccount, device: str, _request: CountKeys) -> Reply:
        return KeyCount(len(me.devices.get(device, SimulatedKeys()).one_time))

    def _get_vault(self, me: SimulatedAccount, _device: str, _request: GetVault) -> Reply:
        return VaultStored(me.vault_version, me.vault)

    def _put_vault(self, me: SimulatedAccount, _device: str, request: PutVault) -> Reply:
        if request.version != me.vault_version:
            return Refusal(Code.VAULT, "conflict")
        me.vault, me.vault_version = request.vault, request.version + 1
        return VaultStored(me.vault_version)

    def _contacts(self, me: SimulatedAccount, _device: str, _request: ListContacts) -> Reply:
        return ContactRecords(tuple(ContactRecord(name) for name in sorted(me.contacts)))

    def _names(self, me: SimulatedAccount, _device: str, _request: ListDevices) -> Reply:
        return DeviceRecords(
            tuple(DeviceRecord(id_, 0, 0, keys.name) for id_, keys in me.devices.items())
        )

    def _name(self, me: SimulatedAccount, _device: str, request: NameDevice) -> Reply:
        keys = me.devices.setdefault(request.device, SimulatedKeys())
        keys.name = request.sealed_name
        return DeviceNamed()

    def _revoke(self, me: SimulatedAccount, _device: str, request: RevokeDevice) -> Reply:
        gone = me.devices.pop(request.device, None)
        return DeviceRevoked() if gone else Refusal(Code.DEVICES, "no-such-device")

    _rules: dict[type[Request], Callable[..., Reply]] = {  # noqa: RUF012
        GetBundles: _bundles,
        PutKey: _put_key,
        UploadKeys: _upload,
        CountKeys: _count,
        GetVault: _get_vault,
        PutVault: _put_vault,
        ListContacts: _contacts,
        ListDevices: _names,
        NameDevice: _name,
        RevokeDevice: _revoke,
    }


class SimulatedLink:
    """What a device has instead of a connection: every answer is there at once."""

    def __init__(self, server: SimulatedServer, user: str, device: str) -> None:
        self._server = server
        self._who = (user, device)
        self.answers: list[Reply] = []

    def request(self, request: Request, expected: type[R]) -> R:
        """Answer at once."""
        reply = self._server.answer(*self._who, request)
        if isinstance(reply, Refusal):
            raise Refused(reply.reason or "", repr(reply))
        if not isinstance(reply, expected):
            raise Refused("refused", repr(reply))
        return reply

    def post(self, request: Request) -> None:
        """Keep the answer until the device looks."""
        self.answers.append(self._server.answer(*self._who, request))


class SimulatedDevice:
    """A device: all of the client but its threads."""

    def __init__(
        self,
        server: SimulatedServer,
        name: str,
        folder: Path,
        of: SimulatedDevice | None = None,
    ) -> None:
        self.name = name
        self.server = server
        self.seconds = START
        self.queue = EventQueue(100_000)
        self.keystore = Keystore(folder)
        self._keys: PasswordKeys = of._keys if of else PasswordKeys(os.urandom(32), os.urandom(32))
        account: AccountKey | None = of.profile.account if of else None
        device = b64.encode(os.urandom(12))
        marks = (FOUNDER,) if account is None else ("vault",)
        self.keystore.lock()
        facts = Remembered("simulated:1", name, device)
        create_profile(self.keystore, facts, account or AccountKey.generate(), self._keys, marks)
        self.cursor = len(server.account(name).mailbox)
        self.open()

    def open(self) -> None:
        """Open the profile and connect; again, to begin anew as after a crash."""
        sealed = self.keystore.read_key()
        self.database_key = open_with_password(sealed, self._keys.wrapping_key)
        self.store = Store(self.keystore.database, self.database_key)
        self.profile = Profile(self.store, self.queue, LIMITS, lambda: self.seconds)
        self.parts = assemble(self.profile)
        self.upkeep = Upkeep(self.parts, Credentials(self._keys))
        self.connect()

    def connect(self) -> None:
        """Begin a new connection."""
        self.link = SimulatedLink(self.server, canonical(self.name), self.profile.device)
        self.dispatch = Dispatch(self.parts, self.upkeep, cast(Link, self.link))
        last = self.server.last_refs.get(self.profile.device)
        with self.profile.change() as events:
            events += self.parts.rollback.check(last)

    def close(self) -> None:
        """Close the database and let the folder go."""
        self.store.close()
        self.keystore.unlock()

    @property
    def device(self) -> str:
        """The id of the device."""
        return self.profile.device

    def work(self) -> None:
        """Send what can be sent, and take the answers."""
        while True:
            self.dispatch.work()
            if not self.link.answers:
                return
            answers, self.link.answers = self.link.answers, []
            for reply in answers:
                self.take_answer(reply)

    def take_answer(self, reply: Reply) -> None:
        """Take the answer to a message."""
        assert isinstance(reply, SendAccepted | SendRefused)
        ref = str(reply.ref)
        with self.profile.change() as events:
            if isinstance(reply, SendAccepted):
                events += self.parts.outbox.accept(reply)
            else:
                events += self.parts.outbox.refuse(ref, reply.explanation or "")
        self.dispatch.answered(ref)

    def write(self, to: str, text: str, *, work: bool = True) -> Message:
        """Write to somebody."""
        with self.profile.change():
            message = self.parts.outbox.write(canonical(to), text)
        if work:
            self.work()
        return message

    def pending(self) -> list[Delivery]:
        """Return what is in the mailbox and was not taken yet, and count it as taken."""
        box = self.server.account(self.name).mailbox
        found, self.cursor = box[self.cursor :], len(box)
        return found

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Take deliveries, each in a transaction of its own."""
        for delivery in deliveries:
            with self.profile.change() as events:
                events += self.parts.mailbox.take(delivery)

    def fetch(self) -> None:
        """Take everything that is in the mailbox."""
        self.take(self.pending())

    def history(self, name: str) -> list[Message]:
        """Return a whole conversation."""
        with self.store.reading():
            return self.parts.history.page(name, None, 100_000)

    def shown(self, name: str) -> list[str]:
        """Return what a conversation shows: texts as they are, all else by its kind."""
        return [m.text if m.kind == "text" else f"[{m.kind}]" for m in self.history(name)]

    def told(self, kind: type[Event]) -> list[Any]:
        """Take the events told so far, and return those of one kind."""
        events = iter(lambda: self.queue.get(0), None)
        return [event for event in events if isinstance(event, kind)]

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of the database: two dumps are equal if the state is."""
        with self.store.reading():
            return {
                table.__name__: sorted(
                    (tuple(row.__data__.values()) for row in self.store.all(table)), key=repr
                )
                for table in TABLES
            }


class SimulatedCase(unittest.TestCase):
    """Tests with a simulated server; devices are made and closed again here."""

    def setUp(self) -> None:
        self.server = SimulatedServer()
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self._numbers = itertools.count()

    def device(self, name: str, of: SimulatedDevice | None = None) -> SimulatedDevice:
        """Make a device that is connected and in order; ``of`` the account of another one."""
        folder = self.folder / f"{name}{next(self._numbers)}"
        made = SimulatedDevice(self.server, name, folder, of)
        self.addCleanup(made.close)
        made.work()
        return made

    def befriend(self, *devices: SimulatedDevice) -> None:
        """Make users contacts of each other."""
        for one, other in itertools.permutations({device.name for device in devices}, 2):
            self.server.account(one).contacts.append(canonical(other))
        for device in devices:
            device.connect()
            device.work()

    def pair(self) -> tuple[SimulatedDevice, SimulatedDevice]:
        """Return alice and bob, who have written to each other already."""
        alice, bob = self.device("alice"), self.device("bob")
        self.befriend(alice, bob)
        alice.write("bob", "first")
        bob.fetch()
        bob.write("alice", "second")
        alice.fetch()
        return alice, bob

    def impostor(self, name: str) -> SimulatedDevice:
        """Put an account with another key in the place of the one that is known."""
        contacts = self.server.accounts.pop(name).contacts
        made = self.device(name)
        self.server.account(name).contacts = contacts
        made.connect()
        made.work()
        return made


def altered(delivery: Delivery, body: str) -> Delivery:
    """Return a delivery with another body."""
    return replace(delivery, body=body)
