"""What can be asked and answered about the key of one person, as the window does it. No Tk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bpost.client import Client, KeyChange, KeyLogState, LogFinding, Safety, Verdict
from bpost.errors import BPostError
from client_tk import words
from client_tk.lanes import Lanes

Failed = Callable[[BPostError], object]


@dataclass(frozen=True)
class Known:
    """What is known of somebody's key."""

    safety: Safety
    history: tuple[KeyChange, ...] = ()
    log: KeyLogState = field(default_factory=KeyLogState)

    @property
    def found(self) -> tuple[LogFinding, ...]:
        """Return what the server's log of keys showed of this person."""
        name = self.safety.name.lower()
        return tuple(one for one in self.log.findings if one.contact.lower() == name)

    @property
    def line(self) -> tuple[str, str, str]:
        """Return the icon, the sentence that says where one stands, and its style."""
        name, safety = self.safety.name, self.safety
        for one in self.found:
            if not one.over:
                return "shield-exclamation", one.text, "Warning"
        if not safety.key:
            return "shield", "There is no key yet: it comes with the first connection.", "Muted"
        if safety.was_verified:
            text = f"{name} has another key than the one you verified. Messages are held."
            return "shield-exclamation", text, "Warning"
        if safety.key_changed:
            return "shield-exclamation", "The key has changed. Messages are held.", "Warning"
        if safety.verified:
            return "shield-check", "Verified: you compared this number.", "Good"
        return "shield-lock", "Not verified yet.", "Muted"

    @property
    def dated(self) -> list[str]:
        """Return the history, and what the log showed, the newest first, as lines."""
        lines = [(one.time, f"{one.short}   {one.text}") for one in self.history]
        lines += [(one.time, f"log of keys   {one.text}") for one in self.found]
        lines.sort(key=lambda line: line[0])
        return [f"{words.date(time)}   {text}" for time, text in lines[::-1]]


def log_line(log: KeyLogState) -> tuple[str, str]:
    """Return what is to be said of the server's log of keys, and the style of the sentence."""
    if log.open:
        return log.open[-1].text, "Warning"
    if not log.size:
        return "The server has shown no log of its keys yet.", "Muted"
    return f"The server's log of keys has {log.size} entries; nothing was found amiss.", "Muted"


def verdict_line(verdict: Verdict, name: str) -> tuple[str, str]:
    """Return what comparing a code has told, and the style of the sentence."""
    return {
        Verdict.SAME: (f"The same: {name} is verified.", "Good"),
        Verdict.DIFFERENT: (
            f"Different! Somebody may stand between you and {name}, or this is an old code. "
            f"Ask {name} in person before you write.",
            "Danger",
        ),
        Verdict.OWN_CODE: (
            f"Not compared: this is your own code. Take the one that {name} sees.",
            "Warning",
        ),
        Verdict.OTHER_VERSION: (
            "Not compared: the code is of another version of BPost. Update both programs.",
            "Warning",
        ),
        Verdict.UNREADABLE: (
            "Not compared: this is no safety code, or only a part of one.",
            "Warning",
        ),
    }[verdict]


class SafetyDesk:
    """Asks the client library about one person; answers come in the Tk thread."""

    def __init__(self, client: Client, lanes: Lanes, name: str) -> None:
        self.name = name
        self._client = client
        self._lanes = lanes

    def look(self, done: Callable[[Known], object], failed: Failed) -> None:
        """Ask what is known of the key."""
        self._lanes.quick(self._look, done, failed)

    def _look(self) -> Known:
        client, name = self._client, self.name
        return Known(client.safety(name), tuple(client.key_history(name)), client.key_log())

    def mark(self, key: str, done: Callable[[object], object], failed: Failed) -> None:
        """Mark ``key``, which was shown, as verified."""
        self._lanes.quick(lambda: self._client.mark_verified(self.name, key), done, failed)

    def unmark(self, done: Callable[[object], object], failed: Failed) -> None:
        """Take the mark away."""
        self._lanes.quick(lambda: self._client.unmark_verified(self.name), done, failed)

    def trust(self, shown: Safety, done: Callable[[object], object], failed: Failed) -> None:
        """Go on with the new key that was shown, without comparing."""
        key, anyway = shown.key, shown.was_verified
        self._lanes.quick(
            lambda: self._client.trust_new_key(self.name, key, anyway=anyway), done, failed
        )

    def compare(self, code: str, done: Callable[[Verdict], object], failed: Failed) -> None:
        """Let the program compare a code of the other person."""
        self._lanes.quick(lambda: self._client.compare_code(self.name, code), done, failed)
