"""Takeouts for the devices of an account: joining, naming, removing."""

from __future__ import annotations

from tests.takeouts import Takeout

JOINING = "tests.client.test_joining"

TAKEOUTS = [
    Takeout(
        "S27",
        "bpost/server/store_mail.py",
        "        return replace(receipt, devices=self._published(relation.recipient), own=own)",
        "        return receipt",
        "tests.server.test_directory.BundleTest.test_s27_a_sender_is_told_the_devices_of_both_sides",
    ),
    Takeout(
        "S27",
        "bpost/client/outbox.py",
        "        self.reach.compare(reply)\n",
        "",
        f"{JOINING}.MissedTest.test_s27_a_message_goes_again_to_a_device_that_the_server_names",
    ),
    Takeout(
        "S27",
        "bpost/client/dispatch.py",
        "                self._named[user] = named\n",
        "",
        f"{JOINING}.MissedTest.test_s27_a_server_that_names_a_device_that_is_not_signed_for_gets_nothing",
    ),
]
