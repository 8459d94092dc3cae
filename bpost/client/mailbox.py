"""What arrives: opened, checked, stored and answered for, without threads.

For each delivery there is one outcome, stored with everything it moved in one transaction: a
message, a receipt taken in, a placeholder that says why something could not be read, or nothing,
for what came before or is for another device. Whatever the outcome, the delivery is dealt with and
may be acknowledged after the commit; nothing in it can stop the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bpost.client.chains import Chains
from bpost.client.events import Event, MessageAdded, MessageRemoved
from bpost.client.fetching import Fetching
from bpost.client.gossip import Gossip
from bpost.client.handing import Handing
from bpost.client.healing import NOTHING, Healing, Missed
from bpost.client.history import HIDDEN, History, NewEntry
from bpost.client.models import Peer, Seen
from bpost.client.opener import Opener, Unsealed
from bpost.client.outbox import Outbox
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.records import Kind, Status
from bpost.client.refusals import Refusals
from bpost.client.renewal import Renewal, is_proof
from bpost.client.resending import Resending
from bpost.client.revisions import Revisions, is_stand_in
from bpost.client.ring import Ring
from bpost.client.rollback import Rollback
from bpost.crypto.primitives import sha256
from bpost.errors import SecurityError, StoreError
from bpost.protocol.content import (
    AGAIN,
    DELETE,
    DELIVERED,
    DEVICES,
    DIRECTED,
    EDIT,
    EMPTY,
    HAVE,
    HIDE,
    INHERIT,
    LOST,
    READ,
    RECEIPT,
    RENEWAL,
    RETRY,
    TEXT,
    VAULT,
)
from bpost.protocol.envelope import Envelope, parse_envelope
from bpost.protocol.fields import canonical
from bpost.protocol.handover import FETCH, HISTORY
from bpost.protocol.payload import Payload, check_origin, inner_payload, parse_payload
from bpost.protocol.replies import Delivery

log = logging.getLogger(__name__)

SILENT = frozenset({RECEIPT, DEVICES, RENEWAL, VAULT, EMPTY, EDIT, DELETE, HIDE})
"""The types of payloads that are no messages to show."""

QUOTED = 500  # of the words of an unsealed message, so many characters are shown


@dataclass(frozen=True)
class Remedies:
    """What helps where something did not arrive, or was there before a device joined."""

    healing: Healing
    resending: Resending
    refusals: Refusals
    rollback: Rollback
    handing: Handing
    fetching: Fetching
    gossip: Gossip


@dataclass(frozen=True)
class Bonds:
    """What people, and the own other devices, say of their devices and account keys."""

    ring: Ring
    renewal: Renewal


class Mailbox:
    """The incoming side of a profile."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        opener: Opener,
        history: History,
        chains: Chains,
        outbox: Outbox,
        remedies: Remedies,
        bonds: Bonds,
        revisions: Revisions,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._opener = opener
        self._history = history
        self._chains = chains
        self._outbox = outbox
        self._healing = remedies.healing
        self._gossip = remedies.gossip
        self._refuse = remedies.refusals.refuse
        self._ring = bonds.ring
        self._renewal = bonds.renewal
        self._revisions = revisions
        self._directed: Mapping[str, Callable[[Payload], list[Event]]] = {
            FETCH: remedies.handing.take,
            HISTORY: remedies.fetching.take,
            RETRY: remedies.resending.answer,
            LOST: remedies.healing.give_up,
            HAVE: remedies.rollback.hear,
            INHERIT: bonds.renewal.inherit,
        }

    def take(self, delivery: Delivery) -> list[Event]:
        """Deal with a delivery, within a transaction of the profile; return what to tell.

        What fails leaves no trace but its placeholder.
        """
        digest = _digest(delivery)
        if self._store.one(Seen, Seen.digest == digest) is not None:
            return []
        try:
            with self._store.savepoint():
                events = self._open(delivery)
        except SecurityError as error:
            log.info("a message of seq %s could not be taken: %s", delivery.seq, error.cause)
            events = self._refuse(delivery, error)
        except StoreError:
            raise
        except Exception as error:  # a fault of ours: it must not keep the mail behind it
            name = type(error).__name__  # and no traceback, which may quote content
            log.error("a message of seq %s broke on %s", delivery.seq, name)  # noqa: TRY400
            text = "This program made a mistake in reading it. Please report that."
            events = self._refuse(delivery, SecurityError("bad-encoding", text))
        self._store.run(Seen.insert(digest=digest, taken=self._profile.now()))
        return events

    def _open(self, delivery: Delivery) -> list[Event]:
        """Open and file a delivery.

        Raises:
            SecurityError: it cannot be read, or must not be believed.
        """
        peer = self._people.know(delivery.sender)
        if peer.account_key is None and not delivery.body.startswith("{"):
            return self._show_unsealed(delivery)
        envelope = parse_envelope(delivery.body, self._profile.limits)
        sealed = envelope.to.get(self._profile.device)
        if sealed is None:
            self._opener.check_recipients(envelope)
            return []
        unsealed = self._unseal(peer, envelope, sealed)
        payload = parse_payload(unsealed.data, self._profile.limits)
        check_origin(
            payload,
            frame_sender=delivery.sender,
            envelope_device=envelope.device,
            me=self._profile.name,
            my_device=self._profile.device,
            envelope_devices=envelope.to,
        )
        events, unsealed = self._follow(peer, payload, unsealed)
        events += self._opener.keep(self._people.know(peer.name), unsealed)
        if not unsealed.new_key:
            events += self._gossip.hear(payload)
        if payload.type in DIRECTED:
            events += self._heal(delivery, payload, unsealed)
        else:
            events += self._file(delivery, payload, unsealed)
        if peer.listed and unsealed.opened.sessions.answer_due(self._profile.limits):
            self._outbox.greet(peer.name)
        return events

    def _unseal(self, peer: Peer, envelope: Envelope, sealed: bytes) -> Unsealed:
        """Open a message; what comes again as it was does not get here (see :meth:`take`)."""
        try:
            return self._opener.open(peer, envelope, sealed)
        except SecurityError as error:
            if error.cause != "duplicate":
                raise
            text = "It came under a key that was used before: by an older copy of its sender?"
            raise SecurityError("used-key", text) from None

    def _follow(
        self, peer: Peer, payload: Payload, unsealed: Unsealed
    ) -> tuple[list[Event], Unsealed]:
        """Trust a new account key that comes with the proof that it follows the pinned one."""
        opened = unsealed.opened
        pinned, key = bytes(peer.account_key or b""), opened.account_public
        if not unsealed.new_key or not is_proof(payload, pinned, key):
            return [], unsealed
        events = self._renewal.take(payload)
        opened = replace(opened, sessions=self._opener.joined(opened.sessions))
        return events, replace(unsealed, opened=opened, new_key=False)

    # The content

    def _file(
        self,
        delivery: Delivery,
        payload: Payload,
        unsealed: Unsealed,
        asked_by: str | None = None,
    ) -> list[Event]:
        """Store what a payload says where it belongs.

        What came under an account key that is not trusted yet is shown, and does nothing else.
        ``asked_by`` is given for one that was sent again: the hash of its frame, if that was known.
        """
        events: list[Event] = []
        self._history.open(self._other(payload))
        missed = NOTHING if unsealed.new_key else self._healing.missed(payload, asked_by or "")
        wanted = None if asked_by is None else bool(missed.wants)
        key = unsealed.opened.account_public
        place = self._chains.follow(payload, unsealed.data, key, events, wanted)
        shown, placed = payload.means not in SILENT or is_stand_in(payload), False
        if not shown and payload.means != EMPTY:
            if unsealed.new_key:
                log.info("a %s under a key that is not trusted was passed over", payload.type)
            elif payload.means == RECEIPT:
                events += self._take_receipt(payload)
            elif payload.means == RENEWAL:
                events += self._renewal.take(payload)
            elif payload.means == VAULT:
                events += self._ring.take_vault(payload)
            elif payload.means == DEVICES:
                events += self._ring.take(payload, key)
            else:
                events += self._revisions.take(payload, key)
        elif shown and (unsealed.new_key or not self._is_there(payload)):
            entry, placed = self._entry(delivery, payload, unsealed, place), missed.fits(payload)
            if not unsealed.new_key:
                entry = self._revisions.settle(entry, payload, key)
            events += self._show(payload, entry, missed, unsealed)
        return events + self._healing.close(missed, placed)

    def _is_there(self, payload: Payload) -> bool:
        """Say whether a message came before: it was sent again, for devices that had missed it.

        Those get to know that it has arrived here, too.
        """
        if not self._history.holds(payload):
            return False
        if payload.sender != self._profile.name:
            self._outbox.owe(payload.sender, payload.id, DELIVERED)
        return True

    def _heal(self, delivery: Delivery, payload: Payload, unsealed: Unsealed) -> list[Event]:
        """Take in what a device says to this one alone."""
        if unsealed.new_key:  # not the account that is trusted: it is neither told nor believed
            return []
        if payload.type == AGAIN:
            return self._take_again(delivery, payload, unsealed)
        return self._directed[payload.type](payload)

    def _take_again(self, delivery: Delivery, payload: Payload, unsealed: Unsealed) -> list[Event]:
        """Take in what was sent again, as if it had come when it should."""
        inner, data = inner_payload(payload.content["payload"], self._profile.limits)
        check_origin(
            inner,
            frame_sender=payload.sender,
            envelope_device=payload.device,
            me=self._profile.name,
            my_device=self._profile.device,
            envelope_devices=inner.recipients.get(self._profile.name, ()),
        )
        if inner.type in DIRECTED:
            raise SecurityError("bad-encoding", "A message holds what is never sent again.")
        self._healing.succeeded(payload)
        asked_by = str(payload.content["hash"])
        try:
            return self._file(delivery, inner, replace(unsealed, data=data), asked_by)
        except SecurityError as error:
            if error.cause != "duplicate":
                raise
            return self._healing.close(self._healing.missed(inner, asked_by), placed=False)

    def _entry(
        self, delivery: Delivery, payload: Payload, unsealed: Unsealed, place: float | None
    ) -> NewEntry:
        """Make the line of a conversation that shows a payload."""
        own, is_text = payload.sender == self._profile.name, payload.means == TEXT
        failure = "" if is_text else "This message needs a newer version of BPost."
        if unsealed.new_key:
            failure = "This came under a new account key, which you had not trusted yet."
        kind: Kind = "text" if is_text else "unsupported"
        return NewEntry(
            delivery.sender,
            kind,
            str(payload.content["text"]) if is_text else "",
            # Whoever has a false key cannot take the place of a message that is still to come.
            id="" if unsealed.new_key else payload.id,
            device="" if unsealed.new_key else payload.device,
            sent=payload.sent,
            seq=delivery.seq,
            status="stored" if own else "received",
            failure=failure,
            payload=None if is_text else unsealed.data,
            place=place,
        )

    def _show(
        self, payload: Payload, entry: NewEntry, missed: Missed, unsealed: Unsealed
    ) -> list[Event]:
        """Store a message, in the place of its placeholder if there is one; owe a receipt."""
        if not unsealed.new_key and payload.sender != self._profile.name:
            self._outbox.owe(payload.sender, payload.id, DELIVERED)
        shown = entry.kind != HIDDEN
        if missed.entry is not None and missed.fits(payload):
            was, told = missed.entry.id, self._history.replace(missed.entry, entry)
            return told if shown else [MessageRemoved(self._other(payload), was)]
        added = MessageAdded(self._history.add(payload.conversation, entry))
        return [added] if shown else []

    def _take_receipt(self, payload: Payload) -> list[Event]:
        """Let own messages climb; a receipt of an own other device says what was read there."""
        ids, kind = payload.content["ids"], payload.content["kind"]
        assert isinstance(ids, list)  # noqa: S101 - the payload was checked
        if payload.sender == self._profile.name:
            return self._read_elsewhere(payload.conversation, ids) if kind == READ else []
        events: list[Event] = []
        for id_ in ids:
            row = self._history.own(str(id_))
            if row is not None and row.conversation == payload.conversation:
                status: Status = "read" if kind == READ else "delivered"
                events += self._history.climb(row.id, status)
        return events

    def _read_elsewhere(self, conversation: str, ids: Sequence[object]) -> list[Event]:
        """Count as read what an own other device has read."""
        rows = [row for row in self._history.unread(conversation) if row.id in ids]
        return self._history.read(conversation, rows[-1].place) if rows else []

    def _other(self, payload: Payload) -> str:
        """Return whom the conversation is with."""
        return payload.to if payload.sender == self._profile.name else payload.sender

    def _show_unsealed(self, delivery: Delivery) -> list[Event]:
        """Show that somebody who has no keys wrote in the clear; their words are only quoted."""
        words = " ".join(delivery.body.split())
        words = words if len(words) <= QUOTED else words[:QUOTED] + "…"
        failure = f"Not sealed: the server can read and change this. It says: “{words}”"
        entry = NewEntry(
            delivery.sender,
            "unreadable",
            sent=delivery.timestamp or 0,
            seq=delivery.seq,
            failure=failure,
        )
        return [MessageAdded(self._history.add(self._history.open(delivery.sender), entry))]


def _digest(delivery: Delivery) -> bytes:
    """Return what tells one delivery from another: an envelope, or the place of other words."""
    sealed = delivery.body.startswith("{")
    place = "" if sealed else str(delivery.seq)
    return sha256("\x1f".join((canonical(delivery.sender), place, delivery.body)).encode("utf-8"))
