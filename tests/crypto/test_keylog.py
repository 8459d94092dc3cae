"""The log of keys: what its hashes stand for."""

from __future__ import annotations

import unittest
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from bpost.crypto.keylog import (
    LINK,
    Link,
    entry_value,
    first_head,
    grow,
    list_statement,
    name_tag,
    next_link,
    stated_device,
    stated_version,
)
from bpost.errors import SecurityError

LOG = bytes(range(32))
entries = st.lists(
    st.tuples(st.sampled_from(["alice", "bob"]), st.sampled_from("KLM"), st.sampled_from("stu")),
    max_size=12,
)


def chain(said: list[tuple[str, str, str]], log: bytes = LOG) -> list[Link]:
    """Compute a log; names stand for their tags, which is quicker."""
    head, links = first_head(log), list[Link]()
    for position, (name, key, statement) in enumerate(said, 1):
        tag = name.encode().ljust(16, b".")
        links.append(next_link(head, position, tag, entry_value(key, statement)))
        head = links[-1].head
    return links


def spelled(links: list[Link]) -> bytes:
    """Write links as they travel."""
    return b"".join(link.tag + link.value for link in links)


class ChainTest(unittest.TestCase):
    """Equal heads are equal logs."""

    @given(entries, entries)
    def test_kt_logs_have_the_same_head_if_they_say_the_same_and_only_then(
        self, one: list[tuple[str, str, str]], other: list[tuple[str, str, str]]
    ) -> None:
        heads = [[link.head for link in chain(said)] for said in (one, other)]
        for size, (a, b) in enumerate(zip(*heads, strict=False), 1):
            self.assertEqual(a == b, one[:size] == other[:size])

    @given(entries, st.integers(0, 12))
    def test_what_travels_grows_into_the_same_log_from_any_size(
        self, said: list[tuple[str, str, str]], size: int
    ) -> None:
        links = chain(said)
        size = min(size, len(links))
        head = links[size - 1].head if size else first_head(LOG)
        self.assertEqual(list(grow(head, size, spelled(links[size:]))), links[size:])

    @given(entries.filter(bool), st.data())
    def test_kt_no_bit_of_a_link_can_be_another(
        self, said: list[tuple[str, str, str]], data: st.DataObject
    ) -> None:
        links = chain(said)
        travelling = bytearray(spelled(links))
        travelling[data.draw(st.integers(0, len(travelling) - 1))] ^= 1
        grown = list(grow(first_head(LOG), 0, bytes(travelling)))
        self.assertNotEqual(grown[-1].head, links[-1].head)

    def test_links_are_whole(self) -> None:
        with self.assertRaisesRegex(SecurityError, "cut off"):
            list(grow(first_head(LOG), 0, bytes(LINK + 1)))

    def test_a_place_is_part_of_a_link(self) -> None:
        one, other = (next_link(LOG, position, b"t" * 16, LOG) for position in (1, 2))
        self.assertNotEqual(one.head, other.head)


class NamesTest(unittest.TestCase):
    """What a link says to who does not know what it is about."""

    def test_a_name_has_one_tag_in_one_log(self) -> None:
        tags = [name_tag(LOG, name) for name in ("Alice", "alice")]
        self.assertEqual(*tags)
        self.assertEqual(len(tags[0]), 16)
        self.assertNotEqual(tags[0], name_tag(LOG[::-1], "alice"))
        self.assertNotEqual(tags[0], name_tag(LOG, "bob"))

    def test_keys_and_statements_do_not_run_into_each_other(self) -> None:
        values = [entry_value(*pair) for pair in (("KL", "s"), ("K", "Ls"), ("KLs", ""), ("", ""))]
        for one, other in combinations(values, 2):
            self.assertNotEqual(one, other)

    def test_a_statement_names_a_version_and_a_list(self) -> None:
        one = list_statement(7, b"a list", "a-device")
        self.assertNotEqual(one, list_statement(7, b"another", "a-device"))
        self.assertEqual((stated_version(one), stated_device(one)), (7, "a-device"))
        for other in ("", "x", "x.y", "-1.y", "9" * 30, "٧.y"):
            with self.subTest(other):
                self.assertEqual((stated_version(other), stated_device(other)), (0, ""))


if __name__ == "__main__":
    unittest.main()
