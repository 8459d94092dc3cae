"""Tests of bpost.crypto.backup."""

from __future__ import annotations

import io
import unittest
from collections.abc import Iterable
from unittest import mock

from bpost.crypto import backup
from bpost.crypto.backup import FRAME, HEADER, MAGIC, Costs, open_backup, seal_backup
from bpost.crypto.primitives import KEY, sha256
from bpost.errors import SecurityError, UsageError
from tests.crypto.people import CryptoTest

PIECES = [b"the first", b"", b"the third " * 1000, b"the last"]
PASSPHRASE = "seven words that nobody else would say"
WRONG = "^The passphrase does not open this backup"


def cheap(password: bytes, salt: bytes, **_costs: int) -> bytes:
    """Stretch nothing: the cost is tried where it belongs."""
    return sha256(salt, password)


def sealed(pieces: Iterable[bytes] = PIECES, costs: Costs = backup.DEFAULT) -> list[bytes]:
    """Return header, and the frames of the pieces."""
    return list(seal_backup(pieces, PASSPHRASE, costs))


def opened(data: bytes | Iterable[bytes], passphrase: str = PASSPHRASE) -> list[bytes]:
    """Return the pieces of a backup."""
    whole = data if isinstance(data, bytes) else b"".join(data)
    return list(open_backup(io.BytesIO(whole).read, passphrase))


def with_costs(header: bytes, costs: Costs) -> bytes:
    """Return a header that claims other costs."""
    start = len(MAGIC) + 1
    claimed = costs.memory_kib.to_bytes(4, "big") + costs.passes.to_bytes(4, "big")
    claimed += costs.lanes.to_bytes(1, "big")
    return header[:start] + claimed + header[start + len(claimed) :]


class BackupTest(CryptoTest):
    def setUp(self) -> None:
        patch = mock.patch.object(backup, "argon2id", side_effect=cheap)
        self.argon2id = patch.start()
        self.addCleanup(patch.stop)

    def test_what_is_sealed_opens(self) -> None:
        for pieces in (PIECES, [b"only one"], [b""]):
            with self.subTest(len(pieces)):
                self.assertEqual(opened(sealed(pieces)), pieces)
        self.assertEqual(opened(sealed([])), [b""])

    def test_two_backups_of_the_same_have_nothing_in_common(self) -> None:
        one, other = sealed(), sealed()
        self.assertFalse(set(one) & set(other))
        self.assertNotEqual(one[0][-KEY:], other[0][-KEY:])

    def test_another_spelling_of_the_passphrase_opens_it(self) -> None:
        whole = b"".join(seal_backup(PIECES, "caf\u00e9"))
        self.assertEqual(opened(whole, "cafe\u0301"), PIECES)

    def test_e67_a_wrong_passphrase_is_one_clear_error(self) -> None:
        data = sealed()
        for wrong in ("seven words", PASSPHRASE.upper(), PASSPHRASE + " "):
            with self.subTest(wrong), self.assertRaisesRegex(SecurityError, WRONG) as caught:
                opened(data, wrong)
            self.assertEqual(caught.exception.cause, "bad-token")
        with self.assertRaises(UsageError):
            opened(data, "")

    def test_e67_costs_out_of_bounds_are_refused_before_any_work(self) -> None:
        header, *frames = sealed()
        self.argon2id.reset_mock()
        cases = (
            (Costs(64 * 1024 * 1024, 3, 4), "too-large"),
            (Costs(64 * 1024, 2**32 - 1, 4), "too-large"),
            (Costs(64 * 1024, 3, 255), "too-large"),
            (Costs(1, 3, 4), "weak-parameters"),
            (Costs(64 * 1024, 1, 4), "weak-parameters"),
            (Costs(64 * 1024, 3, 0), "weak-parameters"),
        )
        for costs, cause in cases:
            with self.subTest(costs), self.refused(cause):
                opened([with_costs(header, costs), *frames])
        self.argon2id.assert_not_called()

    def test_e67_costs_and_salt_stand_in_the_file(self) -> None:
        header, *frames = sealed(costs=Costs(128 * 1024, 4, 2))
        self.argon2id.reset_mock()
        self.assertEqual(opened([header, *frames]), PIECES)
        told = mock.call(
            PASSPHRASE.encode(),
            header[HEADER - backup.SALT : HEADER],
            memory_kib=128 * 1024,
            passes=4,
            lanes=2,
        )
        self.assertEqual(self.argon2id.call_args_list, [told])

    def test_every_altered_byte_is_noticed(self) -> None:
        whole = b"".join(sealed([b"one", b"two"]))
        for at in range(len(whole)):
            with self.subTest(at), self.refused():
                opened(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])

    def test_a_backup_that_is_cut_anywhere_is_refused(self) -> None:
        whole = b"".join(sealed([b"one", b"two"]))
        for length in range(len(whole)):
            with self.subTest(length), self.refused():
                opened(whole[:length])

    def test_pieces_left_out_moved_doubled_or_added_are_refused(self) -> None:
        header, one, two, three, four = sealed()
        other = sealed()
        cases = {
            "the last left out": [header, one, two, three],
            "one in the middle left out": [header, one, three, four],
            "two that changed places": [header, two, one, three, four],
            "one twice": [header, one, one, two, three, four],
            "something behind the last": [header, one, two, three, four, four],
            "one of another backup": [header, other[1], two, three, four],
            "the last of another backup": [header, one, two, three, other[4]],
            "called the last": [header, one, b"\x01" + two[1:]],
        }
        for what, frames in cases.items():
            with self.subTest(what), self.refused("bad-encoding"):
                opened(frames)

    def test_what_is_no_backup_is_told_plainly(self) -> None:
        for data in (b"", b"BPOST", b"PK\x03\x04" + bytes(1000), bytes(200)):
            with (
                self.subTest(len(data)),
                self.assertRaisesRegex(SecurityError, "is no backup of BPost"),
            ):
                opened(data)

    def test_a_newer_format_is_not_guessed_at(self) -> None:
        header, *frames = sealed()
        at = len(MAGIC)
        with self.refused("newer-version"):
            opened([header[:at] + b"\x02" + header[at + 1 :], *frames])

    def test_a_length_beyond_the_bound_is_refused_unread(self) -> None:
        header, *_ = sealed()
        asked: list[int] = []
        source = io.BytesIO(header + b"\x00\xff\xff\xff\xff")

        def read(count: int) -> bytes:
            asked.append(count)
            return source.read(count)

        with self.refused("bad-encoding"):
            list(open_backup(read, PASSPHRASE))
        self.assertEqual(asked, [HEADER, KEY, FRAME])


class RealCostTest(CryptoTest):
    def test_e67_the_real_cost_opens_too(self) -> None:
        self.assertEqual(opened(sealed()), PIECES)


if __name__ == "__main__":
    unittest.main()
