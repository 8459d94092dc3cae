"""Takeouts of who one is on a server, and of what a damaged database does."""

from __future__ import annotations

from tests.takeouts import Takeout

DIRECTORY = "bpost/server/directory.py"
ENTRY = "bpost/server/entry.py"
FIELDS = "bpost/protocol/fields.py"
STORE = "bpost/server/store.py"

GUESS_TEST = "tests.server.test_who.GuessTest."
NAME_TEST = "tests.server.test_who.NameTest."
STRANGER_TEST = "tests.server.test_who.StrangerTest."
TABLE_TEST = "tests.server.test_store.FailureTest."

TAKEOUTS = [
    Takeout(
        "S15",
        FIELDS,
        "    return username.lower()\n",
        "    return username\n",
        NAME_TEST + "test_s15_a_name_in_any_case_is_one_account",
    ),
    Takeout(
        "S16",
        FIELDS,
        "        if self.pattern is not None and not self.pattern.fullmatch(value):\n",
        "        if self.pattern is not None and not value.strip():\n",
        NAME_TEST + "test_s16_no_other_signs_make_a_name_so_none_looks_like_another",
    ),
    Takeout(
        "S17",
        ENTRY,
        "    if name not in RESERVED:\n",
        "    if name:\n",
        NAME_TEST + "test_s17_names_that_speak_for_the_server_and_those_of_the_gone_are_nobodys",
    ),
    Takeout(
        "S18",
        FIELDS,
        "            check_size(value, getattr(limits, self.bound))\n",
        "            check_size(value[: len(value) // 2], getattr(limits, self.bound))\n",
        NAME_TEST + "test_s18_no_text_is_longer_than_it_may_be_counted_in_bytes",
    ),
    Takeout(
        "S19",
        ENTRY,
        "        if not office.store.accounts.invite_is_good(invite, now_ms()):\n",
        "        if not (office.store.accounts.find(name) or\n"
        "                office.store.accounts.invite_is_good(invite, now_ms())):\n",
        "tests.server.test_who.InviteOnlyTest."
        "test_s19_without_an_invitation_names_that_exist_and_others_are_answered_alike",
    ),
    Takeout(
        "S20",
        ENTRY,
        "    _take(session, rates.log_ins_account, (name, known), _ACCOUNT, name)\n",
        "    _take(session, rates.log_ins_account, (name, known, address), _ACCOUNT, name)\n",
        GUESS_TEST + "test_s20_from_however_many_addresses_an_account_is_guessed_at_slowly",
    ),
    Takeout(
        "S20",
        ENTRY,
        "    _take(session, rates.log_ins_address, address, _ADDRESS)\n",
        "",
        GUESS_TEST + "test_s20_an_address_cannot_go_through_all_names",
    ),
    Takeout(
        "S20",
        ENTRY,
        "    if counted.device is not None:\n        counted.give_back(session)\n",
        "",
        GUESS_TEST + "test_s20_the_owner_comes_in_meanwhile_and_as_often_as_he_likes",
    ),
    Takeout(
        "S25",
        "bpost/server/session.py",
        "            self.office.presence.expel(older, notice)\n",
        "            pass\n",
        "tests.server.test_who.TwiceTest."
        "test_s25_the_newer_wins_each_time_and_no_message_is_lost_or_doubled",
    ),
    Takeout(
        "S25",
        "bpost/client/receiver.py",
        "                failures = ELSEWHERE\n",
        "                pass\n",
        "tests.client.test_client.ConnectionTest."
        "test_s25_two_copies_of_a_profile_do_not_push_each_other_out_in_a_loop",
    ),
    Takeout(
        "S28",
        DIRECTORY,
        "    if not own and not store.contacts.has(me.id, contact.id):\n",
        "    if False:\n",
        STRANGER_TEST + "test_s28_a_stranger_learns_that_a_name_exists_and_no_more",
    ),
    Takeout(
        "S28",
        "bpost/server/store_mail.py",
        "self._withhold(key) if relation.blocked else self._store(letter, key)",
        "self._store(letter, key)",
        STRANGER_TEST + "test_s28_whoever_is_blocked_cannot_tell_and_reaches_nobody",
    ),
    Takeout(
        "S36",
        "bpost/client/timing.py",
        "    return whole * (1 - secrets.randbelow(250) / 1000)",
        "    return whole",
        "tests.client.test_timing.TimingTest."
        "test_s36_the_wait_to_reconnect_doubles_up_to_a_minute_and_varies",
    ),
    Takeout(
        "S41",
        STORE,
        '    elif "locked" in text:\n',
        '    elif "blocked" in text:\n',
        TABLE_TEST + "test_s41_who_waits_too_long_for_another_program_is_told_and_goes_on_later",
    ),
    Takeout(
        "S41",
        STORE,
        "        with self._held(), self._failures(), translated:\n            yield",
        "        with self._held(), self._failures():\n            yield",
        TABLE_TEST + "test_s41_a_damaged_page_is_told_plainly_and_the_rest_can_be_read",
    ),
    Takeout(
        "S41",
        STORE,
        '    if "malformed" in text or "not a database" in text:\n',
        '    if "not a database" in text:\n',
        TABLE_TEST + "test_s41_a_file_that_was_cut_short_is_refused_and_left_as_it_is",
    ),
    Takeout(
        "S41",
        STORE,
        '    if "malformed" in text or "not a database" in text:\n',
        '    if "malformed" in text:\n',
        TABLE_TEST + "test_s41_what_is_no_database_is_told_plainly_and_left_as_it_is",
    ),
    Takeout(
        "S41",
        STORE,
        '    elif "readonly" in text or "unable to open" in text:\n',
        '    elif "unable to open" in text:\n',
        TABLE_TEST + "test_s41_a_database_that_cannot_be_written_to_says_what_to_do",
    ),
    Takeout(
        "S42",
        STORE,
        '    ("journal_size_limit", 64 * 1024 * 1024),\n',
        "",
        TABLE_TEST + "test_s42_the_log_of_changes_shrinks_when_a_long_reader_is_gone",
    ),
]
