"""``bpost-cli verify`` and ``keys``: safety numbers and keys, on a terminal."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bpost.client.records import KeyChange, Safety
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
    parser.add_argument("contact", metavar="USER")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--code", help="compare the code that USER sees; the same one verifies USER")
    what.add_argument("--mark", action="store_true", help="USER sees the same number: verified")
    what.add_argument("--unmark", action="store_true", help="take the mark away")
    what.add_argument("--trust", action="store_true", help="go on with a changed key all the same")


def answer(me: Verifying, options: argparse.Namespace) -> int:
    """Do what was asked; return the exit status."""
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
            day = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.time / 1000))
            print(f"{day}  {one.short}  {one.text}")
