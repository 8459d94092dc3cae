"""Nothing goes missing unnoticed: each sending device counts what it says in a conversation.

A payload names its number and the hash of the one before it. Where numbers are left out, a notice
says how many messages are missing, and they are asked for (see :mod:`healing`); one that comes late
takes its place behind that notice. All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from bpost import b64
from bpost.client.causes import lost_here
from bpost.client.epochs import EPOCH, Course, Epochs, of_course
from bpost.client.events import Event
from bpost.client.history import History
from bpost.client.models import Chain, Entry, Gap, Peer, Talk, Want
from bpost.client.profile import EPOCH_BEGAN, FOUNDER, Profile
from bpost.client.wants import NUMBERS, Wants
from bpost.crypto.primitives import sha256
from bpost.errors import SecurityError
from bpost.protocol.content import DELETE
from bpost.protocol.payload import Payload

NO_HASH = b64.encode(sha256(b""))
"""What comes before the first message of a chain that does not begin at 1."""

LOOKED_BACK = 32
"""So many messages before the first that it sees a device that joined asks for."""

MOST = 1_000_000
"""A gap this wide or wider is told as this many: the number comes from the other side."""


class Chains:
    """The numbers of all senders, this device among them."""

    def __init__(self, profile: Profile, history: History, wants: Wants, epochs: Epochs) -> None:
        self._profile = profile
        self._store = profile.store
        self._history = history
        self._wants = wants
        self.epochs = epochs

    def next(self, conversation: str) -> tuple[int, str]:
        """Return number and previous hash for the next payload of this device."""
        chain = self._chain(self.epochs.own(conversation))
        if chain is not None:
            return chain.number + 1, chain.hash
        began = self._profile.fact(EPOCH_BEGAN)
        return (1, "") if began is None else (int(began) + 1, NO_HASH)

    def advance(
        self, payload: Payload, data: bytes, key: bytes, *, stands_in: bool = False
    ) -> None:
        """Note ``payload``, which is ``data``, as the last of its run under an account key.

        One that stands in for another has not the hash that the next one will name.
        """
        course = _course(payload, key)
        chain = self._chain(course)
        if chain is not None and payload.number // EPOCH < chain.number // EPOCH:
            self.epochs.end(course, payload.number)
            return
        if chain is not None and payload.number // EPOCH > chain.number // EPOCH:
            self.epochs.end(course, chain.number)
        hash_ = "" if stands_in else b64.encode(sha256(data))
        row = {**course._asdict(), "number": payload.number, "hash": hash_}
        self._store.run(Chain.insert(row).on_conflict_replace())

    def follow(
        self,
        payload: Payload,
        data: bytes,
        key: bytes,
        events: list[Event],
        wanted: bool | None = None,
    ) -> float | None:
        """Take the next payload of another device; return its place if it came late.

        ``key`` is the account key that it came under. ``wanted`` is given for one that was sent
        again: whether it was missing.

        Raises:
            SecurityError: ``duplicate``, when it came before under this number or an earlier one,
                or was sent again and is not missing.
        """
        course = _course(payload, key)
        chain = self._chain(course)
        self._hear_ends(course, chain, payload, events)
        last = self._last(course, chain, payload)
        if payload.number <= last:
            return self._late(payload, data, key, events, wanted)
        if payload.number > last + 1:
            self._note_gap(course, (last + 1, payload.number - 1), events)
        elif chain and chain.hash and last == chain.number and payload.previous != chain.hash:
            self._note_gap(course, (last, last), events)  # another has its number, of two copies
        gap = self._gap(course, payload.number)
        if gap is not None:  # the device counted anew from before it
            self._fill(gap, events)
        self._forgive(payload)
        # A deletion that is sent again may stand for what it deleted.
        stands_in = wanted is not None and payload.means == DELETE
        self.advance(payload, data, key, stands_in=stands_in)
        return None

    def _chain(self, course: Course) -> Chain | None:
        return self._store.one(Chain, *of_course(Chain, course))

    def _last(self, course: Course, chain: Chain | None, payload: Payload) -> int:
        """Return the last number that is known of the run that a payload is of."""
        epoch = payload.number // EPOCH
        if chain is not None and chain.number // EPOCH == epoch:
            return chain.number
        known = self.epochs.ends(course).get(epoch, 0)
        if known:
            return known
        if chain is None or epoch < chain.number // EPOCH:
            return self._start(course, payload.number)
        return epoch * EPOCH

    def _hear_ends(
        self, course: Course, chain: Chain | None, payload: Payload, events: list[Event]
    ) -> None:
        """Note what is missing at the ends of earlier runs; tell where there is more of one."""
        if payload.number < EPOCH or course.account_key != self._pinned(course.sender):
            return
        if chain is not None and chain.number // EPOCH < payload.number // EPOCH:
            self.epochs.end(course, chain.number)
        ends = self.epochs.ends(course)
        for number in payload.ends:
            epoch = number // EPOCH
            last = ends.get(epoch) or self._start(course, number + 1)
            if epoch < payload.number // EPOCH and last < number:
                self._note_gap(course, (last + 1, number), events)
            self.epochs.end(course, number)
        self.epochs.tell(course, payload)

    def _start(self, course: Course, number: int) -> int:
        """Return the number before the first of a run that this device could have received.

        The device that made the account was there from the start. One that joined later comes
        into the middle of conversations, and begins with the number that it sees first; what
        was sent shortly before may still come, and is late then. The last few are asked for: of
        those that were for this device already, none may be lost; of the others it is told so.
        """
        before, began = number - 1, number // EPOCH * EPOCH
        if self._profile.fact(FOUNDER):
            return began
        if before > began:
            first = max(began + 1, number - self._profile.limits.skip)
            self._keep_gap(course, (first, before))
            self._want(course, (max(first, before - LOOKED_BACK + 1), before))
        return before

    def _note_gap(self, course: Course, span: tuple[int, int], events: list[Event]) -> None:
        """Tell how many messages are missing, but for those whose placeholders are shown."""
        (first, last), place = span, self._history.next_place()
        shown = self._placeholders(course, last - first + 1)
        told = first + len(shown)
        for number, row in zip(range(first, told), shown, strict=True):
            self._keep_gap(course, (number, number), row, place - 1)
        if shown:
            self._want(course, (first, told - 1))
            used = Talk.update(unreadable=Talk.unreadable - len(shown))
            self._store.run(used.where(Talk.name == course.conversation))
        if told <= last:
            text = missing_text(last - told + 1)
            events += self._history.notice(course.conversation, course.sender, text)
            self._keep_gap(course, (told, last), int(place), place)
            self._want(course, (told, last), int(place))

    def _placeholders(self, course: Course, most: int) -> list[int]:
        """Return the rows of the newest placeholders: each may stand for a message of a gap."""
        talk = self._store.one(Talk, Talk.name == course.conversation)
        count = min(most, NUMBERS, talk.unreadable if talk else 0)
        if not count:
            return []
        open_ = (Entry.kind == "unreadable", Entry.sender == course.sender)
        here = (Entry.conversation == course.conversation, self._is_free())
        rows = self._store.all(Entry, *here, *open_, order=Entry.row.desc(), limit=count)
        return [row.row for row in reversed(rows)]

    def _is_free(self) -> Any:
        """Return the condition for a line that no gap relies on yet."""
        return cast(Any, Entry.row).not_in(Gap.select(Gap.notice))

    def _keep_gap(
        self, course: Course, span: tuple[int, int], notice: int = 0, place: float = 0
    ) -> None:
        """Remember which numbers did not come, and where they belong: behind what is there now."""
        self._store.run(
            Gap.insert(
                **course._asdict(),
                first=span[0],
                last=span[1],
                notice=notice,
                place=place or self._history.next_place() - 1,
            )
        )

    def _want(self, course: Course, span: tuple[int, int], notice: int = 0) -> None:
        """Have the newest of what is missing asked for, if it is missing of a trusted account."""
        if course.account_key == self._pinned(course.sender):
            numbers = range(max(span[0], span[1] - NUMBERS + 1), span[1] + 1)
            whose = (course.sender, course.device, course.conversation)
            self._wants.miss_numbers(*whose, numbers, notice)

    def _pinned(self, sender: str) -> bytes:
        """Return the account key that is trusted to be a user's."""
        row = self._store.one(Peer, Peer.name == sender)
        return b"" if row is None or row.account_key is None else bytes(row.account_key)

    def _forgive(self, payload: Payload) -> None:
        """Stop counting the placeholders: whatever they stood for has been told."""
        good = Talk.update(unreadable=0).where(
            Talk.name == payload.conversation, Talk.unreadable > 0
        )
        self._store.run(good)

    def _late(
        self, payload: Payload, data: bytes, key: bytes, events: list[Event], wanted: bool | None
    ) -> float | None:
        """Take a payload whose number has passed.

        One that is here already may be missing under this number: it was sealed anew, as the same.
        """
        whose = (payload.sender, payload.device, payload.conversation)
        gap = self._gap(_course(payload, key), payload.number)
        missing = gap is not None and self._wants.of_number(*whose, payload.number)
        if self._history.holds(payload) and not missing:
            raise SecurityError("duplicate", "A message came a second time.")
        if gap is None and wanted is not None:
            if not wanted:
                raise SecurityError("duplicate", "A message was sent again that is not missing.")
            return None
        if gap is None:
            text = "A device of the sender counts its messages anew: it may have been restored."
            events += self._history.notice(payload.conversation, payload.sender, text)
            self.advance(payload, data, key)
            return None
        self._wants.forget(self._wants.of_number(*whose, payload.number))
        self._fill(gap, events)
        return gap.place + (payload.number - gap.first + 1) / (gap.last - gap.first + 2)

    def _fill(self, gap: Gap, events: list[Event]) -> None:
        """Note that one more message of a gap has arrived."""
        gap.arrived += 1
        events += self._correct(gap)
        if gap.arrived > gap.last - gap.first:
            self._store.remove(Gap, Gap.id == gap.id)
        else:
            self._store.run(Gap.update(arrived=gap.arrived).where(Gap.id == gap.id))

    def lost(self, want: Want) -> list[Event]:
        """Correct the notice of a gap of which one message will not come."""
        course = Course(want.peer, self._pinned(want.peer), want.device, want.conversation)
        gap = self._gap(course, want.number or 0)
        if gap is None or not gap.notice:
            return []
        if self._store.one(Entry, Entry.row == gap.notice, _tells()) is not None:
            return self._correct(gap)
        place = int(self._history.next_place())  # another message took the line that it relied on
        self._store.run(Gap.update(notice=place).where(Gap.id == gap.id))
        return self._history.notice(want.conversation, want.peer, lost_here([want.cause]))

    def expose(self, row: int) -> list[Event]:
        """Let a line that was a placeholder tell of the gap that relied on it, if there is one."""
        gap = self._store.one(Gap, Gap.notice == row)
        return [] if gap is None else self._correct(gap)

    def is_alone(self, notice: int) -> bool:
        """Say whether a notice stands for one missing message, whose place it can give."""
        gap = self._store.one(Gap, Gap.notice == notice)
        return gap is not None and gap.first == gap.last

    def _gap(self, course: Course, number: int) -> Gap | None:
        """Return the gap that a number is in."""
        return self._store.one(
            Gap, *of_course(Gap, course), Gap.first <= number, Gap.last >= number
        )

    def _correct(self, gap: Gap) -> list[Event]:
        """Let the notice of a gap, if it has one, say how it stands."""
        row = self._store.one(Entry, Entry.row == gap.notice, Entry.kind == "notice")
        if row is None:
            return []
        whose = (Want.peer == gap.sender, Want.device == gap.device)
        within = (Want.conversation == gap.conversation, Want.number.between(gap.first, gap.last))
        lost = [row.cause for row in self._store.all(Want, *whose, *within, cast(Any, Want.lost))]
        left = max(0, gap.last - gap.first + 1 - gap.arrived - len(lost))
        return self._history.change(row, {"text": gap_text(left, lost)})


def _tells() -> Any:
    """Return the condition for a line that says that something is missing, or may say so."""
    return cast(Any, Entry.kind).in_(("notice", "unreadable"))


def _course(payload: Payload, key: bytes) -> Course:
    return Course(payload.sender, key, payload.device, payload.conversation)


def gap_text(left: int, lost: Sequence[str]) -> str:
    """Say of a gap how many messages are still missing, and which were lost, by their reasons."""
    if not (left or lost):
        return "The messages missing here arrived late."
    texts = [missing_text(left)] if left else []
    if lost:
        texts.append(lost_here(lost))
    return " ".join(texts)


def missing_text(count: int) -> str:
    """Say how many messages are missing."""
    if count >= MOST:
        return "Very many messages are missing here."
    if count == 1:
        return "One message is missing here."
    return f"{count} messages are missing here."
