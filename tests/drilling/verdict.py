"""What a drill must end with, and its figures.

Every message is with every device that it was for, once; or it is shown as lost there, with the
reason, and its author sees at the message itself that it did not arrive, and why. The author's
device may be one whose profile was put back from a copy that never knew the message: then it says
that it was restored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bpost.client.causes import LOST_TEXTS, RULES, Action


@dataclass(frozen=True)
class Written:
    """A message that a device had in its outbox; ``left`` if the server took it from there."""

    id: str
    device: str
    to: str
    text: str
    left: bool = True


@dataclass
class Verdict:
    """What came of a drill; ``wrong`` is empty where all is as it must be."""

    figures: dict[str, int]
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str) -> None:
        """Count one more of something."""
        self.figures[what] = self.figures.get(what, 0) + 1

    def text(self) -> str:
        """Return the figures, and what is wrong, in lines."""
        lines = [f"{self.figures[name]:>8}  {name}" for name in sorted(self.figures)]
        return "\n".join([*lines, *self.wrong[:40]])


def read_journals(paths: Iterable[Path]) -> tuple[Counter[str], list[Written]]:
    """Return how often things happened, and what was written."""
    figures: Counter[str] = Counter()
    wrote: list[Written] = []
    stored: set[str] = set()
    for line in (line for path in paths for line in path.read_text().splitlines()):
        word, _, rest = line.partition(" ")
        if word == "wrote":
            id_, device, to, text = rest.split(" ", 3)
            wrote.append(Written(id_, device, to, text))
        elif word == "stored":
            stored.add(rest)
        else:
            figures[line] += 1
    return figures, [replace(message, left=message.id in stored) for message in wrote]


def judge(
    dumps: Mapping[str, Mapping[str, Any]],
    wrote: Iterable[Written],
    restored: set[str],
    figures: Counter[str],
) -> Verdict:
    """Look for every message wherever it belongs."""
    verdict = Verdict(dict(figures))
    views = {device: View(device, dump) for device, dump in dumps.items()}
    lost: dict[tuple[str, str], list[str]] = {}
    for message in wrote:
        _look_for(message, views, restored, verdict, lost)
    for (device, name), texts in lost.items():
        shown = views[device].lost(name)
        if shown < len(texts):
            text = f"{device} misses {len(texts)} of {name}, and is shown {shown} as lost"
            verdict.wrong.append(f"{text}: {texts}")
    for device, view in views.items():
        verdict.wrong += [f"{device}: {text}" for text in view.strange()]
    verdict.figures["messages"] = len(list(wrote))
    return verdict


def _look_for(
    message: Written,
    views: Mapping[str, View],
    restored: set[str],
    verdict: Verdict,
    lost: dict[tuple[str, str], list[str]],
) -> None:
    """Look for one message at its author's, at the recipient's devices, and at the copies'."""
    own = views[message.device].own(message)
    if own is None and message.device not in restored:
        verdict.wrong.append(f"{message.device} does not show its own {message.text!r}")
    missing = _missing(message, views, verdict)
    if not missing:
        verdict.count("arrived everywhere")
        return
    gone = own is None and _is_gone(message, missing, views, restored)
    verdict.count("taken back by restores" if gone else "lost")
    if not gone:
        for where in missing:
            lost.setdefault(where, []).append(message.text)
    if own is None:
        untold = message.left and not views[message.device].knows()
    else:
        told = any(text in own[6] for text in LOST_TEXTS.values())
        untold = not told and any(user_of(device) == message.to for device, _ in missing)
    if untold:
        at = [device for device, _ in missing]
        text = f"{message.device} does not tell that {message.text!r} is missing at {at}"
        verdict.wrong.append(f"{text}: {own and own[5:]}")


def _others(message: Written, views: Mapping[str, View]) -> list[tuple[str, str]]:
    """Return the devices that a message was for, each with its name for the conversation."""
    author = user_of(message.device)
    names = {author: message.to, message.to: author}
    return [
        (device, names[user_of(device)])
        for device in views
        if user_of(device) in names and device != message.device
    ]


def _missing(
    message: Written, views: Mapping[str, View], verdict: Verdict
) -> list[tuple[str, str]]:
    """Return where a message is missing; nowhere may it be twice."""
    missing = []
    for device, name in _others(message, views):
        count = views[device].count(name, message.text)
        if count > 1:
            verdict.wrong.append(f"{device} shows {message.text!r} {count} times")
        if count == 0:
            missing.append((device, name))
    return missing


def _is_gone(
    message: Written,
    missing: list[tuple[str, str]],
    views: Mapping[str, View],
    restored: set[str],
) -> bool:
    """Say whether a message that its author does not have is one that nobody can know of.

    It never left before the author's profile was put back; or those who had it were put back too.
    """
    never_left = len(missing) == len(_others(message, views))
    return never_left or restored.issuperset(device for device, _ in missing)


def user_of(device: str) -> str:
    """Return whose a device is."""
    return device.partition("-")[0]


class View:
    """What one device shows."""

    def __init__(self, device: str, dump: Mapping[str, Any]) -> None:
        self.device = device
        self.shown: Mapping[str, list[Any]] = dump["shown"]
        self._counts = {
            name: Counter(line[4] for line in lines if line[3] == "text")
            for name, lines in self.shown.items()
        }
        self._own = {line[0]: line for lines in self.shown.values() for line in lines if line[2]}

    def knows(self) -> bool:
        """Say whether the device tells that it is an older copy of itself."""
        me = user_of(self.device)
        return any("an older copy of itself" in line[4] for line in self.shown.get(me, ()))

    def own(self, message: Written) -> list[Any] | None:
        """Return the line of a message of this account."""
        return self._own.get(message.id)

    def count(self, name: str, text: str) -> int:
        """Return how often a text stands in a conversation."""
        return self._counts.get(name, Counter())[text]

    def lost(self, name: str) -> int:
        """Return how many messages a conversation shows as lost."""
        count = 0
        for _, _, _, kind, text, _, failure in self.shown.get(name, ()):
            if kind == "unreadable" and "was lost" in failure:
                count += 1
            elif kind == "notice" and "lost here" in text:
                words = next(part for part in text.split(". ") if "lost here" in part).split()
                count += 1 if words[0] == "One" else int(words[0])
        return count

    def strange(self) -> list[str]:
        """Return what must not be left at the end: open placeholders and gaps, and no reasons."""
        found = []
        for name, lines in self.shown.items():
            for _, _, own, kind, text, status, failure in lines:
                if kind == "unreadable" and not reason_of(failure):
                    found.append(f"with {name}: a placeholder without an end: {failure!r}")
                if kind == "notice" and "missing here." in text:
                    found.append(f"with {name}: a gap without an end: {text!r}")
                if own and status == "waiting":
                    found.append(f"to {name}: {text!r} still waits: {failure!r}")
        return found


def reason_of(failure: str) -> str:
    """Return the word of the closed table for how a line ended; empty where it is still open."""
    ends = {word: rule.text for word, rule in RULES.items() if rule.action is Action.SHOW}
    ends |= LOST_TEXTS
    return next((word for word, text in ends.items() if text in failure), "")
