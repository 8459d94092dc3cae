"""The rules of coming in and going: codes 1, 2, 3 and 14."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bpost import b64
from bpost.errors import Refused
from bpost.limits import Limits
from bpost.protocol.codes import Reason
from bpost.protocol.fields import canonical
from bpost.protocol.replies import (
    AccountDeleted,
    Closing,
    LoggedIn,
    PasswordChanged,
    Registered,
)
from bpost.protocol.requests import ChangePassword, DeleteAccount, LogIn, Register
from bpost.server.addresses import meter_key
from bpost.server.bus import Expelled
from bpost.server.rates import Meter, wait_text
from bpost.server.records import PLAIN, Account
from bpost.server.session import Session
from bpost.server.store import now_ms

DEVICE_ID = 12
INVITE = 24
NEW = "new"
RESERVED = frozenset(
    {"abuse", "admin", "administrator", "bpost", "moderator", "postmaster", "root", "security"}
    | {"server", "support", "system"}
)
"""Names that would speak for the server; nobody gets them."""

TOLD = (
    "frame",
    "message",
    "public_key",
    "device_bundle",
    "one_time_key",
    "one_time_keys",
    "one_time_keys_low",
    "vault",
    "contacts",
    "devices",
    "unacknowledged",
    "ping_seconds",
    "silence_seconds",
)
"""The limits that a client is told when it logs in."""

_WRONG = "The username or the password is wrong."
_ADDRESS = "Too many tries from your address."
_ACCOUNT = "Too many tries for this account."
_INVITE = (
    "This server takes new users by invitation, and this invitation is not, or no longer, good."
)


def log_in(session: Session, request: LogIn) -> LoggedIn:
    """Rule of code 1. An unknown user and a wrong password cannot be told apart."""
    with session.office.door.line():
        return _log_in(session, request)


def _log_in(session: Session, request: LogIn) -> LoggedIn:
    office = session.office
    account = office.store.accounts.claimed(canonical(request.username))
    counted = _count_log_in(session, account, request)
    account = _verified(session, account, request.username, request.password)
    if counted.device is not None:
        counted.give_back(session)
    if account.disabled:
        raise Refused(Reason.DISABLED, "This account is disabled. Ask who runs the server.")
    device = request.device or PLAIN
    if device == NEW:
        device = _new_device(session, account)
    _admit(session, account, device)
    _look_again(session, account)
    _log(session, "log-in", device=device)
    office.outcomes.add("log-in", "ok")
    if request.device is None:
        return LoggedIn()
    last = office.store.mail.last_ref(account.id, device)
    return LoggedIn(device, now_ms(), told_limits(office.limits), last)


def register(session: Session, request: Register) -> Registered:
    """Rule of code 2; the connection is logged in then, as a client that names no device."""
    if session.account is not None:
        raise Refused(Reason.CONFLICT, "This connection is logged in already.")
    with session.office.door.line():
        return _register(session, request)


def _register(session: Session, request: Register) -> Registered:
    office = session.office
    address = meter_key(session.wire.peer)
    _take(session, office.rates.log_ins_address, address, _ADDRESS)
    text = "Too many new accounts from your address."
    _take(session, office.rates.registrations_address, address, text)
    try:
        account = _add_account(session, request)
    except Refused:
        office.rates.registrations_address.give_back(address)
        raise
    session.admit(account, PLAIN)
    _log(session, "registered")
    office.outcomes.add("register", "ok")
    return Registered()


def change_password(session: Session, request: ChangePassword) -> PasswordChanged:
    """Rule of code 3: the hash and the vault change together or not at all."""
    office, me = session.office, session.me
    rate = office.rates.log_ins_account
    _take(session, rate, (me.canonical, "change"), "Too many tries.", me.name)
    account = _verified(session, office.store.accounts.by_id(me.id), me.name, request.current)
    hashed = office.hash_login(request.new)
    if not office.store.accounts.set_login(me.id, account.login, hashed, request.vault):
        raise Refused(Reason.CONFLICT, "The password was just changed on another device.")
    _log(session, "password changed")
    text = "The password was changed on another device. Log in with the new one."
    office.bus.publish(Expelled(me.id, Reason.WRONG_PASSWORD, text, spare=session.wire.id))
    return PasswordChanged()


def delete_account(session: Session, request: DeleteAccount) -> AccountDeleted:
    """Rule of code 14. This connection is nobody's then, and ends unless somebody logs in on it.

    It is not cut at once: what its client was sending at that moment must not keep it from
    reading the answer.
    """
    office, me = session.office, session.me
    rate = office.rates.log_ins_account
    _take(session, rate, (me.canonical, "delete"), "Too many tries.", me.name)
    _verified(session, office.store.accounts.by_id(me.id), me.name, request.password)
    receipt = office.store.accounts.delete(me.id, now_ms())
    office.cursors.forget(me.id)
    _log(session, "account deleted")
    text, here = "This account was deleted.", session.wire
    office.bus.publish(Expelled(me.id, Reason.NO_SUCH_USER, text, spare=here.id))
    session.afterwards(session.leave)
    here.set_deadline(office.limits.log_in_seconds, Closing(Reason.NO_SUCH_USER, text).text())
    return AccountDeleted(receipt)


def told_limits(limits: Limits) -> Mapping[str, int]:
    """Return the limits that a client should keep, as whole numbers by name."""
    return {name: int(getattr(limits, name)) for name in TOLD}


def hash_invite(token: str) -> str:
    """Return what the store keeps of an invitation: it is random, so a plain hash will do."""
    return b64.encode(hashlib.sha256(b"bpost invite " + token.encode("utf-8")).digest())


def new_invite() -> str:
    """Return the token of a new invitation, of 192 random bits."""
    return b64.encode(os.urandom(INVITE))


def new_device_id(draw: Callable[[int], bytes] = os.urandom) -> str:
    """Return a random id that a command line does not take for an option: no hyphen begins it."""
    while (device := b64.encode(draw(DEVICE_ID))).startswith("-"):
        pass
    return device


def _add_account(session: Session, request: Register) -> Account:
    office, name = session.office, canonical(request.username)
    invite = None
    if office.config.by_invite:
        invite = hash_invite(request.invite or "")
        if not office.store.accounts.invite_is_good(invite, now_ms()):
            raise Refused(Reason.INVITE_NEEDED, _INVITE)
    hashed = office.hash_login(request.password)
    account = None
    if name not in RESERVED:
        try:
            account = office.store.accounts.add(request.username, name, hashed, now_ms(), invite)
        except LookupError:
            raise Refused(Reason.INVITE_NEEDED, _INVITE) from None
    if account is None:
        raise Refused(Reason.NAME_TAKEN, "This name is taken. Choose another.")
    return account


def _admit(session: Session, account: Account, device: str) -> None:
    """Let a device in; also one that joined after the copy of the database that is in use now.

    What the device holds (its keys, the signed list it is on) is good as it was. One that was
    removed stays out.
    """
    try:
        session.admit(account, device)
    except Refused as error:
        unknown = session.office.store.devices.is_unknown(device)
        if error.reason != Reason.NO_SUCH_DEVICE or not unknown:
            raise
        _add_device(session, account, device)
        session.admit(account, device)


def _new_device(session: Session, account: Account) -> str:
    device = new_device_id()
    _add_device(session, account, device)
    return device


def _add_device(session: Session, account: Account, device: str) -> None:
    most = session.office.limits.devices
    if session.office.store.devices.add(account.id, device, now_ms(), most) is None:
        text = f"This account has {most} devices, as many as may be. Remove one first."
        raise Refused(Reason.QUOTA, text)
    wire = session.wire
    session.office.log.info(
        "device added", connection=wire.id, address=wire.peer, user=account.name, device=device
    )


@dataclass(frozen=True)
class _Counted:
    """A try to log in that was counted; ``device`` is None where the account has no such device."""

    address: str
    name: str
    device: str | None

    def give_back(self, session: Session) -> None:
        """Forget the try: a device that knows the password guesses nothing, however often."""
        rates = session.office.rates
        rates.log_ins_address.give_back(self.address)
        rates.log_ins_account.give_back((self.name, self.device))


def _count_log_in(session: Session, account: Account, request: LogIn) -> _Counted:
    """Count a try. Known devices count for themselves: strangers cannot lock a user out."""
    rates, store = session.office.rates, session.office.store
    address = meter_key(session.wire.peer)
    _take(session, rates.log_ins_address, address, _ADDRESS)
    known = None
    if request.device not in (None, NEW, PLAIN):
        # Asked for an unknown user too: how long it takes tells nothing.
        known = request.device if store.devices.mailbox(account.id, request.device) else None
    name = canonical(request.username)
    _take(session, rates.log_ins_account, (name, known), _ACCOUNT, name)
    return _Counted(address, name, known)


def _verified(session: Session, account: Account | None, name: str, password: str) -> Account:
    stored = None if account is None else account.login or None
    if not session.office.verify_login(stored, password) or account is None:
        session.office.log.warning(
            "wrong password", connection=session.wire.id, address=session.wire.peer, user=name
        )
        raise Refused(Reason.WRONG_PASSWORD, _WRONG)
    if session.account is not None and session.account.id != account.id:
        raise Refused(Reason.NOT_YOU, "You are logged in under another name.")
    return account


def _look_again(session: Session, account: Account) -> None:
    """Undo the log-in where the password was changed, or the device removed, in the same moment.

    Whoever did that ended the connections that were there; this one has come since.
    """
    store = session.office.store
    now = store.accounts.by_id(account.id)
    there = store.devices.mailbox(account.id, session.mine.device)
    if now is None or now.login != account.login or now.disabled or there is None:
        session.leave()
        raise Refused(Reason.WRONG_PASSWORD, _WRONG)


def _take(session: Session, meter: Meter, key: object, text: str, user: str = "") -> None:
    wait = meter.take(key)
    if wait:
        wire = session.wire
        session.office.log.warning(
            "rate limited", connection=wire.id, address=wire.peer, user=user, says=text
        )
        raise Refused(Reason.RATE_LIMITED, f"{text} {wait_text(wait)}")


def _log(session: Session, event: str, **fields: str) -> None:
    user = session.me.name
    session.office.log.info(
        event, connection=session.wire.id, address=session.wire.peer, user=user, **fields
    )
