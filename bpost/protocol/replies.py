"""What the server says: one frozen dataclass for each answer and each push (PROTOCOL: Codes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from bpost.limits import Limits
from bpost.protocol.codes import Code
from bpost.protocol.fields import (
    BlobId,
    Body,
    Bundle,
    Chunk,
    Device,
    DeviceOrPlain,
    Digest,
    Integer,
    KnownDevices,
    Octets,
    OneTimeKey,
    PublicKeyOrEmpty,
    Ref,
    SealedName,
    Sentence,
    SomeDevices,
    StatementOrEmpty,
    Succession,
    Truth,
    Username,
    UsernameOrEmpty,
    VaultOrEmpty,
    Word,
)
from bpost.protocol.shape import Numbers, Records, Reply


@dataclass(frozen=True)
class DeviceKeys:
    """The keys of one device: its bundle, and a one-time key if one was taken for the asker."""

    device: Device
    bundle: Bundle
    one_time: OneTimeKey | None = None


@dataclass(frozen=True)
class DeviceRecord:
    """What the server knows of an own device; times are milliseconds, 0 for never."""

    device: DeviceOrPlain
    created: Integer
    last_seen: Integer
    name: SealedName = field(default="", repr=False)


@dataclass(frozen=True)
class ContactRecord:
    """A name on the own contact list."""

    name: Username
    blocked: Truth = False


@dataclass(frozen=True)
class LogEntry:
    """What one link of the log of keys stands for; the key is empty where an account ended."""

    position: Integer
    public_key: PublicKeyOrEmpty
    statement: StatementOrEmpty = ""


DeviceBundles = Annotated[tuple[DeviceKeys, ...], Records(DeviceKeys, "devices")]
DeviceList = Annotated[tuple[DeviceRecord, ...], Records(DeviceRecord, "envelope_devices")]
ContactList = Annotated[tuple[ContactRecord, ...], Records(ContactRecord, "contacts")]
LogEntries = Annotated[tuple[LogEntry, ...], Records(LogEntry, "log_entries")]
Links = Annotated[bytes, Octets("message")]
NumbersByName = Annotated[Mapping[str, int], Numbers()]


@dataclass(frozen=True)
class SendAccepted(Reply, code=Code.SEND, words="WillBeSent"):
    """A promise: the message is stored, as number ``seq`` of the recipient's mailbox.

    ``devices`` are those that the recipient had then, ``own`` the sender's other ones: whoever
    sealed it for fewer finds out, and sends it again. It is a hint; the signed list decides.
    """

    to: Username
    ref: Ref | None = None
    seq: Integer | None = None
    timestamp: Integer | None = None
    devices: SomeDevices | None = None
    own: KnownDevices | None = None


@dataclass(frozen=True)
class SendRefused(Reply, code=Code.SEND, words="Error"):
    """The message is not stored; ``to`` is empty where the request had no readable one."""

    to: UsernameOrEmpty
    ref: Ref | None = None
    reason: Word | None = None
    explanation: Sentence | None = None


@dataclass(frozen=True)
class LoggedIn(Reply, code=Code.LOG_IN, words="OK"):
    """Logged in; ``server_time`` is in milliseconds, ``limits`` are named as in bpost.limits.

    ``last_ref`` is that of the last message of this device that the server has.
    """

    device: DeviceOrPlain | None = None
    server_time: Integer | None = None
    limits: NumbersByName | None = None
    last_ref: Ref | None = None


@dataclass(frozen=True)
class Registered(Reply, code=Code.REGISTER, words="OK"):
    """The account is there, and this connection is logged in to it."""


@dataclass(frozen=True)
class PasswordChanged(Reply, code=Code.CHANGE_PASSWORD, words="OK"):
    """The new password holds from now on."""


@dataclass(frozen=True)
class ContactAdded(Reply, code=Code.ADD_CONTACT, words="OK"):
    """The contact is on the list; the key is empty where the contact has published none."""

    public_key: PublicKeyOrEmpty
    contact: Username | None = None


@dataclass(frozen=True)
class Delivery(Reply, code=Code.MESSAGE):
    """A message from ``sender``, number ``seq`` of the own mailbox."""

    body: Body = field(repr=False)
    sender: Username
    seq: Integer | None = None
    timestamp: Integer | None = None


@dataclass(frozen=True)
class KeyStored(Reply, code=Code.PUBLIC_KEY, words="OK"):
    """The public key, and the bundle if there was one, are published."""


@dataclass(frozen=True)
class Bundles(Reply, code=Code.BUNDLES, words="OK"):
    """The keys of the devices of ``contact``; the public key is empty if there is none.

    ``succession`` proves from which keys of the account the present one took over.
    ``logged`` is the size of the log of keys at that moment: its last key of this name is this one.
    """

    contact: Username
    public_key: PublicKeyOrEmpty
    bundles: DeviceBundles
    succession: Succession | None = None
    logged: Integer | None = None


@dataclass(frozen=True)
class DeviceRecords(Reply, code=Code.DEVICES, words="OK list"):
    """The own devices."""

    devices: DeviceList


@dataclass(frozen=True)
class DeviceNamed(Reply, code=Code.DEVICES, words="OK name"):
    """The name is kept."""


@dataclass(frozen=True)
class DeviceRevoked(Reply, code=Code.DEVICES, words="OK revoke"):
    """The device is gone."""


@dataclass(frozen=True)
class ContactRecords(Reply, code=Code.CONTACTS, words="OK list"):
    """Own contacts in canonical order; if there are more, ask again with this ``after``."""

    contacts: ContactList
    after: Username | None = None


@dataclass(frozen=True)
class ContactRemoved(Reply, code=Code.CONTACTS, words="OK remove"):
    """The name is off the list."""

    contact: Username


@dataclass(frozen=True)
class ContactBlocked(Reply, code=Code.CONTACTS, words="OK block"):
    """Nothing from this user will arrive."""

    contact: Username


@dataclass(frozen=True)
class ContactUnblocked(Reply, code=Code.CONTACTS, words="OK unblock"):
    """What this user sends arrives again."""

    contact: Username


@dataclass(frozen=True)
class KeyCount(Reply, code=Code.ONE_TIME_KEYS, words="OK count"):
    """How many one-time keys of this device are left: an answer, or pushed when they are few."""

    count: Integer


@dataclass(frozen=True)
class VaultStored(Reply, code=Code.VAULT, words="OK"):
    """The vault and its version, 0 if there is none yet; the answer to a put leaves it empty."""

    version: Integer
    vault: VaultOrEmpty = field(default="", repr=False)


@dataclass(frozen=True)
class SignalDelivery(Reply, code=Code.SIGNAL):
    """An ephemeral signal from ``sender``."""

    body: Body = field(repr=False)
    sender: Username


@dataclass(frozen=True)
class BlobBegun(Reply, code=Code.BLOB, words="OK begin"):
    """Upload to ``blob`` from ``offset`` on; the size means that all of it is there."""

    blob: BlobId
    offset: Integer


@dataclass(frozen=True)
class ChunkStored(Reply, code=Code.BLOB, words="OK chunk"):
    """Everything before ``offset`` is stored."""

    blob: BlobId
    offset: Integer


@dataclass(frozen=True)
class ChunkFound(Reply, code=Code.BLOB, words="OK get"):
    """``data`` from ``offset`` on, of an attachment of ``size`` bytes."""

    blob: BlobId
    offset: Integer
    size: Integer
    data: Chunk = field(repr=False)


@dataclass(frozen=True)
class AccountDeleted(Reply, code=Code.DELETE_ACCOUNT, words="OK"):
    """The account is gone, and its name stays reserved; ``receipt`` counts what was deleted."""

    receipt: NumbersByName | None = None


@dataclass(frozen=True)
class LinksFound(Reply, code=Code.KEY_LOG, words="OK links"):
    """The log of keys: its name, its size and its head's hash now, and some of the links asked for.

    If there are more, ask again after those.
    """

    log: Digest
    size: Integer
    hash: Digest
    links: Links | None = None


@dataclass(frozen=True)
class EntriesFound(Reply, code=Code.KEY_LOG, words="OK entries"):
    """The entries of one name, in their order; if there are more, ask again after the last."""

    contact: Username
    entries: LogEntries


@dataclass(frozen=True)
class Closing(Reply, code=Code.CLOSING):
    """The server is about to close this connection."""

    reason: Word
    explanation: Sentence


@dataclass(frozen=True)
class Refusal(Reply):
    """``code·Error``: the request with this code was refused.

    ``subject`` is the contact that a request of code 4 named. There is none for the codes 5 and 12,
    where the word ``Error`` would be a message, and code 0 has :class:`SendRefused`.
    """

    CODES: ClassVar[frozenset[Code]] = frozenset(Code) - {
        Code.SEND,
        Code.MESSAGE,
        Code.SIGNAL,
        Code.CLOSING,
    }

    code: Code
    reason: Word | None = None
    explanation: Sentence | None = None
    subject: Username | None = None

    def opening(self) -> tuple[str, ...]:
        return (str(int(self.code)), "Error")

    def problem(self) -> str | None:
        if self.code not in self.CODES:
            return "cannot be an error"
        if self.subject is not None and self.code is not Code.ADD_CONTACT:
            return "names a contact, which only code 4 does"
        return None

    @classmethod
    def _values(cls, head: Sequence[str], texts: Sequence[str], limits: Limits) -> dict[str, Any]:
        code = Code(int(head[0]))
        if code is not Code.ADD_CONTACT and len(texts) > 2:
            texts = (*texts[:2], "", *texts[2:])
        return {"code": code, **super()._values(head, texts, limits)}


REPLIES: tuple[type[Reply], ...] = (
    SendAccepted,
    SendRefused,
    LoggedIn,
    Registered,
    PasswordChanged,
    ContactAdded,
    Delivery,
    KeyStored,
    Bundles,
    DeviceRecords,
    DeviceNamed,
    DeviceRevoked,
    ContactRecords,
    ContactRemoved,
    ContactBlocked,
    ContactUnblocked,
    KeyCount,
    VaultStored,
    SignalDelivery,
    BlobBegun,
    ChunkStored,
    ChunkFound,
    AccountDeleted,
    LinksFound,
    EntriesFound,
    Closing,
)
"""Every reply that has one head; :class:`Refusal` has one for each of its codes."""
