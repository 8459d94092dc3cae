"""The tables of what was sent and may be asked for again, and of what is missing here."""

from __future__ import annotations

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    IntegerField,
    Model,
    TextField,
)


class Sent(Model):
    """A payload of this device, kept to be sent again; a text's content is in its ``Entry``."""

    row = AutoField()
    id = TextField(index=True)
    type = TextField()
    peer = TextField()
    conversation = TextField()
    number = BigIntegerField()
    previous = TextField()
    sent = BigIntegerField()
    recipients = TextField()
    content = TextField()
    sealed = BigIntegerField(index=True)

    class Meta:
        table_name = "sent"
        indexes = ((("conversation", "number"), False),)


class Posted(Model):
    """A frame of this device: whose it was, its hash, and its place in that user's mailbox."""

    ref = TextField(primary_key=True)
    payload = TextField()
    peer = TextField()
    hash = TextField(index=True)
    seq = BigIntegerField(null=True)
    sealed = BigIntegerField(index=True)

    class Meta:
        table_name = "posted"
        indexes = ((("peer", "seq"), False),)


class Resent(Model):
    """How often a payload was sent again to one device."""

    payload = TextField()
    device = TextField()
    times = IntegerField()

    class Meta:
        table_name = "resent"
        primary_key = CompositeKey("payload", "device")


class SentEnds(Model):
    """The ends of earlier runs that a payload named: it is sent again with the same."""

    sent = IntegerField(primary_key=True)
    ends = TextField()

    class Meta:
        table_name = "sent_ends"


class Want(Model):
    """Something of a device that is missing here: a number of its chain, or a frame by its hash.

    ``entry`` is the row of the placeholder or notice, 0 for none; ``asked`` is when it was last
    asked for, ``lost`` whether it is not expected any more; ``cause`` then says why.
    """

    id = AutoField()
    peer = TextField()
    device = TextField()
    conversation = TextField()
    number = BigIntegerField(null=True)
    hash = TextField(default="")
    seq = BigIntegerField(default=0)
    entry = IntegerField(default=0)
    cause = TextField()
    noted = BigIntegerField()
    tries = IntegerField(default=0)
    asked = BigIntegerField(default=0)
    lost = BooleanField(default=False)

    class Meta:
        table_name = "wants"
        indexes = (
            (("peer", "device", "conversation", "number"), False),
            (("peer", "device", "hash"), False),
        )


class Inquiry(Model):
    """When a device was last asked for what is missing, and when a session was begun for that."""

    peer = TextField()
    device = TextField()
    asked = BigIntegerField(default=0)
    answered = BooleanField(default=False)
    started = BigIntegerField(default=0)
    count = IntegerField(default=0)
    fresh = BigIntegerField(default=0)

    class Meta:
        table_name = "inquiries"
        primary_key = CompositeKey("peer", "device")


class Errand(Model):
    """A payload for one device alone that is to be sealed."""

    row = AutoField(constraints=[SQL("AUTOINCREMENT")])
    peer = TextField(index=True)
    device = TextField()
    other = TextField()
    type = TextField()
    content = TextField()
    noted = BigIntegerField()

    class Meta:
        table_name = "errands"
