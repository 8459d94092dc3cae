"""What arrives: opened, checked, stored and answered for, without threads.

For each delivery there is one outcome, stored with everything it moved in one transaction: a
message, a receipt taken in, a placeholder that says why something could not be read, or nothing,
for what came before or is for another device. Whatever the outcome, the delivery is dealt with and
may be acknowledged after the commit; nothing in it can stop the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bpost.client.chains import Chains
from bpost.client.events import Event, MessageAdded, SecurityNotice
from bpost.client.history import History, NewEntry
from bpost.client.models import Seen, Talk
from bpost.client.opener import Opener, Unsealed
from bpost.client.outbox import Outbox
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.records import Kind, Status
from bpost.crypto.primitives import sha256
from bpost.errors import SecurityError, StoreError
from bpost.protocol.content import DELIVERED, EMPTY, READ, RECEIPT, TEXT
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.fields import canonical
from bpost.protocol.payload import Payload, check_origin, parse_payload
from bpost.protocol.replies import Delivery

log = logging.getLogger(__name__)

SILENT = frozenset({"duplicate", "replayed"})
"""What came before: nothing is shown."""

WARNED = frozenset({"wrong-sender", "wrong-recipient", "wrong-conversation"})
"""What was moved to where it does not belong: dropped, with a notice in its place."""

ATTACKS = WARNED | {
    "account-key-changed",
    "bad-key",
    "bad-signature",
    "device-changed",
    "old-device-list",
    "older-version",
    "unknown-device",
}
"""What a server or a stranger would have to do on purpose."""

QUOTED = 500  # of the words of an unsealed message, so many characters are shown


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
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._opener = opener
        self._history = history
        self._chains = chains
        self._outbox = outbox

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
        unsealed = self._opener.open(peer, envelope, sealed)
        payload = parse_payload(unsealed.data, self._profile.limits)
        check_origin(
            payload,
            frame_sender=delivery.sender,
            envelope_device=envelope.device,
            me=self._profile.name,
            my_device=self._profile.device,
            envelope_devices=envelope.to,
        )
        events = self._opener.keep(peer, unsealed)
        events += self._file(delivery, payload, unsealed)
        if peer.listed and unsealed.opened.sessions.answer_due(self._profile.limits):
            self._outbox.greet(peer.name)
        return events

    # The content

    def _file(self, delivery: Delivery, payload: Payload, unsealed: Unsealed) -> list[Event]:
        """Store what a payload says where it belongs.

        What came under an account key that is not trusted yet is shown, and does nothing else.
        """
        events: list[Event] = []
        self._history.open(self._other(payload))
        place = self._chains.follow(payload, unsealed.data, unsealed.opened.account_public, events)
        if payload.type == RECEIPT:
            if unsealed.new_key:
                log.info("a receipt under a key that is not trusted was passed over")
                return events
            events += self._take_receipt(payload)
        elif payload.type != EMPTY and (unsealed.new_key or not self._is_there(payload)):
            events += self._show(delivery, payload, unsealed, place)
        return events

    def _is_there(self, payload: Payload) -> bool:
        """Say whether a message came before: it was sent again, for devices that had missed it.

        Those get to know that it has arrived here, too.
        """
        if not self._history.holds(payload):
            return False
        if payload.sender != self._profile.name:
            self._outbox.owe(payload.sender, payload.id, DELIVERED)
        return True

    def _show(
        self, delivery: Delivery, payload: Payload, unsealed: Unsealed, place: float | None
    ) -> list[Event]:
        """Store a message, and owe its sender a receipt."""
        own, is_text = payload.sender == self._profile.name, payload.type == TEXT
        failure = "" if is_text else "This message needs a newer version of BPost."
        if unsealed.new_key:
            failure = "This came under a new account key, which you had not trusted yet."
        kind: Kind = "text" if is_text else "unsupported"
        entry = NewEntry(
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
        message = self._history.add(payload.conversation, entry)
        if not own and not unsealed.new_key:
            self._outbox.owe(payload.sender, payload.id, DELIVERED)
        return [MessageAdded(message)]

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

    # What cannot be read

    def _refuse(self, delivery: Delivery, error: SecurityError) -> list[Event]:
        """Store what is shown in place of a message that was not taken."""
        if error.cause in SILENT:
            return []
        peer = self._people.know(delivery.sender)
        events: list[Event] = []
        if error.cause in ATTACKS:
            events.append(SecurityNotice(peer.shown, error.cause, str(error)))
        conversation = self._history.open(peer.name)
        if error.cause in WARNED:
            text = f"A message was dropped. {error}"
            return events + self._history.notice(conversation, peer.name, text)
        kind: Kind = "unsupported" if error.cause == "newer-version" else "unreadable"
        failure = f"This message could not be read. {error}"
        entry = NewEntry(
            delivery.sender, kind, sent=delivery.timestamp or 0, seq=delivery.seq, failure=failure
        )
        more = Talk.update(unreadable=Talk.unreadable + 1).where(Talk.name == conversation)
        self._store.run(more)
        return [*events, MessageAdded(self._history.add(conversation, entry))]

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
