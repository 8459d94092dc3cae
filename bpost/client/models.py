"""The tables of the profile's database, as peewee models; :mod:`store` has the connection.

The models are bound to no database, so that several profiles fit in one process: a query is run by
a :class:`~bpost.client.store.Store` (``store.run(query)``). Rows do not leave the library; what it
hands out is made of :mod:`bpost.client.records`. Times are milliseconds. Usernames are in
canonical form, but for ``Peer.shown``.
"""

from __future__ import annotations

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    FloatField,
    IntegerField,
    Model,
    TextField,
    fn,
)

from bpost.client.chain_models import Chain, End, Gap
from bpost.client.change_models import Change
from bpost.client.handover_models import Fetch, Handover, Reached
from bpost.client.log_models import Alarm, Claim, LogEntry, LogLink, LogTag, PastHead, SentHead
from bpost.client.missing_models import Errand, Inquiry, Posted, Resent, Sent, SentEnds, Want

__all__ = ["SQL", "Alarm", "Chain", "Change", "Claim", "End", "Errand", "Fetch", "Gap"]
__all__ += ["Handover", "Inquiry", "LogEntry", "LogLink", "LogTag", "Model", "PastHead", "Posted"]
__all__ += ["Reached", "Resent", "Sent", "SentEnds", "SentHead", "Want", "fn"]

VERSION = 8
"""The version of the schema below. A change of the schema is a new version and a migration."""


NEVER_AGAIN = SQL("AUTOINCREMENT")
"""Of a key: it is not given out again when the row with the highest one is removed."""


class Fact(Model):
    """One thing to know, by name: who we are, and how far we got (see :mod:`profile`)."""

    name = TextField(primary_key=True)
    value = BlobField()

    class Meta:
        table_name = "facts"


class Peer(Model):
    """A user, ourselves too. ``account_key`` is pinned; ``offered_key`` waits to be trusted."""

    name = TextField(primary_key=True)
    shown = TextField()
    account_key = BlobField(null=True)
    offered_key = BlobField(null=True)
    listed = BooleanField(default=False)
    blocked = BooleanField(default=False)
    added = BigIntegerField()

    class Meta:
        table_name = "peers"


class KeyNote(Model):
    """Something that happened to an account key of a user: ``what`` is a word of KEY_WORDS."""

    row = AutoField()
    peer = TextField(index=True)
    account_key = BlobField()
    time = BigIntegerField()
    what = TextField()

    class Meta:
        table_name = "key_history"


class Verification(Model):
    """That two people compared their keys: it holds for these two keys and for no others."""

    peer = TextField()
    account_key = BlobField()
    own_key = BlobField()
    time = BigIntegerField()

    class Meta:
        table_name = "verifications"
        primary_key = CompositeKey("peer", "account_key", "own_key")


class Superseded(Model):
    """An account key of a user that another one took over from, with its signature."""

    peer = TextField()
    account_key = BlobField()

    class Meta:
        table_name = "superseded_keys"
        primary_key = CompositeKey("peer", "account_key")


class KeyList(Model):
    """The newest device list that an account key has signed."""

    peer = TextField()
    account_key = BlobField()
    device_list = BlobField()

    class Meta:
        table_name = "device_lists"
        primary_key = CompositeKey("peer", "account_key")


class Device(Model):
    """A device that ever was on a list of this account key, and the sessions with it."""

    peer = TextField()
    account_key = BlobField()
    id = TextField()
    identity = BlobField()
    since = BigIntegerField()
    sessions = BlobField(null=True)

    class Meta:
        table_name = "devices"
        primary_key = CompositeKey("peer", "account_key", "id")


class Prekey(Model):
    """Our own private prekeys; ``replaced`` is when a newer one took over, ``public`` is signed."""

    id = BlobField(primary_key=True)
    kind = IntegerField(index=True)
    secret = BlobField()
    public = BlobField()
    created = BigIntegerField()
    replaced = BigIntegerField(null=True)

    class Meta:
        table_name = "prekeys"


class BaseKey(Model):
    """A first message that was accepted, remembered as long as the signed prekey it used."""

    key = BlobField(primary_key=True)
    prekey = BlobField(index=True)

    class Meta:
        table_name = "base_keys"


class Talk(Model):
    """A conversation; ``unreadable`` counts what came from the other since the last good one."""

    name = TextField(primary_key=True)
    peer = TextField(index=True)
    draft = TextField(default="")
    read_place = FloatField(default=0.0)
    unreadable = IntegerField(default=0)

    class Meta:
        table_name = "conversations"


