"""Earlier messages from an older device of the account: asked for, page by page (E60).

All other own devices may be asked; the first whose user says yes gives, and the others are told
that it is no longer needed. The next pages are asked for in the transaction that stored the last
ones, so it goes on after every interruption; what got lost on the way is asked for again after a
while. All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from bpost.client.devices import Devices
from bpost.client.errands import Errands
from bpost.client.events import Event, HandoverChanged
from bpost.client.merging import Merging
from bpost.client.models import Fetch
from bpost.client.profile import FOUNDER, OFFERED, YES, Profile
from bpost.client.records import HandoverInfo
from bpost.protocol.canonical_json import Json
from bpost.protocol.handover import ASKED, FETCH, LATER, PAGE
from bpost.protocol.payload import Payload

FETCHING = "fetching"
DONE = "done"
GONE = "gone"

LATER_SECONDS = 3600.0
"""After so long a device that could not go on is asked again; one whose user was asked, too."""

MOST_TRIES = 6
"""The time between two requests that stay without an answer doubles so often."""


class Fetching:
    """Asks for the history, and takes it in."""

    def __init__(
        self, profile: Profile, devices: Devices, merging: Merging, errands: Errands
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._devices = devices
        self._merging = merging
        self._errands = errands

    def begin(self, devices: Sequence[str], name: str) -> list[Event]:
        """Ask these own devices, unless one of them is giving already; ``name`` is shown there."""
        self._profile.know(OFFERED, YES)
        under_way = self._store.one(Fetch, Fetch.state == FETCHING)
        if under_way is not None and under_way.device in devices:
            return []
        self._leave_others(devices)
        self._store.remove(Fetch)
        self._merging.begin()
        for device in devices:
            row = {"device": device, "state": ASKED, "asked": self._profile.now()}
            self._store.run(Fetch.insert(row))
            self._ask(device, "", name)
        return [HandoverChanged()]

    def decline(self) -> list[Event]:
        """Offer it no more."""
        self._profile.know(OFFERED, YES)
        return [HandoverChanged()]

    @property
    def offered(self) -> bool:
        """Whether there is somebody to ask, and the user was not asked yet."""
        known = self._profile.fact(OFFERED) or self._profile.fact(FOUNDER)
        return not known and bool(self._devices.devices(self._profile.name))

    def shown(self) -> list[HandoverInfo]:
        """Return who was asked, and what came."""
        return [
            HandoverInfo(row.device, "", "get", row.state, max(0, row.total - row.left), row.total)
            for row in self._store.all(Fetch, order=Fetch.asked)
        ]

    def take(self, answer: Payload) -> list[Event]:
        """Take in what a device of ours answers, if it was asked."""
        row = self._store.one(Fetch, Fetch.device == answer.device)
        listed = self._devices.devices(self._profile.name)
        if answer.sender != self._profile.name or row is None or answer.device not in listed:
            return []
        content = cast(Mapping[str, Any], answer.content)
        if content["answer"] == PAGE:
            return self._take_page(row, content)
        if row.state == DONE or (content["answer"] == ASKED and row.state == FETCHING):
            return []
        self._change(row, state=str(content["answer"]), asked=self._profile.now())
        return [HandoverChanged()]

    def _take_page(self, row: Fetch, content: Mapping[str, Any]) -> list[Event]:
        """Store a page, if it is the next one, and ask for more behind the last one."""
        if row.state in (DONE, GONE) or content["before"] != row.before:
            return []
        events = self._merging.take_people(content["people"]) if content["people"] else []
        events += self._merging.take_messages(content["messages"])
        self._leave_others([row.device])
        end = not content["next"]
        self._change(
            row,
            state=DONE if end else FETCHING,
            before=str(content["next"]),
            left=content["left"],
            total=content["total"],
            due=max(0, row.due - 1),
            asked=self._profile.now(),
            tries=0,
        )
        if not end and row.due == 0:
            self._ask(row.device, row.before)
        return [*events, HandoverChanged()]

    def work(self) -> tuple[list[Event], float | None]:
        """Ask again where no answer came; return after how many seconds to look again."""
        listed, waits = self._devices.devices(self._profile.name), list[float]()
        events: list[Event] = []
        open_ = cast(Any, Fetch.state).in_((FETCHING, LATER))
        for row in self._store.all(Fetch, open_):
            if row.device not in listed:
                self._change(row, state=GONE)
                events.append(HandoverChanged())
                continue
            wait = self._wait(row)
            if wait <= 0:
                self._change(row, asked=self._profile.now(), tries=row.tries + 1)
                self._ask(row.device, row.before)
                wait = self._wait(row)
            waits.append(wait)
        return events, min(waits, default=None)

    def _wait(self, row: Fetch) -> float:
        """Return how many seconds to wait until a device is asked again."""
        pause: float = self._profile.limits.history_seconds * 2 ** min(row.tries, MOST_TRIES)
        if row.state == LATER:
            pause = LATER_SECONDS
        return pause - (self._profile.now() - row.asked) / 1000

    def _leave_others(self, devices: Sequence[str]) -> None:
        """Tell other devices that were asked than these that it is no longer needed."""
        others = cast(Any, Fetch.device).not_in(devices)
        for row in self._store.all(Fetch, others, Fetch.state == ASKED):
            self._store.remove(Fetch, Fetch.device == row.device)
            self._errand(row.device, {"name": "", "before": "", "pages": 0})

    def _ask(self, device: str, before: str, name: str = "") -> None:
        """Ask for some pages from a cursor on."""
        pages = self._profile.limits.history_pages
        self._store.run(Fetch.update(due=pages).where(Fetch.device == device))
        self._errand(device, {"name": name, "before": before, "pages": pages})

    def _errand(self, device: str, content: Mapping[str, Json]) -> None:
        me = self._profile.name
        self._errands.send(me, device, me, FETCH, content)

    def _change(self, row: Fetch, **values: object) -> None:
        self._store.run(Fetch.update(values).where(Fetch.device == row.device))
        for name, value in values.items():
            setattr(row, name, value)
