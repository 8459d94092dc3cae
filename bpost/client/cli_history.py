"""``bpost-cli history``: print a conversation, or fetch earlier messages from another device."""

from __future__ import annotations

import argparse

from bpost.client.client import Client
from bpost.client.events import ConnectionChanged, ConnectionState, HandoverChanged, SignedOut
from bpost.client.records import HandoverInfo
from bpost.client.terminal import printable, say, show
from bpost.errors import Refused, UsageError

PAGE = 200
LOOK_SECONDS = 0.25
FLUSH_SECONDS = 10.0


def add_history_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what may follow the command."""
    parser.add_argument("contact", nargs="?")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    what = "ask your other devices for what was said before, and wait until it is here"
    parser.add_argument("--fetch", action="store_true", help=what)
    parser.add_argument("--from", dest="device", help="ask only the device with this id")


def show_conversation(me: Client, options: argparse.Namespace) -> int:
    """Print a conversation."""
    if not options.contact:
        raise UsageError("Say history USER, or history --fetch.")
    pages = [me.history(options.contact, limit=PAGE)]
    while pages[-1]:
        pages.append(me.history(options.contact, before=pages[-1][0].id, limit=PAGE))
    for page in reversed(pages):
        for message in page:
            show(message, options.json, dated=True)
    return 0


def fetch(me: Client, options: argparse.Namespace) -> int:
    """Fetch the history, and say how far it is; a signal ends the waiting and nothing else."""
    me.fetch_history([options.device] if options.device else [])
    asked = [one for one in me.handovers() if one.way == "get"]
    if all(one.state == "asked" for one in asked):
        say("Say yes on one of your other devices: in the window, or with bpost-cli devices give.")
    status = _follow(me, options, "get", "messages are here")
    if status:
        say("It goes on whenever this device and the other one are connected.")
    return status


def follow_giving(me: Client, options: argparse.Namespace) -> int:
    """Stay until the other device has everything; a signal ends the waiting and nothing else."""
    status = _follow(me, options, "give", "messages are sent")
    me.flush(FLUSH_SECONDS)
    return status


def tell_who_asks(me: Client) -> None:
    """Say which devices wait for an answer."""
    for one in me.handovers():
        if one.way == "give" and one.state == "asked":
            name = printable(one.name) or "without a name"
            text = f"Your device {name} asks for your earlier messages. Answer with"
            say(f"{text} bpost-cli devices give {one.device}, or refuse {one.device}.")


def _follow(me: Client, options: argparse.Namespace, way: str, done: str) -> int:
    """Say how far it is until it is done, and how it ended."""
    told = -1
    while True:
        now = _state(me, way, options.device)
        if now.count != told and now.state in ("fetching", "sending"):
            told = now.count
            say(f"{now.count} of {now.total} …")
        if now.state == "done":
            print(f"{now.total} {done}.")
            return 0
        if now.state in ("refused", "gone"):
            why = "said no" if now.state == "refused" else "was removed from your account"
            raise Refused("refused", f"The other device {why}.")
        if options.signals.came:
            return 1
        _wait(me)


def _state(me: Client, way: str, device: str | None) -> HandoverInfo:
    """Return how it stands with that device, or with the one that got furthest."""
    order = ("fetching", "sending", "done", "later", "asked", "refused", "gone")
    found = [one for one in me.handovers() if one.way == way and device in (None, one.device)]
    if not found:
        raise UsageError("No device of yours asks for that any more.")
    return min(found, key=lambda one: order.index(one.state))


def _wait(me: Client) -> None:
    """Wait for news, a little at most."""
    event = me.next_event(LOOK_SECONDS)
    while event is not None and not isinstance(event, HandoverChanged):
        if isinstance(event, SignedOut):
            raise Refused(event.reason, event.text)
        if isinstance(event, ConnectionChanged) and event.state is ConnectionState.REFUSED:
            raise Refused("refused", event.text)
        event = me.next_event(0)
