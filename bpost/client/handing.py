"""Our history for another device of the account, if its owner says so here (E60).

Only a device on the list that our account key signed is answered, and the first time only after
the user of this device has said yes: whoever got in with a stolen password alone gets nothing of
before. It asks for a few pages at a time and for more when it has stored those, so nothing piles
up, and either side may stop anywhere. All methods are called within a transaction of the profile.
"""

from __future__ import annotations

import json

from bpost.client.devices import Devices
from bpost.client.errands import Errands
from bpost.client.events import Event, HandoverChanged
from bpost.client.history import History
from bpost.client.models import Handover, fn
from bpost.client.pages import Page, Pages
from bpost.client.profile import Profile
from bpost.client.records import HandoverInfo
from bpost.errors import UsageError
from bpost.protocol.handover import ASKED, HISTORY, LATER, PAGE, REFUSED
from bpost.protocol.payload import Payload

SENDING = "sending"
DONE = "done"

REFUSED_SECONDS = 3600
"""A device that was refused does not make us ask the user again for so long."""

ASKED_TEXT = (
    "Your device{name} asks for your earlier messages. It gets them if you say yes at the top of "
    "the window. If that is not you, remove it in the list of your devices, and change your "
    "password."
)
AGAIN_TEXT = "Your device{name} fetches your earlier messages again."


class Handing:
    """Answers own other devices that ask for the history."""

    def __init__(
        self, profile: Profile, devices: Devices, history: History, pages: Pages, errands: Errands
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._devices = devices
        self._history = history
        self._pages = pages
        self._errands = errands

    def take(self, request: Payload) -> list[Event]:
        """Answer a request, or ask the user about it."""
        if not self._may_ask(request):
            return []
        device, content = request.device, request.content
        name, before = str(content["name"])[:48], str(content["before"])
        pages = min(int(str(content["pages"])), self._profile.limits.history_pages)
        known = self._row(device)
        if pages == 0:
            return self._withdrawn(known)
        if known is not None and known.state in (SENDING, DONE):
            events = self._tell(AGAIN_TEXT, name) if known.state == DONE and not before else []
            return events + self._send(known, before, pages)
        if known is not None and known.state == REFUSED and not self._is_over(known):
            self._answer(device, REFUSED)
            return []
        events = [] if known is not None and known.state == ASKED else self._tell(ASKED_TEXT, name)
        row = {"device": device, "name": name, "state": ASKED, "changed": self._profile.now()}
        self._store.run(Handover.insert(**row, before=before, pages=pages).on_conflict_replace())
        self._answer(device, ASKED)
        return [*events, HandoverChanged()]

    def decide(self, device: str, yes: bool) -> list[Event]:
        """Let the device that asks have the history, or not; raise UsageError if none does."""
        row = self._row(device)
        if row is None or device not in self._devices.devices(self._profile.name):
            raise UsageError("No such device of yours has asked for your earlier messages.")
        if yes:
            return self._send(row, row.before, row.pages)
        self._change(row, state=REFUSED)
        self._answer(device, REFUSED)
        return [HandoverChanged()]

    def shown(self) -> list[HandoverInfo]:
        """Return who asked, the newest first."""
        listed = self._devices.devices(self._profile.name)
        rows = self._store.all(Handover, order=-Handover.changed)
        return [
            HandoverInfo(
                row.device, row.name, "give", row.state, max(0, row.total - row.left), row.total
            )
            for row in rows
            if row.device in listed
        ]

    def _may_ask(self, request: Payload) -> bool:
        """Say whether a device is answered: one of this account, and on the signed list now."""
        mine = request.sender == self._profile.name
        return mine and request.device in self._devices.devices(self._profile.name)

    def _send(self, row: Handover, before: str, pages: int) -> list[Event]:
        """Send some pages, if not too much lies in the mailbox already."""
        if self._is_too_much():
            self._answer(row.device, LATER)
            return []
        joined, page, size = self._joined(row.device), Page(before), 0
        for _ in range(pages):
            page = self._pages.page(before, joined)
            content = page.content(PAGE)
            me = self._profile.name
            self._errands.send(me, row.device, me, HISTORY, content)
            size += len(json.dumps(content))
            before = page.next
            if not before:
                break
        state = SENDING if before else DONE
        self._count(row, size)
        self._change(row, state=state, left=page.left, total=page.total)
        return [HandoverChanged()]

    def _is_too_much(self) -> bool:
        """Say whether more could fill the mailbox, where an other device may be long away.

        The server keeps what goes to the own devices until every one of them has it.
        """
        if len(self._devices.devices(self._profile.name)) < 2:
            return False
        recent = Handover.since >= self._oldest()
        sent = self._store.value(Handover.select(fn.SUM(Handover.bytes)).where(recent))
        return (sent or 0) >= self._profile.limits.history_bytes

    def _count(self, row: Handover, size: int) -> None:
        """Count what was sent to a device, from when that lies in the mailbox no more."""
        if row.since < self._oldest():
            self._change(row, since=self._profile.now(), bytes=size)
        else:
            self._change(row, bytes=row.bytes + size)

    def _oldest(self) -> int:
        return self._profile.now() - int(self._profile.limits.retention_seconds * 1000)

    def _joined(self, device: str) -> int:
        """Return when a device was put on the list."""
        profile = self._profile
        known = self._devices.device_list(profile.name, profile.account.public)
        entry = None if known is None else known.list.find(device)
        return 0 if entry is None else entry.since

    def _answer(self, device: str, answer: str) -> None:
        me = self._profile.name
        self._errands.send(me, device, me, HISTORY, Page("").content(answer))

    def _withdrawn(self, known: Handover | None) -> list[Event]:
        """Ask the user no more about a device that has its history from elsewhere."""
        if known is None or known.state != ASKED:
            return []
        self._store.remove(Handover, Handover.device == known.device)
        return [HandoverChanged()]

    def _is_over(self, row: Handover) -> bool:
        """Say whether a refusal is so old that the user may be asked again."""
        return row.changed + REFUSED_SECONDS * 1000 < self._profile.now()

    def _row(self, device: str) -> Handover | None:
        return self._store.one(Handover, Handover.device == device)

    def _change(self, row: Handover, **values: object) -> None:
        values["changed"] = self._profile.now()
        self._store.run(Handover.update(values).where(Handover.device == row.device))
        for name, value in values.items():
            setattr(row, name, value)

    def _tell(self, text: str, name: str) -> list[Event]:
        """Write a line into the conversation with oneself."""
        me = self._profile.name
        shown = f" (“{name}”)" if name else ""
        return self._history.notice(self._history.open(me), me, text.format(name=shown))
