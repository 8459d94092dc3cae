"""What ``bpost-cli`` needs to export a conversation and to end an account, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from bpost.client.archive import write_document
from bpost.errors import UsageError

WARNING = (
    "This deletes the account of {name} on the server, for all devices: mailbox, contacts and "
    "keys. There is no way back, and nobody can have the name again."
)


def write_export(pieces: Iterable[str], output: Path | None) -> None:
    """Write an export to a file of this user's alone, or to the standard output."""
    if output is None:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
        return
    if output.exists():
        raise UsageError(f"{output} exists already. Choose another name.")
    write_document(output, pieces)
