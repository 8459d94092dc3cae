"""The log: one line for each event, as text or JSON, with nothing secret and nothing foreign in it.

An event has a name and fields. The values of fields may come from strangers, so whatever is not a
plain printable character is written as an escape, and long values are cut (MUSTS S53). Bodies,
keys, passwords, invitations and the texts of frames are never given to the log (S54).
"""

from __future__ import annotations

import json
import logging
import os
import sys
import unicodedata
from datetime import datetime, timezone
from typing import TextIO

from bpost import b64
from bpost.server.addresses import network_of
from bpost.server.repeats import Cause, Repeats

LONGEST = 200
"""How many characters of a value are written."""

FAILURES = 10
"""How many failures of one kind are written in a minute, each with its name; then they count."""

Value = str | int | float | bool | None

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class EventLog:
    """Writes events to ``stream``; safe from any thread, and never a reason to fail."""

    def __init__(
        self,
        form: str = "text",
        level: str = "info",
        addresses: str = "full",
        stream: TextIO | None = None,
    ) -> None:
        self._line = _json_line if form == "json" else _text_line
        self._level = _LEVELS[level]
        self._addresses = addresses
        self._repeats = Repeats()
        self._handler = logging.StreamHandler(sys.stderr if stream is None else stream)
        self._handler.handleError = _ignore  # type: ignore[method-assign]

    def debug(self, event: str, **fields: Value) -> None:
        """Note what is of use only when looking for a fault."""
        self._write("debug", event, fields)

    def info(self, event: str, **fields: Value) -> None:
        """Note what happens in the normal course."""
        user = fields.get("user")
        if not user or self._repeats.admit(Cause("info", event, str(user)), FAILURES):
            self._write("info", event, fields)

    def warning(self, event: str, **fields: Value) -> None:
        """Note what someone should look at: once a minute for each user, and how often it was."""
        if self._repeats.admit(Cause("warning", event, str(fields.get("user", ""))), 1):
            self._write("warning", event, fields)

    def failure(
        self, event: str, error: BaseException, incident: str = "", **fields: Value
    ) -> None:
        """Note a fault of this program or its machine: its type and place, not its message.

        A message of a foreign exception may quote what it stumbled on, so only our own are told.
        """
        kind = type(error).__name__
        if not self._repeats.admit(Cause("error", event, kind), FAILURES):
            return
        where = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            where.append(f"{code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        told = str(error) if type(error).__module__.startswith("bpost.") else ""
        found: dict[str, Value] = {
            **fields,
            "incident": incident,
            "error": kind,
            "says": told,
            "at": " ".join(where[-8:]),
        }
        self._write("error", event, found)

    def sum_up(self) -> None:
        """Write how often was what was not written; called now and then."""
        for cause, untold in self._repeats.over():
            name = "error" if cause.level == "error" else "user"
            self._write(cause.level, cause.event, {name: cause.about, "repeated": untold})

    def _write(self, level: str, event: str, fields: dict[str, Value]) -> None:
        number = _LEVELS[level]
        if number < self._level:
            return
        if "address" in fields and self._addresses == "network":
            fields["address"] = network_of(str(fields["address"]))
        line = self._line(_now(), level, event, fields)
        self._handler.handle(logging.LogRecord("bpost", number, "", 0, line, None, None))


def escape(text: str) -> str:
    """Return ``text`` on one line, without control characters or marks that turn the direction."""
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return "".join(map(_escape_one, cut))


def incident() -> str:
    """Return a name for one failure, told to the client and written into the log."""
    return b64.encode(os.urandom(6))


def _escape_one(sign: str) -> str:
    if sign == "\\" or sign == '"':
        return "\\" + sign
    if sign == " " or (sign.isprintable() and unicodedata.category(sign)[0] not in "CZ"):
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def _text_line(when: str, level: str, event: str, fields: dict[str, Value]) -> str:
    told = [
        f'{name}="{escape(value)}"' if isinstance(value, str) else f"{name}={value}"
        for name, value in fields.items()
        if value not in (None, "")
    ]
    return " ".join((when, level.upper(), event, *told))


def _json_line(when: str, level: str, event: str, fields: dict[str, Value]) -> str:
    told = {
        name: value[:LONGEST] if isinstance(value, str) else value
        for name, value in fields.items()
        if value not in (None, "")
    }
    return json.dumps({"time": when, "level": level, "event": event, **told})


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _ignore(record: logging.LogRecord) -> None:
    """Drop a line that could not be written: a full disk must not end the post office."""
