"""The tables of the server's log of keys, as this profile knows it."""

from __future__ import annotations

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    IntegerField,
    Model,
    TextField,
)


class LogLink(Model):
    """A link of the log; all of them are kept, so that any head of before can be compared."""

    position = IntegerField(primary_key=True)
    tag = BlobField(index=True)
    value = BlobField()
    head = BlobField()

    class Meta:
        table_name = "log_links"


class LogTag(Model):
    """The tag of a user's name in the log, which is slow to compute."""

    peer = TextField(primary_key=True)
    tag = BlobField()

    class Meta:
        table_name = "log_tags"


class LogEntry(Model):
    """What a link of a user stands for, as the server said and the link's value bears out."""

    peer = TextField()
    position = IntegerField()
    public_key = TextField()
    statement = TextField()

    class Meta:
        table_name = "log_entries"
        primary_key = CompositeKey("peer", "position")


class PastHead(Model):
    """A head that the server's log had once, and does not have any more."""

    row = AutoField()
    position = IntegerField(index=True)
    head = BlobField()

    class Meta:
        table_name = "log_past_heads"


class SentHead(Model):
    """The head that a payload of this device carried, by the row of its ``Sent``."""

    sent = IntegerField(primary_key=True)
    head = TextField()

    class Meta:
        table_name = "log_sent_heads"


class Claim(Model):
    """The last head that a device named and that lies beyond what this profile knows."""

    peer = TextField()
    device = TextField()
    size = BigIntegerField()
    hash = BlobField()
    sent = BigIntegerField()

    class Meta:
        table_name = "log_claims"
        primary_key = CompositeKey("peer", "device")


class Alarm(Model):
    """Something that the server's log shows, with the evidence; ``over`` once it was cleared up.

    ``theirs`` is the head that ``peer``, or else the server, named, and ``ours`` what this profile
    had at that ``size``; they are empty where the alarm is about something else.
    """

    row = AutoField(constraints=[SQL("AUTOINCREMENT")])
    time = BigIntegerField()
    cause = TextField()
    peer = TextField()
    size = BigIntegerField(default=0)
    ours = BlobField(default=b"")
    theirs = BlobField(default=b"")
    text = TextField()
    over = BooleanField(default=False)

    class Meta:
        table_name = "log_alarms"
