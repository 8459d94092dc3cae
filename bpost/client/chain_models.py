"""The tables of what devices have counted: how far each got, and what of it did not come."""

from __future__ import annotations

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    CompositeKey,
    FloatField,
    IntegerField,
    Model,
    TextField,
)


class Chain(Model):
    """The last payload of a device in a conversation: its number and hash; our own chain too.

    Each account key of a sender has its own chains: a false one does not touch those of the true.
    """

    sender = TextField()
    account_key = BlobField()
    device = TextField()
    conversation = TextField()
    number = BigIntegerField()
    hash = TextField()

    class Meta:
        table_name = "chains"
        primary_key = CompositeKey("sender", "account_key", "device", "conversation")


class End(Model):
    """The last known number of a run of a device in a conversation, before one that it began later.

    Our own runs too. ``told`` is when the device was last told that it had counted so far.
    """

    sender = TextField()
    account_key = BlobField()
    device = TextField()
    conversation = TextField()
    epoch = BigIntegerField()
    number = BigIntegerField()
    told = BigIntegerField(default=0)

    class Meta:
        table_name = "ends"
        primary_key = CompositeKey("sender", "account_key", "device", "conversation", "epoch")


class Gap(Model):
    """Numbers ``first`` to ``last`` of a chain did not come, but for ``arrived`` of them."""

    id = AutoField()
    sender = TextField()
    account_key = BlobField(default=b"")
    device = TextField()
    conversation = TextField()
    first = BigIntegerField()
    last = BigIntegerField()
    arrived = IntegerField(default=0)
    notice = IntegerField()
    place = FloatField()

    class Meta:
        table_name = "gaps"
        indexes = ((("sender", "device", "conversation"), False),)
