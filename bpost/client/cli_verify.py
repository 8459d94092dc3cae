"""``bpost-cli verify`` and ``keys``: safety numbers, keys and their log, on a terminal."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bpost.client.records import KeyChange, KeyLogState, Safety
from bpost.client.terminal import asks, say
from bpost.client.verifying import Verifying
from bpost.crypto.fingerprint import Verdict, grouped
from bpost.errors import UsageError

DIFFERENT, NOT_COMPARED = 1, 3

VERDICTS: Mapping[Verdict, tuple[int, str]] = MappingProxyType(
    {
        Verdict.SAME: (0, "The same: {name} is verified."),
        Verdict.DIFFERENT: (
            DIFFERENT,
            "Different. Somebody may stand between you and {name}, or the code is an old one, or "
            "one for somebody else. Ask {name} in person before you write.",
        ),
        Verdict.OWN_CODE: (
            NOT_COMPARED,
            "Nothing was compared: this is your own code. Take the one that {name} sees.",
        ),
        Verdict.OTHER_VERSION: (
            NOT_COMPARED,
            "Nothing was compared: the code is of another version of BPost. Update both programs.",
        ),
        Verdict.UNREADABLE: (
            NOT_COMPARED,
            "Nothing was compared: this is no safety code, or only a part of one.",
        ),
    }
)
"""Exit status and sentence for each answer; three answers that nobody can mistake."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what ``verify`` takes."""
    parser.add_argument("contact", metavar="USER", nargs="?")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--log", action="store_true", help="show what the server's log of keys told")
    what.add_argument("--code", help="compare the code that USER sees; the same one verifies USER")
    what.add_argument("--mark", action="store_true", help="USER sees the same number: verified")
    what.add_argument("--unmark", action="store_true", help="take the mark away")
    what.add_argument("--trust", action="store_true", help="go on with a changed key all the same")


def answer(me: Verifying, options: argparse.Namespace) -> int:
    """Do what was asked; return the exit status."""
    if options.log:
        return show_log(me.key_log())
    if options.contact is None:
        raise UsageError("Name the user whom it is about, or ask for --log.")
    safety = me.safety(options.contact)
    if not safety.key:
        raise UsageError(f"{safety.name} has no keys yet. Write to them, then try again.")
    if options.code is not None:
        status, text = VERDICTS[me.compare_code(safety.name, options.code)]
        (say if status else print)(text.format(name=safety.name))
        return status
    if options.unmark:
        me.unmark_verified(safety.name)
        print(f"{safety.name} is not marked as verified any more.")
    elif options.trust:
        me.trust_new_key(safety.name, safety.key, anyway=True)
        print(f"The new key of {safety.name} is trusted, and not verified.")
    else:
        print(described(safety))
        return _mark(me, safety) if options.mark else 0
    return 0


def _mark(me: Verifying, safety: Safety) -> int:
    """Mark the number that was just shown; ask first whether somebody is there to compare it."""
    if not asks(f"Does {safety.name} see the same number?", otherwise=True):
        raise UsageError(f"{safety.name} is not marked as verified.")
    me.mark_verified(safety.name, safety.key)
    print(f"{safety.name} is marked as verified.")
    return 0


def show_log(log: KeyLogState) -> int:
    """Print what is known of the server's log of keys; return whether something is amiss."""
    if not log.size:
        print("The server has shown no log of keys yet.")
    else:
        print(f"The server's log of keys has {log.size} entries. Its head is\n{log.hash}")
        print("Whoever sees another one of this length is shown other keys than you.")
    for one in log.findings:
        over = " (cleared up)" if one.over else ""
        print(f"{dated(one.time)}  {one.text}{over}")
        if one.theirs:
            print(f"  at {one.size} entries, here: {one.ours or 'none'}; there: {one.theirs}")
    return DIFFERENT if log.open else 0


def dated(time_ms: int) -> str:
    """Return a time as it is shown in lists."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(time_ms / 1000))


def described(safety: Safety) -> str:
    """Return what somebody at a terminal compares."""
    if safety.was_verified:
        state = (
            "The key has CHANGED since you verified it. Messages are held. Verify it again with "
            "--mark or --code, or go on all the same with --trust."
        )
    elif safety.key_changed:
        state = "The key has CHANGED. Messages are held. Compare, or go on with --trust."
    else:
        state = "Verified." if safety.verified else "Not verified yet."
    return (
        f"{grouped(safety.number)}\n{state}\n"
        f"If {safety.name} sees the same number, nobody stands between you.\n"
        f"Your code, for {safety.name} to compare:\n{safety.code}"
    )


def show_keys(history: Iterable[KeyChange], as_json: bool) -> None:
    """Print the history of somebody's keys."""
    for one in history:
        if as_json:
            print(json.dumps({"time": one.time, "key": one.key, "what": one.what}))
        else:
            print(f"{dated(one.time)}  {one.short}  {one.text}")
