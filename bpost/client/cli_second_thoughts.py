"""``bpost-cli edit`` and ``bpost-cli delete``: second thoughts about what was said."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from bpost.client.client import Client
from bpost.client.terminal import say

SECONDS = 30.0


def add_edit_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what may follow ``edit``."""
    _add_common(parser)
    parser.add_argument("text", help="what it is to say")


def add_delete_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what may follow ``delete``."""
    _add_common(parser)
    what = "take back a message of yours: all who have it see that it was deleted"
    parser.add_argument("--everyone", action="store_true", help=what)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("to", metavar="USER", help="whom the conversation is with")
    parser.add_argument("id", metavar="ID", help="of the message, as history --json shows it")
    parser.add_argument("--timeout", type=float, default=SECONDS, help="seconds to wait (30)")


def change(me: Client, options: argparse.Namespace, work: Callable[[], object]) -> int:
    """Do it, and wait until the server has what others are to know of it; return the status."""
    work()
    if me.flush(options.timeout):
        return 0
    say("It is done here, and told the others the next time: the server cannot be reached now.")
    return 1
