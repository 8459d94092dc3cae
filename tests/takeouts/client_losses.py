"""Takeouts of what is told of a loss, and of what a restored profile does not do again."""

from __future__ import annotations

from tests.takeouts import Takeout

COPIES = "tests.client.test_losses.OwnCopyTest."
RESTORED = "tests.client.test_losses.RestoredTest."
ROLLBACK = "bpost/client/rollback.py"
CHAINS = "bpost/client/chains.py"

TAKEOUTS = [
    Takeout(
        "E30",
        "bpost/client/healing.py",
        "self.entry is not None and self.entry.conversation == payload.conversation\n",
        "self.entry is not None\n",
        COPIES + "test_e30_the_placeholder_of_a_copy_ends_when_the_copy_comes_again",
    ),
    Takeout(
        "E30",
        "bpost/client/mailbox.py",
        "self._healing.close(missed, placed)\n",
        "self._healing.close(missed, shown)\n",
        COPIES + "test_e30_the_placeholder_of_a_copy_ends_when_the_copy_comes_again",
    ),
    Takeout(
        "E30",
        "bpost/client/resending.py",
        "            if reason == RESTORED:\n",
        "            if False:\n",
        RESTORED + "test_e30_what_a_restored_device_never_knew_is_lost_on_both_sides",
    ),
    Takeout(
        "E30",
        ROLLBACK,
        "        if dealt == ref:",
        "        if False:",
        RESTORED + "test_e30_a_restored_profile_that_has_not_sent_yet_is_not_restored_again",
    ),
    Takeout(
        "E30",
        "bpost/client/opener.py",
        "        opened = open_message(\n",
        "        if new_key and peer.name == self._profile.name:\n"
        '            raise SecurityError("account-key-changed", "")\n'
        "        opened = open_message(\n",
        COPIES + "test_e30_an_altered_byte_of_an_own_account_key_is_no_alarm_and_heals",
    ),
    Takeout(
        "E43",
        CHAINS,
        "        if self._history.holds(payload) and not missing:\n",
        "        if self._history.holds(payload):\n",
        "tests.client.test_losses.SealedAnewTest.test_e43_a_gap_of_what_is_there_already_ends",
    ),
    Takeout(
        "E43",
        CHAINS,
        "            self._want(payload, (max(first, before - LOOKED_BACK + 1), before), key)\n",
        "",
        "tests.client.test_losses.JoinedTest."
        "test_e43_the_first_message_for_a_device_that_joined_is_missed_at_the_next",
    ),
    Takeout(
        "E43",
        ROLLBACK,
        "        self._chains.begin_epoch()\n",
        "",
        RESTORED + "test_e43_a_number_of_before_a_restore_stands_for_no_other_message",
    ),
    Takeout(
        "E43",
        CHAINS,
        "            if self._is_of_before(payload, key):\n",
        "            if False:\n",
        RESTORED + "test_e43_what_was_sent_before_a_restore_and_comes_late_is_shown",
    ),
    Takeout(
        "E43",
        CHAINS,
        '        return (1, "") if began is None else (int(began) + 1, NO_HASH)\n',
        '        return 1, ""\n',
        RESTORED + "test_e43_a_conversation_that_a_restored_profile_begins_has_numbers_of_its_own",
    ),
]
