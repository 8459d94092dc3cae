"""The controller: what happens when something is done in the window, or comes in from outside.

It knows no Tk. It calls the client library through the lanes, keeps the `Book` and the open
`Timeline` up to date, and tells a `View` what to show again. All of it runs in the Tk thread, but
for what it puts into the lanes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from bpost.client import (
    REMOVED_TEXT,
    Client,
    ConnectionChanged,
    ConnectionState,
    Contact,
    ContactsChanged,
    Conversation,
    ConversationChanged,
    Event,
    EventsLost,
    HandoverChanged,
    Message,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    SecurityNotice,
    SignedOut,
)
from bpost.errors import BPostError
from client_tk.account import GONE, TURNED_AWAY, Complaint
from client_tk.custody import Custody
from client_tk.lanes import Failed, Lanes
from client_tk.model import MOST_UNREAD, PAGE, Book, Connection, Timeline
from client_tk.view import View

Done = Callable[[], object]

RELOAD_AFTER = 150  # milliseconds between two looks at all conversations


class Controller:
    """One account in one main window."""

    def __init__(
        self,
        client: Client,
        lanes: Lanes,
        view: View,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self.lanes = lanes
        self.view = view
        self.clock = clock
        self.book = Book(client.username)
        self.timeline = Timeline("")
        self.notices: dict[str, str] = {}
        self._unseen = False
        self._loading = False
        self._stale = False
        self._first = ""
        self._was_connected = False
        self.custody = Custody(client, lanes)
        self.turned_away = False
        """Whether the server has told that this device is none of the account any more."""

    def start(self, name: str = "") -> None:
        """Show what there is; and the conversation with ``name``, if one is given."""
        self._first = name
        self.book.connection = Connection(self.client.state, waiting=self.client.waiting)
        self.view.show_connection()
        self.reload()

    # The list

    def reload(self) -> None:
        """Read all conversations and contacts, soon; calls that come close together are one."""
        if self._loading:
            self._stale = True
            return
        self._loading, self._stale = True, False
        self.lanes.quick(self._read_all, self._loaded, self._load_failed)

    def _read_all(self) -> tuple[list[Conversation], list[Contact], int]:
        return self.client.conversations(), self.client.contacts(), self.client.waiting

    def _loaded(self, found: tuple[list[Conversation], list[Contact], int]) -> None:
        conversations, contacts, waiting = found
        before = (self.contact(), self.conversation().request)
        self.book.load(conversations, contacts)
        self.view.show_list()
        if (self.contact(), self.conversation().request) != before:
            self.view.show_person()
        if waiting != self.book.connection.waiting:
            self.book.connection = replace(self.book.connection, waiting=waiting)
            self.view.show_connection()
        if self._first:
            self._first, name = "", self._first
            self.open(name)
            self.view.focus_composer()
        self.view.later(RELOAD_AFTER, self._again)

    def _load_failed(self, error: BPostError) -> None:
        self.view.say(str(error), alarming=True)
        self.view.later(RELOAD_AFTER, self._again)

    def _again(self) -> None:
        self._loading = False
        if self._stale:
            self.reload()

    def search(self, text: str) -> None:
        """Show only conversations in which ``text`` is found."""
        if text != self.book.search:
            self.book.search = text
            self.view.show_list()

    # One conversation

    def contact(self) -> Contact | None:
        """Return the contact of the open conversation."""
        return self.book.contact(self.book.current)

    def conversation(self) -> Conversation:
        """Return the open conversation."""
        return self.book.conversation(self.book.current)

    def open(self, name: str) -> None:
        """Open the conversation with ``name``."""
        if name.lower() == self.book.current.lower():
            return
        self.book.current = name
        self._open_timeline()
        self.view.show_list()

    def _open_timeline(self) -> None:
        timeline = self.timeline = Timeline(self.book.current)
        unread = self.conversation().unread
        self._unseen = unread > 0
        asked = max(PAGE, min(unread + PAGE // 2, MOST_UNREAD))
        self.view.show_conversation()

        def opened(page: list[Message]) -> None:
            if timeline is self.timeline:
                timeline.open(page, asked, unread, self.clock())
                self.view.show_conversation()

        name = timeline.name
        self.lanes.quick(lambda: self.client.history(name, limit=asked), opened, self._failed)

    def older(self) -> None:
        """Load older messages of the open conversation."""
        timeline = self.timeline
        if timeline.loading or timeline.complete or not timeline.lines:
            return
        timeline.loading = True
        before = timeline.lines[0].message.id

        def loaded(page: list[Message]) -> None:
            timeline.older(page, PAGE, self.clock())
            if timeline is self.timeline:
                self.view.lines_changed()

        history, name = self.client.history, timeline.name
        self.lanes.quick(lambda: history(name, before=before, limit=PAGE), loaded, self._failed)

    def seen(self) -> None:
        """Tell that the newest message of the open conversation is on the screen."""
        if self._unseen and self.view.looking():
            self._unseen = False
            name = self.timeline.name
            self.lanes.quick(lambda: self.client.mark_read(name), failed=self._failed)

    def send(self, text: str) -> None:
        """Send ``text`` to the other person."""
        name = self.book.current
        self.timeline.all_seen(self.clock())

        def refused(error: BPostError) -> None:
            if name == self.book.current:
                self.view.give_back(text, str(error))
            else:
                self.view.say(f"Not sent to {name}: {error}", alarming=True)

        self.lanes.quick(lambda: self.client.send(name, text), self._stored, refused)
        self.lanes.quick(lambda: self.client.set_draft(name, ""), failed=self._failed)

    def _stored(self, message: Message) -> None:
        """Show a message of one's own at once; its event may come before or after."""
        known = self.timeline.place_of(message.id) >= 0
        if message.conversation.lower() == self.timeline.name.lower() and not known:
            self._put(message)
        self.reload()

    def retry(self, key: str) -> None:
        """Send a failed message again."""
        self.lanes.quick(lambda: self.client.retry(key), self._changed, self._failed)

    def keep_draft(self, name: str, text: str) -> None:
        """Keep what has been written to ``name`` so far."""
        self.lanes.quick(lambda: self.client.set_draft(name, text), failed=self._failed)

    def new_day(self) -> None:
        """Name the days anew, after midnight."""
        self.timeline.new_day(self.clock())
        self.view.lines_changed()
        self.view.show_list()

    # People

    def add_contact(self, name: str, done: Done, failed: Failed) -> None:
        """Add somebody to the contact list, and open the conversation with them."""

        def added(contact: Contact) -> None:
            done()
            self.reload()
            self.open(contact.name)
            self.view.focus_composer()

        self.lanes.slow(lambda: self.client.add_contact(name), added, failed)

    def change_contact(self, work: Callable[[str], object], said: str) -> None:
        """Block, unblock or remove the other person: ``work`` gets the name."""
        name = self.book.current

        def changed(_: object) -> None:
            self.view.say(said)
            self.reload()

        self.lanes.slow(lambda: work(name), changed, self._failed)

    def trust(self) -> None:
        """Accept the new key of the other person that is shown; what was held is sent."""
        name, contact = self.book.current, self.contact()
        if contact is None:
            return
        key, anyway, trust = contact.key, contact.was_verified, self.client.trust_new_key

        def trusted(_: object) -> None:
            self.notices.pop(name.lower(), None)
            self.reload()
            self.view.show_person()

        self.lanes.quick(lambda: trust(name, key, anyway=anyway), trusted, self._failed)

    def dismiss_notice(self) -> None:
        """Show the security notice about the other person no longer."""
        self.notices.pop(self.book.current.lower(), None)
        self.view.show_person()

    def reconnect(self) -> None:
        """Try to connect now."""
        self.lanes.quick(self.client.reconnect, failed=self._failed)

    def _failed(self, error: BPostError) -> None:
        self.view.say(str(error), alarming=True)

    # Events

    def handle(self, event: Event) -> None:
        """Take in one event of the client library."""
        if isinstance(event, MessageAdded):
            self._added(event.message)
        elif isinstance(event, MessageChanged):
            self._changed(event.message, event.was)
        elif isinstance(event, MessageRemoved):
            self._removed(event)
        elif isinstance(event, (ContactsChanged, ConversationChanged)):
            self.reload()
        elif isinstance(event, HandoverChanged):
            self._handed()
        elif isinstance(event, ConnectionChanged):
            self._connection(event)
        elif isinstance(event, SecurityNotice):
            self._notice(event)
        elif isinstance(event, SignedOut) and not self.custody.ending:
            self._signed_out(event)
        elif isinstance(event, EventsLost):
            self.reload()
            if self.book.current:
                self._open_timeline()

    def _added(self, message: Message) -> None:
        if message.conversation.lower() == self.timeline.name.lower():
            self._put(message)
        self.reload()

    def _put(self, message: Message) -> None:
        now = self.clock()
        if not self.timeline.put(message, now):
            self.view.lines_changed()
            return
        if not message.own and message.kind != "notice":
            self._unseen = True
            if not self.view.looking():
                self.timeline.count_fresh(message, now)
        self.view.line_added(message.own)

    def _changed(self, message: Message, was: str = "") -> None:
        self.timeline.rename(was, message.id)
        if self.timeline.place_of(message.id) >= 0:
            self.timeline.put(message, self.clock())
            self.view.lines_changed()
        last = self.book.conversation(message.conversation).last
        if last is None or last.id in (message.id, was):
            self.reload()

    def _removed(self, event: MessageRemoved) -> None:
        here = event.conversation.lower() == self.timeline.name.lower()
        if here and self.timeline.remove(event.id, self.clock()):
            self.view.lines_changed()
        self.reload()

    def _handed(self) -> None:
        """Take in that earlier messages may have come: there may be older ones than before."""
        self.view.show_handover()
        self.timeline.complete = False
        if self.book.current and not self.timeline.lines:
            self._open_timeline()
        elif len(self.timeline.lines) < PAGE:
            self.older()

    def parting(self, sentence: str) -> Complaint | None:
        """Return what is to be said once the account is left, and what can be done then."""
        if self.client.removed:
            return Complaint("removed", REMOVED_TEXT)
        if self.turned_away:
            return Complaint("removed", TURNED_AWAY)
        place = "news" if self.custody.ending else "general"
        return Complaint(place, sentence) if sentence else None

    def _signed_out(self, event: SignedOut) -> None:
        """Leave; but who opens what a device still holds, that was removed before, may read it."""
        self.turned_away = event.reason == GONE
        if self._was_connected or not self.turned_away:
            self.view.signed_out(event.text)

    def _connection(self, event: ConnectionChanged) -> None:
        retry_at = None if event.retry_in is None else time.monotonic() + event.retry_in
        self.book.connection = Connection(event.state, retry_at, event.waiting, event.text)
        self.view.show_connection()
        if event.state is ConnectionState.CONNECTED:
            self._was_connected = True
            self.view.show_person()

    def _notice(self, event: SecurityNotice) -> None:
        if not event.contact:
            self.view.say(event.text, alarming=True)
            return
        if event.cause != "account-key-changed":  # which the contact says for as long as it lasts
            self.notices[event.contact.lower()] = event.text
        self.reload()
        if event.contact.lower() == self.book.current.lower():
            self.view.show_person()
