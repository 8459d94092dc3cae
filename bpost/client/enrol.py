"""Making an account, joining one as a new device, and opening a profile: before any thread runs.

Each step leaves what makes the next one possible, so that it can be interrupted anywhere: the
account key is in the profile before the account is on the server, and what is missing afterwards
(device id, vault, keys) is made up for at the next log-in (see :mod:`housekeeping`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bpost import b64
from bpost.client.events import EventQueue
from bpost.client.joining import Invitation, Linked, join
from bpost.client.keystore import Keystore, Remembered
from bpost.client.link import Link
from bpost.client.profile import (
    BEGUN,
    FOUNDER,
    REGISTERED,
    VAULT,
    VAULT_OFF,
    YES,
    Clock,
    Profile,
    create_profile,
)
from bpost.client.store import Store
from bpost.crypto.account import AccountKey
from bpost.crypto.keyfile import open_with_account, open_with_password, seal_key_file
from bpost.crypto.password import PasswordKeys, password_field
from bpost.crypto.vault import open_vault
from bpost.errors import AccountLost, ProfileError, Refused, SecurityError, TransportError
from bpost.limits import Limits
from bpost.net.abort import Abort
from bpost.net.address import ServerAddress
from bpost.protocol.codes import Reason
from bpost.protocol.fields import canonical
from bpost.protocol.replies import Bundles, Registered, VaultStored
from bpost.protocol.requests import GetBundles, GetVault, Register

LOST: Mapping[str, str] = MappingProxyType(
    {
        "vault-missing": "The password is right, but the server gave no vault, which holds the key "
        "of your account: it has lost it or withholds it, or you keep none there. On another of "
        "your devices choose Devices, Add a device (or bpost-cli devices code), and give the code "
        "that it shows here.",
        "bad-vault": "The password is right, but the vault that the server gave, which holds the "
        "key of your account, does not open: it is damaged, or not yours.",
        "account-key-changed": "The password is right, but the server shows another account key as "
        "yours than the one that came to you: it has put an old copy back, somebody else has "
        "renewed the key, or it lies. This device does not join.",
    }
)
"""Why the key of an account is not to be had, by cause."""

LOST_HINT = (
    "If a device of yours still works, or you have a backup, nothing is lost. If not, the account "
    "can begin anew, with a new key and without your earlier messages."
)

BEGUN_TEXT = (
    "The server had no key of this account, so this device made one. If you have used BPost under "
    "this name before, the server has lost your key or withholds it: your contacts will see that "
    "it changed."
)


@dataclass(frozen=True)
class Entrance:
    """Where an account is to be used from, and with what."""

    keystore: Keystore
    server: str
    address: ServerAddress
    username: str
    keys: PasswordKeys = field(repr=False)
    limits: Limits
    clock: Clock
    events: EventQueue
    abort: Abort
    invitation: Invitation | None = None

    def link(self) -> Link:
        """Connect to the server."""
        return Link(self.address, self.limits, self.abort)

    @property
    def password(self) -> str:
        """What frames 1 to 3 carry."""
        return password_field(self.keys.login_key)

    def remembered(self, link: Link, device: str = "") -> Remembered:
        """Return what the profile tells without its password."""
        return Remembered(self.server, self.username, device, link.pin)


def register(entrance: Entrance, invite: str | None) -> Profile:
    """Create the account; or go on where an earlier call was interrupted.

    Raises:
        Refused: ``name-taken``, ``invite-needed`` …; a profile that this call made is gone then.
        TransportError, SecurityError, ProfileError, StoreError.
    """
    fresh = not entrance.keystore.exists
    link = entrance.link()
    try:
        if fresh:
            facts = entrance.remembered(link)
            account = AccountKey.generate()
            create_profile(entrance.keystore, facts, account, entrance.keys, (FOUNDER,))
        profile = open_profile(entrance)
        try:
            _register(entrance, profile, link, invite, fresh)
        except BaseException:
            profile.store.close()
            raise
    finally:
        link.close()
    return profile


def _register(
    entrance: Entrance, profile: Profile, link: Link, invite: str | None, fresh: bool
) -> None:
    """Make the account on the server, unless an earlier call did.

    A server that was put back from before the account gets it again, with the same key.
    """
    with profile.store.reading():
        known = profile.fact(REGISTERED) is not None
    try:
        link.ask(Register(entrance.username, entrance.password, invite), Registered)
    except Refused:
        if fresh:
            profile.store.close()
            entrance.keystore.discard()
            raise
        # An earlier call may have made the account: its invitation is used up, its name taken.
        if not _is_mine(entrance, profile, link):
            raise
        if known:
            text = "You have this account already. Log in instead."
            raise Refused(Reason.NAME_TAKEN, text) from None
    with profile.store.transaction():
        profile.know(REGISTERED, YES)


def _is_mine(entrance: Entrance, profile: Profile, link: Link) -> bool:
    """Say whether an interrupted call made the account."""
    try:
        device = link.log_in(entrance.username, entrance.password, profile.device)
    except Refused as error:
        if error.reason != Reason.WRONG_PASSWORD:
            raise
        return False
    profile.set_device(device)
    return True


def enter(entrance: Entrance) -> Profile:
    """Open the profile, or join the account as a new device where there is none.

    Raises:
        Refused: ``wrong-password`` …
        SecurityError: ``vault-missing``, ``bad-vault``, ``account-key-changed`` …
        TransportError, ProfileError, StoreError.
    """
    if not entrance.keystore.exists:
        _join(entrance)
    else:
        _check_owner(entrance)
    try:
        return open_profile(entrance)
    except SecurityError as error:
        if error.cause != "bad-token":
            raise
    _unlock_with_vault(entrance)
    return open_profile(entrance)


def open_profile(entrance: Entrance) -> Profile:
    """Open a profile with the password.

    Raises:
        SecurityError: ``bad-token`` for another password, ``exposed-file``.
        ProfileError, StoreError.
    """
    keystore = entrance.keystore
    database_key = open_with_password(keystore.read_key(), entrance.keys.wrapping_key)
    keystore.check_database()
    store = Store(keystore.database, database_key)
    return Profile(store, entrance.events, entrance.limits, entrance.clock)


def reseal(keystore: Keystore, account: AccountKey, keys: PasswordKeys) -> None:
    """Seal the key file under another password; raise ProfileError if it cannot be written."""
    database_key = open_with_account(keystore.read_key(), account)
    keystore.write_key(seal_key_file(database_key, keys.wrapping_key, account))


def _join(entrance: Entrance) -> None:
    """Make a profile for a new device of an account, with the account's key."""
    link = entrance.link()
    try:
        device = enter_as(entrance, link, "")
        account, username, marks = find_account(entrance, link)
    finally:
        link.close()
    facts = replace(entrance.remembered(link, device), username=username)
    create_profile(entrance.keystore, facts, account, entrance.keys, (REGISTERED, *marks))


