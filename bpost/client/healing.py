"""What did not arrive is asked for, and heals in its place or ends as lost (CRYPTO, section 6).

A device is asked once an hour, sooner only after it has answered, and so often in an hour that
nobody can make this device work without end. A session that failed is replaced at most once an
hour, whatever arrives. All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from bpost.client.causes import GAP, GUESSED, NO_MESSAGE, Action, lost_text, rule_of, true_reason
from bpost.client.chains import Chains
from bpost.client.devices import Devices
from bpost.client.errands import Errands
from bpost.client.events import Event
from bpost.client.history import History
from bpost.client.models import Entry, Inquiry, Want
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.senders import Senders
from bpost.client.wants import Wants
from bpost.protocol.canonical_json import Json
from bpost.protocol.content import MISSING_ITEMS, RETRY
from bpost.protocol.payload import Payload

NOTHING_MISSING = {"kind": "notice", "text": "Nothing is missing here any more.", "failure": ""}
"""What a placeholder becomes when what it stood for is nothing to show, or stands elsewhere."""


@dataclass(frozen=True)
class Missed:
    """What a payload that was sent again had left open: requests for it, and its placeholder."""

    wants: tuple[Want, ...]
    entry: Entry | None

    def fits(self, payload: Payload) -> bool:
        """Say whether the placeholder stands where the payload belongs.

        That of a copy that could not be read stands with the own devices: nobody knew better.
        """
        return self.entry is not None and self.entry.conversation == payload.conversation


NOTHING = Missed((), None)


class Healing:
    """Asks for what is missing, and closes what has come or is lost."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        devices: Devices,
        history: History,
        chains: Chains,
        wants: Wants,
        senders: Senders,
        errands: Errands,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._devices = devices
        self._history = history
        self._chains = chains
        self._wants = wants
        self._senders = senders
        self._errands = errands

    # Asking

    def work(self) -> tuple[list[Event], float | None]:
        """Ask for what is due; return what to tell, and after how many seconds to look again."""
        events, waits = list[Event](), list[int]()
        for own in self._senders.find():
            events += self._lose(own, NO_MESSAGE)
        expected = sorted(self._wants.expected(), key=_whose)
        for (peer, device), wants in groupby(expected, key=_whose):
            wait = self._ask(peer, device, list(wants), events)
            if wait is not None:
                waits.append(wait)
        return events, min(waits) / 1000 if waits else None

    def _ask(self, peer: str, device: str, wants: list[Want], events: list[Event]) -> int | None:
        """Ask one device if it is time; return after how many milliseconds to look again."""
        wants = self._give_up(peer, device, wants, events)
        row = self._people.peer(peer)
        if row is None or not (row.listed or peer == self._profile.name) or row.blocked:
            return None
        wait = self._wait(peer, device, wants)
        if wait:
            return wait
        now, limits = self._profile.now(), self._profile.limits
        before = now - int(limits.inquiry_seconds * 1000)
        due = [one for one in wants if one.asked <= before]
        if not due:
            return None if not wants else max(1000, min(one.asked for one in wants) - before)
        self._request(peer, device, due)
        return int(limits.missing_seconds * 1000)

    def _wait(self, peer: str, device: str, wants: Sequence[Want]) -> int | None:
        """Return how long to wait before this device is asked; None if nothing is missing."""
        if not wants:
            return None
        now, limits = self._profile.now(), self._profile.limits
        pause, hour = int(limits.missing_seconds * 1000), int(limits.inquiry_seconds * 1000)
        due = min(one.noted for one in wants) + pause
        known = self._inquiry(peer, device)
        if known.asked:
            due = max(due, known.asked + (pause if known.answered else hour))
        if known.count >= limits.inquiries:
            due = max(due, known.started + hour)
        return max(0, due - now)

    def _request(self, peer: str, device: str, due: Sequence[Want]) -> None:
        """Send one request, over a new session where the old one failed; or seek the device."""
        now, limits = self._profile.now(), self._profile.limits
        hour = int(limits.inquiry_seconds * 1000)
        known = self._inquiry(peer, device)
        fresh = known.fresh
        anew = any(rule_of(one.cause).action is Action.ASK_ANEW for one in due)
        if device and anew and fresh + hour <= now:
            self._devices.retire(peer, device)
            fresh = now
        over = known.started + hour <= now
        if device:
            for conversation, some in groupby(sorted(due, key=_where), key=_where):
                self._name(peer, device, self._history.other(conversation), list(some))
        else:
            self._senders.seek(peer)
            self._note_asked(due)
        row = {
            "peer": peer,
            "device": device,
            "asked": now,
            "answered": False,
            "started": now if over else known.started,
            "count": 1 if over else known.count + 1,
            "fresh": fresh,
        }
        self._store.run(Inquiry.insert(row).on_conflict_replace())

    def _name(self, peer: str, device: str, other: str, wants: Sequence[Want]) -> None:
        """Name what is missing of one conversation; what is too much waits for the answer."""
        numbers = [one for one in wants if one.number is not None][:MISSING_ITEMS]
        frames = [one for one in wants if one.hash][:MISSING_ITEMS]
        content: dict[str, Json] = {
            "numbers": sorted({one.number or 0 for one in numbers}),
            "frames": [{"hash": one.hash, "seq": one.seq} for one in frames],
            "after": 0,
        }
        self._errands.send(peer, device, other, RETRY, content)
        self._note_asked((*numbers, *frames))

    def _note_asked(self, wants: Sequence[Want]) -> None:
        for one in wants:
            asked = Want.update(asked=self._profile.now(), tries=one.tries + 1)
            self._store.run(asked.where(Want.id == one.id))

    def _give_up(
        self, peer: str, device: str, wants: list[Want], events: list[Event]
    ) -> list[Want]:
        """Return what is still worth asking for; the rest is lost."""
        limits, now = self._profile.limits, self._profile.now()
        hour = int(limits.inquiry_seconds * 1000)
        listed, left = self._devices.devices(peer), []
        for want in wants:
            deadline = rule_of(want.cause).deadline if want.cause != GAP else 0
            seconds = deadline or limits.resend_seconds
            over = want.noted + seconds * 1000 < now
            asked_enough = want.tries >= limits.retries and want.asked + hour < now
            if over or asked_enough:
                events += self._lose(want, "deadline")
            elif device and listed and device not in listed:
                events += self._lose(want, "device-gone")
            else:
                left.append(want)
        return left

    def _inquiry(self, peer: str, device: str) -> Inquiry:
        known = self._store.one(Inquiry, Inquiry.peer == peer, Inquiry.device == device)
        return known or Inquiry(peer=peer, device=device)

    # Answers

    def missed(self, payload: Payload, hash_: str = "") -> Missed:
        """Return what was open of a payload that came, late or for a frame with this hash."""
        whose = (payload.sender, payload.device)
        frames = self._wants.of_frame(*whose, hash_)
        numbers = self._wants.of_number(*whose, payload.conversation, payload.number)
        entry = self._placeholder(frames[0].entry) if frames else None
        entry = entry or self._lone_notice(numbers)
        wants = {one.id: one for one in (*frames, *numbers)}
        for one in frames:  # a frame whose device was not known was asked of several
            wants.update((other.id, other) for other in self._wants.of_entry(one.entry))
        return Missed(tuple(wants.values()), entry)

    def close(self, missed: Missed, placed: bool) -> list[Event]:
        """Forget what has come; where nothing was put in the placeholder's place, it says so."""
        self._wants.forget(missed.wants)
        if missed.entry is None or placed:
            return []
        return self._end(missed.entry)

    def _end(self, entry: Entry) -> list[Event]:
        """Let a placeholder say that it stands for nothing; a gap that relied on it tells."""
        told = self._history.change(entry, NOTHING_MISSING)
        return told + self._chains.expose(entry.row)

    def give_up(self, answer: Payload) -> list[Event]:
        """Take in that the sender cannot send something again."""
        content, events = cast(Mapping[str, Any], answer.content), list[Event]()
        whose, reason = (answer.sender, answer.device), str(content["reason"])
        lost: list[Want] = []
        for number in content["numbers"]:
            lost += self._wants.of_number(*whose, answer.conversation, number)
        for hash_ in content["hashes"]:
            lost += self._wants.of_frame(*whose, hash_)
        if not all(want.lost for want in lost):
            self.succeeded(answer)
            if reason == NO_MESSAGE:  # it may have been what this device was asked for
                self._wants.ask_sooner(*whose)
        for want in lost:
            events += self._lose(want, reason)
        return events

    def succeeded(self, answer: Payload) -> None:
        """Let the next request to a device go sooner: it has answered this one."""
        mine = (Inquiry.peer == answer.sender) & (Inquiry.device == answer.device)
        self._store.run(Inquiry.update(answered=True).where(mine))

    def _lose(self, want: Want, reason: str) -> list[Event]:
        """Show that something will not come any more, unless another device may still send it."""
        if want.lost and want.cause not in GUESSED:
            return []
        self._wants.lose(want, reason)
        if want.number is not None:
            return self._chains.lost(want)
        entry, asked = self._placeholder(want.entry), self._wants.of_entry(want.entry)
        if entry is None or not all(one.lost for one in asked):
            return []
        reason = true_reason(one.cause for one in asked)
        if reason == NO_MESSAGE:
            return self._end(entry)
        return self._history.change(entry, {"failure": lost_text(reason)})

    def _placeholder(self, row: int) -> Entry | None:
        """Return the placeholder of an unreadable frame, if it still is one."""
        return self._store.one(Entry, Entry.row == row, Entry.kind == "unreadable")

    def _lone_notice(self, numbers: Sequence[Want]) -> Entry | None:
        """Return the notice that stands for one missing message, whose place that takes."""
        if not numbers or len(self._wants.of_entry(numbers[0].entry)) != 1:
            return None
        row = self._store.one(Entry, Entry.row == numbers[0].entry, Entry.kind == "notice")
        return row if row is not None and self._chains.is_alone(row.row) else None


def _whose(want: Want) -> tuple[str, str]:
    return want.peer, want.device


def _where(want: Want) -> str:
    return want.conversation
