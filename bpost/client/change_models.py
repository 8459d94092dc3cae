"""The table of what authors said of messages that are not here yet."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, BlobField, Model, TextField


class Change(Model):
    """What an author said about a message that is not here yet; ``type`` is that of its payload."""

    row = AutoField()
    conversation = TextField()
    author = TextField()
    account_key = BlobField()
    message = TextField(index=True)
    type = TextField()
    revision = BigIntegerField(default=0)
    device = TextField()
    text = TextField(default="")
    sent = BigIntegerField()
    noted = BigIntegerField()

    class Meta:
        table_name = "changes"
