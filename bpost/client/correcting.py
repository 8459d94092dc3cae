"""Changing and deleting messages, as the part of the facade that programs call."""

from __future__ import annotations

from bpost.client.account import Account
from bpost.client.corrections import why_not_edited
from bpost.client.records import Message


class Correcting(Account):
    """Second thoughts about what was said. ``name`` is whom the conversation is with."""

    def edit(self, name: str, id: str, text: str) -> Message:  # noqa: A002 (the records call it id)
        """Let an own message say ``text``, for everybody; it is marked as edited.

        Raises: UsageError for a message of somebody else, one that is older than a day, one that
        was not sent, or a text that cannot be sent.
        """
        running = self._writing
        with running.profile.change() as events:
            row = running.parts.corrections.row(name, id)
            events += running.parts.corrections.edit(row, text)
            message = running.parts.history.record(row)
        running.courier.wake()
        return message

    def why_not_edited(self, name: str, id: str) -> str:  # noqa: A002
        """Say why a message cannot be changed; nothing if it can. Raises as :meth:`edit`."""
        running = self._run
        with running.profile.store.reading():
            row = running.parts.corrections.row(name, id)
            return why_not_edited(row, running.profile)

    def delete(self, name: str, id: str, *, everyone: bool = False) -> None:  # noqa: A002
        """Remove a message from the devices of this account, or, for ``everyone``, take it back.

        What is taken back is replaced by a line that says so, here and there.

        Raises: UsageError if there is no such message, or, for everyone, if it is somebody else's.
        """
        running = self._writing
        with running.profile.change() as events:
            row = running.parts.corrections.row(name, id)
            parts = running.parts.corrections
            events += parts.delete(row) if everyone else parts.hide(row)
        running.profile.store.checkpoint()
        running.courier.wake()
