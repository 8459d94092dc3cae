"""Why something could not be read: the closed list, and what follows by itself (CRYPTO, section 6).

Every cause of a :class:`~bpost.errors.SecurityError` that a delivery can raise is in :data:`RULES`
once: whether its sender is asked for it again and over which session, how long it is waited for,
whether it may be an attack, and what is shown meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from bpost.limits import DAY


class Action(Enum):
    """What the program does about it."""

    ASK_ANEW = "a new session, and a request to send it again"
    ASK = "a request to send it again, on the session there is"
    SHOW = "nothing: it is shown, and the user may act"
    WARN = "dropped, with a notice in its place"
    SKIP = "dropped in silence: it is there already"


@dataclass(frozen=True)
class Rule:
    """What one cause leads to; ``deadline`` is in seconds, 0 where nothing is waited for."""

    action: Action
    text: str
    deadline: int = 0
    attack: bool = False

    @property
    def asks(self) -> bool:
        """Whether the sender is asked for it again."""
        return self.action in (Action.ASK, Action.ASK_ANEW)


WAIT = 14 * DAY
"""The sender sends again what is at most so old, so nothing is waited for longer."""

_ASKED = "It is being asked for again."

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "no-session": Rule(Action.ASK_ANEW, _ASKED, WAIT),
        "unknown-prekey": Rule(Action.ASK_ANEW, _ASKED, WAIT),
        "skipped-too-far": Rule(Action.ASK_ANEW, _ASKED, WAIT),
        "out-of-keys": Rule(Action.ASK_ANEW, _ASKED, WAIT),
        "bad-token": Rule(Action.ASK_ANEW, _ASKED, WAIT),
        "used-key": Rule(Action.ASK_ANEW, _ASKED, WAIT),
        "bad-encoding": Rule(Action.ASK, _ASKED, WAIT),
        "bad-key": Rule(Action.ASK, _ASKED, WAIT, attack=True),
        "bad-signature": Rule(Action.ASK, _ASKED, WAIT, attack=True),
        "bad-bundle": Rule(Action.ASK, _ASKED, WAIT),
        "too-large": Rule(Action.ASK, _ASKED, WAIT),
        "wrong-sender": Rule(Action.WARN, "", attack=True),
        "wrong-recipient": Rule(Action.WARN, "", attack=True),
        "wrong-conversation": Rule(Action.WARN, "", attack=True),
        "wrong-author": Rule(Action.WARN, "", attack=True),
        "unknown-device": Rule(Action.SHOW, "Nothing from that device is read.", attack=True),
        "old-device-list": Rule(Action.SHOW, "Nothing from that device is read.", attack=True),
        "device-changed": Rule(Action.SHOW, "Nothing from that device is read.", attack=True),
        "account-key-changed": Rule(Action.SHOW, "Look at the key before you go on.", attack=True),
        "older-version": Rule(Action.SHOW, "The sender must use a newer program.", attack=True),
        "newer-version": Rule(Action.SHOW, "Update this program to read it."),
        "log-forked": Rule(Action.SHOW, "Compare safety numbers before you write.", attack=True),
        "log-restored": Rule(Action.SHOW, "Nothing is lost, and the keys you know still hold."),
        "log-false-key": Rule(Action.SHOW, "Compare the safety number first.", attack=True),
        "log-old-list": Rule(Action.SHOW, "It may hide that a device was removed.", attack=True),
        "log-own-key": Rule(Action.SHOW, "Compare safety numbers with your contacts.", attack=True),
        "log-broken": Rule(Action.SHOW, "Ask who runs the server.", attack=True),
        "duplicate": Rule(Action.SKIP, ""),
        "replayed": Rule(Action.SKIP, ""),
    }
)
"""The closed list."""

GAP = "gap"
"""The cause of what never came at all: a number of a chain that was left out."""

TOO_MANY = "So much of this person could not be read that it is not asked for."
"""What is shown in place of a rule's text, where nothing more is asked for."""

UNFORESEEN = Rule(Action.SHOW, "")

NO_MESSAGE = "no-message"
"""Why a frame is not sent again that said something to one device alone."""

LOST_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        NO_MESSAGE: "It was not a message.",
        "too-old": "It was too old to be sent again.",
        "gone": "The sender does not have it any more.",
        "tries": "It was sent again as often as may be, and did not arrive.",
        "not-for-you": "It was not meant for this device.",
        "restored": "The device that sent it was restored from an older copy, without it.",
        "device-gone": "The device that sent it is not used any more.",
        "deadline": "No answer came in time.",
        "unknown": "The sender knows of no such message: it was altered or made up on the way.",
    }
)
"""Why the sender, or this device, has given something up.

Where several devices were asked for one thing, the reason that comes first here is the one: only
the device that had sent it can give it, while any other knows nothing.
"""

GUESSED = frozenset({"deadline", "device-gone"})
"""Of these, this device only thinks so: an answer that comes later knows better."""

UNTOLD = frozenset({"unknown", "not-for-you", "deadline", "device-gone"})
"""Of these, the sender has nothing to be told, or was not reached."""


def rule_of(cause: str) -> Rule:
    """Return what a cause leads to."""
    return RULES.get(cause, UNFORESEEN)


def true_reason(reasons: Iterable[str]) -> str:
    """Return why something was lost, of what several devices say."""
    order = list(LOST_TEXTS)
    return min(reasons, key=lambda one: order.index(one) if one in order else len(order))


def lost_text(reason: str) -> str:
    """Say that a message was lost, and why."""
    text = "This message was lost." + ("" if reason in UNTOLD else " The sender was told.")
    return " ".join((text, LOST_TEXTS.get(reason, ""))).strip()


def lost_here(reasons: Sequence[str]) -> str:
    """Say that messages were lost in a gap, one for each reason, and why."""
    what = "One message was" if len(reasons) == 1 else f"{len(reasons)} messages were"
    told = "" if UNTOLD.issuperset(reasons) else " The sender was told."
    why = [LOST_TEXTS.get(reason, "") for reason in sorted(set(reasons))]
    return " ".join((f"{what} lost here.{told}", *why)).strip()
