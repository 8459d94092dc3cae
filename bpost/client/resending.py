"""What others could not read, or never got, is sent to them again (CRYPTO, section 6).

Only to a device that the payload was sealed for when it was sent, and that is on the list signed by
the pinned account key now: whoever asks gets nothing that was not theirs. At most three times, and
for 14 days. What cannot be sent again is said to be lost, there and here at the message itself. All
methods are called within a transaction of the profile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bpost.client.causes import LOST_TEXTS, NO_MESSAGE
from bpost.client.devices import Devices
from bpost.client.errands import Errands
from bpost.client.events import Event
from bpost.client.history import History
from bpost.client.journal import Journal
from bpost.client.models import Chain, Sent
from bpost.client.people import People
from bpost.client.profile import RESTORED, YES, Profile
from bpost.client.wants import Wants
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import AGAIN, LOST, MISSING_ITEMS
from bpost.protocol.payload import Payload, payload_json

NOT_HERE = (
    "This profile was restored from an older copy since, and does not have it: ask what is "
    "missing, and write it again."
)


@dataclass
class _Answer:
    """What a request leads to: payloads, each with the hash it was asked by, and what is lost."""

    found: dict[int, tuple[Sent, str]] = field(default_factory=dict)
    numbers: dict[str, list[Json]] = field(default_factory=dict)
    hashes: dict[str, list[Json]] = field(default_factory=dict)

    def lose(self, reason: str, number: int, hash_: str) -> None:
        """Note that one thing cannot be sent again."""
        if hash_:
            self.hashes.setdefault(reason, []).append(hash_)
        else:
            self.numbers.setdefault(reason, []).append(number)


class Resending:
    """Answers requests for what this device has sent."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        devices: Devices,
        history: History,
        journal: Journal,
        wants: Wants,
        errands: Errands,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._devices = devices
        self._history = history
        self._journal = journal
        self._wants = wants
        self._errands = errands

    def answer(self, request: Payload) -> list[Event]:
        """Send again what a device asks for, or tell it, and the user, that it is lost."""
        if not self._may_ask(request):
            return []
        answer = _Answer()
        self._look_up(request, answer)
        events: list[Event] = []
        other = self._history.other(request.conversation)
        for row, hash_ in [answer.found[key] for key in sorted(answer.found)]:
            reason = self._send(row, hash_, request, other)
            if reason:
                answer.lose(reason, row.number, hash_)
                events += self._tell(row, request.sender, reason)
        for reason in sorted(answer.numbers.keys() | answer.hashes.keys()):
            numbers, hashes = answer.numbers.get(reason, []), answer.hashes.get(reason, [])
            content: dict[str, Json] = {"reason": reason, "numbers": numbers, "hashes": hashes}
            self._errands.send(request.sender, request.device, other, LOST, content)
            if reason == RESTORED:
                events += self._tell_restored(request)
        return events

    def _may_ask(self, request: Payload) -> bool:
        """Say whether a device is answered: a listed one, of this user or of a contact."""
        peer = self._people.peer(request.sender)
        known = peer is not None and (peer.listed or peer.name == self._profile.name)
        return known and request.device in self._devices.devices(request.sender)

    def _look_up(self, request: Payload, answer: _Answer) -> None:
        """Find what is asked for, each payload once."""
        content = cast(Mapping[str, Any], request.content)
        for frame in content["frames"]:
            sent = self._journal.frame(request.sender, frame["hash"], frame["seq"])
            row = None if sent is None else self._journal.carried(sent)
            if row is not None:
                answer.found.setdefault(row.row, (row, frame["hash"]))
            elif sent is not None:
                answer.lose(NO_MESSAGE, 0, frame["hash"])
                self._wants.ask_sooner(request.sender, request.device)  # it may have been a request
            elif not self._journal.is_unsure(request.sender):  # or else it is asked for again
                answer.lose(self._why_never(), 0, frame["hash"])
        for number in content["numbers"]:
            row = self._journal.numbered(request.conversation, number)
            if row is None:
                answer.lose(self._why_unknown(request.conversation, number), number, "")
            else:
                answer.found.setdefault(row.row, (row, ""))
        if content["after"]:
            most = MISSING_ITEMS - len(answer.found)
            for row in self._after(request, content["after"], max(0, most)):
                answer.found.setdefault(row.row, (row, ""))

    def _after(self, request: Payload, number: int, most: int) -> list[Sent]:
        """Return what was sent to the asking device after ``number``."""
        rows = self._journal.numbers_after(request.conversation, number, most)
        return [row for row in rows if _was_for(row, request)]

    def _why_unknown(self, conversation: str, number: int) -> str:
        """Say why there is no payload with this number: it is forgotten, or never was one."""
        me = (Chain.sender == self._profile.name, Chain.device == self._profile.device)
        chain = self._store.one(Chain, *me, Chain.conversation == conversation)
        never = self._why_never()
        if never == RESTORED or chain is None or number > chain.number:
            return never
        return "too-old"

    def _why_never(self) -> str:
        """Say why this device knows nothing of what it is said to have sent."""
        return "unknown" if self._profile.fact(RESTORED) is None else RESTORED

    def _send(self, row: Sent, hash_: str, request: Payload, other: str) -> str:
        """Send a payload again; return why that cannot be, if so."""
        if not _was_for(row, request):
            return "not-for-you"
        oldest = self._profile.now() - int(self._profile.limits.resend_seconds * 1000)
        if row.sealed < oldest:
            return "too-old"
        payload = self._journal.payload(row)
        if payload is None:
            return "gone"
        if not self._journal.count_again(row, request.device):
            return "tries"
        content: dict[str, Json] = {"payload": payload_json(payload), "hash": hash_}
        self._errands.send(request.sender, request.device, other, AGAIN, content)
        return ""

    def _tell(self, row: Sent, asker: str, reason: str) -> list[Event]:
        """Show at the message itself that somebody did not get it."""
        entry = self._history.own(row.id)
        if entry is None or entry.kind != "text" or reason == "not-for-you":
            return []
        if asker == self._profile.name:
            return []
        peer = self._people.know(asker)
        text = f"This message could not be delivered to {peer.shown}. {LOST_TEXTS[reason]}"
        if entry.status in ("delivered", "read"):  # another of their devices has it
            text = f"A device of {peer.shown} did not get this message. {LOST_TEXTS[reason]}"
            return self._history.change(entry, {"failure": text})
        return self._history.change(entry, {"status": "failed", "failure": text})

    def _tell_restored(self, request: Payload) -> list[Event]:
        """Show, once in a conversation, that what was sent before a restore did not arrive."""
        told = f"{RESTORED} {request.conversation}"
        if self._profile.fact(told) is not None:
            return []
        self._profile.know(told, YES)
        peer = self._people.know(request.sender)
        text = f"{peer.shown} did not get something that was sent from here. {NOT_HERE}"
        return self._history.notice(request.conversation, self._profile.name, text)


def _was_for(row: Sent, request: Payload) -> bool:
    """Say whether a payload was sealed for the device that asks."""
    return request.device in json.loads(row.recipients).get(request.sender, ())
