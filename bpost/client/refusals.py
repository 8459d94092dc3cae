"""What is shown in place of a delivery that was not taken, and what follows (:mod:`causes`).

All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from bpost.client.causes import TOO_MANY, Action, rule_of
from bpost.client.devices import Devices
from bpost.client.events import Event, MessageAdded, SecurityNotice
from bpost.client.history import History, NewEntry
from bpost.client.journal import frame_hash
from bpost.client.models import Peer, Talk
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.records import Kind, Message
from bpost.client.wants import Wants
from bpost.errors import SecurityError
from bpost.protocol.envelope import parse_envelope
from bpost.protocol.replies import Delivery


class Refusals:
    """Placeholders, notices and requests for what could not be read."""

    def __init__(
        self, profile: Profile, people: People, devices: Devices, history: History, wants: Wants
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._devices = devices
        self._history = history
        self._wants = wants

    def refuse(self, delivery: Delivery, error: SecurityError) -> list[Event]:
        """Show why a delivery was not taken, and want it again where that helps."""
        rule = rule_of(error.cause)
        if rule.action is Action.SKIP:
            return []
        peer = self._people.know(delivery.sender)
        events: list[Event] = []
        if rule.attack:
            events.append(SecurityNotice(peer.shown, error.cause, str(error)))
        conversation = self._history.open(peer.name)
        if rule.action is Action.WARN:
            text = f"A message was dropped. {error}"
            return events + self._history.notice(conversation, peer.name, text)
        wanted = rule.asks and self._wants.has_room(peer.name)
        follows = TOO_MANY if rule.asks and not wanted else rule.text
        message = self._placeholder(delivery, error, follows, conversation)
        more = Talk.update(unreadable=Talk.unreadable + 1).where(Talk.name == conversation)
        self._store.run(more)
        if wanted:
            frame = (frame_hash(delivery.body), delivery.seq or 0)
            device, entry = self._sender(delivery, peer), int(message.place)
            self._wants.miss_frame(peer.name, device, conversation, frame, entry, error.cause)
        return [*events, MessageAdded(message)]

    def _placeholder(
        self, delivery: Delivery, error: SecurityError, follows: str, conversation: str
    ) -> Message:
        kind: Kind = "unsupported" if error.cause == "newer-version" else "unreadable"
        failure = f"This message could not be read. {error} {follows}".strip()
        entry = NewEntry(
            delivery.sender, kind, sent=delivery.timestamp or 0, seq=delivery.seq, failure=failure
        )
        return self._history.add(conversation, entry)

    def _sender(self, delivery: Delivery, peer: Peer) -> str:
        """Return the device that a frame names, if that is one of its sender's; or nothing."""
        try:
            named = parse_envelope(delivery.body, self._profile.limits).device
        except SecurityError:
            return ""
        return named if named in self._devices.devices(peer.name) else ""
