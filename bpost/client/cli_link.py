"""``bpost-cli devices code``, ``join`` and ``vault``: how new devices get into an account."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bpost.client.client import Client
from bpost.client.ring import VAULT_OFF_TEXT, VAULT_ON_TEXT
from bpost.client.terminal import asks, printable, read_password, say
from bpost.errors import Refused, UsageError

LOOK_SECONDS = 0.25
FLUSH_SECONDS = 10.0

ENDS = {
    "over": "The code is over: no other device came in time. Make a new one.",
    "refused": "The other device got nothing. If it was not yours, somebody has seen the code.",
    "spied": (
        "A second device came with the same code: somebody else has seen it, or the first one "
        "began again. Nothing is given away. Make a new code, where nobody else sees it."
    ),
}


def show_code(me: Client, options: argparse.Namespace) -> int:
    """Show a code, and stay until another device has joined with it, or the code is over."""
    now = me.show_link()
    print(now.code, flush=True)
    say(
        f"Within {now.left / 60:.0f} minutes, give this code to your other device: bpost-cli "
        "join, or in the window. Show it to nobody else."
    )
    while not options.signals.came:
        me.next_event(LOOK_SECONDS)
        now = me.link
        if now.state == "met":
            name = printable(now.name) or "without a name"
            say(f"A device {name} has read the code.")
            me.decide_link(compares(now.number))
        elif now.state == "done":
            say("The other device has joined.")
            me.flush(FLUSH_SECONDS)
            return 0
        elif now.state in ENDS:
            raise Refused("refused", ENDS[now.state])
    me.end_link()
    return 1


def compares(number: str) -> bool:
    """Show a number, and ask whether the other device shows the same."""
    say(f"Compare this number: {number[:3]} {number[3:]}")
    if sys.stdin.isatty():
        return asks("Does your other device show the same?", otherwise=False)
    print("Write yes if your other device shows the same: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def read_code(file: Path | None) -> str:
    """Return the code of another device, from ``file`` or the keyboard."""
    if file is None and not sys.stdin.isatty():
        raise UsageError("There is no terminal to type on. Use --code-file.")
    return read_password(file, what="Code that your other device shows")


def keep_vault(me: Client, state: str | None) -> int:
    """Say or change whether the server keeps the account key."""
    if state is not None:
        me.keep_vault(state == "on")
        me.flush(FLUSH_SECONDS)
    print(VAULT_ON_TEXT if me.has_vault else VAULT_OFF_TEXT)
    return 0
