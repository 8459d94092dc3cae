"""Logging in: what the start window asks for, as a value, and the work that it means.

The work runs in a worker thread; only plain values go in and come out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bpost.client import (
    Client,
    ConnectionChanged,
    ConnectionState,
    SignedOut,
    default_profile,
    inspect_backup,
    remembered,
    set_aside,
)
from bpost.errors import (
    AccountLost,
    BPostError,
    Refused,
    SecurityError,
    TransportError,
    UntrustedCertificate,
)

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,31}")
SHORTEST = 8  # characters of a new password
GONE = "no-such-device"  # why a server signs out a device that was removed
ASK_FOR = 10.0  # seconds that a server has to say it


@dataclass(frozen=True)
class SignedIn:
    """What came of an attempt: a client that is logged in, and the server to remember."""

    client: Client
    server: str
    pin: str | None
    settings: Mapping[str, object] = field(default_factory=dict)  # what a backup held of ours
    news: str = ""  # a sentence to begin with
    out: bool = False  # whether this device is none of the account any more, and only read


class MakeClient(Protocol):
    """How a client is made: `Client`, or one that stands in for it."""

    def __call__(self, server: str, profile: Path, *, pin: str | None = None) -> Client:
        """Return a client for a profile, not logged in."""


@dataclass(frozen=True)
class Attempt:
    """One try to log in, or to create an account."""

    server: str
    username: str
    password: str = field(repr=False)
    create: bool = False
    pin: str | None = None
    anew: bool = False  # give the account, whose key is lost, a new one
    code: str = field(default="", repr=False)
    again: bool = False  # where this device was removed, let this computer become another one


@dataclass(frozen=True)
class Restoration:
    """One try to restore a backup; ``password`` is that of the account."""

    file: Path
    passphrase: str = field(repr=False)
    password: str = field(repr=False)


def place_of(server: str) -> str:
    """Return the host and port of a server as one word, however its address was written.

    Raises:
        BPostError: it is no address, or one that is not encrypted.
    """
    return default_profile(server, "x").name.removeprefix("x_")


def plain_server(server: str) -> str:
    """Return an address without the pin and the invite that a link may hold."""
    return server.strip().partition("#")[0]


def username_error(name: str) -> str:
    """Say what is wrong with a username; empty if nothing is."""
    if not name:
        return "Write a username."
    if USERNAME.fullmatch(name):
        return ""
    return (
        "A username has 2 to 32 letters (A to Z), digits, dots, hyphens or underscores, "
        "and begins with a letter or digit."
    )


def password_error(password: str) -> str:
    """Say what is wrong with a new password; empty if nothing is."""
    if not password:
        return "Choose a password."
    if len(password) < SHORTEST:
        return (
            f"Too short: take {SHORTEST} characters or more. Whoever knows it can read your mail."
        )
    return ""


def sign_in(
    attempt: Attempt,
    make: MakeClient,
    profile: Path | None,
    compare: Callable[[str], bool] = lambda _: False,
) -> SignedIn:
    """Log in, create the account, or begin it anew; ``compare`` is asked where a code is used.

    Raises: what `Client.register`, `Client.log_in` and `Client.begin_anew` raise.
    """
    folder = profile or default_profile(attempt.server, attempt.username)
    client = make(attempt.server, folder, pin=attempt.pin)
    try:
        out = _open_or_out(client, attempt, compare)
        if out and attempt.again:
            client.close()
            set_aside(folder)
            client = make(attempt.server, folder, pin=attempt.pin)
            _open(client, attempt, compare)
        elif out and not client.removed:  # then it is open, and says so itself
            client.log_in(attempt.username, attempt.password, connect=False)
        known = remembered(folder)
    except BaseException:
        client.close()
        raise
    if known is None:
        return SignedIn(client, plain_server(attempt.server), attempt.pin)
    if out and not attempt.again:
        return SignedIn(client, known.server, known.pin, news=ONLY_READ, out=True)
    return SignedIn(client, known.server, known.pin)


def _open(client: Client, attempt: Attempt, compare: Callable[[str], bool]) -> None:
    """Do what is attempted."""
    name, password = attempt.username, attempt.password
    if attempt.create:
        client.register(name, password)
    elif attempt.anew:
        client.begin_anew(name, password)
    elif attempt.code:
        client.log_in(name, password, code=attempt.code, compare=compare)
    else:
        client.log_in(name, password)


def _open_or_out(client: Client, attempt: Attempt, compare: Callable[[str], bool]) -> bool:
    """Do what is attempted; return whether this device was found to be none of the account."""
    try:
        _open(client, attempt, compare)
    except Refused as error:
        if error.reason != GONE:
            raise
        return True
    return client.removed or (attempt.again and _is_out(client))


def _is_out(client: Client) -> bool:
    """Tell whether this device is none of the account any more; the server may have to say it.

    This takes events; they are not missed, for the window begins with reading everything.
    """
    deadline = time.monotonic() + ASK_FOR
    while not client.removed and time.monotonic() < deadline:
        event = client.next_event(0.1)
        if isinstance(event, SignedOut):
            return event.reason == GONE
        if isinstance(event, ConnectionChanged) and event.state is ConnectionState.CONNECTED:
            return False
    return client.removed


def restore(attempt: Restoration, make: MakeClient, profile: Path | None) -> SignedIn:
    """Restore a backup, as a new device of its account.

    Raises: what `inspect_backup` and `Client.restore` raise.
    """
    info = inspect_backup(attempt.file, attempt.passphrase)
    folder = profile or default_profile(info.server, info.username)
    client = make(info.server, folder, pin=info.pin)
    try:
        client.restore(attempt.file, attempt.passphrase, attempt.password)
    except BaseException:
        client.close()
        raise
    return SignedIn(client, info.server, info.pin, info.settings, RESTORED)


@dataclass(frozen=True)
class Complaint:
    """A sentence, and the field that it belongs to.

    ``general`` stands for none of them, ``news`` for a sentence that is no complaint, ``lost`` for
    an account that may begin anew, ``removed`` for a device that was removed, and may join as a
    new one.
    """

    place: str
    text: str


TURNED_AWAY = (
    "The server says that this device was removed from your account: it takes nothing from it any "
    "more. What it holds can still be read here; to use this computer again, log in with a new "
    "profile."
)

ONLY_READ = "This device is none of your account any more: what it holds can only be read."
RESTORED = "The backup is restored: this computer is a new device of your account."
NEEDS_CODE = (
    "The password is right, but the server holds no key of your account: write the code that "
    "another device of yours shows. If you have none any more: restore a backup, or else begin "
    "anew, with a new key and without your earlier messages."
)

REASONS = {
    "name-taken": ("username", "This name is taken. Choose another one, or log in if it is yours."),
    "wrong-password": ("password", "No account has this username and password. Try again."),
    "invite-needed": (
        "server",
        "This server takes new people by invite only: paste the invite link you were given "
        "(it begins with bpost://) in place of the address.",
    ),
    "disabled": ("username", "This account has been closed. Ask the owner of the server."),
}


def complaint(error: BPostError) -> Complaint:
    """Return where a failed attempt is to be shown, and the sentence."""
    if isinstance(error, Refused):
        place, text = REASONS.get(error.reason, ("general", str(error)))
        return Complaint(place, text)
    if isinstance(error, UntrustedCertificate):
        return Complaint("certificate", str(error))
    if isinstance(error, AccountLost) and error.cause == "vault-missing":
        return Complaint("lost code", NEEDS_CODE)
    if isinstance(error, AccountLost):
        return Complaint("lost", str(error))
    if isinstance(error, SecurityError) and error.cause == "vault-missing":
        return Complaint("code", str(error))
    if isinstance(error, SecurityError) and error.cause == "bad-token":
        return Complaint("passphrase", str(error))
    if isinstance(error, SecurityError):
        server = error.cause in ("pin-mismatch", "plaintext-server", "untrusted-certificate")
        return Complaint("server" if server else "general", str(error))
    if isinstance(error, TransportError):
        return Complaint("server", str(error))
    return Complaint("general", str(error))
