"""Sending over one connection: ask for devices, seal what waits, keep a window of frames under way.

Before the first message to somebody on a connection their devices are asked for anew, so that a new
one gets its copy and a removed one gets nothing. Frames leave in the order in which they were
sealed, and again from the first that the server has not stored. :meth:`Dispatch.work` is called by
the courier's thread; all other public methods by any.
"""

from __future__ import annotations

import logging
import threading
import time

from bpost.client.auditing import Auditor
from bpost.client.events import Event, SecurityNotice
from bpost.client.link import Link
from bpost.client.nudging import LOOK_SECONDS
from bpost.client.parts import Parts
from bpost.client.timing import Pace
from bpost.client.upkeep import Upkeep
from bpost.errors import Refused
from bpost.protocol.codes import Reason
from bpost.protocol.replies import Bundles
from bpost.protocol.requests import GetBundles

log = logging.getLogger(__name__)

WINDOW = 32
"""Frames under way without an answer."""

AT_ONCE = 32
"""Payloads sealed in one transaction."""

HELD_SECONDS = (2.0, 5.0, 15.0, 60.0)
"""After so long keys that were missing, or refused, are asked for again; the last one repeats."""

GREETED_AT_ONCE = 10
"""So many people who were never written to are greeted, and then the next after a while."""

GREETED_SECONDS = 30.0
"""That while: the server gives out the keys of few people a minute, and messages need them too."""

PUT_OFF_SECONDS = 2.0
RECEIPT_SECONDS = 0.15
UPKEEP_SECONDS = 3600.0


