"""The tables, as peewee models. Rows never leave ``store``: see ``records``.

The models are bound to no database, so that several post offices fit in one process: every query
is told which one (``query.execute(database)``). Times are milliseconds since the Unix epoch, UTC.
A foreign key has an index of its own only where no other index begins with it.
"""

from __future__ import annotations

from typing import Any, cast

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    SchemaManager,
    SqliteDatabase,
    TextField,
    fn,
)
from peewee import IntegrityError as IntegrityError  # for the store's parts

VERSION = 6
"""The version of the schema below. A change of the schema is a new version and a migration."""


class Schema(Model):
    """One row: which version of the schema this database has."""

    version = IntegerField(primary_key=True)

    class Meta:
        table_name = "schema_version"


class Client(Model):
    """An account. Deleting one leaves its row, emptied, so that the name is never taken again.

    ``quota`` is how much its mailbox may hold, None where that is as for everyone.
    """

    id = AutoField()
    name = TextField()
    canonical = TextField(unique=True)
    login = TextField(null=True)
    public_key = TextField(default="")
    succession = TextField(default="")
    vault = TextField(default="")
    vault_version = IntegerField(default=0)
    last_seq = BigIntegerField(default=0)
    cleared = BigIntegerField(default=0)
    quota = BigIntegerField(null=True)
    created = BigIntegerField()
    disabled = BigIntegerField(null=True, index=True)
    deleted = BigIntegerField(null=True)

    class Meta:
        table_name = "clients"


class Contact(Model):
    """Whom a user wrote into the contact list, and whether blocked there."""

    owner = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    contact = ForeignKeyField(Client, on_delete="CASCADE")
    blocked = BooleanField(default=False)

    class Meta:
        table_name = "contacts"
        primary_key = CompositeKey("owner", "contact")


class Device(Model):
    """A device of an account; ``cursor`` is the last ``seq`` that it holds safely."""

    id = AutoField()
    client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    device = TextField()
    name = TextField(default="")
    bundle = TextField(default="")
    cursor = BigIntegerField(default=0)
    created = BigIntegerField()
    last_seen = BigIntegerField()

    class Meta:
        table_name = "devices"
        indexes = ((("client", "device"), True), (("device",), False))


class Departed(Model):
    """The id of a device that was removed: nobody comes in under it again."""

    device = TextField(primary_key=True)
    client = ForeignKeyField(Client, on_delete="CASCADE")

    class Meta:
        table_name = "departed"


class Prekey(Model):
    """A one-time key that waits to be handed out."""

    id = AutoField()
    device = ForeignKeyField(Device, on_delete="CASCADE", index=False)
    key = TextField()

    class Meta:
        table_name = "prekeys"
        indexes = ((("device", "key"), True),)


class Message(Model):
    """A message in a mailbox. ``body`` is None once every device of the recipient has it.

    The row itself stays for the retention time, so that a frame sent again with the same ``ref``
    is still known.
    """

    recipient = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    seq = BigIntegerField()
    sender = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    sender_device = TextField()
    ref = TextField(null=True)
    body = TextField(null=True)
    timestamp = BigIntegerField(index=True)

    class Meta:
        table_name = "messages"
        primary_key = CompositeKey("recipient", "seq")
        indexes = ((("sender", "sender_device", "ref", "recipient"), True),)


class Withheld(Model):
    """What a blocked sender was told about a message that was not stored, so that he is told the
    same again, and rising numbers.
    """

    id = AutoField()
    sender = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    sender_device = TextField()
    ref = TextField(null=True)
    recipient = ForeignKeyField(Client, on_delete="CASCADE")
    seq = BigIntegerField()
    timestamp = BigIntegerField(index=True)

    class Meta:
        table_name = "withheld"
        indexes = (
            (("sender", "sender_device", "ref", "recipient"), True),
            (("sender", "recipient", "seq"), False),
        )


class Invite(Model):
    """An invitation to make an account, kept as a hash; ``used`` once, before ``expires``."""

    hash = TextField(primary_key=True)
    created = BigIntegerField()
    expires = BigIntegerField()
    used = BigIntegerField(null=True)
    client = ForeignKeyField(Client, null=True, on_delete="SET NULL", index=False)

    class Meta:
        table_name = "invites"


class Clock(Model):
    """One row: what the wall clock said last, and for how much longer no old mail is removed."""

    wall = BigIntegerField()
    hold = BigIntegerField()

    class Meta:
        table_name = "clock"
        primary_key = False


class Setting(Model):
    """What an administrator has set, and ``edition``, which counts such changes."""

    name = TextField(primary_key=True)
    value = BigIntegerField()

    class Meta:
        table_name = "settings"


class Bucket(Model):
    """What is left of a rate, so that a restart resets none; ``key`` is a hash (MUSTS S21)."""

    meter = TextField()
    key = TextField()
    left = FloatField()
    wall = BigIntegerField()

    class Meta:
        table_name = "buckets"
        primary_key = CompositeKey("meter", "key")


class KeyLog(Model):
    """One row: the random name of this server's log of keys."""

    name = BlobField()

    class Meta:
        table_name = "key_log"
        primary_key = False


class KeyLogEntry(Model):
    """An entry of the log of keys; no row is ever changed, but for what a deleted account said."""

    position = IntegerField(primary_key=True)
    client = ForeignKeyField(Client)
    public_key = TextField()
    statement = TextField()
    tag = BlobField()
    value = BlobField()
    head = BlobField()

    class Meta:
        table_name = "key_log_entries"


TABLES: tuple[type[Model], ...] = (
    Schema,
    Client,
    Contact,
    Device,
    Departed,
    Prekey,
    Message,
    Withheld,
    Invite,
    Clock,
    Setting,
    Bucket,
    KeyLog,
    KeyLogEntry,
)


RANDOM = fn.RANDOM()
"""An order that tells nothing."""


def number_of(column: Any) -> Any:
    """Return how many rows have something in a column."""
    return fn.COUNT(column)


def sum_of(what: Any) -> Any:
    """Return the sum over all rows, None over none."""
    return fn.SUM(what).coerce(False)


def most_of(what: Any) -> Any:
    """Return the greatest over all rows, None over none."""
    return fn.MAX(what)


def least_of(what: Any) -> Any:
    """Return the least over all rows, None over none."""
    return fn.MIN(what)


def length(column: Any) -> Any:
    """Return how many characters a column has."""
    return fn.LENGTH(column).coerce(False)


def removal(table: type[Model]) -> Any:
    """Return the query that removes rows of ``table``; the library's stubs cannot type it."""
    return cast(Any, table).delete()


def create_tables(database: SqliteDatabase) -> None:
    """Make every table and index that is not there."""
    for table in TABLES:
        create_table(database, table)


def create_table(database: SqliteDatabase, table: type[Model]) -> None:
    """Make one table with its indexes if it is not there."""
    SchemaManager(table, database).create_all()
