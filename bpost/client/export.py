"""A conversation as a document: an HTML page to read and print, or JSON for programs.

The page needs nothing else and fetches nothing: its policy forbids scripts and every address, all
that people wrote is escaped, and each text is set in its own direction, so that none can reverse
what stands beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal
from unicodedata import category

from bpost.client.records import Message
from bpost.errors import UsageError

Format = Literal["html", "json"]

FORMATS: tuple[Format, ...] = ("html", "json")

STYLE = """
body { margin: 0 auto; max-width: 44rem; padding: 1rem; font: 1rem/1.4 system-ui, sans-serif;
  color: #1d1d1f; background: #ffffff; }
h1 { font-size: 1.4rem; margin-bottom: 0; }
header p, time, .state { color: #66666b; font-size: 0.8rem; }
h2 { font-size: 0.85rem; text-align: center; color: #66666b; margin: 1.5rem 0 0.5rem; }
article { margin: 0.4rem 0; padding: 0.4rem 0.8rem; border-radius: 0.8rem; width: fit-content;
  max-width: 80%; background: #eeeef0; overflow-wrap: anywhere; }
article.own { margin-left: auto; background: #dceaff; }
article.notice { margin: 0.6rem auto; background: none; color: #66666b; text-align: center; }
article p { margin: 0; white-space: pre-wrap; unicode-bidi: isolate; }
b { unicode-bidi: isolate; }
@media (prefers-color-scheme: dark) {
  body { color: #f2f2f4; background: #1c1c1e; }
  article { background: #2c2c2f; }
  article.own { background: #1f3d66; }
}
@media print { article { break-inside: avoid; } }
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"

STATES = {
    "waiting": "not sent yet",
    "stored": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "not sent",
}


@dataclass(frozen=True)
class Title:
    """Whose conversation it is, with whom, and when it was exported (milliseconds)."""

    account: str
    other: str
    made: int


def exported(title: Title, messages: Iterable[Message], format_: Format) -> Iterator[str]:
    """Return the document, piece by piece; raise UsageError for an unknown format."""
    if format_ not in FORMATS:
        raise UsageError(f"There is no format {format_}. Choose html or json.")
    return _html(title, messages) if format_ == "html" else _json(title, messages)


def _json(title: Title, messages: Iterable[Message]) -> Iterator[str]:
    head = {"account": title.account, "conversation": title.other, "exported": title.made}
    yield json.dumps(head)[:-1] + ', "messages": ['
    before = "\n"
    for message in messages:
        yield before + json.dumps(described(message))
        before = ",\n"
    yield "\n]}\n"


def described(message: Message) -> dict[str, object]:
    """Return what JSON says of a message; times are in milliseconds."""
    return {
        "type": message.kind,
        "from": message.sender,
        "text": message.text or message.failure,
        "sent": message.sent,
        "seq": message.seq,
        "id": message.id,
        "conversation": message.conversation,
        "own": message.own,
        "received": message.received,
        "status": message.status,
        "edited": message.edited,
    }


def _html(title: Title, messages: Iterable[Message]) -> Iterator[str]:
    other, account = escape(title.other), escape(title.account)
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{account} and {other}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{account} and {other}</h1>\n"
        f"<p>Exported from BPost on {_day(title.made)}</p></header>\n<main>\n"
    )
    day = ""
    for message in messages:
        if _day(message.sent) != day:
            day = _day(message.sent)
            yield f"<h2>{day}</h2>\n"
        yield _article(message)
    yield "</main>\n</body>\n</html>\n"


def _article(message: Message) -> str:
    """Return the element of one message."""
    moment = time.localtime(message.sent / 1000)
    when = f'<time datetime="{time.strftime("%Y-%m-%dT%H:%M:%S%z", moment)}">'
    when += f"{time.strftime('%H:%M', moment)}</time>"
    words = escape(_printable(message.text if message.kind == "text" else _remark(message)))
    if message.kind != "text":
        return f'<article class="notice"><p dir="auto">{words}</p>{when}</article>\n'
    states = [
        STATES.get(message.status, "") if message.own else "",
        "edited" * bool(message.edited),
    ]
    state = ", ".join(filter(None, states))
    told = f' <span class="state">{state}</span>' if state else ""
    name = f"<b>{escape(message.sender)}</b> {when}{told}"
    side = ' class="own"' if message.own else ""
    return f'<article{side}>{name}<p dir="auto">{words}</p></article>\n'


def _remark(message: Message) -> str:
    return message.text or message.failure


def _printable(text: str) -> str:
    """Return ``text`` without the control characters, which HTML cannot hold."""
    return "".join("\ufffd" if category(c) == "Cc" and c not in "\n\t" else c for c in text)


def _day(milliseconds: int) -> str:
    """Return a day of local time, the same in every language."""
    return time.strftime("%Y-%m-%d", time.localtime(milliseconds / 1000))
