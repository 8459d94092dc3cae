"""Nothing goes missing unnoticed: each sending device counts what it says in a conversation.

A payload names its number and the hash of the one before it. Where numbers are left out, a notice
says how many messages are missing; one that comes late takes its place behind that notice. All
methods are called within a transaction of the profile.
"""

from __future__ import annotations

from bpost import b64
from bpost.client.events import Event, MessageChanged
from bpost.client.history import History
from bpost.client.models import Chain, Entry, Gap, Talk
from bpost.client.profile import FOUNDER, Profile
from bpost.crypto.primitives import sha256
from bpost.errors import SecurityError
from bpost.protocol.payload import Payload

MOST = 1_000_000
"""A gap this wide or wider is told as this many: the number comes from the other side."""


class Chains:
    """The numbers of all senders, this device among them."""

    def __init__(self, profile: Profile, history: History) -> None:
        self._profile = profile
        self._store = profile.store
        self._history = history

    def next(self, conversation: str) -> tuple[int, str]:
        """Return number and previous hash for the next payload of this device."""
        me = self._profile
        chain = self._chain(me.name, me.account.public, me.device, conversation)
        return (1, "") if chain is None else (chain.number + 1, chain.hash)

    def advance(self, payload: Payload, data: bytes, key: bytes) -> None:
        """Note ``payload``, which is ``data``, as the last of its chain under an account key."""
        row = {
            "sender": payload.sender,
            "account_key": key,
            "device": payload.device,
            "conversation": payload.conversation,
            "number": payload.number,
            "hash": b64.encode(sha256(data)),
        }
        self._store.run(Chain.insert(row).on_conflict_replace())

    def follow(
        self, payload: Payload, data: bytes, key: bytes, events: list[Event]
    ) -> float | None:
        """Take the next payload of another device; return its place if it came late.

        ``key`` is the account key that it came under.

        Raises:
            SecurityError: ``duplicate``, when it came before under this number or an earlier one.
        """
        chain = self._chain(payload.sender, key, payload.device, payload.conversation)
        last = chain.number if chain else self._start(payload, key)
        if payload.number <= last:
            return self._late(payload, data, key, events)
        if payload.number > last + 1:
            self._note_gap(payload, last + 1, key, events)
        elif chain and payload.previous != chain.hash:
            text = "What was sent before the next message is not what arrived here."
            events += self._history.notice(payload.conversation, payload.sender, text)
        self._forgive(payload)
        self.advance(payload, data, key)
        return None

    def _chain(self, sender: str, key: bytes, device: str, conversation: str) -> Chain | None:
        return self._store.one(
            Chain,
            Chain.sender == sender,
            Chain.account_key == key,
            Chain.device == device,
            Chain.conversation == conversation,
        )

    def _start(self, payload: Payload, key: bytes) -> int:
        """Return the number before the first that this device could have received.

        The device that made the account was there from the start. One that joined later comes
        into the middle of conversations, and begins with the number that it sees first; what
        was sent shortly before may still come, and is late then.
        """
        if self._profile.fact(FOUNDER):
            return 0
        before = payload.number - 1
        if before:
            first = max(1, payload.number - self._profile.limits.skip)
            self._keep_gap(payload, first, key)
        return before

    def _note_gap(self, payload: Payload, first: int, key: bytes, events: list[Event]) -> None:
        """Tell how many messages are missing, but for those whose placeholders are shown."""
        talk = self._store.one(Talk, Talk.name == payload.conversation)
        missing = payload.number - first - (talk.unreadable if talk else 0)
        notice = 0
        if missing > 0:
            told = self._history.notice(payload.conversation, payload.sender, missing_text(missing))
            notice = int(self._history.next_place()) - 1
            events += told
        self._keep_gap(payload, first, key, notice)

    def _keep_gap(self, payload: Payload, first: int, key: bytes, notice: int = 0) -> None:
        """Remember which numbers did not come, and where they belong: behind what is there now."""
        self._store.run(
            Gap.insert(
                sender=payload.sender,
                account_key=key,
                device=payload.device,
                conversation=payload.conversation,
                first=first,
                last=payload.number - 1,
                notice=notice,
                place=self._history.next_place() - 1,
            )
        )

    def _forgive(self, payload: Payload) -> None:
        """Stop counting the placeholders: whatever they stood for has been told."""
        good = Talk.update(unreadable=0).where(
            Talk.name == payload.conversation, Talk.unreadable > 0
        )
        self._store.run(good)

    def _late(self, payload: Payload, data: bytes, key: bytes, events: list[Event]) -> float | None:
        """Take a payload whose number has passed."""
        if self._history.holds(payload):
            raise SecurityError("duplicate", "A message came a second time.")
        gap = self._store.one(
            Gap,
            Gap.sender == payload.sender,
            Gap.account_key == key,
            Gap.device == payload.device,
            Gap.conversation == payload.conversation,
            Gap.first <= payload.number,
            Gap.last >= payload.number,
        )
        if gap is None:
            text = "A device of the sender counts its messages anew: it may have been restored."
            events += self._history.notice(payload.conversation, payload.sender, text)
            self.advance(payload, data, key)
            return None
        self._fill(gap, events)
        return gap.place + (payload.number - gap.first + 1) / (gap.last - gap.first + 2)

    def _fill(self, gap: Gap, events: list[Event]) -> None:
        """Correct the notice of a gap of which one more message has arrived."""
        width, arrived = gap.last - gap.first + 1, gap.arrived + 1
        if gap.notice:
            left = max(0, width - arrived)
            text = missing_text(left) if left else "The messages missing here arrived late."
            self._store.run(Entry.update(text=text).where(Entry.row == gap.notice))
            row = self._store.one(Entry, Entry.row == gap.notice)
            if row is not None:
                events.append(MessageChanged(self._history.record(row)))
        if arrived >= width:
            self._store.remove(Gap, Gap.id == gap.id)
        else:
            self._store.run(Gap.update(arrived=arrived).where(Gap.id == gap.id))


def missing_text(count: int) -> str:
    """Say how many messages are missing."""
    if count >= MOST:
        return "Very many messages are missing here."
    if count == 1:
        return "One message is missing here."
    return f"{count} messages are missing here."
