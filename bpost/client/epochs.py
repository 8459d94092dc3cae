"""The runs in which a device counts: a profile that was restored begins a new one (MUSTS, E30).

What a later state of the profile counted it cannot know, so it uses no number of the same run
again. Where the run before ended shows by no gap then; so each payload of a new run names the ends
of those before it, as far as its sender knows, and whoever got less asks for the rest. Whoever got
more says so to the sender, which names that end from then on: others may have got less. All
methods are called within a transaction of the profile.
"""

from __future__ import annotations

from typing import NamedTuple

from bpost.client.errands import Errands
from bpost.client.history import History
from bpost.client.models import Chain, End, Gap
from bpost.client.profile import EPOCH_BEGAN, Profile
from bpost.client.wants import NUMBERS
from bpost.protocol.content import HAVE
from bpost.protocol.payload import ENDS, Payload

EPOCH = 1 << 23
"""A run begins at a multiple of this; so many numbers it has."""

FIRST_SECOND = 1_704_067_200
"""Runs are numbered by the clock, in seconds since the year 2024: two copies of one profile, of
which neither knows what the other does, begin no run with the same numbers."""


class Course(NamedTuple):
    """Whose numbers, and where: a device, its account under one key, a conversation."""

    sender: str
    account_key: bytes
    device: str
    conversation: str


class Epochs:
    """Where the runs of all devices ended, of this one among them."""

    def __init__(self, profile: Profile, history: History, errands: Errands) -> None:
        self._profile = profile
        self._store = profile.store
        self._history = history
        self._errands = errands

    def begin(self) -> list[str]:
        """Let this device use no number again, of which a later state of it may have used some.

        Returns the conversations in which it has counted before.
        """
        me = self._profile
        mine = (Chain.sender == me.name, Chain.device == me.device)
        chains = self._store.all(Chain, *mine)
        known = max((*(row.number for row in chains), int(me.fact(EPOCH_BEGAN) or 0))) // EPOCH
        began = max(known + 1, me.now() // 1000 - FIRST_SECOND) * EPOCH
        me.know(EPOCH_BEGAN, str(began).encode())
        for row in chains:
            self.end(self.own(row.conversation), row.number)
        self._store.run(Chain.update(number=began).where(*mine))
        return [row.conversation for row in chains]

    def own(self, conversation: str) -> Course:
        """Return what this device counts in a conversation."""
        me = self._profile
        return Course(me.name, me.account.public, me.device, conversation)

    def ends(self, course: Course) -> dict[int, int]:
        """Return the last known number of each run that has ended, the newest runs last."""
        rows = self._store.all(End, *of_course(End, course), order=End.epoch)
        return {row.epoch: row.number for row in rows}

    def named(self, conversation: str) -> tuple[int, ...]:
        """Return the ends that a payload of this device names."""
        return tuple(self.ends(self.own(conversation)).values())[-ENDS:]

    def end(self, course: Course, number: int) -> None:
        """Note that a run which has ended went so far at least."""
        epoch = number // EPOCH
        if number == epoch * EPOCH or self.ends(course).get(epoch, 0) >= number:
            return
        row = {**course._asdict(), "epoch": epoch, "number": number}
        self._store.run(End.insert(row).on_conflict_replace())

    def tell(self, course: Course, payload: Payload) -> None:
        """Tell a device where its runs ended, if it names less in ``payload``; once an hour."""
        told = {number // EPOCH: number for number in payload.ends}
        oldest = min(told) if len(told) == ENDS else 0
        before = self._profile.now() - int(self._profile.limits.inquiry_seconds * 1000)
        rows = [
            row
            for row in self._store.all(End, *of_course(End, course), order=End.epoch)
            if oldest <= row.epoch < payload.number // EPOCH
            and row.number > told.get(row.epoch, 0)
            and row.told <= before
        ]
        if rows:
            numbers = [row.number for row in rows[-ENDS:]]
            other = self._history.other(course.conversation)
            self._errands.send(
                course.sender, course.device, other, HAVE, {"numbers": list(numbers)}
            )
            for row in rows:
                told_now = End.update(told=self._profile.now())
                self._store.run(told_now.where(*of_course(End, course), End.epoch == row.epoch))

    def hear(self, conversation: str, numbers: list[int]) -> bool:
        """Take in where others saw runs of this device end; return whether that was news.

        Nobody has more than a little that is not known here: who says so makes it up.
        """
        course = self.own(conversation)
        ends, news = self.ends(course), False
        now = int(self._profile.fact(EPOCH_BEGAN) or 0) // EPOCH
        for number in numbers:
            epoch = number // EPOCH
            known = ends.get(epoch, epoch * EPOCH)
            if epoch < now and known < number <= known + NUMBERS:
                self.end(course, number)
                news = True
        return news


def of_course(table: type[Chain] | type[End] | type[Gap], course: Course) -> tuple[object, ...]:
    """Return the conditions for the rows of a table that are about a course."""
    return tuple(getattr(table, name) == value for name, value in course._asdict().items())
