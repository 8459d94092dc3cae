"""What ``bpost-cli`` needs to export a conversation and to end an account, on a terminal."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from bpost.client.keystore import write_pieces
from bpost.errors import UsageError

COUNTED = ("messages", "contacts", "devices", "keys")

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
    new = output.with_name(f".{output.name}.{secrets.token_hex(4)}.part")
    write_pieces(output, (piece.encode("utf-8") for piece in pieces), new)


def receipt_text(receipt: Mapping[str, int]) -> str:
    """Say what the server deleted."""
    counted = [f"{receipt[what]} {what}" for what in COUNTED if what in receipt]
    return f"The server deleted: {', '.join(counted)}." if counted else "The server deleted it."