class Entry(Model):
    """One message, placeholder or notice of a conversation, shown in the order of ``place``.

    ``revision`` counts how often the text was changed, ``editor`` is the device that did it last,
    and ``edited`` when. Of one that is removed here the row stays, ``hidden`` and without text.
    """

    row = AutoField()
    id = TextField(index=True)
    conversation = TextField()
    sender = TextField()
    device = TextField()
    own = BooleanField()
    kind = TextField()
    text = TextField()
    payload = BlobField(null=True)
    sent = BigIntegerField()
    received = BigIntegerField(null=True)
    status = TextField()
    seq = BigIntegerField(null=True)
    failure = TextField(default="")
    place = FloatField(default=0.0)
    revision = BigIntegerField(default=0)
    editor = TextField(default="")
    edited = BigIntegerField(null=True)

    class Meta:
        table_name = "messages"
        indexes = (
            (("conversation", "place"), False),
            (("place",), False),
            (("sender", "device", "id"), True),
        )


class Seen(Model):
    """The hash of a frame that was taken in: the server may hand it out again."""

    digest = BlobField(primary_key=True)
    taken = BigIntegerField(index=True)

    class Meta:
        table_name = "seen"


class Receipt(Model):
    """A receipt that is due."""

    id = AutoField()
    peer = TextField()
    message = TextField()
    kind = TextField()
    due = BigIntegerField()

    class Meta:
        table_name = "receipts"
        indexes = ((("peer", "message", "kind"), True),)


class Outgoing(Model):
    """A payload that is to be sealed as soon as the recipient's devices are known."""

    row = AutoField(constraints=[NEVER_AGAIN])
    id = TextField()
    peer = TextField(index=True)
    type = TextField()
    content = TextField()
    sent = BigIntegerField()

    class Meta:
        table_name = "outgoing"


class Frame(Model):
    """A sealed message on its way, the same bytes until the server has stored it."""

    row = AutoField(constraints=[NEVER_AGAIN])
    ref = TextField(unique=True)
    peer = TextField()
    body = TextField()
    message = TextField(null=True)
    refused = BooleanField(default=False)

    class Meta:
        table_name = "frames"


class Addressed(Model):
    """The devices that a text on its way was sealed for, with spaces between.

    ``told`` and ``told_own`` are those that there were when the server stored it, if others.
    """

    ref = TextField(primary_key=True)
    message = TextField()
    peer = TextField()
    devices = TextField()
    own = TextField()
    told = TextField(null=True)
    told_own = TextField(null=True)

    class Meta:
        table_name = "addressed"


TABLES: tuple[type[Model], ...] = (
    Fact,
    Peer,
    KeyNote,
    Verification,
    Superseded,
    KeyList,
    Device,
    Prekey,
    BaseKey,
    Chain,
    Gap,
    Talk,
    Entry,
    Change,
    Seen,
    Receipt,
    Outgoing,
    Frame,
    Addressed,
    End,
    Sent,
    SentEnds,
    Posted,
    Resent,
    Want,
    Inquiry,
    Errand,
    Handover,
    Fetch,
    Reached,
    LogLink,
    LogTag,
    LogEntry,
    PastHead,
    SentHead,
    Claim,
    Alarm,
)
"""All of them. A backup holds those that :mod:`backup` names, and no other."""

MIGRATIONS: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    2: (
        ("ALTER TABLE chains RENAME TO chains_1",),
        (
            "INSERT INTO chains (sender, account_key, device, conversation, number, hash)"
            " SELECT c.sender, coalesce(p.account_key, x''), c.device, c.conversation, c.number,"
            " c.hash FROM chains_1 AS c LEFT JOIN peers AS p ON p.name = c.sender",
            "DROP TABLE chains_1",
            "ALTER TABLE gaps ADD COLUMN account_key BLOB NOT NULL DEFAULT x''",
            "UPDATE gaps SET account_key = coalesce("
            "(SELECT account_key FROM peers WHERE name = sender), x'')",
        ),
    ),
    3: (  # verified was a mark on the name, which nothing could set; it is one on the key now
        (),
        (
            "INSERT INTO key_history (peer, account_key, time, what)"
            " SELECT name, account_key, added, 'first' FROM peers"
            " WHERE account_key IS NOT NULL AND added > 0",
            "ALTER TABLE peers DROP COLUMN verified",
        ),
    ),
    4: ((), ()),  # earlier messages for a new device: tables and an index, which are made
    5: ((), ()),  # a table more
    6: (
        (),
        (
            "ALTER TABLE messages ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE messages ADD COLUMN editor TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE messages ADD COLUMN edited INTEGER",
        ),
    ),
    7: ((), ()),  # the server's log of keys: tables, which are made
    8: ((), ()),  # where the runs of restored profiles ended: tables, which are made
}
"""For each version: what makes it of the one before, first and after new tables are made."""
