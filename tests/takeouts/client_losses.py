"""Takeouts of what is told of a loss, and of what a restored profile does not do again."""

from __future__ import annotations

from tests.takeouts import Takeout

COPIES = "tests.client.test_losses.OwnCopyTest."
RESTORED = "tests.client.test_losses.RestoredTest."
ROLLBACK = "bpost/client/rollback.py"
CHAINS = "bpost/client/chains.py"
EPOCHS = "bpost/client/epochs.py"
UNAWARE = "tests.client.test_epochs.UnawareTest."
HIDDEN = "tests.client.test_losses.HiddenTest."
ENDS = "tests.client.test_epochs.EndTest."

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
        "            self._want(course, (max(first, before - LOOKED_BACK + 1), before))\n",
        "",
        "tests.client.test_losses.JoinedTest."
        "test_e43_the_first_message_for_a_device_that_joined_is_missed_at_the_next",
    ),
    Takeout(
        "E30",
        EPOCHS,
        "        self._store.run(Chain.update(number=began).where(*mine))\n",
        "",
        ENDS + "test_e30_two_copies_that_are_used_in_the_same_minute_use_no_number_twice",
    ),
    Takeout(
        "E43",
        CHAINS,
        "            self.epochs.end(course, payload.number)\n            return\n",
        "            pass\n",
        RESTORED + "test_e43_what_was_sent_before_a_restore_and_comes_late_is_shown",
    ),
    Takeout(
        "E43",
        CHAINS,
        '        return (1, "") if began is None else (int(began) + 1, NO_HASH)\n',
        '        return 1, ""\n',
        RESTORED + "test_e43_a_conversation_that_a_restored_profile_begins_has_numbers_of_its_own",
    ),
    Takeout(
        "E43",
        "bpost/client/healing.py",
        "        return told + self._chains.expose(entry.row)\n",
        "        return told\n",
        HIDDEN + "test_e43_a_lost_message_shows_where_the_placeholder_was_of_no_message",
    ),
    Takeout(
        "E43",
        CHAINS,
        "        place = int(self._history.next_place())  # another message took the line that it",
        "        return []  #",
        HIDDEN + "test_e43_a_lost_message_shows_where_another_took_the_placeholder",
    ),
    Takeout(
        "E43",
        CHAINS,
        "            if epoch < payload.number // EPOCH and last < number:\n",
        "            if False:\n",
        ENDS + "test_e43_a_last_message_that_was_lost_before_a_restore_comes_after_it",
    ),
    Takeout(
        "E43",
        ROLLBACK,
        "            self._announce(conversation)\n",
        "            pass\n",
        ENDS + "test_e43_a_last_message_that_was_lost_before_a_restore_comes_after_it",
    ),
    Takeout(
        "E43",
        CHAINS,
        "        self.epochs.tell(course, payload)\n",
        "",
        ENDS + "test_e43_what_a_restored_device_never_knew_is_lost_where_another_device_got_it",
    ),
    Takeout(
        "E43",
        ROLLBACK,
        "            self._announce(answer.conversation)\n",
        "            pass\n",
        ENDS + "test_e43_what_a_restored_device_never_knew_is_lost_where_another_device_got_it",
    ),
    Takeout(
        "E43",
        CHAINS,
        "        if known:\n            return known\n",
        "        return payload.number - 1\n",
        ENDS + "test_e43_a_gap_within_an_earlier_run_is_noticed",
    ),
    Takeout(
        "E30",
        EPOCHS,
        "            and row.told <= before\n",
        "",
        ENDS + "test_e30_a_device_is_told_where_its_run_ended_once_an_hour",
    ),
    Takeout(
        "E30",
        EPOCHS,
        "            if epoch < now and known < number <= known + NUMBERS:\n",
        "            if known < number:\n",
        ENDS + "test_e30_an_end_that_nobody_can_have_seen_is_not_believed",
    ),
    Takeout(
        "E30",
        EPOCHS,
        "me.now() // 1000 - FIRST_SECOND) * EPOCH\n",
        "0) * EPOCH\n",
        ENDS + "test_e30_two_copies_that_are_used_in_the_same_minute_use_no_number_twice",
    ),
    Takeout(
        "E30",
        "bpost/server/store_mail.py",
        "ORDER BY rowid DESC LIMIT 1",
        "ORDER BY timestamp DESC, seq DESC LIMIT 1",
        "tests.server.test_store.MailboxTest."
        "test_e30_the_last_message_of_a_device_is_the_one_that_was_stored_last",
    ),
    Takeout(
        "E30",
        "bpost/client/mailbox.py",
        '            if error.cause != "duplicate":\n                raise\n            text = "It',
        '            raise\n            text = "It',
        UNAWARE + "test_e30_what_comes_under_a_key_that_was_used_is_not_passed_over",
    ),
    Takeout(
        "E43",
        CHAINS,
        "            self._note_gap(course, (last, last), events)",
        "            pass",
        UNAWARE + "test_e43_a_message_under_a_number_that_was_used_is_missed_by_its_hash",
    ),
    Takeout(
        "E43",
        CHAINS,
        "            if epoch < payload.number // EPOCH and last < number:\n",
        "            if False:\n",
        "tests.client.test_drill.SmallTest."
        "test_e43_whatever_is_put_back_nothing_is_lost_in_silence",
    ),
    Takeout(
        "E43",
        CHAINS,
        "        if gap is not None:  # the device counted anew from before it\n",
        "        if False:\n",
        HIDDEN + "test_e43_a_gap_ends_also_where_its_device_counts_anew_from_before_it",
    ),
    Takeout(
        "E43",
        "bpost/client/chains.py",
        "here = (Entry.conversation == course.conversation, self._is_free())",
        "here = (Entry.conversation == course.conversation,)",
        "tests.client.test_losses.HiddenTest.test_e43_each_gap_relies_on_a_placeholder_of_its_own",
    ),
]