class Dispatch:
    """What is sent over one link, and what is known of it."""

    def __init__(self, parts: Parts, upkeep: Upkeep, link: Link) -> None:
        self.link = link
        self._parts = parts
        self._profile = parts.profile
        self._upkeep = upkeep
        self._auditor = Auditor(parts, link)
        self._pace = Pace(parts.profile.limits)
        # Used by the courier's thread only. Times are of the monotonic clock.
        self._asked: dict[str, frozenset[str]] = {}
        self._greeted_due = 0.0
        self._put_off = False  # whether the server would give no keys for now
        self._held: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._told: set[Event] = set()
        self._named: dict[str, str] = {}
        self._look_after: dict[str, float] = {}
        self._sent_row = 0
        self._upkeep_due: float | None = None
        self._nudge_due = 0.0
        self._due: list[float] = []
        # Guards what follows; nothing is called while it is held.
        self._lock = threading.Lock()
        self._under_way: dict[str, float] = {}  # since when, in the order of sending
        self._not_before = 0.0
        self._rewind = False
        self._ask_again: set[str] = set()
        self._keys_low = False

    # Told by other threads, which wake the courier afterwards

    def answered(self, ref: str) -> None:
        """Note that the server has answered a frame for good."""
        with self._lock:
            self._under_way.pop(ref, None)

    def put_off(self, ref: str) -> None:
        """Note that the server cannot take a frame now: it goes again later, and what follows."""
        with self._lock:
            self._under_way.pop(ref, None)
            self._rewind = True
            self._not_before = time.monotonic() + PUT_OFF_SECONDS

    def send_again(self) -> None:
        """Look for frames from the first on: one that was refused may go."""
        with self._lock:
            self._rewind = True

    def ask_again(self, peer: str) -> None:
        """Ask for the devices of ``peer`` (in canonical form) before the next message to them."""
        with self._lock:
            self._ask_again.add(peer)

    def keys_low(self) -> None:
        """Refill the one-time keys."""
        with self._lock:
            self._keys_low = True

    # The courier's thread

    def settle(self) -> None:
        """Put the account in order, once for this link; raise as :meth:`work` does."""
        if self._upkeep_due is None:
            self._upkeep.settle(self.link)
            self._auditor.settle()
            with self._profile.store.reading():
                self._note_asked(self._profile.name)
            self._upkeep_due = time.monotonic() + UPKEEP_SECONDS

    def work(self) -> float:
        """Do what can be done now; return after how many seconds to look again.

        Raises:
            Refused, SecurityError: the account could not be put in order.
            TransportError: the link has ended. StoreError.
        """
        self._due = []
        self.settle()
        self._keep_up()
        self._auditor.work()
        self._collect_receipts()
        self._complete()
        self._heal()
        self._nudge()
        self._seal()
        self._send()
        self._watch()
        return max(0.0, min(self._due) - time.monotonic())

    def _keep_up(self) -> None:
        """Keep the account in order, hourly and when something asks for it."""
        with self._lock:
            low, self._keys_low = self._keys_low, False
            for peer in self._ask_again:
                self._asked.pop(peer, None)
                self._held.pop(peer, None)
            self._ask_again.clear()
        now = time.monotonic()
        assert self._upkeep_due is not None  # noqa: S101 - the account was put in order
        if low or now >= self._upkeep_due:
            self._upkeep.renew(self.link)
            self._auditor.settle()
        else:
            self._upkeep.keep(self.link)
        if now >= self._upkeep_due:
            self._upkeep_due = now + UPKEEP_SECONDS
        self._due.append(self._upkeep_due)
        self._upkeep.tell(self.link)

    def _collect_receipts(self) -> None:
        """Queue the receipts that are due, once the first of them has waited a little."""
        with self._profile.store.transaction():
            oldest = self._parts.outbox.oldest_receipt()
            if oldest is None:
                return
            age = (self._profile.now() - oldest) / 1000
            if 0 <= age < RECEIPT_SECONDS:
                self._due.append(time.monotonic() + RECEIPT_SECONDS - age)
            else:
                self._parts.outbox.collect_receipts()

    def _complete(self) -> None:
        """Send again what was sealed for other devices than there were when it was stored.

        Their lists are asked for, once for each set of devices that the server names.
        """
        outbox = self._parts.outbox
        with self._profile.store.reading():
            rows = outbox.reach.short()
        for row in rows:
            if all(self._look(user, named) for user, named in outbox.reach.told(row).items()):
                with self._profile.store.transaction():
                    outbox.complete(row)

    def _look(self, user: str, named: str) -> bool:
        """Ask for the devices of ``user`` if the server names others than before.

        Returns whether they are known now; if not, they are asked for again in a while.
        """
        if self._named.get(user) == named:
            return True
        until = self._look_after.get(user, 0.0)
        if until <= time.monotonic():
            self._asked.pop(user, None)
            if not self._ask(user):
                self._named[user] = named
                return True
            until = self._look_after[user] = time.monotonic() + HELD_SECONDS[-1]
        self._due.append(until)
        return False

    def _heal(self) -> None:
        """Ask for what is missing; where a new session is needed for that, get its keys."""
        with self._profile.change() as events:
            work = (self._parts.healing.work(), self._parts.fetching.work())
            for told, wait in work:
                events += told
                if wait is not None:
                    self._due.append(time.monotonic() + wait)
            for peer in self._parts.devices.take_retired():
                self._asked.pop(peer, None)
            sought = self._parts.senders.take_sought()
        for peer in sought:
            self._asked.pop(peer, None)
            self._ask(peer)

    def _nudge(self) -> None:
        """Follow up, once a minute, on texts that were stored and not delivered."""
        now = time.monotonic()
        if now >= self._nudge_due:
            self._nudge_due = now + LOOK_SECONDS
            with self._profile.store.transaction():
                self._parts.nudging.work()
        self._due.append(self._nudge_due)

    def _seal(self) -> None:
        """Seal what waits, for everyone whose devices are known; greetings come last."""
        with self._profile.store.reading():
            peers = dict.fromkeys((*self._parts.errands.peers(), *self._parts.outbox.peers()))
        for peer in peers:
            self._seal_for(peer)
        with self._profile.store.reading():
            known = self._parts.outbox.greeted(known=True)
        for peer in known:
            self._seal_for(peer)
        self._greet()

    def _greet(self) -> None:
        """Begin with a few of those who were never written to: the server limits how many."""
        now = time.monotonic()
        if now >= self._greeted_due:
            with self._profile.store.reading():
                peers = self._parts.outbox.greeted(known=False)
            if not peers:
                return
            self._greeted_due = now + GREETED_SECONDS
            self._put_off = False
            for peer in peers[:GREETED_AT_ONCE]:
                failure = self._find_devices(peer)
                if self._put_off:
                    break
                if failure:  # there is nobody to greet: they ask for our devices when they write
                    with self._profile.store.transaction():
                        self._parts.outbox.drop_greeting(peer)
                else:
                    self._seal_all(peer)
        self._due.append(self._greeted_due)

    def _seal_for(self, peer: str) -> None:
        """Seal what waits for ``peer``, or let it wait."""
        until = self._held.get(peer)
        if until is not None and until > time.monotonic():
            self._due.append(until)
            return
        failure = self._find_devices(peer)
        if failure:
            self._hold(peer, failure)
            return
        self._held.pop(peer, None)
        self._tries.pop(peer, None)
        self._seal_all(peer)

    def _seal_all(self, peer: str) -> None:
        """Seal what waits for ``peer``, whose devices are known."""
        with self._profile.change() as events:
            if self._parts.renewal.introduce(peer):
                events += self._parts.outbox.seal_for(peer, 1)[1]
            self._parts.errands.seal_for(peer)
        sealed = AT_ONCE
        while sealed == AT_ONCE:
            with self._profile.change() as events:
                sealed, told = self._parts.outbox.seal_for(peer, AT_ONCE)
                events += told

    def _hold(self, peer: str, failure: str) -> None:
        """Let what is for ``peer`` wait, and show why."""
        tries = self._tries.get(peer, 0)
        self._tries[peer] = tries + 1
        wait = HELD_SECONDS[min(tries, len(HELD_SECONDS) - 1)]
        self._held[peer] = time.monotonic() + wait
        self._due.append(self._held[peer])
        self._asked.pop(peer, None)
        with self._profile.change() as events:
            events += self._parts.outbox.hold(peer, failure)

    def _find_devices(self, peer: str) -> str:
        """See that there is a session with each device; return why to wait, if that must be."""
        me = self._profile.name
        held = self._ask(peer)
        if not held and peer != me:
            self._ask(me)
        with self._profile.store.reading():
            row = self._parts.people.peer(peer)
            if row is not None and row.offered_key is not None:
                return self._parts.people.changed_text(row)
            if not held and peer != me and not self._parts.devices.reachable(peer):
                return f"No device of {peer} can be written to safely now. It is sent later."
        return held

    def _ask(self, peer: str) -> str:
        """Ask for the devices of ``peer``, once on this link and when there are new ones."""
        devices = self._parts.devices
        with self._profile.store.reading():
            known = devices.reachable(peer)
            missing = set(devices.devices(peer)) - set(known)
        if peer in self._asked and missing <= self._asked[peer]:
            return ""
        try:
            request = GetBundles(self._profile.username, peer, tuple(known))
            reply = self.link.request(request, Bundles)
        except Refused as error:
            log.info("no bundles: %s", error.reason)
            if error.reason == Reason.NO_SUCH_USER:
                return f"There is no user {peer} any more."
            self._put_off = True
            return f"The server gives no keys now; it is sent later. {error}"
        held = self._auditor.look(peer, reply)
        if held:
            return held
        with self._profile.change() as events:
            learned = devices.learn(peer, reply)
            events += [event for event in learned.events if self._is_news(event)]
            self._note_asked(peer)
            if not learned.held:
                self._parts.senders.learned(peer)
        return learned.held or self._auditor.look_at_list(peer)

    def _note_asked(self, peer: str) -> None:
        """Note which devices were asked for in vain; one that loses its session is asked for anew.

        Within a transaction or reading.
        """
        devices = self._parts.devices
        self._asked[peer] = frozenset(devices.devices(peer)) - set(devices.reachable(peer))

    def _is_news(self, event: Event) -> bool:
        """Say whether a notice has not been given on this link."""
        if not isinstance(event, SecurityNotice):
            return True
        known = event in self._told
        self._told.add(event)
        return not known

    def _send(self) -> None:
        """Send frames while the window and the pace allow it."""
        while True:
            with self._lock:
                room = min(WINDOW - len(self._under_way), self._pace.allowance())
                wait = self._not_before - time.monotonic()
                if self._rewind and not self._under_way:
                    self._sent_row, self._rewind = 0, False
                blocked = self._rewind
            if wait > 0:
                self._due.append(self._not_before)
                return
            if room <= 0 or blocked:
                self._due.append(time.monotonic() + max(0.05, self._pace.seconds()))
                return
            with self._profile.store.reading():
                frames = self._parts.outbox.frames(self._sent_row, room)
            if not frames:
                return
            for row, request in frames:
                with self._lock:
                    self._under_way[str(request.ref)] = time.monotonic()
                self._pace.take()
                self.link.post(request)
                self._sent_row = row

    def _watch(self) -> None:
        """End a link on which the answer to a frame is overdue: it was lost, or the server hangs.

        On the next one the frame goes again.
        """
        with self._lock:
            oldest = next(iter(self._under_way.values()), None)
        if oldest is None:
            return
        due = oldest + self._profile.limits.request_seconds
        self._due.append(due)
        if time.monotonic() >= due:
            self.link.close("The server did not confirm a message in time. It is sent again.")
