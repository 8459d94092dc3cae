"""Messages on a terminal: waiting until they are stored, and for those that come."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

from bpost.client.cli_history import tell_who_asks
from bpost.client.client import Client
from bpost.client.events import (
    ConnectionChanged,
    ConnectionState,
    HandoverChanged,
    MessageAdded,
    MessageChanged,
    SecurityNotice,
    SignedOut,
    What,
)
from bpost.client.records import Message
from bpost.client.terminal import say, show_notice
from bpost.errors import Refused, UsageError

ALL = 100_000
LOOK_SECONDS = 0.25


def add_send_arguments(parser: argparse.ArgumentParser, text: str = "") -> None:
    """Describe what follows ``send``, or ``retry``, which has no ``text``."""
    parser.add_argument("to", metavar="USER")
    if text:
        parser.add_argument("text", nargs="?", help=text)
        parser.add_argument("--lines", action="store_true", help="each line of input is a message")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds to wait (30)")


def add_listen_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what may follow ``listen``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--count", type=int, default=0, help="end after so many text messages")


def wait_stored(me: Client, waiting: dict[str, Message], options: argparse.Namespace) -> None:
    """Wait until none of ``waiting`` is left, or some failed, or the time is over."""
    deadline, signals = time.monotonic() + options.timeout, options.signals
    while any(message.status == "waiting" for message in waiting.values()) and not signals.came:
        event = me.next_event(max(0.0, min(LOOK_SECONDS, deadline - time.monotonic())))
        if isinstance(event, MessageChanged) and event.message.id in waiting:
            waiting[event.message.id] = event.message
            if event.message.status not in ("waiting", "failed"):
                del waiting[event.message.id]
        elif isinstance(event, SignedOut):
            raise Refused(event.reason, event.text)
        elif isinstance(event, SecurityNotice):
            show_notice(event, as_json=False)
        if event is None and time.monotonic() >= deadline:
            return


def incoming(me: Client, options: argparse.Namespace) -> Iterator[tuple[Message, What]]:
    """Yield messages of others, first those not read yet, then as they come, until a signal."""
    shown: set[str] = set()
    for conversation in reversed(me.conversations()):
        for message in me.unread(conversation.name):
            shown.add(message.id)
            yield message, ""
    while not options.signals.came:
        event = me.next_event(LOOK_SECONDS)
        if isinstance(event, SecurityNotice):
            show_notice(event, options.json)
        elif isinstance(event, HandoverChanged):
            tell_who_asks(me)
        elif isinstance(event, SignedOut):
            raise Refused(event.reason, event.text)
        elif isinstance(event, ConnectionChanged) and event.state is ConnectionState.REFUSED:
            raise Refused("refused", event.text)
        elif isinstance(event, MessageChanged) and event.what and not event.message.own:
            yield event.message, event.what
        elif isinstance(event, MessageAdded) or (isinstance(event, MessageChanged) and event.was):
            message = event.message
            if not (message.own or message.id in shown):
                yield message, ""


def send_again(me: Client, name: str) -> list[Message]:
    """Send again what failed in the conversation with ``name``; raise UsageError if nothing did."""
    said = me.history(name, limit=ALL)
    failed = [one for one in said if one.own and one.kind == "text" and one.status == "failed"]
    if not failed:
        raise UsageError(f"Nothing that you wrote to {name} has failed.")
    return [me.retry(one.id) for one in failed]


def tell_unsent(waiting: Sequence[Message]) -> int:
    """Say of messages that the server has not stored where they are; return the exit status."""
    last = waiting[-1]
    what = "The message is" if len(waiting) == 1 else f"{len(waiting)} messages are"
    where = "not sent." if last.status == "failed" else "in the outbox and sent the next time."
    say(f"{what} {where} {last.failure or 'The server cannot be reached now.'}")
    return 1
