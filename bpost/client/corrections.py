"""Changing what this account has said, and removing what is shown here.

All methods are called within a transaction of the profile.
"""

from __future__ import annotations

import json

from bpost.client.events import Event
from bpost.client.history import HIDDEN, History
from bpost.client.models import Entry, Outgoing
from bpost.client.outbox import CHANGE_WAITS, Outbox, check_text
from bpost.client.profile import Profile
from bpost.client.revisions import Revisions
from bpost.errors import UsageError
from bpost.protocol.content import DELETE, EDIT, HIDE, TEXT
from bpost.protocol.payload import direct_conversation

HOUR = 3600


class Corrections:
    """What the user of this device changes."""

    def __init__(
        self, profile: Profile, history: History, outbox: Outbox, revisions: Revisions
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._history = history
        self._outbox = outbox
        self._revisions = revisions

    def row(self, name: str, id_: str) -> Entry:
        """Return a message of the conversation with ``name``; raise UsageError if it is not there.

        One's own comes first, should somebody else have made up the same id.
        """
        conversation = direct_conversation(self._profile.name, name)
        where = (Entry.conversation == conversation, Entry.kind != HIDDEN)
        rows = sorted(self._history.named(id_, *where), key=lambda row: not row.own)
        if not rows:
            raise UsageError(f"There is no such message in the conversation with {name}.")
        return rows[0]

    def edit(self, row: Entry, text: str) -> list[Event]:
        """Let an own text say something else, for everybody.

        Raises:
            UsageError: it is not one's own, not a text, or too old; or the text cannot be sent.
        """
        text = check_text(text, self._profile)
        problem = why_not_edited(row, self._profile)
        if problem:
            raise UsageError(problem)
        if text == row.text:
            return []
        if row.status == "waiting" and self._reworded(row, text):
            return self._history.change(row, {"text": text})
        device, now = self._profile.device, self._profile.now()
        events = self._revisions.rewrite(row, text, row.revision + 1, device, now)
        self._outbox.queue_edit(row)
        return events + self._history.change(row, {"failure": CHANGE_WAITS})

    def _reworded(self, row: Entry, text: str) -> bool:
        """Change a text that has not been sealed, so that nobody has seen the old words."""
        change = Outgoing.update(content=json.dumps({"text": text}))
        return bool(self._store.run(change.where(Outgoing.id == row.id, Outgoing.type == TEXT)))

    def delete(self, row: Entry) -> list[Event]:
        """Take an own message back, for everybody.

        Raises:
            UsageError: it is not one's own, or deleted already.
        """
        if not row.own:
            text = "Only who wrote a message can delete it for everybody. Delete it for yourself."
            raise UsageError(text)
        if row.kind == "deleted":
            raise UsageError("This message is deleted already.")
        self._outbox.withdraw(EDIT, row.id)
        unsent = self._outbox.withdraw(TEXT, row.id) and row.status == "waiting"
        if unsent:  # nobody has it, and nobody needs to know of it
            return self._revisions.hide(row)
        events = self._revisions.erase(row)
        peer = self._history.other(row.conversation)
        self._outbox.queue(peer, DELETE, {"message": row.id})
        return events

    def hide(self, row: Entry) -> list[Event]:
        """Remove a message from the devices of this account; nobody else learns of it."""
        waits = row.own and row.status == "waiting"
        unsent = waits and self._outbox.withdraw(TEXT, row.id)
        if row.device and not unsent:  # else it is a line of this device alone
            about = {"message": row.id, "author": row.sender, "where": row.conversation}
            self._outbox.queue(self._profile.name, HIDE, about)
        return self._revisions.hide(row)


def why_not_edited(row: Entry, profile: Profile) -> str:
    """Say why a message cannot be changed; nothing if it can."""
    if not row.own:
        return "Only your own messages can be changed."
    if row.kind != "text":
        return "Only a text can be changed."
    if row.status == "failed":
        return "This message was not sent. Send it again first, or delete it."
    if profile.now() - row.sent > profile.limits.edit_seconds * 1000:
        hours = int(profile.limits.edit_seconds) // HOUR
        return f"This message is older than {hours} hours, and cannot be changed. Write a new one."
    return ""
