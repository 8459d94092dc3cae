"""The defences of the client library."""

from __future__ import annotations

from tests.takeouts import Takeout

_CRASH = "tests.client.test_crash.CrashTest"
_DEVICES = "tests.client.test_devices"
_MAILBOX = "tests.client.test_mailbox"
_OUTBOX = "tests.client.test_outbox.OutboxTest"
_SECRETS = "tests.client.test_secrets"
_STOCK = "tests.client.test_stock"
_KEYSTORE = "tests.client.test_keystore"

TAKEOUTS = [
    Takeout(
        "E10",
        "bpost/client/stock.py",
        "            self._remove(Prekey.id == opened.used_one_time)",
        "            pass",
        f"{_MAILBOX}.OneTransactionTest.test_e10_a_one_time_key_goes_with_the_message_that_used_it",
    ),
    Takeout(
        "E11",
        "bpost/client/upkeep.py",
        "        left = link.request(CountKeys(device), KeyCount).count\n",
        "        left = 0 if not self._profile.fact(ANNOUNCED) else 99\n",
        f"{_STOCK}.StockTest.test_e11_the_stock_is_looked_at_on_every_log_in",
    ),
    Takeout(
        "E11",
        "bpost/client/upkeep.py",
        "        link.request(UploadKeys(device, keys), KeyCount)",
        "        if not self._profile.fact(ANNOUNCED):\n"
        "            link.request(UploadKeys(device, keys), KeyCount)",
        f"{_STOCK}.StockTest.test_e11_messages_flow_when_all_one_time_keys_are_gone_and_they_are_refilled",
    ),
    Takeout(
        "E12",
        "bpost/crypto/prekeys.py",
        "    prekey_id = random(PREKEY_ID)\n",
        "    prekey_id = bytes(PREKEY_ID - 2) + random(2)\n",
        f"{_STOCK}.StockTest.test_e12_prekey_ids_are_random",
    ),
    Takeout(
        "E12",
        "bpost/client/dispatch.py",
        "GetBundles(self._profile.username, peer, tuple(known))",
        "GetBundles(self._profile.username, peer, ())",
        f"{_STOCK}.StockTest.test_e12_a_device_that_has_a_session_takes_no_more_one_time_keys",
    ),
    Takeout(
        "E14",
        "bpost/client/stock.py",
        "            self._remove(Prekey.id == row.id)",
        "            pass",
        f"{_STOCK}.StockTest.test_e14_a_late_message_is_read_for_one_period_and_not_after",
    ),
    Takeout(
        "E14",
        "bpost/client/stock.py",
        "int(self._profile.limits.old_prekey_seconds * 1000)",
        "0",
        f"{_STOCK}.StockTest.test_e14_a_late_message_is_read_for_one_period_and_not_after",
    ),
    Takeout(
        "E14",
        "bpost/client/stock.py",
        "if current is None or not fresh < current.created <= ahead:",
        "if current is None:",
        f"{_STOCK}.StockTest.test_e14_renewed_keys_are_published",
    ),
    Takeout(
        "E16",
        "bpost/client/devices.py",
        "            if sessions and not sessions.needs_new_session(now, self._profile.limits)",
        "            if sessions",
        f"{_DEVICES}.SessionAgeTest"
        ".test_e16_after_thirty_days_without_an_answer_a_new_session_is_begun",
    ),
    Takeout(
        "E17",
        "bpost/crypto/session_state.py",
        "        if self.version > MESSAGE_VERSION:",
        "        if self.version > 99:",
        f"{_DEVICES}.SessionAgeTest.test_e17_a_device_never_goes_back_to_an_older_version",
    ),
    Takeout(
        "E17",
        "bpost/client/mailbox.py",
        "if peer.account_key is None and not delivery.body.startswith",
        "if not delivery.body.startswith",
        f"{_MAILBOX}.PlaceholderTest"
        ".test_e17_unsealed_words_of_someone_who_seals_are_not_even_quoted",
    ),
    Takeout(
        "E27",
        "bpost/client/devices.py",
        "        if not self._store.run(change):",
        "        if not self._read_sessions(name, key, device) and not self._store.run(change):",
        f"{_CRASH}.test_e27_no_chain_and_number_ever_carries_two_ciphertexts",
    ),
    Takeout(
        "E27",
        "bpost/client/devices.py",
        "        if not self._store.run(change):",
        "        if not self._read_sessions(name, key, device) and not self._store.run(change):",
        f"{_OUTBOX}.test_e27_after_a_crash_the_same_bytes_leave_again",
    ),
    Takeout(
        "E27",
        "bpost/client/store.py",
        '                with self._database.atomic("IMMEDIATE"):\n',
        "                if True:\n",
        f"{_OUTBOX}.test_e27_a_seal_that_cannot_be_stored_never_leaves",
    ),
    Takeout(
        "E27",
        "bpost/client/dispatch.py",
        "            with self._profile.change() as events:\n"
        "                sealed, told = self._parts.outbox.seal_for(peer, AT_ONCE)\n"
        "                events += told",
        "            with self._profile.change() as events:\n"
        "                sealed, told = self._parts.outbox.seal_for(peer, AT_ONCE)\n"
        "                events += told\n"
        "                self._send()",
        f"{_OUTBOX}.test_e27_the_ratchet_step_is_stored_before_the_frame_leaves",
    ),
    Takeout(
        "E28",
        "bpost/client/receiver.py",
        "        self._take([frame for frame in frames if not link.answer(frame)])",
        "        for frame in frames:\n"
        "            if isinstance(frame, Delivery) and frame.seq is not None:\n"
        "                link.post(Acknowledge(frame.seq))\n"
        "        self._take([frame for frame in frames if not link.answer(frame)])",
        f"{_CRASH}.test_e28_a_message_is_stored_or_comes_again_and_is_never_neither",
    ),
    Takeout(
        "E28",
        "bpost/client/opener.py",
        "        self._devices.put_sessions(key, opened.sessions)",
        "        self._devices.put_sessions(key, opened.sessions)\n"
        "        self._profile.store._database.commit()\n"
        '        self._profile.store._database.begin("IMMEDIATE")',
        f"{_MAILBOX}.OneTransactionTest"
        ".test_e28_a_failure_while_storing_leaves_the_state_as_it_was",
    ),
    Takeout(
        "E29",
        "bpost/client/keystore.py",
        "        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        f"{_KEYSTORE}.LockTest.test_e29_a_second_program_refuses_politely",
    ),
    Takeout(
        "E39",
        "bpost/client/sealing.py",
        "    if len(secret) != 2 * KEY or not equal(digest, sha256(body)):",
        "    if len(secret) != 2 * KEY:",
        "tests.client.test_sealing.SealingTest"
        ".test_e39_a_body_sealed_again_under_the_same_key_is_refused",
    ),
    Takeout(
        "E40",
        "bpost/client/sealing.py",
        "    key = random(KEY)",
        "    key = bytes(KEY)",
        "tests.client.test_sealing.SealingTest.test_e40_no_key_and_no_token_ever_comes_twice",
    ),
    Takeout(
        "E41",
        "bpost/client/mailbox.py",
        "            frame_sender=delivery.sender,",
        "            frame_sender=payload.sender,",
        f"{_MAILBOX}.OriginTest.test_e41_what_was_sealed_in_another_name_is_not_shown",
    ),
    Takeout(
        "E41",
        "bpost/client/mailbox.py",
        "            envelope_devices=envelope.to,",
        "            envelope_devices=payload.recipients[self._profile.name],",
        f"{_MAILBOX}.OriginTest.test_e41_each_outer_part_that_is_changed_drops_the_message",
    ),
    Takeout(
        "E42",
        "bpost/protocol/payload.py",
        "    _check_conversation(payload)\n\n\ndef _check_sender",
        "\n\ndef _check_sender",
        f"{_MAILBOX}.OriginTest.test_e42_a_message_is_not_moved_to_another_conversation",
    ),
    Takeout(
        "E43",
        "bpost/client/chains.py",
        "        if payload.number > last + 1:",
        "        if payload.number > last + 1_000_000:",
        f"{_MAILBOX}.ChainTest.test_e43_a_dropped_message_is_told",
    ),
    Takeout(
        "E43",
        "bpost/client/mailbox.py",
        "            place=place,",
        "            place=None,",
        f"{_MAILBOX}.ChainTest.test_e43_a_message_that_comes_late_takes_its_place",
    ),
    Takeout(
        "E43",
        "bpost/client/chains.py",
        "        elif chain and chain.hash and last == chain.number and payload.previous"
        " != chain.hash:",
        "        elif chain and not payload.previous:",
        f"{_MAILBOX}.ChainTest.test_e43_another_history_before_the_message_is_told",
    ),
    Takeout(
        "E43",
        "bpost/client/causes.py",
        '"duplicate": Rule(Action.SKIP, "")',
        '"duplicate": Rule(Action.SHOW, "")',
        f"{_MAILBOX}.ChainTest.test_e43_a_payload_sealed_twice_is_shown_once",
    ),
    Takeout(
        "E44",
        "bpost/client/mailbox.py",
        "        sealed = envelope.to.get(self._profile.device)",
        "        sealed = next(iter(envelope.to.values()))",
        f"{_MAILBOX}.OriginTest.test_e44_a_message_for_an_own_other_device_is_passed_over",
    ),
    Takeout(
        "E53",
        "bpost/client/devices.py",
        "        newer_list(known, offered, self._entries(name, key))",
        "        self._entries(name, key)",
        f"{_DEVICES}.DeviceListTest.test_e53_an_older_list_is_refused",
    ),
    Takeout(
        "E53",
        "bpost/client/devices.py",
        "        return tuple(one.id for one in listed if one.id != self._profile.device)",
        "        return tuple(\n"
        "            one\n"
        "            for one in self.ever_listed(peer.name, bytes(peer.account_key))\n"
        "            if listed and one != self._profile.device\n"
        "        )",
        f"{_DEVICES}.DeviceListTest"
        ".test_e53_a_removed_device_that_the_server_brings_back_gets_nothing",
    ),
    Takeout(
        "E53",
        "bpost/client/devices.py",
        "                if device not in offered:",
        "                if device not in offered:\n"
        "                    continue\n"
        "                if device not in offered:",
        f"{_DEVICES}.DeviceListTest.test_e53_a_hidden_device_is_told",
    ),
    Takeout(
        "E55",
        "bpost/client/dispatch.py",
        "            if row is not None and row.offered_key is not None:",
        "            if row is None:",
        f"{_DEVICES}.AccountKeyTest.test_e55_what_comes_under_a_changed_key_is_marked",
    ),
    Takeout(
        "E55",
        "bpost/client/devices.py",
        "        elif not equal(bytes(peer.account_key), key):",
        "        elif not key:",
        f"{_DEVICES}.AccountKeyTest.test_e55_nothing_is_sent_under_a_changed_key_without_consent",
    ),
    Takeout(
        "E55",
        "bpost/client/mailbox.py",
        "        if unsealed.new_key:\n            failure",
        "        if not payload.id:\n            failure",
        f"{_DEVICES}.AccountKeyTest.test_e55_what_comes_under_a_changed_key_is_marked",
    ),
    Takeout(
        "E64",
        "bpost/client/upkeep.py",
        "            sealed = seal_vault(wrapping_key, profile.name, profile.account)",
        "            sealed = b64.encode(profile.account.seed)",
        f"{_SECRETS}.ServerTest.test_e64_its_folder_and_log_hold_no_text_no_password_and_no_key",
    ),
    Takeout(
        "E64",
        "bpost/client/store.py",
        "            passphrase=f\"x'{key.hex()}'\",",
        '            passphrase="" if key else "",',
        f"{_SECRETS}.ClientTest.test_e64_the_profile_holds_no_text_and_no_key_in_the_clear",
    ),
    Takeout(
        "E65",
        "bpost/client/keystore.py",
        "FILE_MODE = 0o600",
        "FILE_MODE = 0o640",
        f"{_KEYSTORE}.PrivacyTest.test_e65_everything_is_private_whatever_the_umask",
    ),
    Takeout(
        "E65",
        "bpost/client/keystore.py",
        '    if os.name == "posix" and found.st_mode & 0o077:',
        '    if os.name == "posix" and found.st_mode & 0o7000:',
        f"{_KEYSTORE}.PrivacyTest.test_e65_a_file_that_others_can_read_is_refused",
    ),
    Takeout(
        "E65",
        "bpost/client/keystore.py",
        '_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)',
        '_NO_FOLLOW = getattr(os, "O_FOLLOW", 0)',
        f"{_KEYSTORE}.PrivacyTest.test_e65_a_symbolic_link_is_refused",
    ),
    Takeout(
        "E65",
        "bpost/client/keystore.py",
        "    if not _is_own(found):\n        raise _exposed",
        "    if not found.st_mode:\n        raise _exposed",
        f"{_KEYSTORE}.PrivacyTest.test_e65_what_belongs_to_another_user_is_refused",
    ),
    Takeout(
        "E66",
        "bpost/client/upkeep.py",
        "            self._store.checkpoint()",
        "            pass",
        f"{_STOCK}.ForgottenTest.test_e66_a_used_one_time_key_is_gone_from_the_files",
    ),
    Takeout(
        "E66",
        "bpost/client/store.py",
        '("secure_delete", "on")',
        '("secure_delete", "off")',
        f"{_STOCK}.ForgottenTest.test_e66_deleted_rows_are_overwritten",
    ),
    Takeout(
        "E72",
        "bpost/client/records.py",
        "    draft: str = field(repr=False)",
        "    draft: str",
        f"{_SECRETS}.ClientTest.test_e72_nothing_that_can_be_printed_shows_a_secret",
    ),
    Takeout(
        "E72",
        "bpost/client/link.py",
        "        self._connection.send(request.text())\n        deadline",
        '        log.debug("asking %s", request.text())\n'
        "        self._connection.send(request.text())\n        deadline",
        f"{_SECRETS}.ClientTest.test_e72_the_most_talkative_log_holds_no_secret",
    ),
]
