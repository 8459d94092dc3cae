"""What a soak must end with: from the journals of the loads, and from the database.

Every message that was promised is with its recipient, once, at the place that was promised; no
message is there that nobody wrote, or wrote to somebody else; places have no gaps; what one author
wrote stands in the order in which it was written; and the database holds the same as the users got.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 5
"""How many examples of each kind of wrong are shown."""

_ROWS = """
SELECT r.name, m.seq, s.name || '-' || SUBSTR(m.ref, LENGTH(s.name) + 2), m.ref
FROM messages m JOIN clients r ON r.id = m.recipient_id JOIN clients s ON s.id = m.sender_id
ORDER BY r.id, m.seq"""


@dataclass
class History:
    """What was seen: messages are named by their ``ref``, which says author and number.

    ``got`` and ``stored`` hold, for each recipient, places and messages in the order of arrival
    and of the table.
    """

    sent: dict[str, str] = field(default_factory=dict)
    promised: dict[str, tuple[str, int]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    got: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    stored: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def read(self, lines: Iterable[str]) -> None:
        """Take in a journal."""
        for line in lines:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "strange":
                self.strange.append(rest)
                continue
            fields = rest.split(" ")
            if word == "sent":
                self.sent[f"{fields[0]}-{fields[1]}"] = fields[2]
            elif word == "got":
                self.got[fields[0]].append((int(fields[1]), f"{fields[2]}-{fields[3]}"))
            else:
                self._promise(f"{fields[0]}-{fields[1]}", (fields[2], int(fields[3])))

    def _promise(self, ref: str, place: tuple[str, int]) -> None:
        first = self.promised.setdefault(ref, place)
        if first != place:
            self.broken.append(f"{ref} was promised as {first}, and then as {place}")

    def read_database(self, path: Path) -> None:
        """Take in the mailboxes."""
        with closing(sqlite3.connect(path)) as database:
            for name, seq, ref, own in database.execute(_ROWS):
                self.stored[name].append((seq, ref if ref == own else f"{own} of another"))


class Verdict:
    """Every kind of wrong, with how often it was; empty where all is as it must be."""

    def __init__(self, history: History) -> None:
        self.found: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = defaultdict(list)
        self._history = history
        for name in sorted(history.got.keys() | history.stored.keys()):
            self._mailbox(name)
        self._promises()
        for text in history.strange:
            self.wrong("strange", text)

    def wrong(self, kind: str, text: str) -> None:
        """Note something that must not be."""
        self.found[kind] += 1
        if len(self._examples[kind]) < SHOWN:
            self._examples[kind].append(text)

    def lines(self) -> list[str]:
        """Return what is wrong, with examples."""
        return [
            f"{kind} ({self.found[kind]}): {text}"
            for kind, texts in self._examples.items()
            for text in texts
        ]

    def _mailbox(self, name: str) -> None:
        """Look at what one user got."""
        got, stored = self._history.got.get(name, []), self._history.stored.get(name, [])
        places = [seq for seq, _ in got]
        if places != list(range(1, len(got) + 1)):
            self.wrong("gaps", f"{name} got {len(got)} messages up to place {max(places)}")
        self._once(name, "got", got)
        self._once(name, "stored", stored)
        for place in sorted(set(stored) - set(got)):
            self.wrong("kept back", f"{name} never got {place}")
        for place in sorted(set(got) - set(stored)):
            self.wrong("not stored", f"{name} got {place}")
        self._known(name, got)

    def _once(self, name: str, word: str, mails: list[tuple[int, str]]) -> None:
        """Demand each message once, and those of one author in the order of writing."""
        last: dict[str, int] = {}
        seen: set[str] = set()
        for seq, ref in mails:
            author, _, number = ref.partition("-")
            count = int(number) if number.isdigit() else 0
            if ref in seen:
                self.wrong("twice", f"{name} {word} {ref} again as {seq}")
            elif count < last.get(author, 0):
                self.wrong("out of order", f"{name} {word} {ref} after {author}-{last[author]}")
            seen.add(ref)
            last[author] = max(count, last.get(author, 0))

    def _known(self, name: str, got: list[tuple[int, str]]) -> None:
        for _, ref in got:
            to = self._history.sent.get(ref)
            if to is None:
                self.wrong("invented", f"{name} got {ref}, which nobody wrote")
            elif to != name:
                self.wrong("misdelivered", f"{name} got {ref}, which was for {to}")

    def _promises(self) -> None:
        """Look for each promised message at its place."""
        places = {name: dict(mails) for name, mails in self._history.got.items()}
        for ref, (to, seq) in self._history.promised.items():
            if places.get(to, {}).get(seq) == ref:
                continue
            there = ref in set(places.get(to, {}).values())
            what = f"{ref}, promised to {to} as {seq}"
            self.wrong("elsewhere" if there else "lost", what)
        for text in self._history.broken:
            self.wrong("elsewhere", text)
