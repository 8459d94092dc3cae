"""The parts that work on one profile, put together."""

from __future__ import annotations

from dataclasses import dataclass

from bpost.client.chains import Chains
from bpost.client.corrections import Corrections
from bpost.client.devices import Devices
from bpost.client.epochs import Epochs
from bpost.client.errands import Errands
from bpost.client.events import Event
from bpost.client.fetching import Fetching
from bpost.client.gossip import Gossip
from bpost.client.handing import Handing
from bpost.client.healing import Healing
from bpost.client.history import History
from bpost.client.journal import Journal
from bpost.client.keybook import KeyBook
from bpost.client.keylog import KeyLog
from bpost.client.linking import Linking
from bpost.client.mailbox import Bonds, Mailbox, Remedies
from bpost.client.merging import Merging
from bpost.client.nudging import Nudging
from bpost.client.opener import Opener
from bpost.client.outbox import Outbox
from bpost.client.pages import Pages
from bpost.client.people import People
from bpost.client.profile import Profile
from bpost.client.reach import Reach
from bpost.client.records import Message
from bpost.client.refusals import Refusals
from bpost.client.renewal import Renewal
from bpost.client.resending import Resending
from bpost.client.revisions import Revisions
from bpost.client.ring import Ring
from bpost.client.rollback import Rollback
from bpost.client.senders import Senders
from bpost.client.stock import Stock
from bpost.client.trust import Trust
from bpost.client.wants import Wants
from bpost.protocol.content import READ
from bpost.protocol.payload import direct_conversation


@dataclass(frozen=True)
class Parts:
    """Everything that knows rules and tables, and no thread."""

    profile: Profile
    people: People
    devices: Devices
    history: History
    stock: Stock
    outbox: Outbox
    mailbox: Mailbox
    trust: Trust
    journal: Journal
    wants: Wants
    senders: Senders
    errands: Errands
    healing: Healing
    nudging: Nudging
    ring: Ring
    renewal: Renewal
    revisions: Revisions
    corrections: Corrections
    rollback: Rollback
    handing: Handing
    fetching: Fetching
    linking: Linking
    keylog: KeyLog
    gossip: Gossip

    def unread(self, name: str) -> list[Message]:
        """Return what has not been read of a conversation, within a reading."""
        conversation = direct_conversation(self.profile.name, name)
        return [self.history.record(row) for row in self.history.unread(conversation)]

    def read(self, name: str, upto: str | None) -> list[Event]:
        """Count a conversation as read and owe receipts for it, within a transaction."""
        conversation = self.history.open(name)
        rows = self.history.unread(conversation)
        if upto is not None:
            border = max((row.place for row in rows if row.id == upto), default=0.0)
            rows = [row for row in rows if row.place <= border]
        for row in rows:
            if row.kind == "text":
                self.outbox.owe(row.sender, row.id, READ)
        return self.history.read(conversation, rows[-1].place) if rows else []


def assemble(profile: Profile) -> Parts:
    """Make the parts of a profile."""
    book, history = KeyBook(profile), History(profile)
    people = People(profile, book, history)
    devices = Devices(profile, people)
    wants, journal = Wants(profile), Journal(profile)
    stock = Stock(profile)
    keylog = KeyLog(profile)
    errands = Errands(profile, devices, journal, keylog)
    chains = Chains(profile, history, wants, Epochs(profile, history, errands))
    gossip = Gossip(profile, people, history, keylog)
    outbox = Outbox(profile, devices, history, chains, Reach(profile), journal, keylog)
    opener = Opener(profile, people, devices, stock)
    trust = Trust(profile, people, book, history)
    senders = Senders(profile, devices, journal, wants)
    healing = Healing(profile, people, devices, history, chains, wants, senders, errands)
    resending = Resending(profile, people, devices, history, journal, wants, errands)
    refusals = Refusals(profile, people, devices, history, wants)
    revisions = Revisions(profile, people, devices, history, journal)
    handing = Handing(profile, devices, history, Pages(profile, people, book, history), errands)
    fetching = Fetching(
        profile, devices, Merging(profile, people, book, history, revisions), errands
    )
    rollback = Rollback(profile, people, devices, journal, errands, history, outbox)
    remedies = Remedies(healing, resending, refusals, rollback, handing, fetching, gossip)
    ring = Ring(profile, people, devices, history, outbox)
    renewal = Renewal(profile, people, devices, stock, outbox, errands)
    bonds = Bonds(ring, renewal)
    mailbox = Mailbox(profile, people, opener, history, chains, outbox, remedies, bonds, revisions)
    return Parts(
        profile=profile,
        people=people,
        devices=devices,
        history=history,
        stock=stock,
        outbox=outbox,
        mailbox=mailbox,
        trust=trust,
        journal=journal,
        wants=wants,
        senders=senders,
        errands=errands,
        healing=healing,
        nudging=Nudging(profile, history, outbox),
        ring=ring,
        revisions=revisions,
        corrections=Corrections(profile, history, outbox, revisions),
        renewal=renewal,
        rollback=rollback,
        handing=handing,
        fetching=fetching,
        linking=Linking(profile),
        keylog=keylog,
        gossip=gossip,
    )
