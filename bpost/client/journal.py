"""What this device has sent: kept for as long as somebody may ask for it again.

All methods are called within a transaction of the profile. A text is not kept a second time: its
content is in the history, and what was removed there is not sent again. Only of one that was
changed since, what it said first is kept here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from bpost import b64
from bpost.client.models import SQL, Entry, Frame, Posted, Resent, Sent, SentEnds, SentHead
from bpost.client.profile import Profile
from bpost.crypto.primitives import sha256
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import DELETE, EDIT, TEXT
from bpost.protocol.log_head import read_log_head
from bpost.protocol.payload import Payload


class Journal:
    """The payloads and frames of this device."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._store = profile.store

    def sealed(self, payload: Payload) -> None:
        """Keep a payload."""
        content = "" if payload.type == TEXT else json.dumps(payload.content)
        row = {
            "id": payload.id,
            "type": payload.type,
            "peer": payload.to,
            "conversation": payload.conversation,
            "number": payload.number,
            "previous": payload.previous,
            "sent": payload.sent,
            "recipients": json.dumps(payload.recipients),
            "content": content,
            "sealed": self._profile.now(),
        }
        number = self._store.run(Sent.insert(row))
        if payload.log is not None:
            self._store.run(SentHead.insert(sent=number, head=payload.log.text()))
        if payload.ends:
            self._store.run(SentEnds.insert(sent=number, ends=json.dumps(payload.ends)))

    def posted(self, ref: str, payload: str, peer: str, body: str) -> None:
        """Note a frame, and which payload it carries."""
        row = {
            "ref": ref,
            "payload": payload,
            "peer": peer,
            "hash": frame_hash(body),
            "seq": None,
            "sealed": self._profile.now(),
        }
        self._store.run(Posted.insert(row).on_conflict_replace())

    def stored(self, ref: str, seq: int | None) -> None:
        """Note where in the recipient's mailbox the server has put a frame."""
        self._store.run(Posted.update(seq=seq).where(Posted.ref == ref))

    def numbered(self, conversation: str, number: int) -> Sent | None:
        """Return the payload of this device with a number in a conversation."""
        newest = Sent.row.desc()
        where = (Sent.conversation == conversation, Sent.number == number)
        return self._store.one(Sent, *where, order=newest)

    def numbers_after(self, conversation: str, number: int, most: int) -> list[Sent]:
        """Return the newest payloads of this device in a conversation after ``number``."""
        where = (Sent.conversation == conversation, Sent.number > number)
        return self._store.all(Sent, *where, order=Sent.row.desc(), limit=most)[::-1]

    def frame(self, peer: str, hash_: str, seq: int) -> Posted | None:
        """Return the frame to ``peer`` with this hash, or else in this place.

        A frame that was altered on the way has another hash than the one that left.
        """
        frame = self._store.one(Posted, Posted.peer == peer, Posted.hash == hash_)
        if frame is None and seq:
            where = (Posted.peer == peer, Posted.seq == seq)
            frame = self._store.one(Posted, *where, order=Posted.sealed.desc())
        return frame

    def is_unsure(self, peer: str) -> bool:
        """Say whether the place of a frame to ``peer`` is not known: the server has not answered.

        It may be stored all the same, and altered on the way.
        """
        return self._store.one(Frame, Frame.peer == peer, Frame.refused == SQL("0")) is not None

    def carried(self, frame: Posted) -> Sent | None:
        """Return the payload of a frame; None for what is not sent again."""
        return self._store.one(Sent, Sent.id == frame.payload, order=Sent.row.desc())

    def payload(self, row: Sent) -> Payload | None:
        """Return a payload as it was; None if its text is not in the history any more."""
        content = self._content(row)
        if content is None:
            return None
        recipients = json.loads(row.recipients)
        carried = self._store.one(SentHead, SentHead.sent == row.row)
        named = self._store.one(SentEnds, SentEnds.sent == row.row)
        return Payload(
            type=row.type,
            id=row.id,
            sender=self._profile.name,
            device=self._profile.device,
            to=row.peer,
            conversation=row.conversation,
            number=row.number,
            previous=row.previous,
            sent=row.sent,
            recipients={user: tuple(devices) for user, devices in recipients.items()},
            content=content,
            log=None if carried is None else read_log_head(carried.head),
            ends=() if named is None else tuple(json.loads(named.ends)),
        )

    def keep_original(self, id_: str, text: str) -> None:
        """Keep what a text said before it was changed: it is sent again as it was."""
        first = (Sent.id == id_) & (Sent.type == TEXT) & (Sent.content == "")
        self._store.run(Sent.update(content=json.dumps({"text": text})).where(first))

    def erase(self, message: str, conversation: str) -> None:
        """Forget what a text said, and its changes: their deletion is sent again in their place."""
        stand_in = Sent.update(type=DELETE, content=json.dumps({"message": message}))
        self._store.run(stand_in.where(Sent.id == message, Sent.type == TEXT))
        changes = (Sent.type == EDIT, Sent.conversation == conversation)
        for row in self._store.all(Sent, *changes):
            if json.loads(row.content)["message"] == message:
                self._store.run(stand_in.where(Sent.row == row.row))

    def edited(self, ref: str) -> str:
        """Return which message the payload of a frame changes; empty if it is no change."""
        row = self._store.one(Sent, Sent.id == ref, Sent.type == EDIT)
        return "" if row is None else str(json.loads(row.content)["message"])

    def _content(self, row: Sent) -> dict[str, Json] | None:
        if row.type != TEXT or row.content:
            found: dict[str, Json] = json.loads(row.content)
            return found
        entry = self._store.one(
            Entry, Entry.id == row.id, Entry.own, Entry.device == self._profile.device
        )
        return None if entry is None or entry.kind != "text" else {"text": entry.text}

    def count_again(self, row: Sent, device: str) -> bool:
        """Count that a payload is sent again to a device; False if that was often enough."""
        known = self._store.one(Resent, Resent.payload == row.id, Resent.device == device)
        times = 0 if known is None else known.times
        if times >= self._profile.limits.retries:
            return False
        more = Resent.insert(payload=row.id, device=device, times=times + 1)
        self._store.run(more.on_conflict_replace())
        return True

    def knows(self, refs: Iterable[str]) -> bool:
        """Say whether this device has sent one of these frames."""
        return any(self._store.one(Posted, Posted.ref == ref) for ref in refs)

    def tidy(self) -> None:
        """Forget what nobody may ask for any more; frames as long as the server knows them."""
        limits, now = self._profile.limits, self._profile.now()
        old = now - int(2 * limits.resend_seconds * 1000)
        self._store.remove(Sent, Sent.sealed < old)
        kept = Sent.select(Sent.id)
        self._store.remove(Resent, Resent.payload.not_in(kept))
        for carried in (SentHead, SentEnds):
            self._store.remove(carried, carried.sent.not_in(Sent.select(Sent.row)))
        self._store.remove(Posted, Posted.sealed < now - int(2 * limits.retention_seconds * 1000))


def frame_hash(body: str) -> str:
    """Return what both sides call a frame."""
    return b64.encode(sha256(body.encode("utf-8")))
