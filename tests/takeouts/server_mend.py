"""Takeouts for what attacks on the running post office brought to light."""

from __future__ import annotations

from tests.takeouts import Takeout

DRAINER = "bpost/net/drainer.py"
DRAINER_TEST = "tests.net.test_drainer.DrainerTest."

STILL = """            self._await_room(outbound, still)  # more was put since it was drained
"""

TAKEOUTS = [
    Takeout(
        "S29",
        DRAINER,
        STILL,
        "            pass\n",
        DRAINER_TEST + "test_s29_what_is_put_just_after_a_drain_is_sent_too",
    ),
    Takeout(
        "S29",
        DRAINER,
        "        if waits:\n            return\n",
        "",
        DRAINER_TEST + "test_s29_a_flush_between_two_looks_does_not_end_the_thread",
    ),
    Takeout(
        "S29",
        DRAINER,
        "        except Exception as error:\n            self._forget",
        "        except OSError as error:\n            self._forget",
        DRAINER_TEST + "test_s29_what_fails_costs_one_connection_and_not_the_others",
    ),
]
