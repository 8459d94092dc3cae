"""Takeouts for renewing the account key, and for a last message that was lost."""

from __future__ import annotations

from tests.takeouts import Takeout

RENEWAL = "tests.client.test_renewal"

TAKEOUTS = [
    Takeout(
        "E55",
        "bpost/crypto/succession.py",
        "    if not places or not equal(found.keys[-1], newest):\n",
        "    if not places:\n",
        f"{RENEWAL}.LyingServerTest.test_e55_a_key_that_the_old_one_did_not_sign_holds_sending",
    ),
    Takeout(
        "E58",
        "bpost/client/keybook.py",
        "        return key is not None and (name, bytes(key)) in self._verified()",
        "        return key is not None and name in {one for one, _ in self._verified()}",
        f"{RENEWAL}.ContactTest.test_e58_what_was_verified_is_not_any_more_and_sending_goes_on",
    ),
    Takeout(
        "E59",
        "bpost/client/keybook.py",
        "        rows = self._store.all(Verification, Verification.own_key == own)",
        "        rows = self._store.all(Verification, Verification.own_key != own)",
        f"{RENEWAL}.ContactTest.test_e59_renewing_the_own_key_voids_what_was_verified_with_it",
    ),
    Takeout(
        "E55",
        "bpost/crypto/succession.py",
        "        verify_account(old, by_old, labels.SUCCESSION, content)\n",
        "",
        "tests.crypto.test_succession.SuccessionTest.test_e55_both_keys_must_have_signed",
    ),
    Takeout(
        "E61",
        "bpost/client/people.py",
        "        self._book.supersede(peer.name, keys[:-1])\n",
        "",
        f"{RENEWAL}.LyingServerTest"
        ".test_e61_a_removed_device_that_knows_the_old_key_cannot_come_back",
    ),
    Takeout(
        "E61",
        "bpost/client/household.py",
        "            self.renew_key()",
        "            pass",
        f"{RENEWAL}.TownTest.test_e61_a_removal_can_renew_the_key_that_the_device_had",
    ),
    Takeout(
        "E43",
        "bpost/client/nudging.py",
        "                self._outbox.queue(sent.peer, EMPTY, {})",
        "                pass",
        "tests.client.test_nudging.NudgingTest"
        ".test_e43_a_last_message_that_was_lost_comes_after_all",
    ),
]
