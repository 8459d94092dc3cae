"""Editing and deleting messages of the open conversation: by keys, by the menu, in a sheet."""

from __future__ import annotations

from collections.abc import Callable
from tkinter import Event, Misc

from bpost.client import Client, Message
from bpost.errors import BPostError
from client_tk.composer_w import Composer
from client_tk.lanes import Lanes
from client_tk.messages_w import MessagesView
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Wrapped

Say = Callable[[str, bool], object]

MINE = (
    "For everyone: its words go from all devices, also those of {name}, and a line says that a "
    "message was deleted.\n\nFor me: it goes from your own devices, and {name} keeps it."
)
THEIRS = "It goes from your own devices. {name} keeps it, and is not told."


class SecondThoughts:
    """Stands between the views of one main window and the client library."""

    def __init__(
        self, client: Client, lanes: Lanes, composer: Composer, messages: MessagesView, say: Say
    ) -> None:
        self._client = client
        self._lanes = lanes
        self._composer = composer
        self._messages = messages
        self._say = say
        self._edited: Message | None = None
        composer.on_edit = self._submit
        messages.ask_edit = self.edit
        messages.ask_delete = self.delete
        for widget in (composer.text, messages.canvas):
            widget.bind("<Control-Up>", self._edit_last)

    # Editing

    def _edit_last(self, _: Event[Misc]) -> str:
        """Edit the last own text that is loaded."""
        lines = reversed(self._messages.timeline.lines)
        own = (line.message for line in lines if line.message.own and line.message.kind == "text")
        message = next(own, None)
        if message is None:
            self._say("There is no message of yours here that can be changed.", False)
        else:
            self.edit(message)
        return "break"

    def edit(self, message: Message) -> None:
        """Put a message into the composer, to be changed, if it may be."""
        name = message.conversation

        def answered(why_not: str) -> None:
            if why_not:
                self._say(why_not, True)
            elif self._is_open(name):
                self._edited = message
                self._composer.begin_edit(message.text)

        self._lanes.quick(
            lambda: self._client.why_not_edited(name, message.id), answered, self._failed
        )

    def cancel(self) -> bool:
        """Leave the message as it is; tell whether one was being changed."""
        was = self._composer.editing
        self._composer.end_edit()
        self._edited = None
        return was

    def _submit(self, text: str) -> None:
        """Change the message."""
        message = self._edited
        self.cancel()
        if message is None or text == message.text:
            return
        name = message.conversation

        def refused(error: BPostError) -> None:
            if self._is_open(name) and not self._composer.editing:
                self._edited = message
                self._composer.begin_edit(text)
                self._composer.fail(str(error))
            else:
                self._say(f"Not changed: {error}", True)

        change = self._client.edit
        self._lanes.quick(lambda: change(name, message.id, text), _nothing, refused)

    def _is_open(self, name: str) -> bool:
        return self._messages.timeline.name.lower() == name.lower()

    # Deleting

    def delete(self, message: Message) -> Sheet:
        """Ask for whom a message is to be deleted."""
        return DeleteMessageSheet(self._messages, self._messages.look, message, self._delete)

    def _delete(self, message: Message, everyone: bool) -> None:
        if self._edited is not None and self._edited.id == message.id:
            self.cancel()
        name, delete = message.conversation, self._client.delete
        self._lanes.quick(
            lambda: delete(name, message.id, everyone=everyone), _nothing, self._failed
        )

    def _failed(self, error: BPostError) -> None:
        self._say(str(error), True)


class DeleteMessageSheet(Sheet):
    """Asks for whom."""

    def __init__(
        self,
        parent: Misc,
        look: Look,
        message: Message,
        delete: Callable[[Message, bool], object],
    ) -> None:
        super().__init__(parent, look, "Delete this message?")
        self._message = message
        self._delete = delete
        both = message.own and message.kind == "text"
        text = (MINE if both else THEIRS).format(name=message.conversation)
        Wrapped(self.body, text=text).pack(fill="x")
        self.everyone = None
        if both:
            self.everyone = self.add_button("For everyone", lambda: self._chose(True), "danger")
        self.me = self.add_button(
            "For me", lambda: self._chose(False), "neutral" if both else "danger"
        )
        self.cancel = self.add_button("Cancel", self.close, "primary")
        self.open(self.cancel)

    def _chose(self, everyone: bool) -> None:
        self.close()
        self._delete(self._message, everyone)


def _nothing(_: object) -> None:
    """Wait for the event that tells what changed."""
