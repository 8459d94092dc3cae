"""Takeouts that the soak must notice: early promises, copies and gaps."""

from __future__ import annotations

from tests.takeouts import Takeout
from tests.takeouts.server_store import EARLY, MAIL, MAILROOM, STORED

SOAK_TEST = (
    "tests.test_soak.SoakTest."
    "test_s37_s38_s44_nothing_is_lost_doubled_or_out_of_order_nor_left_over"
)

TAKEOUTS = [
    Takeout(
        "S37",
        MAILROOM,
        STORED,
        EARLY + "            threading.Event().wait(0.05)\n" + STORED,
        SOAK_TEST,
    ),
    Takeout(
        "S38",
        MAIL,
        "        receipt = None if letter.ref is None else self._known.get(key)\n",
        "        receipt = None\n",
        SOAK_TEST,
    ),
    Takeout(
        "S44",
        MAIL,
        "        self._last[recipient] = seq\n",
        "        self._last[recipient] = seq + 1\n",
        SOAK_TEST,
    ),
]
