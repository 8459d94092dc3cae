"""What is to be sent: first as content, then sealed, until the server has stored it.

All methods are called within a transaction of the profile. Content is sealed once the devices it is
for are known: the ratchet's step, the payload's number and the frames are one transaction (CRYPTO,
section 4), and what leaves later, however often, are those same bytes under the same ``ref``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, cast

from bpost.client.chains import Chains
from bpost.client.devices import Devices
from bpost.client.events import Event, MessageAdded
from bpost.client.history import History, NewEntry
from bpost.client.journal import Journal
from bpost.client.keylog import KeyLog
from bpost.client.models import Addressed, Device, Entry, Errand, Frame, Outgoing, Peer, Receipt, fn
from bpost.client.profile import Profile
from bpost.client.reach import Reach
from bpost.client.records import Message
from bpost.client.sealing import SealedBody, envelope_size, seal_body
from bpost.crypto.session import Sessions, seal
from bpost.errors import SecurityError, UsageError
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import DELETE, EDIT, EMPTY, RECEIPT, RECEIPT_IDS, TEXT
from bpost.protocol.fields import clean_text
from bpost.protocol.payload import Payload, direct_conversation
from bpost.protocol.replies import SendAccepted
from bpost.protocol.requests import Send

CHANGE_WAITS = "This change is not sent yet."
SENT_ANEW = "A message of yours did not get through here. You sent it again below."


class Outbox:
    """Everything on its way from this device."""

    def __init__(
        self,
        profile: Profile,
        devices: Devices,
        history: History,
        chains: Chains,
        reach: Reach,
        journal: Journal,
        keylog: KeyLog,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._devices = devices
        self._history = history
        self.chains = chains
        self.reach = reach
        self._journal = journal
        self._keylog = keylog

    # Content

    def write(self, peer: str, text: str) -> Message:
        """Put a text into the outbox and into the conversation; raise UsageError for a bad one."""
        text = check_text(text, self._profile)
        entry = NewEntry(
            self._profile.name,
            "text",
            text,
            id=str(uuid.uuid4()),
            device=self._profile.device,
            status="waiting",
        )
        message = self._history.add(self._history.open(peer), entry)
        self.queue(peer, TEXT, {"text": text}, message.id)
        return message

    def queue(
        self,
        peer: str,
        type_: str,
        content: Mapping[str, Json],
        id_: str | None = None,
        sent: int = 0,
        *,
        first: bool = False,
    ) -> None:
        """Have a payload sealed for ``peer`` (in canonical form) as soon as that can be.

        ``first``: before all that waits already.
        """
        row: dict[str, Any] = {
            "id": id_ or str(uuid.uuid4()),
            "peer": peer,
            "type": type_,
            "content": json.dumps(content),
            "sent": sent or self._profile.now(),
        }
        if first:
            row["row"] = (self._store.value(Outgoing.select(fn.MIN(Outgoing.row))) or 0) - 1
        self._store.run(Outgoing.insert(row))

    def complete(self, row: Addressed) -> None:
        """Send a text again, as the same message, if there is a device that it was not for."""
        self.reach.forget(row)
        users = {row.peer, self._profile.name}
        listed = {device for user in users for device in self._devices.reachable(user)}
        entry = self._history.own(row.message)
        if entry is None or entry.kind != "text" or not listed - self.reach.addressed(row):
            return
        self.queue(row.peer, TEXT, {"text": entry.text}, row.message, entry.sent)
        if entry.revision:
            self.queue_edit(entry)

    def queue_edit(self, entry: Entry) -> None:
        """Have a text sent as it is now, which others know as it was; an older change need not."""
        self.withdraw(EDIT, entry.id)
        content: dict[str, Json] = {
            "message": entry.id,
            "revision": entry.revision,
            "text": entry.text,
        }
        self.queue(self._history.other(entry.conversation), EDIT, content)

    def withdraw(self, type_: str, message: str) -> int:
        """Drop what was not sealed yet of a text, or of its changes; return how much that was."""
        rows = self._store.all(Outgoing, Outgoing.type == type_)
        about = [row for row in rows if message in (row.id, json.loads(row.content).get("message"))]
        for row in about:
            self._store.remove(Outgoing, Outgoing.row == row.row)
        return len(about)

    def greet(self, peer: str) -> None:
        """Have an empty payload sent, unless something is on its way already."""
        if self._store.one(Outgoing, Outgoing.peer == peer) is None:
            self.queue(peer, EMPTY, {})

    def drop_greeting(self, peer: str) -> None:
        """Send no empty payload to ``peer`` after all."""
        self._store.remove(Outgoing, Outgoing.peer == peer, Outgoing.type == EMPTY)

    def owe(self, peer: str, message: str, kind: str) -> None:
        """Note a receipt that is due; those for one sender travel together."""
        row = {"peer": peer, "message": message, "kind": kind, "due": self._profile.now()}
        self._store.run(Receipt.insert(row).on_conflict_ignore())

    def oldest_receipt(self) -> int | None:
        """Return when the oldest receipt became due, in milliseconds."""
        found = self._store.value(Receipt.select(fn.MIN(Receipt.due)).where(self._may_go()))
        return None if found is None else int(found)

    def collect_receipts(self) -> None:
        """Turn receipts that are due into payloads; strangers get none until they are listed."""
        piles: dict[tuple[str, str], list[str]] = {}
        for row in self._store.all(Receipt, self._may_go(), order=Receipt.id):
            piles.setdefault((row.peer, row.kind), []).append(row.message)
        for (peer, kind), ids in sorted(piles.items(), key=lambda pile: pile[0]):
            for start in range(0, len(ids), RECEIPT_IDS):
                some: list[Json] = list(ids[start : start + RECEIPT_IDS])
                self.queue(peer, RECEIPT, {"kind": kind, "ids": some})
        self._store.remove(Receipt, self._may_go())

    def _may_go(self) -> Any:
        """Return the condition for receipts that may be sent."""
        friends = Peer.select(Peer.name).where(Peer.listed, ~cast(Any, Peer.blocked))
        return cast(Any, Receipt.peer).in_(friends)

    # Sealing

    def peers(self) -> list[str]:
        """Return whom content waits for, in the order in which it began to."""
        return self._waiting_for(Outgoing.type != EMPTY)

    def greeted(self, *, known: bool) -> list[str]:
        """Return for whom there is a greeting: those with whom there are sessions, or the others.

        In the order in which they were queued.
        """
        friends = Device.select(Device.peer).where(Device.sessions.is_null(False))
        peer: Any = Outgoing.peer
        among = peer.in_(friends) if known else peer.not_in(friends)
        return self._waiting_for((Outgoing.type == EMPTY) & among)

    def _waiting_for(self, where: Any) -> list[str]:
        peers = Outgoing.select(Outgoing.peer).where(where).group_by(Outgoing.peer)
        return [row.peer for row in self._store.run(peers.order_by(fn.MIN(Outgoing.row)))]

    def seal_for(self, peer: str, most: int) -> tuple[int, list[Event]]:
        """Seal up to ``most`` of what waits for ``peer``; return how many, and what to tell."""
        events: list[Event] = []
        rows = self._store.all(Outgoing, Outgoing.peer == peer, order=Outgoing.row, limit=most)
        for row in rows:
            try:
                with self._store.savepoint():
                    events += self._seal(row)
            except (UsageError, SecurityError) as error:  # it never will: let the others pass
                events += self._fail(row, str(error))
            self._store.remove(Outgoing, Outgoing.row == row.row)
        return len(rows), events

    def _fail(self, row: Outgoing, failure: str) -> list[Event]:
        """Show at a message that it, or a change of it, will never be sent."""
        values = {"status": "failed", "failure": failure}
        if row.type in (EDIT, DELETE):
            values = {"failure": f"This could not be changed for the other side. {failure}"}
        entry = self._history.own(str(json.loads(row.content).get("message", row.id)))
        return [] if entry is None else self._history.change(entry, values)

    def hold(self, peer: str, failure: str) -> list[Event]:
        """Show why what waits for ``peer`` cannot be sent yet."""
        events: list[Event] = []
        for row in self._store.all(Outgoing, Outgoing.peer == peer, Outgoing.type == TEXT):
            entry = self._history.own(row.id)
            if entry is not None:
                events += self._history.change(entry, {"failure": failure})
        return events

    def _seal(self, row: Outgoing) -> list[Event]:
        """Make the frames of one payload: for the other side, and for our own other devices."""
        name = self._profile.name
        there = {user: self._devices.reachable(user) for user in dict.fromkeys((row.peer, name))}
        payload, body = self._payload(row, there)
        if body is None:
            return self._history.climb(row.id, "stored")
        entry = self._history.own(row.id)
        again = entry is not None and entry.status not in ("waiting", "failed")
        for user, sessions in there.items():
            if sessions:
                is_copy = user != row.peer
                ref = str(uuid.uuid4()) if is_copy or again else payload.id
                message = None if is_copy or again or row.type != TEXT else payload.id
                envelope = self._envelope(sessions, body)
                self._store.run(Frame.insert(ref=ref, peer=user, body=envelope, message=message))
                self._journal.posted(ref, payload.id, user, envelope)
                if entry is not None and not is_copy:
                    self.reach.note(ref, row.id, row.peer, there)
        return [] if entry is None else self._history.change(entry, {"failure": ""})

    def _payload(
        self, row: Outgoing, there: Mapping[str, Mapping[str, Sessions]]
    ) -> tuple[Payload, SealedBody | None]:
        """Return the payload, sealed unless there is no device to seal it for."""
        profile = self._profile
        conversation = direct_conversation(profile.name, row.peer)
        number, previous = self.chains.next(conversation)
        payload = Payload(
            type=row.type,
            id=row.id,
            sender=profile.name,
            device=profile.device,
            to=row.peer,
            conversation=conversation,
            number=number,
            previous=previous,
            sent=row.sent,
            recipients={user: tuple(sorted(found)) for user, found in there.items() if found},
            content=json.loads(row.content),
            log=self._keylog.head_for({user: found for user, found in there.items() if found}),
            ends=self.chains.epochs.named(conversation),
        )
        if not payload.recipients:
            return payload, None
        data = payload.to_bytes()
        self.chains.advance(payload, data, profile.account.public)
        self._journal.sealed(payload)
        return payload, seal_body(data)

    def _envelope(self, there: Mapping[str, Sessions], body: SealedBody) -> str:
        """Seal the body's key for each device, and store the steps of their ratchets."""
        to: dict[str, bytes] = {}
        now, limits = self._profile.now(), self._profile.limits
        for device, before in there.items():
            after, to[device] = seal(before, body.secret, now, limits=limits)
            self._devices.put_sessions(after.account_public, after)
        return body.envelope(self._profile.device, to)

    # Frames

    def frames(self, after: int, most: int) -> list[tuple[int, Send]]:
        """Return the next frames to send, with the row of each, in the order they were sealed."""
        rows = self._store.all(
            Frame, Frame.row > after, ~Frame.refused, order=Frame.row, limit=most
        )
        sender = self._profile.username
        return [(row.row, Send(sender, row.body, row.peer, row.ref)) for row in rows]

    def accept(self, reply: SendAccepted) -> list[Event]:
        """Note that the server has stored a frame."""
        ref, seq = str(reply.ref), reply.seq
        self.reach.compare(reply)
        row = self._store.one(Frame, Frame.ref == ref)
        if row is None:
            return []
        self._store.remove(Frame, Frame.row == row.row)
        self._journal.stored(ref, seq)
        if row.message is not None:
            return self._history.climb(row.message, "stored", seq)
        entry = self._history.own(self._journal.edited(ref))
        if entry is None or entry.failure != CHANGE_WAITS:
            return []
        return self._history.change(entry, {"failure": ""})

    def refuse(self, ref: str, failure: str) -> list[Event]:
        """Note that the server will not store a frame; it is kept, to be sent again on demand."""
        self._store.run(Frame.update(refused=True).where(Frame.ref == ref))
        row = self._store.one(Frame, Frame.ref == ref)
        entry = self._history.own(row.message) if row and row.message else None
        if entry is None:
            return []
        return self._history.change(entry, {"status": "failed", "failure": failure})

    def retry(self, id_: str) -> tuple[str, list[Event]]:
        """Send a message that failed again; return its id, and what to tell.

        What the server refused goes as it is. What it took and the other side never got is lost
        under its number: it goes as a new message, and a notice stands in its old place.

        Raises:
            UsageError: it did not fail.
        """
        entry = self._history.own(id_)
        if entry is None or entry.status != "failed" or entry.kind != "text":
            raise UsageError("Only a message that failed can be sent again.")
        if self._store.run(Frame.update(refused=False).where(Frame.ref == id_)):
            return id_, self._history.change(entry, {"status": "waiting", "failure": ""})
        message = self.write(self._history.other(entry.conversation), entry.text)
        gone = {"kind": "notice", "text": SENT_ANEW, "status": "received", "failure": ""}
        return message.id, [*self._history.change(entry, gone), MessageAdded(message)]

    # What is left

    def waiting(self) -> int:
        """Return how many of the user's messages the server has not stored yet."""
        frames = self._store.count(Frame, Frame.message.is_null(False), ~cast(Any, Frame.refused))
        return frames + self._store.count(Outgoing, Outgoing.type == TEXT)

    def is_empty(self) -> bool:
        """Say whether nothing is left to be sent, receipts included; greetings may wait longer."""
        left = self._store.count(Frame, ~cast(Any, Frame.refused))
        left += self._store.count(Outgoing, Outgoing.type != EMPTY) + self._store.count(Errand)
        return not (left or self.oldest_receipt() is not None)


def check_text(text: str, profile: Profile) -> str:
    """Return ``text`` fit for a payload.

    Raises:
        UsageError: it is empty, or too long for one message.
    """
    text = clean_text(text)
    if not text.strip():
        raise UsageError("There is nothing to send: the text is empty.")
    size, limits = len(json.dumps(text, ensure_ascii=False).encode("utf-8")), profile.limits
    if envelope_size(size, limits.devices) > limits.message:
        raise UsageError("The text is too long for one message. Send it in several parts.")
    return text
