"""What authors change about what they have said: a newer text, or that it is deleted (section 5).

Only the account that wrote a message changes it, from a device that its account key lists or
listed (or a key from which that one took over), and in the same conversation. The highest revision
wins, whatever comes when; of two with the same number that of the higher device, so that all end
with the same text. What is said of a message that is not here yet waits for it, for as long as the
message may still be sent again. Nothing of this is ever answered. All methods are called within a
transaction of the profile.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from bpost.client.devices import Devices
from bpost.client.events import Event, MessageChanged, MessageRemoved, SecurityNotice
from bpost.client.history import HIDDEN, History, NewEntry
from bpost.client.journal import Journal
from bpost.client.models import Change, Entry
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.crypto.primitives import equal
from bpost.protocol.content import DELETE, EDIT, HIDE
from bpost.protocol.payload import Payload

log = logging.getLogger(__name__)

GONE: Mapping[str, Any] = {
    "text": "",
    "payload": None,
    "failure": "",
    "revision": 0,
    "editor": "",
    "edited": None,
}
"""What is left of a message that was deleted."""

LENIENT = 2
"""A change is taken until so many times the time for it is over: clocks differ."""


class Revisions:
    """The changes of all messages of a profile."""

    def __init__(
        self,
        profile: Profile,
        people: People,
        devices: Devices,
        history: History,
        journal: Journal,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._people = people
        self._devices = devices
        self._history = history
        self._journal = journal
        self.leftovers = False
        """Whether words that are gone may still stand in the write-ahead log."""

    # What arrives

    def take(self, payload: Payload, key: bytes) -> list[Event]:
        """Do what an author says under a trusted account key, or keep it, or refuse it."""
        content = cast(Mapping[str, Any], payload.content)
        author, where = payload.sender, payload.conversation
        if payload.type == HIDE:
            author, where = content["author"], content["where"]
            if payload.sender != self._profile.name:
                return self._refuse(payload, "wrong-author", "tried to remove a message here")
        rows = self._history.named(content["message"])
        row = next((one for one in rows if (one.sender, one.conversation) == (author, where)), None)
        if row is not None:
            return self._do(row, payload, key)
        if any(one.sender == author for one in rows):
            text = "tried to change a message of another conversation"
            return self._refuse(payload, "wrong-conversation", text)
        if rows:
            text = "tried to change a message that somebody else wrote"
            return self._refuse(payload, "wrong-author", text)
        self._keep(payload, key, author, where)
        return []

    def _do(self, row: Entry, payload: Payload, key: bytes) -> list[Event]:
        """Do what a payload says with the message that it names."""
        if payload.type == HIDE:
            return self.hide(row)
        if row.device not in self._devices.ever_listed(payload.sender, key):
            text = "tried to change what was written under another account key"
            return self._refuse(payload, "wrong-author", text)
        if payload.type == DELETE:
            return self.erase(row)
        content = cast(Mapping[str, Any], payload.content)
        late = payload.sent - row.sent > LENIENT * self._profile.limits.edit_seconds * 1000
        if late or not self._is_newer(row, content["revision"], payload.device):
            log.info("a change that is late, or not newer than what is here, was passed over")
            return []
        return self.rewrite(row, content["text"], content["revision"], payload.device, payload.sent)

    def _is_newer(self, row: Entry, revision: int, device: str) -> bool:
        """Say whether a change is newer than what stands in a row, which is a text."""
        return row.kind == "text" and (revision, device) > (row.revision, row.editor)

    def _refuse(self, payload: Payload, cause: str, what: str) -> list[Event]:
        """Tell that somebody tried what is not theirs to do; of strangers it is only logged."""
        log.info("a payload %s was refused: %s", payload.type, cause)
        peer = self._people.know(payload.sender)
        if not (peer.listed or peer.name == self._profile.name):
            return []
        text = f"{peer.shown} {what}. Nothing was changed."
        return [SecurityNotice(peer.shown, cause, text)]

    # What is not here yet

    def _keep(self, payload: Payload, key: bytes, author: str, where: str) -> None:
        """Keep what is said of a message that may still come, the newest of each author only."""
        content = cast(Mapping[str, Any], payload.content)
        row = {
            "conversation": where,
            "author": author,
            "account_key": key,
            "message": content["message"],
            "type": payload.type,
            "revision": content.get("revision", 0),
            "device": payload.device,
            "text": content.get("text", ""),
            "sent": payload.sent,
            "noted": self._profile.now(),
        }
        self._store.run(Change.insert(row))
        newest = cast(Any, Change.row).desc()
        kept = self._store.all(Change, Change.author == author, order=newest)
        for old in kept[self._profile.limits.changes_kept :]:
            self._store.remove(Change, Change.row == old.row)

    def settle(self, entry: NewEntry, payload: Payload, key: bytes) -> NewEntry:
        """Return the line of a message that comes now, as what was said of it before makes it."""
        if is_stand_in(payload):
            entry = replace(entry, kind="deleted", payload=None, failure="")
        for row in self._waiting(payload.id, payload.sender, payload.conversation):
            entry = self._settled(entry, row, key)
        return entry

    def meet(self, row: Entry) -> None:
        """Do with a message that another own device handed on what was said of it meanwhile."""
        peer = self._people.know(row.sender)
        for one in self._waiting(row.id, row.sender, row.conversation):
            if one.type == HIDE:
                self.hide(row)
            elif not self._holds_under(one, bytes(peer.account_key or b"")):
                log.info("what was said under another account key was passed over")
            elif one.type == DELETE:
                self.erase(row)
            elif self._is_newer(row, one.revision, one.device):
                self.rewrite(row, one.text, one.revision, one.device, one.sent)

    def _holds_under(self, change: Change, key: bytes) -> bool:
        """Say whether a change came under this account key, or one that it took over from."""
        said_under = bytes(change.account_key)
        return equal(said_under, key) or said_under in self._people.former(change.author)

    def _waiting(self, message: str, author: str, conversation: str) -> list[Change]:
        """Take out what was said of a message that comes only now."""
        about = (
            Change.message == message,
            Change.author == author,
            Change.conversation == conversation,
        )
        rows = self._store.all(Change, *about, order=Change.row)
        for row in rows:
            self._store.remove(Change, Change.row == row.row)
        return rows

    def _settled(self, entry: NewEntry, row: Change, key: bytes) -> NewEntry:
        """Apply what was kept; an author's word holds for what came under the same account key."""
        gone = {"text": "", "payload": None, "failure": "", "revision": 0}
        if row.type == HIDE:
            return replace(entry, kind=HIDDEN, **gone)  # type: ignore[arg-type]
        if not self._holds_under(row, key) or entry.kind == HIDDEN:
            return entry
        if row.type == DELETE:
            return replace(entry, kind="deleted", **gone)  # type: ignore[arg-type]
        newer = (row.revision, row.device) > (entry.revision, entry.editor)
        if row.type != EDIT or entry.kind != "text" or not newer:
            return entry
        return replace(
            entry, text=row.text, revision=row.revision, editor=row.device, edited=row.sent
        )

    def tidy(self) -> None:
        """Forget what was said of messages that will not come any more."""
        oldest = self._profile.now() - int(self._profile.limits.resend_seconds * 1000)
        self._store.remove(Change, Change.noted < oldest)

    # What is here

    def rewrite(self, row: Entry, text: str, revision: int, device: str, when: int) -> list[Event]:
        """Let a message say something else."""
        if self._is_of_here(row) and not row.revision:
            self._journal.keep_original(row.id, row.text)
        values = {"text": text, "revision": revision, "editor": device, "edited": when}
        return self._history.change(row, values, "edited")

    def erase(self, row: Entry) -> list[Event]:
        """Take a message back: of its words nothing is left, here or in what is sent again."""
        if row.kind in (HIDDEN, "deleted"):
            return []
        if self._is_of_here(row):
            self._journal.erase(row.id, row.conversation)
        self.leftovers = True
        return self._history.change(row, {**GONE, "kind": "deleted"}, "deleted")

    def hide(self, row: Entry) -> list[Event]:
        """Show a message here no more; nobody else learns of it."""
        if row.kind == HIDDEN:
            return []
        self.leftovers = True
        changed = self._history.change(row, {**GONE, "kind": HIDDEN})
        return [
            MessageRemoved(one.message.conversation, one.message.id)
            for one in changed
            if isinstance(one, MessageChanged)
        ]

    def _is_of_here(self, row: Entry) -> bool:
        return row.own and row.device == self._profile.device


def is_stand_in(payload: Payload) -> bool:
    """Say whether a payload stands in for a text that its author has deleted since."""
    return payload.means == DELETE and payload.content["message"] == payload.id
