"""Takeouts for backups, and for what is left on the disk."""

from __future__ import annotations

from tests.takeouts import Takeout

CONTENT = "bpost/client/backup.py"
FORMAT = "bpost/crypto/backup.py"

CRYPTO_TEST = "tests.crypto.test_backup.BackupTest."
BACKUP_TEST = "tests.client.test_backup.BackupTest."

LEFT_TEST = "tests.client.test_left_behind.LeftBehindTest."

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
        "= (\n    Peer,\n",
        "= (\n    __import__('bpost.client.models').client.models.Prekey,\n    Peer,\n",
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
    Takeout(
        "E75",
        "bpost/client/history.py",
        "        conversation = self.open(name)\n        self._store.run(Talk.update(draft=text)",
        """        conversation = self.open(name)
        from bpost.client.keystore import Path
        import tempfile
        Path(tempfile.gettempdir(), "draft").write_text(text)
        self._store.run(Talk.update(draft=text)""",
        LEFT_TEST + "test_e75_drafts_and_history_are_sealed_during_use_and_after_it",
    ),
    Takeout(
        "E75",
        "bpost/client/keystore.py",
        "            new.replace(path)\n",
        "            __import__('shutil').copy(new, path)\n",
        LEFT_TEST + "test_e75_no_temporary_file_is_left",
    ),
]
