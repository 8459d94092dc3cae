"""Takeouts of healing: what is asked for again, of whom, how often, and who gets an answer."""

from __future__ import annotations

from tests.takeouts import Takeout

CHAINS = "bpost/client/chains.py"
DEVICES = "bpost/client/devices.py"
HEALING = "bpost/client/healing.py"
MAILBOX = "bpost/client/mailbox.py"
RESENDING = "bpost/client/resending.py"
ROLLBACK = "bpost/client/rollback.py"
STATE = "bpost/crypto/session_state.py"

GAPS = "tests.client.test_healing.GapTest."
UNREADABLE = "tests.client.test_healing.UnreadableTest."
LOST = "tests.client.test_healing.LostTest."
RESTORED = "tests.client.test_rollback.RollbackTest."
SENDERS = "tests.client.test_senders."
BOUNDS = "tests.client.test_healing_bounds.BoundsTest."

ONLY_ITS_OWN = '        if not _was_for(row, request):\n            return "not-for-you"\n'

TAKEOUTS = [
    Takeout(
        "E43",
        CHAINS,
        "            self._wants.miss_numbers(*whose, numbers, notice)\n",
        "            del numbers, whose\n",
        GAPS + "test_e43_a_dropped_message_is_sent_again_and_stands_where_it_belongs",
    ),
    Takeout(
        "E43",
        CHAINS,
        "return gap.place + (payload.number - gap.first + 1) / (gap.last - gap.first + 2)",
        "return None",
        GAPS + "test_e43_several_dropped_messages_come_back_in_order",
    ),
    Takeout(
        "E30",
        HEALING,
        "        entry = self._placeholder(frames[0].entry) if frames else None\n",
        "        entry = None\n",
        UNREADABLE + "test_e30_an_altered_message_heals_in_its_place",
    ),
    Takeout(
        "E32",
        HEALING,
        "        if device and anew and fresh + hour <= now:\n",
        "        if anew:\n",
        BOUNDS + "test_e32_a_thousand_unreadable_frames_begin_one_session",
    ),
    Takeout(
        "E32",
        HEALING,
        "known.asked + (pause if known.answered else hour))",
        "known.asked + pause)",
        BOUNDS + "test_e32_a_device_that_never_answers_is_asked_once_an_hour",
    ),
    Takeout(
        "E32",
        RESENDING,
        ONLY_ITS_OWN,
        "",
        BOUNDS + "test_e32_nothing_is_sent_again_to_a_device_that_it_was_not_for",
    ),
    Takeout(
        "E32",
        RESENDING,
        "        known = peer is not None and (peer.listed or peer.name == self._profile.name)\n",
        "        known = True\n",
        BOUNDS + "test_e32_who_is_no_contact_or_not_listed_gets_no_answer",
    ),
    Takeout(
        "E32",
        HEALING,
        "row is None or not (row.listed or peer == self._profile.name) or row.blocked",
        "row is None",
        BOUNDS + "test_e32_a_stranger_is_asked_for_nothing",
    ),
    Takeout(
        "E32",
        HEALING,
        "want.tries >= limits.retries and want.asked + hour < now",
        "False",
        LOST + "test_e32_after_three_requests_without_an_answer_it_is_lost",
    ),
    Takeout(
        "E33",
        MAILBOX,
        "            self._outbox.greet(peer.name)\n",
        "            pass\n",
        BOUNDS + "test_e33_an_answer_turns_the_ratchet_of_a_conversation_in_one_direction",
    ),
    Takeout(
        "E30",
        ROLLBACK,
        "        self._retire_all()\n",
        "",
        RESTORED + "test_e30_a_restored_copy_repeats_no_key_and_the_peer_shows_everything",
    ),
    Takeout(
        "E30",
        ROLLBACK,
        "        self._ask_for_later()\n",
        "",
        RESTORED + "test_e30_what_a_restored_copy_missed_is_sent_again",
    ),
    Takeout(
        "E30",
        ROLLBACK,
        "        self._seal_anew()\n",
        "",
        RESTORED + "test_e30_what_waited_in_a_restored_copy_is_sealed_anew_and_arrives_once",
    ),
    Takeout(
        "E30",
        "bpost/server/entry.py",
        "told_limits(office.limits), last)",
        "told_limits(office.limits))",
        "tests.client.test_rollback.TwoCopiesTest"
        ".test_e30_two_copies_of_a_profile_take_turns_and_everything_is_shown",
    ),
    Takeout(
        "E34",
        STATE,
        "sessions=(session, *others)[: limits.sessions_per_device])",
        "sessions=(session, *others))",
        BOUNDS + "test_e34_a_clone_that_goes_on_with_an_old_session_is_refused",
    ),
    Takeout(
        "E35",
        STATE,
        "current is None or current.is_stale(now, limits) or current.is_used_up(limits)",
        "current is None or current.is_stale(now, limits)",
        BOUNDS + "test_e35_a_chain_at_its_end_makes_way_for_a_new_session",
    ),
    Takeout(
        "E30",
        "bpost/client/dispatch.py",
        "            sought = self._parts.senders.take_sought()\n",
        "            sought = set[str]()\n",
        SENDERS + "FirstContactTest.test_e30_a_greeting_of_a_second_device_that_names_nobody_ends",
    ),
    Takeout(
        "E30",
        "bpost/client/senders.py",
        "            elif devices and self._is_sure(want):\n",
        "            elif devices:\n",
        SENDERS + "JoinedTest.test_e30_the_first_message_of_a_device_that_joined_heals",
    ),
    Takeout(
        "E30",
        HEALING,
        "            elif device and listed and device not in listed:\n",
        "            elif listed and device not in listed:\n",
        SENDERS + "JoinedTest.test_e30_the_first_message_of_a_device_that_joined_heals",
    ),
    Takeout(
        "E30",
        HEALING,
        "        reason = true_reason(one.cause for one in asked)\n",
        "",
        SENDERS + "AnswersTest"
        ".test_e30_what_was_no_message_is_not_said_to_be_lost_whoever_answers_first",
    ),
    Takeout(
        "E30",
        RESENDING,
        "            elif not self._journal.is_unsure(request.sender):",
        "            else:",
        SENDERS
        + "AnswersTest.test_e30_a_frame_whose_place_its_sender_does_not_know_yet_is_not_lost",
    ),
    Takeout(
        "E32",
        HEALING,
        "            self._note_asked(due)\n",
        "",
        SENDERS + "FirstContactTest.test_e32_the_devices_of_somebody_are_asked_for_once_an_hour",
    ),
    Takeout(
        "E30",
        "bpost/client/senders.py",
        "                own.append(want)\n",
        "                self._wants.spread(want, devices)\n",
        SENDERS + "JoinedTest"
        ".test_e30_an_own_copy_that_this_device_has_sent_is_not_said_to_be_lost",
    ),
    Takeout(
        "E30",
        "bpost/client/senders.py",
        " > want.noted and not maybe_own\n",
        " > want.noted\n",
        SENDERS + "JoinedTest"
        ".test_e30_an_own_copy_that_this_device_has_sent_is_not_said_to_be_lost",
    ),
    Takeout(
        "E30",
        HEALING,
        "                self._wants.ask_sooner(*whose)\n",
        "                pass\n",
        "tests.client.test_unread_answers.UnreadAnswersTest"
        ".test_e30_what_is_altered_as_often_as_it_is_sent_again_is_lost_on_both_sides",
    ),
    Takeout(
        "E30",
        RESENDING,
        "                self._wants.ask_sooner(request.sender, request.device)",
        "                pass",
        "tests.client.test_unread_answers.UnreadAnswersTest"
        ".test_e30_an_altered_request_is_made_again_at_once",
    ),
    Takeout(
        "E30",
        HEALING,
        "        if want.lost and want.cause not in GUESSED:\n",
        "        if want.lost:\n",
        "tests.client.test_unread_answers.UnreadAnswersTest"
        ".test_e30_an_answer_after_the_last_request_says_what_it_was",
    ),
]
