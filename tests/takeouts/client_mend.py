"""Takeouts of what was found by attacking the client library, and mended."""

from __future__ import annotations

from tests.takeouts import Takeout

_HOSTILE = "tests.client.test_hostile"

TAKEOUTS = [
    Takeout(
        "E43",
        "bpost/client/mailbox.py",
        "(unsealed.new_key or not self._is_there(payload))",
        "True",
        f"{_HOSTILE}.RepeatedIdTest"
        ".test_e43_an_earlier_id_under_a_new_number_is_a_repeat_and_stops_nothing",
    ),
    Takeout(
        "E43",
        "bpost/client/mailbox.py",
        'id="" if unsealed.new_key else payload.id,\n'
        '            device="" if unsealed.new_key else payload.device,\n',
        "id=payload.id,\n            device=payload.device,\n",
        f"{_HOSTILE}.FalseKeyTest"
        ".test_e43_what_comes_under_a_false_key_does_not_stand_in_for_a_message_to_come",
    ),
    Takeout(
        "E43",
        "bpost/client/mailbox.py",
        "key = unsealed.opened.account_public",
        'key = b""',
        f"{_HOSTILE}.FalseKeyTest.test_e43_a_false_key_does_not_spoil_the_order_of_the_true_one",
    ),
    Takeout(
        "E43",
        "bpost/client/chains.py",
        "            self._keep_gap(course, (first, before))\n",
        "",
        f"{_HOSTILE}.LateJoinerTest"
        ".test_e43_numbers_out_of_order_take_their_places_at_a_device_that_joined_late",
    ),
    Takeout(
        "E50",
        "bpost/client/mailbox.py",
        "            if unsealed.new_key:\n                log",
        "            if False:\n                log",
        f"{_HOSTILE}.FalseKeyTest.test_e50_a_receipt_under_an_unknown_account_key_is_not_believed",
    ),
    Takeout(
        "E50",
        "bpost/client/mailbox.py",
        "if not unsealed.new_key and payload.sender != self._profile.name:",
        "if payload.sender != self._profile.name:",
        f"{_HOSTILE}.FalseKeyTest"
        ".test_e50_what_comes_under_an_unknown_account_key_is_owed_no_receipt",
    ),
    Takeout(
        "E61",
        "bpost/crypto/session.py",
        "    if known.list.find(device) is None:\n",
        "    if known is None:\n",
        f"{_HOSTILE}.RemovedDeviceTest.test_e61_what_a_removed_device_goes_on_saying_is_refused",
    ),
    Takeout(
        "E14",
        "bpost/client/stock.py",
        "not fresh < current.created <= ahead",
        "current.created <= fresh",
        "tests.client.test_stock.StockTest"
        ".test_e14_keys_made_while_the_clock_was_far_ahead_are_renewed_when_it_is_right",
    ),
]
