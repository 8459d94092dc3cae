"""Being logged in: registering, logging in and out, changing the password.

This half of the facade makes and ends what runs; :class:`bpost.client.client.Client` adds the
people and the conversations.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from bpost.client import enrol
from bpost.client.enrol import Entrance
from bpost.client.events import ConnectionChanged, ConnectionState, EventQueue
from bpost.client.joining import Compare, Invitation, read_invitation
from bpost.client.keystore import Keystore
from bpost.client.profile import ANNOUNCED, Profile
from bpost.client.ring import REMOVED_TEXT
from bpost.client.running import Running
from bpost.crypto.password import PasswordKeys, derive_password_keys
from bpost.crypto.primitives import equal
from bpost.crypto.vault import seal_vault
from bpost.errors import Refused, SecurityError, TransportError, UsageError
from bpost.limits import Limits
from bpost.net.abort import Abort
from bpost.net.address import parse_address
from bpost.protocol.codes import Reason
from bpost.protocol.fields import check_username
from bpost.protocol.replies import PasswordChanged, VaultStored
from bpost.protocol.requests import ChangePassword, GetVault

Self = TypeVar("Self", bound="Account")

DEFAULT_LIMITS = Limits()

ANNOUNCE_SECONDS = 5.0
"""A new device waits at most so long until the server has its greetings to all who know it."""


class Account:
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
        self._abort = Abort()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
                self._start(entrance, profile, needed=True)
            except BaseException:
                self._leave()
                raise

    def log_in(
        self,
        username: str,
        password: str,
        *,
        connect: bool = True,
        code: str = "",
        compare: Compare | None = None,
    ) -> None:
        """Open the profile, connect and log in; a new profile joins the account as a new device.

        With an existing profile and no network this succeeds too: history is readable, messages
        wait in the outbox, and the connection is made later. Without ``connect`` an existing
        profile is only opened.

        With ``code``, which another device of the account shows (`show_link`), the account key
        comes from there and not from the vault: ``compare`` is called with a number, in a thread of
        its own, and returns whether the other device shows the same.

        Raises: what :meth:`register` raises; ``Refused("wrong-password")`` for a wrong password;
        ``SecurityError("vault-missing")`` where a code is needed.
        """
        check_username(username)
        with self._life:
            entrance = self._enter(username, password)
            if code and compare:
                entrance = replace(entrance, invitation=self._invited(code, compare))
            join = not self._keystore.exists
            try:
                profile = enrol.enter(entrance)
                if profile.removed:
                    self._running = Running(entrance, profile)
                    refused = ConnectionChanged(ConnectionState.REFUSED, text=REMOVED_TEXT)
                    self._events.put(refused)
                elif connect or join:
                    self._start(entrance, profile, needed=join)
                else:
                    self._running = Running(entrance, profile)
            except BaseException:
                self._leave()
                raise

    def log_out(self) -> None:
        """Disconnect and close the profile; another `log_in` may follow."""
        with self._life:
            self._leave()

    def close(self) -> None:
        """Log out for good and end `events`; may be called twice, and from any thread."""
        self._closed = True
        if not self._life.acquire(blocking=False):  # somebody logs in: that ends now
            self._abort.now()
            self._life.acquire()
        try:
            self._leave()
        finally:
            self._life.release()
            self._events.close()

    def change_password(self, current: str, new: str) -> None:
        """Change the password on the server and re-seal vault and key file.

        Raises: ``Refused("wrong-password")`` if ``current`` is wrong; TransportError if offline.
        """
        running = self._run
        profile, credentials = running.profile, running.credentials
        name = profile.username
        self._check_password(current, "The current password is wrong.")
        keys = derive_password_keys(name, new)
        link, after = running.receiver.link, replace(credentials, keys=keys)
        found = link.request(GetVault(), VaultStored)
        with profile.store.reading():
            keep = bool(found.vault) and profile.has_vault  # one that was taken out stays out
        newest = running.upkeep.renewing.newest(link)
        vault = seal_vault(keys.wrapping_key, name, newest) if keep else None
        request = ChangePassword(name, credentials.password, after.password, vault)
        link.request(request, PasswordChanged)
        credentials.keys = keys
        enrol.reseal(self._keystore, profile.account, keys)

    @property
    def folder(self) -> Path:
        """The folder of the profile."""
        return self._keystore.folder

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
    def removed(self) -> bool:
        """Whether this device was removed from its account: its profile can only be read then."""
        running = self._running
        return running is not None and running.profile.removed

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        running = self._running
        if self.removed:
            return ConnectionState.REFUSED
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

    # How it works

    @property
    def _run(self) -> Running:
        """What runs while logged in; raise UsageError if nothing does."""
        running = self._running
        if running is None:
            raise UsageError("Log in first.")
        return running

    def _check_password(self, password: str, refusal: str) -> PasswordKeys:
        """Return the keys of the password that is in use; raise Refused for any other."""
        running = self._run
        keys = derive_password_keys(running.profile.username, password)
        if not equal(keys.login_key, running.credentials.keys.login_key):
            raise Refused(Reason.WRONG_PASSWORD, refusal)
        return keys

    @property
    def _writing(self) -> Running:
        """What runs; raise UsageError also where this device may only be read."""
        running = self._run
        if running.profile.removed:
            raise UsageError(REMOVED_TEXT)
        return running

    def _enter(self, username: str, password: str) -> Entrance:
        """Take the profile folder, and turn the password into its keys."""
        self._abort = Abort()  # made before looking whether close() was called, which looks for it
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
                abort=self._abort,
            )
        except BaseException:
            self._keystore.unlock()
            raise

    def _invited(self, code: str, compare: Compare) -> Invitation:
        """Read a code; let the profile folder go if it is none."""
        try:
            return read_invitation(code, compare)
        except SecurityError:
            self._keystore.unlock()
            raise

    def _start(self, entrance: Entrance, profile: Profile, needed: bool) -> None:
        """Start the threads, and wait for the connection, or until a new device is in order.

        A connection that fails is an error if it is ``needed``, or will fail again.
        """
        with profile.store.reading():
            is_new = not profile.fact(ANNOUNCED)
        running = self._running = Running(entrance, profile)
        running.start()
        failure = running.receiver.wait_first(self._limits.log_in_seconds)
        if failure is not None and (needed or not isinstance(failure, TransportError)):
            raise failure
        if failure is None and is_new:
            running.courier.wait_settled(self._limits.log_in_seconds)
            running.wait_announced(ANNOUNCE_SECONDS)

    def _leave(self) -> None:
        """Stop what runs and let the folder go."""
        running, self._running = self._running, None
        try:
            if running is not None:
                running.stop()
        finally:
            self._keystore.unlock()
