"""Takeouts of what a lying server meets: each lie has a defence without which it works."""

from __future__ import annotations

from tests.takeouts import Takeout

DEVICES = "bpost/client/devices.py"
PREKEYS = "bpost/crypto/prekeys.py"
DIRECTORY = "tests.client.test_malicious.DirectoryTest."
LETTERS = "tests.client.test_malicious.LetterTest."

TAKEOUTS = [
    Takeout(
        "E55",
        DEVICES,
        "        elif not equal(bytes(peer.account_key), key):\n",
        "        elif False:\n",
        DIRECTORY + "test_e55_swapped_keys_are_found_out_and_nothing_is_sealed_for_them",
    ),
    Takeout(
        "E53",
        PREKEYS,
        "    if named != device or entry is None:\n",
        "    entry = device_list.list.devices[0] if entry is None else entry\n    if False:\n",
        DIRECTORY + "test_e53_a_ghost_device_gets_nothing",
    ),
    Takeout(
        "E53",
        "bpost/crypto/account.py",
        "    if new < old:\n",
        "    if False:\n",
        DIRECTORY + "test_e53_an_old_list_does_not_bring_a_removed_device_back",
    ),
    Takeout(
        "E6",
        "bpost/client/people.py",
        "        check_ed25519(key)\n",
        "",
        DIRECTORY + "test_e6_a_key_that_fits_every_signature_is_not_pinned",
    ),
    Takeout(
        "E53",
        PREKEYS,
        "    verify_account(account_public, prekey.signature, labels.PREKEY, content)\n",
        "    del content\n",
        DIRECTORY + "test_e53_a_prekey_of_another_user_or_device_begins_no_session",
    ),
    Takeout(
        "E13",
        "bpost/crypto/session.py",
        "    if seen_base_key(parsed.base_key):\n",
        "    if False:\n",
        LETTERS + "test_e13_a_replayed_first_message_is_shown_once_and_begins_no_session",
    ),
    Takeout(
        "E5",
        "bpost/crypto/primitives.py",
        '            raise _bad_key("A key for agreement (X25519) leads',
        "            return bytes(KEY)  # ",
        LETTERS + "test_e5_a_ratchet_key_without_a_secret_is_refused_and_heals",
    ),
    Takeout(
        "E42",
        "bpost/client/mailbox.py",
        "            self._opener.check_recipients(envelope)\n",
        "",
        LETTERS + "test_e42_a_message_that_is_reflected_is_refused",
    ),
    Takeout(
        "E42",
        "bpost/client/opener.py",
        "        if not set(envelope.to) <= own:\n",
        "        if False:\n",
        LETTERS + "test_e42_a_message_that_is_moved_is_refused_and_its_author_misses_nothing",
    ),
    Takeout(
        "E30",
        "bpost/client/refusals.py",
        "        if wanted:\n",
        "        if False:\n",
        LETTERS + "test_e30_a_truncated_or_spliced_envelope_heals",
    ),
    Takeout(
        "E43",
        "bpost/client/healing.py",
        "        expected = sorted(self._wants.expected(), key=_whose)\n",
        "        expected: list[Want] = []\n",
        LETTERS + "test_e43_a_message_under_the_seal_of_another_is_missed",
    ),
]
