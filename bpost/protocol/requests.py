"""What clients say: one frozen dataclass for each request (PROTOCOL: Codes)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from bpost.protocol.codes import Code
from bpost.protocol.fields import (
    BlobId,
    Body,
    Bundle,
    Chunk,
    Device,
    DeviceOrNew,
    DeviceOrPlain,
    Digest,
    Integer,
    Invite,
    KnownDevices,
    OneTimeKey,
    Password,
    PublicKey,
    Ref,
    SealedName,
    Statement,
    Succession,
    Username,
    Vault,
    VaultOrEmpty,
)
from bpost.protocol.shape import Request, Texts

OneTimeKeys = Annotated[tuple[str, ...], Texts(OneTimeKey, "one_time_keys")]


@dataclass(frozen=True)
class Send(Request, code=Code.SEND):
    """Deliver ``body`` to ``to``; ``ref`` is the sender's own id of the message."""

    sender: Username
    body: Body = field(repr=False)
    to: Username
    ref: Ref | None = None


@dataclass(frozen=True)
class LogIn(Request, code=Code.LOG_IN):
    """Log in, as the device with this id, as a ``new`` one, or as none."""

    username: Username
    password: Password = field(repr=False)
    device: DeviceOrNew | None = None


@dataclass(frozen=True)
class Register(Request, code=Code.REGISTER):
    """Create an account, with the token of an invite where the server asks for one."""

    username: Username
    password: Password = field(repr=False)
    invite: Invite | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ChangePassword(Request, code=Code.CHANGE_PASSWORD):
    """Change the password, and with it, in one step, the vault that the old one sealed."""

    username: Username
    current: Password = field(repr=False)
    new: Password = field(repr=False)
    vault: Vault | None = field(default=None, repr=False)


@dataclass(frozen=True)
class AddContact(Request, code=Code.ADD_CONTACT):
    """Put ``contact`` on the own contact list and ask for the contact's public key."""

    username: Username
    contact: Username


@dataclass(frozen=True)
class Acknowledge(Request, code=Code.MESSAGE, words="OK"):
    """Say that everything up to ``seq`` is safely stored here."""

    seq: Integer


@dataclass(frozen=True)
class PutKey(Request, code=Code.PUBLIC_KEY):
    """Publish the account's public key and, both or neither, a device's bundle of keys.

    ``succession`` proves that the key took over from those before it. ``replacing`` is the key
    that the sender knows to be published: where another one is, nothing changes.
    ``statement`` goes into the log of keys beside the key.
    """

    username: Username
    public_key: PublicKey
    device: Device | None = None
    bundle: Bundle | None = None
    succession: Succession | None = None
    replacing: PublicKey | None = None
    statement: Statement | None = None

    def problem(self) -> str | None:
        if (self.device is None) != (self.bundle is None):
            return "names a device without its bundle, or has a bundle without its device"
        return None


@dataclass(frozen=True)
class GetBundles(Request, code=Code.BUNDLES):
    """Ask for the key bundles of the devices of ``contact``.

    ``known`` are devices that the asker has sessions with: no one-time key is taken from those.
    """

    username: Username
    contact: Username
    known: KnownDevices | None = None


@dataclass(frozen=True)
class ListDevices(Request, code=Code.DEVICES, words="list"):
    """Ask for the own devices."""


@dataclass(frozen=True)
class NameDevice(Request, code=Code.DEVICES, words="name"):
    """Keep a name for an own device, sealed so that only the own devices can read it."""

    device: DeviceOrPlain
    sealed_name: SealedName = field(repr=False)


@dataclass(frozen=True)
class RevokeDevice(Request, code=Code.DEVICES, words="revoke"):
    """Remove an own device: its keys, its mail, its right to log in."""

    device: DeviceOrPlain


@dataclass(frozen=True)
class ListContacts(Request, code=Code.CONTACTS, words="list"):
    """Ask for the own contacts, or for those that come ``after`` one in canonical order."""

    after: Username | None = None


@dataclass(frozen=True)
class RemoveContact(Request, code=Code.CONTACTS, words="remove"):
    """Take a name off the own contact list."""

    contact: Username


@dataclass(frozen=True)
class BlockContact(Request, code=Code.CONTACTS, words="block"):
    """Get nothing from this user from now on; the other is not told."""

    contact: Username


@dataclass(frozen=True)
class UnblockContact(Request, code=Code.CONTACTS, words="unblock"):
    """Undo :class:`BlockContact`."""

    contact: Username


@dataclass(frozen=True)
class UploadKeys(Request, code=Code.ONE_TIME_KEYS, words="upload"):
    """Add one-time keys of an own device to the server's stock."""

    device: Device
    keys: OneTimeKeys


@dataclass(frozen=True)
class CountKeys(Request, code=Code.ONE_TIME_KEYS, words="count"):
    """Ask how many one-time keys of an own device are left."""

    device: Device


@dataclass(frozen=True)
class GetVault(Request, code=Code.VAULT, words="get"):
    """Ask for the account's vault."""


@dataclass(frozen=True)
class PutVault(Request, code=Code.VAULT, words="put"):
    """Replace the vault of ``version`` (0 where there is none yet); the answer has the next one.

    An empty ``vault`` takes away what is there.
    """

    version: Integer
    vault: VaultOrEmpty = field(repr=False)


@dataclass(frozen=True)
class Signal(Request, code=Code.SIGNAL):
    """Hand ``body`` to ``to`` if connected now; it is never stored and never answered."""

    sender: Username
    body: Body = field(repr=False)
    to: Username


@dataclass(frozen=True)
class BeginBlob(Request, code=Code.BLOB, words="begin"):
    """Begin, or take up again, the upload of ``size`` bytes with this SHA-256."""

    size: Integer
    sha256: Digest


@dataclass(frozen=True)
class PutChunk(Request, code=Code.BLOB, words="chunk"):
    """Upload ``data``, the bytes of an attachment from ``offset`` on."""

    blob: BlobId
    offset: Integer
    data: Chunk = field(repr=False)


@dataclass(frozen=True)
class GetChunk(Request, code=Code.BLOB, words="get"):
    """Ask for bytes of an attachment from ``offset`` on."""

    blob: BlobId
    offset: Integer


@dataclass(frozen=True)
class DeleteAccount(Request, code=Code.DELETE_ACCOUNT):
    """Delete the account and everything that the server keeps for it."""

    username: Username
    password: Password = field(repr=False)


@dataclass(frozen=True)
class GetLinks(Request, code=Code.KEY_LOG, words="links"):
    """Ask for the links of the log of keys that come ``after`` a position."""

    after: Integer


@dataclass(frozen=True)
class GetEntries(Request, code=Code.KEY_LOG, words="entries"):
    """Ask for what the links of a contact, or of the user's own name, stand for."""

    contact: Username
    after: Integer


REQUESTS: tuple[type[Request], ...] = (
    Send,
    LogIn,
    Register,
    ChangePassword,
    AddContact,
    Acknowledge,
    PutKey,
    GetBundles,
    ListDevices,
    NameDevice,
    RevokeDevice,
    ListContacts,
    RemoveContact,
    BlockContact,
    UnblockContact,
    UploadKeys,
    CountKeys,
    GetVault,
    PutVault,
    Signal,
    BeginBlob,
    PutChunk,
    GetChunk,
    DeleteAccount,
    GetLinks,
    GetEntries,
)
