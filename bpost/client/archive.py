"""Backups as files: written beside a running client, and made into a profile again.

A backup is written from a snapshot, on a connection of its own, so mail comes in meanwhile. To
restore one takes its passphrase, and the password of the account for the server: the backup has
the account's key, but a new device must still be let in.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bpost import b64
from bpost.client.backup import Backed, backup_pieces, read_first, read_rows
from bpost.client.enrol import Entrance, open_profile
from bpost.client.keystore import Keystore, Remembered, write_pieces
from bpost.client.profile import OFFERED, REGISTERED, Profile, write_first_facts
from bpost.client.store import Store
from bpost.crypto.account import AccountKey
from bpost.crypto.backup import MAGIC, open_backup, seal_backup
from bpost.crypto.keyfile import generate_database_key, open_with_account, seal_key_file
from bpost.crypto.succession import prove
from bpost.errors import ProfileError, SecurityError, UsageError
from bpost.protocol.fields import canonical
from bpost.protocol.replies import Bundles
from bpost.protocol.requests import GetBundles


@dataclass(frozen=True)
class BackupInfo:
    """What a backup says of itself; ``made`` is in milliseconds, ``settings`` are the program's."""

    username: str
    server: str
    pin: str | None
    made: int
    settings: Mapping[str, Any]


def write_backup(
    keystore: Keystore,
    profile: Profile,
    file: Path,
    passphrase: str,
    settings: Mapping[str, Any],
) -> None:
    """Write a backup of a profile that is open; it is there in full or not at all.

    Raises:
        UsageError: the passphrase is empty, or ``file`` is something else than a backup.
        ProfileError: ``file`` cannot be written.
    """
    _check_target(file)
    known = keystore.read_remembered() or Remembered("", profile.username)
    facts = Remembered(known.server, profile.username, pin=known.pin)
    backed = Backed(facts, profile.account, profile.now(), settings)
    store = Store(keystore.database, open_with_account(keystore.read_key(), profile.account))
    try:
        with store.snapshot():
            pieces = seal_backup(backup_pieces(store, backed), passphrase)
            write_pieces(file, pieces, _beside(file))
    finally:
        store.close()


def write_document(file: Path, pieces: Iterable[str]) -> None:
    """Write an export, in full or not at all, to a file that is this user's alone.

    Raises:
        ProfileError: it cannot be written.
    """
    write_pieces(file, (piece.encode("utf-8") for piece in pieces), _beside(file))


def _beside(file: Path) -> Path:
    """Return the name that a file has until it is whole."""
    return file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")


def inspect_backup(file: Path, passphrase: str) -> BackupInfo:
    """Open a backup as far as it says whose it is.

    Raises:
        ProfileError: it cannot be read.
        SecurityError, UsageError: as :func:`bpost.crypto.backup.open_backup`.
    """
    with open_archive(file, passphrase) as (backed, _):
        facts = backed.facts
        return BackupInfo(facts.username, facts.server, facts.pin, backed.made, backed.settings)


@contextmanager
def open_archive(file: Path, passphrase: str) -> Iterator[tuple[Backed, Iterator[bytes]]]:
    """Give what a backup says of itself, and the pieces that follow; raise as `inspect_backup`."""
    try:
        with file.open("rb") as opened:
            pieces = open_backup(opened.read, passphrase)
            yield read_first(pieces), pieces
    except OSError as error:
        raise ProfileError(f"{file} cannot be read: {error.strerror}.") from error


def restore_profile(entrance: Entrance, backed: Backed, pieces: Iterator[bytes]) -> Profile:
    """Make a profile of a backup, as a new device of the account; nothing is left if it fails.

    Raises:
        ProfileError: there is a profile already, or a file cannot be written.
        SecurityError: the backup is damaged; ``account-key-changed`` if the account has begun
            anew since.
        Refused, TransportError: the server does not let this device in.
    """
    keystore = entrance.keystore
    if keystore.exists:
        text = f"There is an account in {keystore.folder} already. Choose another folder for it."
        raise ProfileError(text)
    keystore.discard()
    try:
        database_key = _fill_database(entrance, backed, pieces)
        keystore.write_key(seal_key_file(database_key, entrance.keys.wrapping_key, backed.account))
    except BaseException:
        keystore.discard()
        raise
    return open_profile(entrance)


def _fill_database(entrance: Entrance, backed: Backed, pieces: Iterator[bytes]) -> bytes:
    """Make the database of a new device; return its key."""
    database_key = generate_database_key()
    entrance.keystore.create_database()
    store = Store(entrance.keystore.database, database_key)
    try:
        with store.transaction():
            read_rows(store, pieces)
        facts = _join(entrance, backed.facts.username, backed.account)
        with store.transaction():
            write_first_facts(store, facts, backed.account, (REGISTERED, OFFERED))
    finally:
        store.close()
    entrance.keystore.remember(facts)
    return database_key


def _join(entrance: Entrance, username: str, account: AccountKey) -> Remembered:
    """Let the server make a new device, and see that the account is still the one backed up."""
    link = entrance.link()
    try:
        device = link.log_in(entrance.username, entrance.password, "")
        own = link.ask(GetBundles(entrance.username, entrance.username, ()), Bundles)
    finally:
        link.close()
    if not follows(own, account):
        text = "The account was begun anew after this backup was made: its key is another one now."
        raise SecurityError("account-key-changed", text + " Nothing was restored.")
    return Remembered(entrance.server, username, device, link.pin)


def follows(own: Bundles, account: AccountKey) -> bool:
    """Say whether the key that the server shows is this one, or one that took over from it."""
    if not own.public_key or own.public_key in (b64.encode(one.public) for one in account.all):
        return True
    try:
        newest = b64.decode(own.public_key)
        return bool(prove(own.succession or "", own.contact, account.public, newest))
    except SecurityError:
        return False


def check_username_of(backed: Backed, username: str) -> None:
    """Refuse the backup of somebody else, if a name was given at all."""
    if username and canonical(backed.facts.username) != canonical(username):
        text = f"This is a backup of {backed.facts.username}, not of {username}."
        raise UsageError(f"{text} Nothing was changed.")


def _check_target(file: Path) -> None:
    """Refuse to write over anything but another backup."""
    try:
        with file.open("rb") as opened:
            found = opened.read(len(MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise ProfileError(f"{file} cannot be written: {error.strerror}.") from error
    if found != MAGIC:
        raise UsageError(f"{file} exists, and is no backup. Choose another name.")
