"""Who asks before log-in does not learn which names there are, neither by words nor by time."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator
from functools import partial
from unittest import mock

from bpost.crypto import login
from bpost.crypto.primitives import random_bytes, scrypt
from bpost.limits import Limits, Rate
from bpost.server.models import Client
from bpost.server.rates import Rates
from tests.server.parts import OTHER, PASSWORD, OfficeTest, Visitor, device_of, reason
from tests.server.test_rates import Clock
from tests.welch import BOUND, Work, differ, t_value

NAMES = 1_000
MADE_UP = "a" * 16
KEY, ID = "C" * 43, "9d0c6a3e-5a0b-4f57-9c9f-0d6a3b1c2e4f"


class TimeTest(OfficeTest):
    """Log-in takes as long for a name that nobody has."""

    def setUp(self) -> None:
        super().setUp()
        # Hashing is what takes time. Here it takes little, so that all else shows up beside it:
        # a difference of ten microseconds would.
        for change in (mock.patch.object(login, "N", 2**6), mock.patch.object(login, "_NOBODY")):
            change.start()
            self.addCleanup(change.stop)
        login._NOBODY = login.hash_login(KEY, random_bytes)
        hashed = login.hash_login(PASSWORD)
        rows = [
            {"name": name, "canonical": name, "login": hashed, "created": 1}
            for name in map("known{:04}".format, range(NAMES))
        ]
        with self.office.store.transaction() as database:
            Client.insert_many(rows).execute(database)

    def test_e71_a_thousand_known_and_unknown_names_are_answered_alike_and_after_one_time(
        self,
    ) -> None:
        for fields in ((), ("new",), (MADE_UP,)):
            answers: set[tuple[str, ...]] = set()
            with self.subTest(fields=fields):
                found = differ(partial(self._pairs, fields, answers))
                self.assertLess(found, BOUND)
                self.assertEqual({reason(list(answer)) for answer in answers}, {"wrong-password"})
                self.assertEqual(len(answers), 1)

    def _pairs(
        self, fields: tuple[str, ...], answers: set[tuple[str, ...]]
    ) -> Iterator[tuple[Work, Work]]:
        """Yield a try of a known name beside one of an unknown name, twice for each."""
        visitor = self.visitor()

        def attempt(name: str) -> None:
            answers.add(tuple(visitor.ask("1", name, OTHER, *fields)))

        for number in (*range(NAMES), *range(0, NAMES, 10)):
            yield partial(attempt, f"known{number:04}"), partial(attempt, f"ghost{number:04}")

    def test_the_measure_itself_sees_a_difference_and_no_other(self) -> None:
        some = [100.0 + number % 7 for number in range(500)]
        self.assertGreater(abs(t_value(some, [one + 1 for one in some])), BOUND)
        self.assertLess(abs(t_value(some, list(reversed(some)))), BOUND)


class WorkTest(OfficeTest):
    """What the hash costs, which the other test makes cheap."""

    def test_e71_the_hash_of_nobody_costs_what_a_real_one_costs(self) -> None:
        self.user("alice")
        with mock.patch.object(login, "scrypt", wraps=scrypt) as work:
            for name in ("alice", "nobody", "alice", "nobody"):
                self.visitor().ask("1", name, OTHER)
        costs = [call.kwargs for call in work.call_args_list]
        self.assertEqual(costs, [{"n": login.N, "r": login.R, "p": login.P, "length": 32}] * 4)


class CountTest(OfficeTest):
    """What is counted, and what it says then."""

    limits = Limits(
        log_ins_account=Rate(3, 60), log_ins_address=Rate(1000, 60), requests=Rate(1000, 1)
    )

    def setUp(self) -> None:
        super().setUp()
        self.office.rates = Rates(self.limits, Clock())

    def test_e71_unknown_names_are_counted_like_known_ones_and_the_owner_gets_in(self) -> None:
        self.user("alice")
        phone = device_of(self.device("alice"))
        self.office.rates = Rates(self.limits, Clock())
        for fields in ((), ("new",), (MADE_UP,)):
            told = [self._tries(name, fields) for name in ("alice", "nobody")]
            self.assertEqual(told[0], told[1], fields)
            self.assertEqual(told[0][-1][2], "rate-limited")
        self.device("alice", phone)

    def _tries(self, name: str, fields: tuple[str, ...]) -> list[list[str]]:
        return [self.visitor().ask("1", name, OTHER, *fields) for _ in range(5)]


class AnswerTest(OfficeTest):
    """Which questions tell whether there is a name: a closed list, and all others do not."""

    def setUp(self) -> None:
        super().setUp()
        self.me = self.user("alice")
        self.user("known")

    def test_e71_before_log_in_only_a_registration_tells(self) -> None:
        self.assertEqual(self._telling(self.visitor, _in_the_name_of), {"2"})

    def test_e71_a_frame_in_the_name_of_another_tells_nothing(self) -> None:
        self.assertEqual(self._telling(lambda: self.me, _in_the_name_of), set())

    def test_e71_only_what_is_about_somebody_tells_and_that_is_a_closed_list(self) -> None:
        telling = self._telling(lambda: self.me, _about)
        self.assertEqual(telling, {"4", "7", "9 remove", "9 block", "9 unblock"})

    def _telling(
        self, visitor: Callable[[], Visitor], asked: Callable[[str], list[list[str]]]
    ) -> set[str]:
        """Return the requests that are answered otherwise for a name than for a ghost."""
        telling: set[str] = set()
        for known, ghost in zip(asked("known"), asked("ghost"), strict=True):
            heard = [
                (repr(one.say(*what)), one.wire.ended)
                for one, what in ((visitor(), known), (visitor(), ghost))
            ]
            if (heard[0][0].replace("known", "ghost"), heard[0][1]) != heard[1]:
                telling.add(" ".join(known[:2]) if known[0] == "9" else known[0])
        return telling


def _in_the_name_of(name: str) -> list[list[str]]:
    """Return the requests that name their sender, with a name that is not the asker's."""
    return [
        ["0", name, "hi", "alice", ID],
        ["1", name, OTHER],
        ["3", name, OTHER, KEY],
        ["4", name, "alice"],
        ["6", name, "key"],
        ["7", name, "alice"],
        ["12", name, "typing", "alice"],
        ["14", name, OTHER],
        ["2", name, OTHER],
    ]


def _about(name: str) -> list[list[str]]:
    """Return the requests of alice that are about somebody."""
    pairs = [[code, "alice", name] for code in ("7", "4")]
    lists = [["9", word, name] for word in ("unblock", "remove", "block")]
    return [["0", "alice", "hi", name, ID], ["12", "alice", "typing", name], *pairs, *lists]


if __name__ == "__main__":
    unittest.main()
