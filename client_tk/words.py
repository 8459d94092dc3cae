"""Sentences, times, initials and hints: what people read, made from plain values."""

from __future__ import annotations

import re
import time
import unicodedata
import zlib
from dataclasses import dataclass

from bpost.client import ConnectionState, Message

DAY = 24 * 3600
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Controls that change the direction of what follows. Those that force one are never shown; in one
# line of a list, the others would move the words beside them.
OVERRIDES = "\u202a\u202b\u202c\u202d\u202e"
EMOJI = re.compile("[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001fbff]")
JOINERS = re.compile("[\u200d\u20e3\ufe0e\ufe0f\U000e0000-\U000e007f]")
OWN = "Your account"  # in place of one's own name, where others stand by theirs
_in_words = False
UNSEEN = ("Cc", "Cs")  # controls, and halves of a character
DIRECTIONS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


def local(milliseconds: int) -> time.struct_time:
    """Return a time of a record as local time; one that no clock can show becomes 1970."""
    try:
        return time.localtime(milliseconds / 1000)
    except (OverflowError, OSError, ValueError):
        return time.localtime(0)


def clock(milliseconds: int) -> str:
    """Return the local time of day, such as ``14:05``."""
    return time.strftime("%H:%M", local(milliseconds))


def date(milliseconds: int) -> str:
    """Return the local date and time of day, such as ``7 Mar 2026 14:05``."""
    then = local(milliseconds)
    return f"{then.tm_mday} {MONTHS[then.tm_mon - 1][:3]} {then.tm_year} {clock(milliseconds)}"


def day_key(milliseconds: int) -> tuple[int, int]:
    """Return the local day as a value to compare: year and day of the year."""
    then = local(milliseconds)
    return then.tm_year, then.tm_yday


def day(milliseconds: int, now: float) -> str:
    """Return the name of a local day as it heads the messages of that day."""
    then, today = local(milliseconds), time.localtime(now)
    if (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday):
        return "Today"
    yesterday = time.localtime(now - DAY)
    if (then.tm_year, then.tm_yday) == (yesterday.tm_year, yesterday.tm_yday):
        return "Yesterday"
    name = f"{WEEKDAYS[then.tm_wday]}, {then.tm_mday} {MONTHS[then.tm_mon - 1]}"
    return name if then.tm_year == today.tm_year else f"{name} {then.tm_year}"


def short_time(milliseconds: int, now: float) -> str:
    """Return the time for a narrow place: the hour today, the weekday this week, else the date."""
    then, today = local(milliseconds), time.localtime(now)
    name = day(milliseconds, now)
    if name == "Today":
        return clock(milliseconds)
    if name == "Yesterday":
        return name
    if 0 < now - milliseconds / 1000 < 6 * DAY:
        return WEEKDAYS[then.tm_wday][:3]
    date = f"{then.tm_mday} {MONTHS[then.tm_mon - 1][:3]}"
    return date if then.tm_year == today.tm_year else f"{date} {then.tm_year}"


def one_line(text: str, most: int = 200) -> str:
    """Return the beginning of ``text`` on one line, without controls of any kind."""
    kept = (
        " " if char.isspace() else char
        for char in text[: most * 2]
        if char.isspace()
        or (unicodedata.category(char) not in UNSEEN and ord(char) not in DIRECTIONS)
    )
    line = " ".join("".join(kept).split())[:most]
    return without_emoji(line) if _in_words else line


def emoji_in_words(wanted: bool) -> None:
    """Write emoji as words from now on, or as what they are (`system.draws_emoji`)."""
    global _in_words
    _in_words = wanted


def without_emoji(text: str) -> str:
    """Return ``text`` with emoji written as words, and what only joins or colours them left out."""
    return "".join(
        f"[{unicodedata.name(char, 'emoji').lower()}]" if EMOJI.match(char) else char
        for char in JOINERS.sub("", text)
    )