def enter_as(entrance: Entrance, link: Link, device: str) -> str:
    """Log in as ``device``; where that is empty as the one that an interrupted call began with.

    Only else as a new one, which is noted at once: each that is left behind counts at the server.
    """
    begun = None if device else entrance.keystore.read_joining()
    facts = entrance.remembered(link)
    if begun and replace(begun, device="", pin=link.pin) == facts:
        device = begun.device
    try:
        device = link.log_in(entrance.username, entrance.password, device)
    except Refused as error:
        if begun is None or error.reason != Reason.NO_SUCH_DEVICE:
            raise
        device = link.log_in(entrance.username, entrance.password, "")
    entrance.keystore.note_joining(replace(facts, device=device))
    return device


def find_account(entrance: Entrance, link: Link) -> tuple[AccountKey, str, tuple[str, ...]]:
    """Return the account's key and name; an account that never had a key gets one.

    Raises:
        AccountLost: the key is not to be had.
    """
    me = entrance.username
    vault = link.ask(GetVault(), VaultStored)
    own = link.ask(GetBundles(me, me, ()), Bundles)
    username = own.contact if canonical(own.contact) == canonical(me) else me
    if not (vault.vault or vault.version or own.public_key or entrance.invitation):
        return AccountKey.generate(), username, (FOUNDER, BEGUN)
    try:
        linked = _receive_key(entrance, link, vault.vault)
    except SecurityError as error:
        if error.cause not in LOST or entrance.invitation is not None:
            raise
        raise AccountLost(error.cause, f"{LOST[error.cause]} {LOST_HINT}") from error
    # One that was renewed may not be published yet: whoever has it goes on with that.
    known = [b64.encode(one.public) for one in linked.account.all]
    if own.public_key and own.public_key not in known:
        cause = "account-key-changed"
        raise AccountLost(cause, f"{LOST[cause]} {LOST_HINT}")
    return linked.account, username, (VAULT if linked.vault else VAULT_OFF,)


def _receive_key(entrance: Entrance, link: Link, vault: str) -> Linked:
    """Return the account's key: by the code of another device if there is one, or of the vault."""
    if entrance.invitation is not None:
        return join(link, entrance.username, entrance.invitation, entrance.limits)
    return Linked(open_vault(entrance.keys.wrapping_key, entrance.username, vault), vault=True)


def _unlock_with_vault(entrance: Entrance) -> None:
    """Re-seal the key file of a profile whose password was changed on another device.

    Raises:
        Refused: ``wrong-password``, when the server does not know the password either.
    """
    known = entrance.keystore.read_remembered()
    try:
        link = entrance.link()
    except TransportError as error:
        text = f"The password does not open this profile, and the server cannot be asked. {error}"
        raise Refused(Reason.WRONG_PASSWORD, text) from error
    try:
        enter_as(entrance, link, known.device if known else "")
        vault = link.ask(GetVault(), VaultStored)
        linked = _receive_key(entrance, link, vault.vault)
    finally:
        link.close()
    reseal(entrance.keystore, linked.account, entrance.keys)


def _check_owner(entrance: Entrance) -> None:
    """Refuse a profile of another user."""
    known = entrance.keystore.read_remembered()
    if known and canonical(known.username) != canonical(entrance.username):
        text = f"This profile belongs to {known.username}. Choose another folder."
        raise ProfileError(text)
