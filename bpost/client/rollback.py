"""Finding out that this profile is an older copy of itself, and going on safely (MUSTS, E30).

A restored copy would seal with keys that were used already. A counter in its own folder would be
restored with it, so the server is asked: at each log-in it names the last message that it has of
this device. One that this profile never sent was sent by a later state of it, or by a second copy.
Then no old session is sent on any more, what was sealed on one is sealed anew, and own and other
devices are asked for what they sent meanwhile. A server that lies can only cause new sessions.
"""

from __future__ import annotations

import json
from typing import Any, cast

from bpost.client.devices import Devices
from bpost.client.errands import Errands
from bpost.client.events import Event, SecurityNotice
from bpost.client.history import History
from bpost.client.journal import Journal
from bpost.client.models import Addressed, Chain, Device, Frame, Outgoing, Posted, Sent
from bpost.client.outbox import Outbox
from bpost.client.people import People
from bpost.client.profile import RESTORED, YES, Profile
from bpost.protocol.content import RETRY
from bpost.protocol.payload import Payload

WATCHED = "watched"
"""The fact that everything this profile ever sent is in its journal."""


class Rollback:
    """Compares this profile with what the server has of it."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        devices: Devices,
        journal: Journal,
        errands: Errands,
        history: History,
        outbox: Outbox,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._devices = devices
        self._journal = journal
        self._errands = errands
        self._history = history
        self._outbox = outbox

    def check(self, last_ref: str | None) -> list[Event]:
        """Act if the server has a message that this profile never sent; before anything is sent.

        A profile that was used before there was a journal is watched from now on.
        """
        if not self._profile.fact(WATCHED):
            self._profile.know(WATCHED, YES)
            return []
        if last_ref is None or self._journal.knows((last_ref,)):
            return []
        dealt, ref = self._profile.fact(RESTORED), last_ref.encode()
        if dealt == ref:  # nothing was sent since
            return []
        self._retire_all()
        for conversation in self._outbox.chains.epochs.begin():
            self._announce(conversation)
        self._seal_anew()
        self._ask_for_later()
        text = (
            "This profile is an older copy of itself, or another copy of it is in use. New "
            "sessions are begun, and what is missing is asked for. Use one copy only."
        )
        self._profile.know(RESTORED, ref)
        me = self._profile.name
        shown = self._history.notice(self._history.open(me), me, text)
        return [SecurityNotice("", "restored", text), *shown]

    def hear(self, answer: Payload) -> list[Event]:
        """Take in how far others know earlier runs of this device, and tell everybody else."""
        numbers = cast(list[int], answer.content["numbers"])
        listed = answer.device in self._devices.devices(answer.sender)
        if listed and self._outbox.chains.epochs.hear(answer.conversation, numbers):
            self._announce(answer.conversation)
        return []

    def _announce(self, conversation: str) -> None:
        """Let everybody in a conversation know where the earlier runs of this device ended."""
        other = self._history.other(conversation)
        peer = self._people.peer(other)
        if other == self._profile.name or (peer is not None and peer.listed and not peer.blocked):
            self._outbox.greet(other)

    def _retire_all(self) -> None:
        """Send no more on any session there is."""
        with_sessions = self._store.all(Device, cast(Any, Device.sessions).is_null(False))
        for name, device in sorted({(row.peer, row.id) for row in with_sessions}):
            self._devices.retire(name, device)

    def _seal_anew(self) -> None:
        """Take back what was sealed and not stored yet, to be sealed on new sessions.

        As the same messages: those that did get there are passed over as repeats.
        """
        queued: set[str] = set()
        for frame in self._store.all(Frame, ~cast(Any, Frame.refused), order=Frame.row):
            posted = self._store.one(Posted, Posted.ref == frame.ref)
            sent = None if posted is None else self._journal.carried(posted)
            self._store.remove(Frame, Frame.row == frame.row)
            self._store.remove(Addressed, Addressed.ref == frame.ref)
            if sent is not None and sent.id not in queued:
                queued.add(sent.id)
                self._queue(sent)

    def _queue(self, sent: Sent) -> None:
        payload = self._journal.payload(sent)
        if payload is not None:
            content = json.dumps(payload.content)
            row = {"id": sent.id, "peer": sent.peer, "type": sent.type, "content": content}
            self._store.run(Outgoing.insert(sent=sent.sent, **row))

    def _ask_for_later(self) -> None:
        """Ask every device for what it has sent since its last message that is here."""
        me = self._profile.name
        for chain in self._store.all(Chain):
            peer = self._people.peer(chain.sender)
            asked = peer is not None and (peer.listed or peer.name == me) and not peer.blocked
            mine = (chain.sender, chain.device) == (me, self._profile.device)
            if asked and not mine and chain.device in self._devices.devices(chain.sender):
                names = chain.conversation.split(":")[1:]
                other = next((name for name in names if name != me), me)
                content: dict[str, Any] = {"numbers": [], "frames": [], "after": chain.number}
                self._errands.send(chain.sender, chain.device, other, RETRY, content)
