"""Takeouts of key transparency: what the log of keys is for (KT has no number of its own)."""

from __future__ import annotations

from tests.takeouts import Takeout

KEYLOG, GOSSIP = "bpost/client/keylog.py", "bpost/client/gossip.py"
AUDITING, HASHES = "bpost/client/auditing.py", "bpost/crypto/keylog.py"
FOLLOWING = "bpost/client/following.py"
STORE = "bpost/server/store_keylog.py"
VIEWS = "tests.client.test_keylog.TwoViewsTest."
FALSE = "tests.client.test_keylog.FalseKeyTest."
RESTORED = "tests.client.test_keylog.RestoredTest."
WITHOUT = "tests.client.test_keylog.WithoutTest."
SERVER = "tests.server.test_keylog."

TAKEOUTS = [
    Takeout(
        "KT",
        GOSSIP,
        "        self._store.run(claim.on_conflict_replace())\n",
        "",
        VIEWS + "test_kt_two_views_of_the_directory_are_found_out_by_the_next_message",
    ),
    Takeout(
        "KT",
        GOSSIP,
        "        if ours == theirs.hash:\n",
        "        if ours:\n",
        VIEWS + "test_kt_two_heads_of_the_same_length_are_found_out_by_either_side",
    ),
    Takeout(
        "KT",
        GOSSIP,
        "        if self._open(cause, peer):\n            return []\n",
        "",
        VIEWS + "test_kt_the_evidence_is_kept_and_the_same_is_told_once",
    ),
    Takeout(
        "KT",
        GOSSIP,
        "                self._end(row)\n                text",
        "                text",
        VIEWS + "test_kt_a_server_that_shows_the_same_log_again_is_told_of_too",
    ),
    Takeout(
        "KT",
        GOSSIP,
        " or not (own or peer.listed):\n",
        ":\n",
        VIEWS + "test_kt_a_stranger_cannot_cry_wolf",
    ),
    Takeout(
        "KT",
        AUDITING,
        "            if self._keylog.last_key(name, reply.logged) == reply.public_key:\n",
        "            if self._keylog.last_key(name, reply.logged):\n",
        FALSE + "test_kt_a_key_that_the_log_does_not_have_gets_nothing",
    ),
    Takeout(
        "KT",
        AUDITING,
        '            events += self._gossip.alarm("log-old-list", text, Evidence(name))\n',
        "",
        FALSE + "test_kt_an_older_list_of_devices_than_the_one_in_the_log_is_told",
    ),
    Takeout(
        "KT",
        KEYLOG,
        "        if len(links) != len(said) or not all(true):\n",
        "        if len(links) != len(said):\n",
        FALSE + "test_kt_entries_that_say_what_the_log_does_not_are_not_believed",
    ),
    Takeout(
        "KT",
        AUDITING,
        "        if foreign and self._is_renewed(foreign):\n",
        "        if foreign:\n",
        FALSE + "test_kt_a_key_in_the_log_under_my_name_is_shown_to_me",
    ),
    Takeout(
        "KT",
        FOLLOWING,
        "        self._replace(name, size)\n",
        "",
        RESTORED + "test_kt_a_restored_server_is_told_with_both_explanations_and_goes_on",
    ),
    Takeout(
        "KT",
        FOLLOWING,
        "            if _end(links, size, head or _first(page)) == _named(page):\n",
        "            if True:\n",
        RESTORED + "test_kt_a_log_that_grew_again_after_a_restoration_is_another_one",
    ),
    Takeout(
        "KT",
        GOSSIP,
        "        if sent < self._keylog.replaced:",
        "        if self._keylog.replaced:",
        RESTORED + "test_kt_a_fork_cannot_be_passed_off_as_a_restoration",
    ),
    Takeout(
        "KT",
        AUDITING,
        "        if shown or self._following.absent:\n",
        "        if shown:\n",
        WITHOUT + "test_kt_a_server_that_hides_its_log_from_one_is_told_of",
    ),
    Takeout(
        "KT",
        FOLLOWING,
        '            if known:\n                text = "The server does not show',
        '            if False:\n                text = "The server does not show',
        WITHOUT + "test_kt_a_server_that_shows_its_log_no_more_is_told_of",
    ),
    Takeout(
        "KT",
        HASHES,
        "sha256(labels.KEY_LOG_LINK, head, place, tag, value))",
        "sha256(labels.KEY_LOG_LINK, place, tag, value))",
        "tests.crypto.test_keylog.ChainTest."
        "test_kt_logs_have_the_same_head_if_they_say_the_same_and_only_then",
    ),
    Takeout(
        "KT",
        STORE,
        "    if key.text and _last_key(database, account) != key.text:\n",
        "    if False:\n",
        SERVER + "EntriesTest.test_kt_a_key_from_before_the_log_enters_it_when_it_is_handed_out",
    ),
    Takeout(
        "KT",
        STORE,
        "    if not _is_there(database, account, key):\n",
        "    if False:\n",
        SERVER + "EntriesTest.test_kt_each_key_is_an_entry_that_the_chain_bears_out",
    ),
    Takeout(
        "KT",
        STORE,
        '        if link != _link(row) or (link.value != says and not row["ended"]):\n',
        "        if link != _link(row):\n",
        SERVER + "ChecksTest.test_kt_check_finds_any_change_of_the_log",
    ),
    Takeout(
        "KT",
        "bpost/server/directory.py",
        "    if contact.id != me.id and not office.store",
        "    if False and not office.store",
        SERVER + "ReadersTest.test_kt_what_they_stand_for_is_told_to_those_who_have_the_contact",
    ),
]
