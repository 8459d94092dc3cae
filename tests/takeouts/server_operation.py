"""Takeouts for the operation of the post office."""

from __future__ import annotations

from tests.takeouts import Takeout

RATE_TEST = "tests.server.test_entry.RateTest."

TAKEOUTS = [
    # S21: tries to log in are counted over a restart.
    Takeout(
        "S21",
        "bpost/server/office.py",
        "        self.clerk.every_round(ledger.write)\n",
        "",
        RATE_TEST + "test_s21_a_restart_gives_no_new_tries",
    ),
    Takeout(
        "S21",
        "bpost/server/ledger.py",
        "max(0, now - wall) / 1000",
        "0",
        RATE_TEST + "test_s21_time_goes_on_while_the_server_is_off",
    ),
    Takeout(
        "S21",
        "bpost/server/ledger.py",
        "max(0, now - wall) / 1000",
        "abs(now - wall) / 1000",
        RATE_TEST + "test_s21_a_clock_that_was_put_back_takes_nothing_away",
    ),
    Takeout(
        "S21",
        "bpost/server/ledger.py",
        "            if gone or changed:\n",
        "            if changed:\n",
        RATE_TEST + "test_s21_full_buckets_leave_no_row_and_names_none_at_all",
    ),
]
