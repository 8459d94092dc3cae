"""Tests of bpost.crypto.codec, and of every structure of keys that is read with it."""

from __future__ import annotations

import unittest
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from bpost.crypto import keyfile
from bpost.crypto.account import SignedDeviceList
from bpost.crypto.codec import Reader, Writer, length_prefixed
from bpost.crypto.prekeys import Prekey
from bpost.errors import SecurityError
from tests.crypto.people import CryptoTest, Person, one_bit_off

ALICE = Person.named("alice")
KEY_FILE = keyfile.seal_key_file(bytes(32), bytes(32), ALICE.account)


def read_list(data: bytes) -> bytes:
    return SignedDeviceList.from_bytes(data).to_bytes()


def read_prekey(data: bytes) -> bytes:
    return Prekey.from_bytes(data).to_bytes()


def read_key_file(data: bytes) -> bytes:
    keyfile.open_with_account(data, ALICE.account)
    keyfile.open_with_password(data, bytes(32))
    return data


READERS: list[tuple[bytes, Callable[[bytes], bytes]]] = [
    (ALICE.devices.to_bytes(), read_list),
    (ALICE.signed.to_bytes(), read_prekey),
    (ALICE.kem.to_bytes(), read_prekey),
    (KEY_FILE, read_key_file),
]


class CodecTest(CryptoTest):
    def test_what_is_written_is_read(self) -> None:
        data = Writer().number(7, 2).fixed(b"abc", 3).blob(b"").text("Zoë").done()
        reader = Reader(data, "thing")
        self.assertEqual((reader.number(2), reader.fixed(3)), (7, b"abc"))
        self.assertEqual((reader.blob(9), reader.text(9)), (b"", "Zoë"))
        reader.end()

    def test_a_writer_refuses_a_wrong_length(self) -> None:
        with self.assertRaises(ValueError):
            Writer().fixed(b"abc", 4)

    def test_lengths_keep_parts_apart(self) -> None:
        self.assertNotEqual(length_prefixed(b"ab", b"c"), length_prefixed(b"a", b"bc"))
        self.assertNotEqual(length_prefixed(b"ab"), length_prefixed(b"ab", b""))

    def test_e49_what_is_missing_or_too_long_is_refused(self) -> None:
        bad: list[tuple[bytes, Callable[[Reader], object]]] = [
            (b"ab", lambda reader: reader.fixed(3)),
            (b"", lambda reader: reader.number(1)),
            (b"\x05", lambda reader: reader.number(1, most=4)),
            (b"\xff\xff\xff\xff", lambda reader: reader.blob(2**32)),
            (b"\0\0\0\x03abc", lambda reader: reader.blob(2)),
            (b"\0\0\0\x01\xff", lambda reader: reader.text(9)),
            (b"x", lambda reader: reader.end()),
        ]
        for data, read in bad:
            with self.subTest(data), self.refused("bad-encoding"):
                read(Reader(data, "thing"))

    def test_versions_are_told_apart(self) -> None:
        for version, cause in ((3, "newer-version"), (1, "older-version")):
            with self.refused(cause):
                Reader(bytes([version]), "thing").version(2)

    def test_e49_nothing_may_follow_nor_be_missing(self) -> None:
        for data, read in READERS:
            self.assertEqual(read(data), data)
            for altered in (data + b"\0", data + data, data[:-1], data[:1], b""):
                with self.subTest(read.__name__, length=len(altered)), self.refused():
                    read(altered)

    def test_e49_an_altered_bit_is_refused_or_read_as_it_is(self) -> None:
        for data, read in READERS:
            for altered in one_bit_off(data):
                self.assert_strict(read, altered)

    @settings(deadline=None)
    @given(st.binary(max_size=300), st.integers(0, 3))
    def test_e49_noise_is_refused_or_read_as_it_is(self, noise: bytes, which: int) -> None:
        data, read = READERS[which]
        for altered in (noise, data + noise, noise + data, data[:1] + noise):
            self.assert_strict(read, altered)

    def assert_strict(self, read: Callable[[bytes], bytes], data: bytes) -> None:
        """Demand the one exception, or the same bytes again."""
        try:
            found = read(data)
        except SecurityError:
            return
        self.assertEqual(found, data)


if __name__ == "__main__":
    unittest.main()
