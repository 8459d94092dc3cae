"""Exports: whole, readable anywhere, and harmless whatever was written."""

from __future__ import annotations

import json
import stat
import time
import unittest
from html.parser import HTMLParser

from bpost.client.export import Title, exported
from bpost.client.records import Message
from bpost.errors import UsageError
from tests.client.test_cli import CommandLine
from tests.client.town import wait_for_text

NOON = 1_764_000_000_000
DAY = 24 * 3600 * 1000
NASTY = (
    "<script>alert(1)</script>",
    "</p></article><img src=x onerror=alert(1)>",
    "\"'><a href=javascript:alert(1)>",
    "&lt;b&gt; &amp; &#60;",
    "\u202egnp.exe \u2066",
    "a\x00b\x1b[31mc\x9b1m",
    "two\nlines\tand a tab",
)


def message(text: str, number: int = 0, **changes: object) -> Message:
    """Return a message of bob."""
    fields = {
        "id": str(number),
        "conversation": "bob",
        "sender": "bob",
        "own": False,
        "kind": "text",
        "text": text,
        "sent": NOON,
        "received": NOON,
        "status": "received",
        **changes,
    }
    return Message(**fields)  # type: ignore[arg-type]


class Page(HTMLParser):
    """Reads a page: its elements, their attributes, and what stands in each kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data


def page(*messages: Message) -> Page:
    """Return the page of a conversation."""
    return Page("".join(exported(Title("alice", "bob", NOON), messages, "html")))


class HtmlTest(unittest.TestCase):
    def test_what_people_wrote_stands_there_and_does_nothing(self) -> None:
        read = page(*(message(text) for text in NASTY))
        shown = read.texts["p"][1:]
        self.assertEqual(shown[:5], list(NASTY[:5]))
        self.assertEqual(shown[5:], ["a\ufffdb\ufffd[31mc\ufffd1m", NASTY[6]])
        self.assertFalse(read.seen & {"script", "img", "a", "link", "iframe"})
        self.assertFalse({name for name in read.attributes if name.startswith("on")})

    def test_names_are_escaped_too(self) -> None:
        title = Title("<i>a</i>", '"b"', NOON)
        text = "".join(exported(title, [message("hi", sender="<u>")], "html"))
        self.assertFalse(Page(text).seen & {"i", "u"})

    def test_it_fetches_and_runs_nothing(self) -> None:
        text = "".join(exported(Title("alice", "bob", NOON), [message("https://x.org")], "html"))
        self.assertIn("default-src 'none'", text)
        self.assertFalse(Page(text).attributes & {"src", "href"})

    def test_days_are_separated_once_each(self) -> None:
        read = page(message("a"), message("b"), message("c", sent=NOON + DAY))
        expected = [time.strftime("%Y-%m-%d", time.localtime(NOON / 1000 + s)) for s in (0, 86400)]
        self.assertEqual(read.texts["h2"], expected)

    def test_what_could_not_be_read_is_told_from_what_was_said(self) -> None:
        read = page(
            message("", kind="unreadable", failure="It could not be read."),
            message("mine", own=True, sender="alice", status="failed"),
        )
        self.assertEqual(read.texts["p"][1:], ["It could not be read.", "mine"])
        self.assertEqual(read.texts["b"], ["alice"])
        self.assertEqual(read.texts["span"], ["not sent"])

    def test_no_other_format(self) -> None:
        with self.assertRaises(UsageError):
            exported(Title("alice", "bob", NOON), [], "pdf")  # type: ignore[arg-type]


class JsonTest(unittest.TestCase):
    def test_it_is_one_object_with_all_messages(self) -> None:
        for count in (0, 1, 3):
            with self.subTest(count):
                messages = [message(NASTY[number], number) for number in range(count)]
                text = "".join(exported(Title("alice", "bob", NOON), messages, "json"))
                read = json.loads(text)
                self.assertEqual((read["account"], read["conversation"]), ("alice", "bob"))
                self.assertEqual([one["text"] for one in read["messages"]], list(NASTY[:count]))
                self.assertTrue(text.isascii())


class ExportTest(CommandLine):
    """From a real profile, whole and in order."""

    lasts = 14

    def test_a_long_conversation_is_exported_whole(self) -> None:
        alice, bob = self.register("alice", "bob")
        said = [str(number) for number in range(1100)]
        for text in said:
            alice.send("bob", text)
        wait_for_text(bob, "alice", "1099")
        read = json.loads("".join(bob.export("Alice", "json")))
        self.assertEqual([one["text"] for one in read["messages"]], said)
        with self.assertRaises(UsageError):
            bob.export("carol", "json")

    def test_the_command_writes_a_private_file_and_never_over_another(self) -> None:
        self.sign_up("alice", "bob")
        self.run_cli("alice", "send", "bob", "see <this>")
        file = self.folder / "bob.html"
        command = ("export", "bob", "--output", str(file))
        self.assertEqual(self.run_cli("alice", *command), (0, "", ""))
        self.assertIn("see &lt;this&gt;", file.read_text(encoding="utf-8"))
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        code, _, err = self.run_cli("alice", *command)
        self.assertEqual((code, "exists already" in err), (1, True))
        code, out, _ = self.run_cli("alice", "export", "bob", "--format", "json")
        self.assertEqual((code, json.loads(out)["messages"][0]["text"]), (0, "see <this>"))
        self.assertEqual(self.run_cli("alice", "export", "carol")[0], 1)


if __name__ == "__main__":
    unittest.main()