def printable(text: str) -> str:
    """Return ``text`` with what cannot be shown taken out; line ends stay."""
    return "".join(
        "    " if char == "\t" else char
        for char in (without_emoji(text) if _in_words else text)
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        if char in "\n\t" or (unicodedata.category(char) not in UNSEEN and char not in OVERRIDES)
    )


def initials(name: str) -> str:
    """Return one or two letters for the picture of ``name``."""
    parts = [part for part in name.replace("-", ".").replace("_", ".").split(".") if part]
    if not parts:
        return "?"
    letters = parts[0][0] + (parts[1][0] if len(parts) > 1 else "")
    return letters.upper()


def color_number(name: str, colors: int) -> int:
    """Return which of ``colors`` colours belongs to ``name``, always the same."""
    return zlib.crc32(name.lower().encode()) % colors


def last_line(message: Message | None) -> str:
    """Return the newest message of a conversation, as the list of conversations shows it."""
    if message is None:
        return "No messages yet"
    shown = {
        "unreadable": "A message that could not be read",
        "unsupported": "A message for a newer BPost",
        "deleted": message.failure or "This message was deleted.",
    }.get(message.kind) or one_line(message.text)
    return f"You: {shown}" if message.own and message.kind == "text" else shown


def messages(count: int) -> str:
    """Return a number of messages in words."""
    return "1 message" if count == 1 else f"{count:,} messages"


def connection(state: ConnectionState, retry_in: float | None, waiting: int, text: str = "") -> str:
    """Return the line below the window that says where the connection stands."""
    if state is ConnectionState.CONNECTED:
        return f"Connected · {messages(waiting)} waiting" if waiting else "Connected"
    if state is ConnectionState.CONNECTING:
        return "Connecting …"
    if state is ConnectionState.REFUSED:
        first, full_stop, _ = text.partition(". ")
        return first + full_stop.strip() or "The server was refused."
    held = f" · {messages(waiting)} waiting" if waiting else ""
    if state is ConnectionState.WAITING and retry_in is not None:
        seconds = max(1, round(retry_in)) if retry_in > 0.5 else 0
        soon = f"in {seconds} s" if seconds else "now"
        return f"Reconnecting {soon}{held}"
    return f"Offline: {messages(waiting)} waiting" if waiting else "Offline"


def fingerprint(pin: str) -> str:
    """Return a pin in groups of four, so that two people can read it to each other."""
    return " ".join(pin[place : place + 4] for place in range(0, len(pin), 4))


def digits(number: str) -> str:
    """Return a safety number as three lines of four groups of five digits."""
    plain = "".join(char for char in number if char.isdigit())
    groups = [plain[place : place + 5] for place in range(0, len(plain), 5)]
    return "\n".join("  ".join(groups[row : row + 4]) for row in range(0, len(groups), 4))


@dataclass(frozen=True)
class Strength:
    """How hard a password is to guess: ``level`` 0 (none) to 4 (strong), and a sentence."""

    level: int
    hint: str


COMMON = ("password", "passwort", "motdepasse", "qwerty", "azerty", "letmein", "welcome", "123456")
LEVELS = ("", "Very weak", "Weak", "Good", "Strong")


def strength(password: str, username: str = "") -> Strength:
    """Judge a password: length counts most, since whoever guesses tries words and patterns."""
    if not password:
        return Strength(0, "Four unrelated words make a good password.")
    lower = password.lower()
    if any(word in lower for word in COMMON):
        return Strength(1, "Very weak: it holds one of the most common passwords.")
    if username and username.lower() in lower:
        return Strength(1, "Very weak: it holds the username.")
    kinds = sum(
        any(test(char) for char in password)
        for test in (str.islower, str.isupper, str.isdigit, lambda char: not char.isalnum())
    )
    worth = min(len(password), 2 * len(set(password))) + 2 * (kinds - 1)
    level = 1 + sum(worth >= bound for bound in (9, 13, 17))
    advice = {
        1: "a few more words would help",
        2: "longer is better",
        3: "hard to guess",
        4: "very hard to guess",
    }
    return Strength(level, f"{LEVELS[level]}: {advice[level]}.")
