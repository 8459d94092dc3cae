"""What the command line asks and prints: passwords, trust, messages as lines or JSON."""

from __future__ import annotations

import getpass
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from bpost.client.events import SecurityNotice, What
from bpost.client.export import described
from bpost.client.records import Message
from bpost.errors import UntrustedCertificate, UsageError

PASSWORD = "BPOST_PASSWORD"  # noqa: S105 - the name of a variable


class Signals:
    """Notes SIGINT and SIGTERM for a loop that looks at ``came``; a second one ends at once.

    An exception out of a signal handler could leave a lock of some library taken for ever.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.came:
            os._exit(128 + number)  # whatever happens to a profile, it survives
        self.came = True


def read_password(file: Path | None, *, twice: bool = False, what: str = "Password") -> str:
    """Return a password from ``file``, the environment or the keyboard, in that order.

    Raises:
        UsageError: there is none, or the two that were typed differ.
    """
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The password cannot be read from {file}: {error}.") from error
    given = os.environ.get(PASSWORD)
    if given and what == "Password":
        return given
    return _typed(what, twice)


def read_passphrase(file: Path | None, *, twice: bool = False) -> str:
    """Return the passphrase of a backup from ``file`` or the keyboard; raise UsageError as above.

    The environment has no part in it: it holds the password, which is another secret.
    """
    if file is None and not sys.stdin.isatty():
        raise UsageError("There is no terminal to type on. Use --passphrase-file.")
    return read_password(file, twice=twice, what="Passphrase of the backup")


def _typed(what: str, twice: bool) -> str:
    """Let somebody type a password, which is not shown."""
    if not sys.stdin.isatty():
        text = f"There is no terminal to type on. Use --password-file or {PASSWORD}."
        raise UsageError(text)
    password = getpass.getpass(f"{what}: ")
    if twice and getpass.getpass(f"{what}, again: ") != password:
        raise UsageError("The two passwords differ. Nothing was done; try again.")
    return password


def asks_trust(error: UntrustedCertificate) -> bool:
    """Show an unknown certificate; return whether somebody at the keyboard trusts it."""
    say(f"{error}\nIts pin is {error.pin}")
    if sys.stdin.isatty():
        return asks("Trust it?", otherwise=False)
    say(f"If that is what the owner of the server tells you, add: --pin {error.pin}")
    return False


def types_again(word: str, warning: str) -> bool:
    """Warn of what has no way back; return whether ``word`` was typed, or piped in, to go on."""
    print(f"{warning}\nType {word} to go on: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == word


def asks(question: str, *, otherwise: bool) -> bool:
    """Ask somebody at the keyboard; return ``otherwise`` where nobody is."""
    if not sys.stdin.isatty():
        return otherwise
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def say(text: str) -> None:
    """Print a sentence for people, away from the output."""
    print(text, file=sys.stderr, flush=True)


TYPES = {"edited": "edit", "deleted": "delete"}


def show(message: Message, as_json: bool, *, dated: bool = False, what: What = "") -> None:
    """Print a message, as one line of JSON or for people; or ``what`` became of it just now."""
    if as_json:
        happened = {"type": TYPES[what]} if what else {}
        print(json.dumps({**described(message), **happened}), flush=True)
        return
    day = time.strftime("%Y-%m-%d %H:%M ", time.localtime(message.sent / 1000)) if dated else ""
    words = message.text if message.kind == "text" else f"[{message.text or message.failure}]"
    mark = " (edited)" if message.edited else ""
    print(f"{day}{message.sender}: {printable(words)}{mark}", flush=True)


def show_notice(notice: SecurityNotice, as_json: bool) -> None:
    """Print a security notice: in the output for programs, beside it for people."""
    if as_json:
        value = {
            "type": "security",
            "from": notice.contact,
            "text": notice.text,
            "cause": notice.cause,
        }
        print(json.dumps(value), flush=True)
    else:
        say(f"Security: {notice.text}")


def printable(text: str) -> str:
    """Return ``text`` without what could steer a terminal, further lines set in."""
    shown = "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return shown.replace("\n", "\n    ")
