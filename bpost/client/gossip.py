"""Comparing heads of the log of keys with others, and the alarms that come of it.

A server that shows two people different keys for a third shows them different logs, for a log has
one last key for each name. So their heads differ, and the next message that one honest client has
of another says so. Only who is listed is heard: a stranger could cry wolf. All methods are called
within a transaction of the profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from bpost import b64
from bpost.client.causes import rule_of
from bpost.client.events import Event, SecurityNotice
from bpost.client.history import History
from bpost.client.keylog import KeyLog
from bpost.client.models import Alarm, Claim
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.records import KeyLogState, LogFinding
from bpost.protocol.log_head import LogHead
from bpost.protocol.payload import Payload

MOST = 100
"""So many alarms are kept."""


@dataclass(frozen=True)
class Evidence:
    """What an alarm is about: who, and which two heads were named, theirs and our own."""

    peer: str = ""
    theirs: LogHead | None = None
    ours: bytes = b""


NOTHING = Evidence()


class Gossip:
    """What others say of the log, what the server does with it, and what is told of that."""

    def __init__(self, profile: Profile, people: People, history: History, keylog: KeyLog) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._history = history
        self._keylog = keylog

    def hear(self, payload: Payload) -> list[Event]:
        """Compare the head that came with a message, now or once the server has said more.

        The payload was opened under the pinned account key of its sender.
        """
        peer = self._people.peer(payload.sender)
        own = payload.sender == self._profile.name
        if payload.log is None or peer is None or not (own or peer.listed):
            return []
        if payload.log.size <= self._keylog.size:
            return self._compare(payload.sender, payload.log, payload.sent)
        row = {"size": payload.log.size, "hash": payload.log.hash, "sent": payload.sent}
        claim = Claim.insert(peer=payload.sender, device=payload.device, **row)
        self._store.run(claim.on_conflict_replace())
        return []

    def has_claims(self) -> bool:
        """Say whether somebody knows more of the log than this profile."""
        return self._store.one(Claim) is not None

    def settle(self) -> list[Event]:
        """Compare what others have said, after the server has shown all that it shows."""
        events: list[Event] = []
        for claim in self._store.all(Claim):
            head = LogHead(claim.size, bytes(claim.hash))
            events += self._compare(claim.peer, head, claim.sent)
            self._store.remove(Claim, Claim.peer == claim.peer, Claim.device == claim.device)
        return events

    def _compare(self, peer: str, theirs: LogHead, sent: int) -> list[Event]:
        """Compare a head with the one that is known of that size."""
        ours = self._keylog.head_at(theirs.size)
        if ours == theirs.hash:
            return self._agree(peer, theirs.size)
        if sent < self._keylog.replaced:  # that the log was replaced has been told
            return []
        shown = self._shown(peer)
        if ours is None:
            text = (
                f"The server hides keys from you: {shown} has seen {theirs.size} entries of its "
                f"log of keys, and you are shown {self._keylog.size}."
            )
        else:
            text = (
                f"The server shows people different keys: its log of keys, {theirs.size} entries "
                f"long, is another one for {shown} than for you."
            )
        return self.alarm("log-forked", text, Evidence(peer, theirs, ours or b""))

    def _agree(self, peer: str, size: int) -> list[Event]:
        """Clear up what was told of ``peer`` before, if they see the same log now."""
        events: list[Event] = []
        for row in self._open("log-forked", peer):
            if row.size <= size:
                self._end(row)
                text = f"The server shows {self._shown(peer)} and you the same log of keys again."
                events += self._history.notice(self._history.open(peer), peer, text)
        return events

    # Alarms

    def alarm(self, cause: str, text: str, evidence: Evidence = NOTHING) -> list[Event]:
        """Keep the evidence and tell it, unless the same was told and is not over."""
        peer, theirs = evidence.peer, evidence.theirs
        if self._open(cause, peer):
            return []
        text = f"{text} {rule_of(cause).text}"
        row = {"time": self._profile.now(), "cause": cause, "peer": peer, "text": text}
        size, named = (0, b"") if theirs is None else (theirs.size, theirs.hash)
        self._store.run(Alarm.insert(**row, size=size, theirs=named, ours=evidence.ours))
        newest = cast(Any, Alarm.row).desc()
        kept = Alarm.select(Alarm.row).order_by(newest).limit(MOST)
        self._store.remove(Alarm, cast(Any, Alarm.row).not_in(kept))
        self._store.forget()
        events: list[Event] = [SecurityNotice(self._shown(peer) if peer else "", cause, text)]
        if peer and peer != self._profile.name:
            events += self._history.notice(self._history.open(peer), peer, text)
        return events

    def clear(self, cause: str, peer: str = "") -> None:
        """Note that an alarm is over."""
        for row in self._open(cause, peer):
            self._end(row)

    def state(self) -> KeyLogState:
        """Return what is known of the log, and all alarms that are kept, oldest first."""
        head = self._keylog.head()
        found = tuple(map(self._finding, self._store.all(Alarm, order=Alarm.row)))
        if head is None:
            return KeyLogState(findings=found)
        return KeyLogState(head.size, b64.encode(head.hash), found)

    def _finding(self, row: Alarm) -> LogFinding:
        known = self._people.peer(row.peer) if row.peer else None
        return LogFinding(
            time=row.time,
            cause=row.cause,
            contact=row.peer if known is None else known.shown,
            text=row.text,
            size=row.size,
            ours=b64.encode(bytes(row.ours)),
            theirs=b64.encode(bytes(row.theirs)),
            over=row.over,
        )

    def _open(self, cause: str, peer: str) -> list[Alarm]:
        """Return the alarms of this cause about ``peer`` that are not over."""
        rows = self._store.recall("alarms", lambda: self._store.all(Alarm, ~cast(Any, Alarm.over)))
        return [row for row in rows if (row.cause, row.peer) == (cause, peer)]

    def _end(self, row: Alarm) -> None:
        self._store.run(Alarm.update(over=True).where(Alarm.row == row.row))
        self._store.forget()

    def _shown(self, peer: str) -> str:
        if peer == self._profile.name:
            return "another device of yours"
        known = self._people.peer(peer)
        return peer if known is None else known.shown
