"""Takeouts for backup, restoration, lock and export."""

from __future__ import annotations

from tests.takeouts import Takeout

CONTENT = "bpost/client/backup.py"
FORMAT = "bpost/crypto/backup.py"

CRYPTO_TEST = "tests.crypto.test_backup.BackupTest."
BACKUP_TEST = "tests.client.test_backup.BackupTest."

TAKEOUTS = [
    Takeout(
        "E31",
        CONTENT,
        '{Device: frozenset({"sessions"})}',
        "{}",
        BACKUP_TEST + "test_e31_no_session_no_prekey_and_no_device_is_in_a_backup",
    ),
    Takeout(
        "E31",
        CONTENT,
        "= (Peer, KeyList,",
        "= (__import__('bpost.client.models').client.models.Prekey, Peer, KeyList,",
        BACKUP_TEST + "test_e31_only_tables_that_are_named_are_in_a_backup",
    ),
    Takeout(
        "E67",
        FORMAT,
        "            if found < least:\n",
        "            if False:\n",
        CRYPTO_TEST + "test_e67_costs_out_of_bounds_are_refused_before_any_work",
    ),
    Takeout(
        "E67",
        FORMAT,
        "            if found > most:\n",
        "            if False:\n",
        CRYPTO_TEST + "test_e67_costs_out_of_bounds_are_refused_before_any_work",
    ),
    Takeout(
        "E67",
        FORMAT,
        "    if not equal(read(KEY), _proof(master, header)):\n",
        "    if read(KEY) is None:\n",
        CRYPTO_TEST + "test_e67_a_wrong_passphrase_is_one_clear_error",
    ),
    Takeout(
        "E67",
        FORMAT,
        "        memory_kib=memory_kib,\n",
        "        memory_kib=MEMORY_KIB,\n",
        CRYPTO_TEST + "test_e67_costs_and_salt_stand_in_the_file",
    ),
]
