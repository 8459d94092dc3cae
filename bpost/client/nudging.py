"""A last message that was lost on the way is noticed, too (CRYPTO, section 5).

Numbers show a gap when the next message comes, and after the last one none does. So where the
newest thing that was said in a conversation is a text that was stored and after a while not
delivered, an empty payload follows it, once: whoever has not got the text sees the gap and asks
for it. Somebody who was merely away gets one small frame more. All methods are called within a
transaction of the profile.
"""

from __future__ import annotations

from typing import Any, cast

from bpost.client.history import History
from bpost.client.models import Outgoing, Peer, Sent, fn
from bpost.client.outbox import Outbox
from bpost.client.profile import Profile
from bpost.protocol.content import EMPTY, TEXT

LOOK_SECONDS = 60.0
"""So often it is looked whether something is due."""


class Nudging:
    """Follows up on texts that nobody has confirmed."""

    def __init__(self, profile: Profile, history: History, outbox: Outbox) -> None:
        self._profile = profile
        self._store = profile.store
        self._history = history
        self._outbox = outbox

    def work(self) -> None:
        """Queue an empty payload behind each text that is due."""
        for sent in self._last_texts():
            entry = self._history.own(sent.id)
            waits = self._store.one(Outgoing, Outgoing.peer == sent.peer) is not None
            if entry is not None and entry.status == "stored" and not waits:
                self._outbox.queue(sent.peer, EMPTY, {})

    def _last_texts(self) -> list[Sent]:
        """Return the texts that are the last of their conversation and long enough under way."""
        now, limits = self._profile.now(), self._profile.limits
        late = now - int(limits.nudge_seconds * 1000)
        oldest = now - int(limits.resend_seconds * 1000)
        newest = Sent.select(fn.MAX(Sent.row)).group_by(Sent.conversation)
        friends = Peer.select(Peer.name).where(Peer.listed, ~cast(Any, Peer.blocked))
        return self._store.all(
            Sent,
            cast(Any, Sent.row).in_(newest),
            Sent.type == TEXT,
            cast(Any, Sent.sealed).between(oldest, late),
            cast(Any, Sent.peer).in_(friends),
        )
