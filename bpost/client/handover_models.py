"""The tables of earlier messages on their way: asked for by a new device, given by an older one."""

from __future__ import annotations

from peewee import BigIntegerField, FloatField, IntegerField, Model, TextField


class Handover(Model):
    """An own other device that asked for our history, and how far it has got.

    ``before`` and ``pages`` are what it waits for until the user says yes.
    """

    device = TextField(primary_key=True)
    name = TextField()
    state = TextField()
    changed = BigIntegerField()
    before = TextField()
    pages = IntegerField()
    left = BigIntegerField(default=0)
    total = BigIntegerField(default=0)
    since = BigIntegerField(default=0)
    bytes = BigIntegerField(default=0)

    class Meta:
        table_name = "handovers"


class Fetch(Model):
    """An own other device that we asked for its history.

    ``before`` is where the next page begins, ``due`` how many pages are still to come of those that
    were asked for, ``tries`` how often that was in vain since the last page.
    """

    device = TextField(primary_key=True)
    state = TextField()
    before = TextField(default="")
    due = IntegerField(default=0)
    left = BigIntegerField(default=0)
    total = BigIntegerField(default=0)
    asked = BigIntegerField()
    tries = IntegerField(default=0)

    class Meta:
        table_name = "fetches"


class Reached(Model):
    """The place of the last message of a conversation that was handed over: the next is below."""

    conversation = TextField(primary_key=True)
    place = FloatField()

    class Meta:
        table_name = "reached"
