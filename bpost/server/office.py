"""The office: all that sessions share, put together; no sockets here."""

from __future__ import annotations

from bpost.crypto import login
from bpost.errors import Refused
from bpost.net.turns import Turns
from bpost.protocol.codes import Reason
from bpost.server.bus import Bus
from bpost.server.clerk import Clerk
from bpost.server.config import Config
from bpost.server.counts import Tally
from bpost.server.cursors import Cursors
from bpost.server.desk import Desk
from bpost.server.door import Door
from bpost.server.ledger import Ledger
from bpost.server.log import EventLog
from bpost.server.mailroom import Mailroom
from bpost.server.presence import Presence
from bpost.server.rates import Rates
from bpost.server.records import Mailbox
from bpost.server.store import Store
from bpost.server.wire import Wire


class Office:
    """The parts of a post office, and their life from :meth:`start` to :meth:`stop`."""

    def __init__(self, config: Config, log: EventLog) -> None:
        """Open the store.

        Raises:
            StoreError, SecurityError: as :class:`Store` does.
        """
        self.config = config
        self.limits = config.limits
        self.log = log
        self.store = Store(config.data)
        self.turns = Turns()
        """The threads of the connections and the mailroom work one after another."""
        self.store.aside = self.turns.step_aside
        self.store.mail.most = config.limits.mailbox
        self.bus = Bus()
        self.rates = Rates(config.limits)
        ledger = Ledger(self.store, self.rates)
        self.presence = Presence(log)
        self.cursors = Cursors(self.store)
        self.outcomes = Tally()
        """What came of log-ins, registrations, messages and other requests, as (what, result)."""
        self.mailroom = Mailroom(self.store, self.bus, log, self.outcomes, self.turns)
        self.clerk = Clerk(self.store, self.cursors, self.presence, log, config.limits)
        self.clerk.every_round(ledger.write)
        self.door = Door()
        self.bus.subscribe(self.presence.hear)

    def start(self) -> None:
        """Start the turns, the clerk and the mailroom."""
        self.turns.start()
        self.clerk.start()
        self.mailroom.start()

    def stop(self) -> None:
        """Finish what was posted, write the cursors, close the store."""
        self.mailroom.stop()
        self.clerk.stop()
        self.turns.stop()
        self.store.close()

    def desk(self, wire: Wire, account: int, device: str) -> Desk:
        """Make the desk of a device that logs in; it is not in yet.

        Raises:
            Refused: there is no such device.
        """
        # In this order: a cursor that is written meanwhile is in the one place or in the other.
        moved = self.cursors.latest(account, device)
        mailbox = self.store.devices.mailbox(account, device)
        if mailbox is None:
            raise Refused(Reason.NO_SUCH_DEVICE, "This device was removed. Log in as a new one.")
        there = Mailbox(account, device, max(moved, mailbox.cursor))
        return Desk(wire, there, self.store.mail.waiting, self.cursors, self.limits)

    def hash_login(self, password: str) -> str:
        """Return what to store for a password field."""
        self.turns.step_aside()
        with self.door.turn():
            return login.hash_login(password)

    def verify_login(self, stored: str | None, password: str) -> bool:
        """Tell whether a password field is right, after the same work for every answer."""
        self.turns.step_aside()
        with self.door.turn():
            return login.verify_login(stored, password)
