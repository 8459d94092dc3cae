"""Sessions with a remote device: start one, seal for it, open what it sent (PQXDH, Sesame).

Pure values in, values out. What a function returns belongs into the store in ONE transaction,
before anything else happens:

- :func:`start`: the new ``Sessions``, with the device list of the bundle;
- :func:`seal`: the new ``Sessions``, and the message, which waits in the outbox;
- :func:`open_message`: everything in :class:`Opened`, and what was made of the plaintext.

A function that raises has changed nothing, so there is nothing to store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bpost.crypto import ratchet
from bpost.crypto.account import DeviceEntry, SignedDeviceList, newer_list, open_device_list
from bpost.crypto.handshake import Address, LocalDevice, PrekeyLookup, initiate, respond
from bpost.crypto.message import (
    VERSION,
    PrekeyHeader,
    SessionMessage,
    parse_message,
    ratchet_outer,
    write_message,
)
from bpost.crypto.prekeys import VerifiedBundle
from bpost.crypto.primitives import Random, equal, random_bytes
from bpost.crypto.session_state import LIMITS, Session, Sessions
from bpost.errors import SecurityError, UsageError
from bpost.limits import Limits

__all__ = [
    "Address",
    "LocalDevice",
    "Opened",
    "PrekeyHeader",
    "Sender",
    "Session",
    "Sessions",
    "open_message",
    "peek",
    "retire",
    "seal",
    "start",
    "tidy",
]


@dataclass(frozen=True)
class Sender:
    """What is known of who a message is from: its frame and envelope, and one's own store.

    ``account_public`` is the pinned account key, None for a stranger. ``device_list`` is the
    newest signed list known of that account, ``seen`` every entry that ever was on one; ``former``
    are the account keys that the pinned one took over from.
    """

    address: Address
    account_public: bytes | None = None
    device_list: bytes | None = field(default=None, repr=False)
    seen: tuple[DeviceEntry, ...] = ()
    former: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Opened:
    """What opening a message gives; all of it is stored in one transaction.

    ``account_public`` is the sender's account key, to be pinned if none was. The rest is None
    unless the message began a session: then ``base_key`` is remembered for as long as the signed
    prekey ``signed_prekey`` is kept, the one-time prekey ``used_one_time`` is deleted if there
    was one, and ``device_list``, if there is one, is newer than the known list and replaces it.
    """

    sessions: Sessions
    plaintext: bytes = field(repr=False)
    account_public: bytes
    base_key: bytes | None = None
    signed_prekey: bytes | None = None
    used_one_time: bytes | None = None
    device_list: bytes | None = field(default=None, repr=False)


def start(
    local: LocalDevice,
    bundle: VerifiedBundle,
    now: int,
    *,
    sessions: Sessions | None = None,
    random: Random = random_bytes,
    limits: Limits = LIMITS,
) -> Sessions:
    """Start a session with the device that left ``bundle``, to send on from now on.

    ``sessions`` are those there are with it; ``now`` is in milliseconds. The caller has passed
    the bundle's device list to :func:`account.newer_list`.

    Raises:
        SecurityError: ``account-key-changed`` or ``device-changed``, when the device is not the
            one that ``sessions`` are with; ``older-version``; ``bad-key``.
        UsageError: the bundle is of this very device, or ``sessions`` are with another.
    """
    remote = Address(bundle.username, bundle.device.id)
    if remote.same(local.address):
        raise UsageError("A device starts no session with itself.")
    if sessions is None:
        sessions = Sessions(remote, bundle.account_public, bundle.device.identity)
    sessions.check_remote(remote, bundle.account_public, bundle.device.identity)
    agreement, header = initiate(local, bundle, random)
    state = ratchet.start_sending(agreement.secret, bundle.signed.key, random)
    session = Session(header.base_key, agreement.associated, state, now, header.outer())
    return sessions.put_first(session, limits)


def seal(
    sessions: Sessions, plaintext: bytes, now: int, *, limits: Limits = LIMITS
) -> tuple[Sessions, bytes]:
    """Seal ``plaintext`` for the device; store both results before the message leaves.

    Raises:
        SecurityError: ``no-session`` or ``out-of-keys``, just when
            :meth:`Sessions.needs_new_session` says so.
    """
    current = sessions.current
    if current is None or current.is_stale(now, limits):
        text = "There is no session with that device, or it never answered: start a new one."
        raise SecurityError("no-session", text)
    outer = current.greeting or ratchet_outer(current.base_key)
    associated = current.associated + outer
    state, sealed = ratchet.encrypt(current.ratchet, plaintext, associated, limits)
    after = replace(current, ratchet=state, unanswered=0)
    return sessions.put_first(after, limits), write_message(outer, sealed)


def peek(message: bytes, limits: Limits = LIMITS) -> PrekeyHeader | None:
    """Return what a prekey message says of its sender, unproven; None for a ratchet message.

    Raises:
        SecurityError: as :func:`message.parse_message`.
    """
    return parse_message(message, limits).prekey


def open_message(
    local: LocalDevice,
    sessions: Sessions | None,
    message: bytes,
    sender: Sender,
    now: int,
    *,
    prekeys: PrekeyLookup,
    seen_base_key: Callable[[bytes], bool],
    random: Random = random_bytes,
    limits: Limits = LIMITS,
) -> Opened:
    """Open a message; ``sessions`` are those with the sending device, None if there are none.

    ``prekeys`` finds a private prekey of this device; ``seen_base_key`` tells whether a base key
    was accepted before, from anybody.

    Raises:
        SecurityError: ``no-session``, ``unknown-prekey``, ``skipped-too-far``, ``out-of-keys``
            and ``bad-token``: a new session helps. ``duplicate`` and ``replayed``: to be dropped
            in silence. ``account-key-changed``, ``device-changed``, ``unknown-device``,
            ``old-device-list``, ``bad-signature``, ``bad-bundle``, ``wrong-sender``, ``bad-key``,
            ``bad-encoding``, ``too-large``, ``older-version``: an attack, or a change to look at.
            ``newer-version``: this program must be updated.
        UsageError: ``sessions`` are with another device than the sender's.
    """
    if sender.address.same(local.address):
        raise SecurityError("wrong-sender", "A message claims to come from this very device.")
    parsed = parse_message(message, limits)
    if sessions is not None:
        sessions.check_remote(sender.address, sender.account_public)
        session = sessions.find(parsed.base_key)
        if session is not None:
            _check_listed(sender)
            return _open_in(sessions, session, parsed, now, random=random, limits=limits)
    if parsed.prekey is None:
        _check_listed(sender)
        text = "A message belongs to a session that this device does not have any more."
        raise SecurityError("no-session", text + " A new session is needed.")
    joined, device_list = _check_sender(parsed.prekey, sessions, sender)
    if seen_base_key(parsed.base_key):
        raise SecurityError("replayed", "A first message came again, as if it were another.")
    session = _accept(local, parsed.prekey, sender.address, now, prekeys)
    return replace(
        _open_in(joined, session, parsed, now, random=random, limits=limits),
        base_key=parsed.base_key,
        signed_prekey=parsed.prekey.signed_id,
        used_one_time=parsed.prekey.one_time_id,
        device_list=device_list,
    )


def retire(sessions: Sessions) -> Sessions:
    """Send no more on the sessions there are; they still receive, and :func:`start` comes next.

    For when their state cannot be trusted (a restored profile) or does not serve (the other side
    says that it cannot read).
    """
    retired = tuple(replace(one, retired=True) for one in sessions.sessions)
    return replace(sessions, sessions=retired)


def tidy(
    sessions: Sessions, now: int, *, most: int | None = None, limits: Limits = LIMITS
) -> Sessions:
    """Drop skipped keys that are too old; and, of more than ``most``, those of the last sessions.

    For a caller that bounds the skipped keys of all its sessions together (``skipped_total``).
    """
    before = now - int(limits.skipped_key_seconds * 1000)
    left = sessions.skipped_keys if most is None else most
    tidied = []
    for one in sessions.sessions:
        state = one.ratchet.without_skipped(before=before, most=left)
        left -= len(state.skipped)
        tidied.append(replace(one, ratchet=state))
    return replace(sessions, sessions=tuple(tidied))


def _check_listed(sender: Sender) -> None:
    """Check that the sending device is on the newest list that is known of its account."""
    if sender.device_list is None:
        return
    known, device = SignedDeviceList.from_bytes(sender.device_list), sender.address.device
    if known.list.find(device) is None:
        text = f"A message came from a device that {sender.address.username!r} has removed."
        raise SecurityError("unknown-device", text)


def _check_sender(
    header: PrekeyHeader, sessions: Sessions | None, sender: Sender
) -> tuple[Sessions, bytes | None]:
    """Check that the account signed for the device.

    Returns the sessions that the new one will be among, and the account's list if it is news.
    """
    if header.account_public in sender.former and sender.account_public is not None:
        return _check_former(header, sessions, sender, sender.account_public), None
    pinned = header.account_public if sender.account_public is None else sender.account_public
    joined = sessions or Sessions(sender.address, pinned, header.identity)
    joined.check_remote(sender.address, header.account_public, header.identity)
    devices, is_news = _newest_list(header, sender)
    entry = devices.list.find(sender.address.device)
    raw, name = devices.to_bytes(), sender.address.username
    if entry is None:
        cause = "unknown-device" if equal(raw, header.device_list) else "old-device-list"
        raise SecurityError(cause, f"A message came from a device that {name!r} does not list.")
    if not equal(entry.identity, header.identity):
        raise SecurityError("device-changed", f"A device of {name!r} came with another's key.")
    return joined, raw if is_news else None


def _check_former(
    header: PrekeyHeader, sessions: Sessions | None, sender: Sender, pinned: bytes
) -> Sessions:
    """Check a message that left under an account key which was renewed meanwhile.

    Its list is not believed: the device must be, with this identity, on that of the present key.
    """
    joined = sessions or Sessions(sender.address, pinned, header.identity)
    joined.check_remote(sender.address, None, header.identity)
    known = sender.device_list and SignedDeviceList.from_bytes(sender.device_list)
    entry = known.list.find(sender.address.device) if known else None
    name = sender.address.username
    if entry is None:
        text = f"A message came under a key of {name!r} that was replaced, from a device that is"
        raise SecurityError("unknown-device", text + " not listed any more.")
    if not equal(entry.identity, header.identity):
        raise SecurityError("device-changed", f"A device of {name!r} came with another's key.")
    return joined


def _newest_list(header: PrekeyHeader, sender: Sender) -> tuple[SignedDeviceList, bool]:
    """Return the newest list of the sender's account, and whether it is the message's and news.

    A message may have waited while the account's list moved on. Its older list is then not
    believed but the known one is asked, so that only what a revoked device wrote is refused.
    """
    key, name = header.account_public, sender.address.username
    offered = open_device_list(header.device_list, key, name)
    if sender.device_list is None:
        return newer_list(None, offered, sender.seen), True
    known = open_device_list(sender.device_list, key, name)
    if offered.list.version < known.list.version:
        return known, False
    newer_list(known, offered, sender.seen)
    return offered, offered.list.version > known.list.version


def _accept(
    local: LocalDevice, header: PrekeyHeader, remote: Address, now: int, prekeys: PrekeyLookup
) -> Session:
    """Make the other end of the session that ``header`` began; it counts once it has opened."""
    agreement, signed = respond(local, remote, header, prekeys)
    state = ratchet.start_receiving(agreement.secret, signed)
    return Session(header.base_key, agreement.associated, state, now)


def _open_in(
    sessions: Sessions,
    session: Session,
    message: SessionMessage,
    now: int,
    *,
    random: Random,
    limits: Limits,
) -> Opened:
    """Open ``message`` in its session, which is from then on the one to send on."""
    associated = session.associated + message.outer
    state, plaintext = ratchet.decrypt(
        session.ratchet, message.sealed, associated, now, limits=limits, random=random
    )
    after = replace(session, ratchet=state, greeting=b"", unanswered=session.unanswered + 1)
    sessions = replace(sessions, version=max(sessions.version, VERSION))
    return Opened(sessions.put_first(after, limits), plaintext, sessions.account_public)
