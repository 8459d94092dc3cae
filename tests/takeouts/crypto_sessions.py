"""Takeouts of the handshake and the sessions between devices."""

from __future__ import annotations

from tests.takeouts import Takeout

HANDSHAKE = "bpost/crypto/handshake.py"
LABELS = "bpost/crypto/labels.py"
MESSAGE = "bpost/crypto/message.py"
PREKEYS = "bpost/crypto/prekeys.py"
PRIMITIVES = "bpost/crypto/primitives.py"
RATCHET = "bpost/crypto/ratchet.py"
SESSION = "bpost/crypto/session.py"
SESSIONS = "bpost/crypto/session_state.py"

AGREE = "tests.crypto.test_handshake.AgreementTest."
BUNDLE = "tests.crypto.test_handshake.BundleTest."
FIRST = "tests.crypto.test_handshake.FirstMessageTest."
TURNS = "tests.crypto.test_ratchet.RatchetTest."
SEVERAL = "tests.crypto.test_sessions.SeveralSessionsTest."
STORED = "tests.crypto.test_session.TransactionTest."
BOTH = "tests.crypto.test_sessions.SimultaneousTest."
FROZEN = "tests.test_frozen.FrozenTest."

OPENING = "    return after, open_sealed(token_key, sealed[HEADER:])"
ALL_ZERO = '        raise _bad_key("A key for agreement (X25519) leads to no secret.") from None'
SEEN = "    if seen_base_key(parsed.base_key):\n"


def unbound(item: str, less: str, test: str) -> Takeout:
    """Leave one item out of the associated data."""
    return Takeout("E3", HANDSHAKE, item, less, AGREE + test)


TAKEOUTS = [
    Takeout(
        "E1",
        PREKEYS,
        "    verify_account(account_public, prekey.signature, labels.PREKEY, content)\n",
        "    del content\n",
        BUNDLE + "test_e1_no_session_comes_of_a_bundle_with_one_bit_flipped",
    ),
    unbound(
        "        *(initiator.account_public, responder.account_public),\n",
        "",
        "test_e3_every_name_and_account_key_is_bound",
    ),
    unbound(
        "(name_bytes(initiator.address.username), name_bytes(responder.address.username))",
        "()",
        "test_e3_every_name_and_account_key_is_bound",
    ),
    unbound(
        "        *(initiator.address.device.encode(), responder.address.device.encode()),\n",
        "",
        "test_e3_every_name_and_account_key_is_bound",
    ),
    unbound(
        "        *(initiator.identity, responder.identity),\n",
        "",
        "test_e3_every_spelling_of_a_key_is_bound",
    ),
    unbound("        header.base_key,\n", "", "test_e3_every_spelling_of_a_key_is_bound"),
    unbound("        used.signed,\n", "", "test_e3_every_spelling_of_a_key_is_bound"),
    unbound(
        "        used.one_time or _NO_PREKEY,\n", "", "test_e3_every_spelling_of_a_key_is_bound"
    ),
    unbound("        used.kem,\n", "", "test_e3_the_kem_key_and_its_ciphertext_are_bound"),
    unbound(
        "        header.kem_ciphertext,\n", "", "test_e3_the_kem_key_and_its_ciphertext_are_bound"
    ),
    Takeout(
        "E4",
        SESSION,
        SEEN,
        "    if False:\n",
        FIRST + "test_e4_a_replayed_or_respelled_base_key_opens_nothing",
    ),
    *(
        Takeout("E5", PRIMITIVES, ALL_ZERO, "        return bytes(KEY)", test)
        for test in (
            AGREE + "test_e5_keys_of_a_bundle_without_a_secret_are_refused",
            AGREE + "test_e5_keys_of_a_first_message_without_a_secret_are_refused",
            TURNS + "test_e5_ratchet_keys_without_a_secret_are_refused",
        )
    ),
    Takeout(
        "E7",
        MESSAGE,
        "kem_ciphertext=reader.fixed(KEM_CIPHERTEXT)",
        "kem_ciphertext=reader.fixed(max(0, len(reader._data) - 700))",
        FIRST + "test_e7_a_first_message_without_its_kem_part_is_refused",
    ),
    Takeout(
        "E7",
        PREKEYS,
        "    kem = Prekey.from_bytes(reader.blob(limits.device_bundle))\n",
        "    kem = Prekey.from_bytes(reader.blob(limits.device_bundle) or signed.to_bytes())\n"
        "    kem = Prekey(kem.id, PrekeyKind.KEM, kem.key, kem.created, kem.signature)\n",
        BUNDLE + "test_e7_a_bundle_without_its_kem_part_is_refused",
    ),
    Takeout(
        "E9",
        HANDSHAKE,
        "    shared = own.kem.decapsulate(header.kem_ciphertext)\n",
        "    shared = own.kem.decapsulate(header.kem_ciphertext)\n"
        "    if header.kem_ciphertext[0] & 1:\n"
        '        raise SecurityError("bad-token", "The KEM ciphertext was altered.")\n',
        FIRST + "test_e9_a_bad_kem_ciphertext_fails_as_any_other_alteration",
    ),
    Takeout(
        "E10",
        SESSION,
        "        if session is not None:\n            _check_listed",
        "        if session is not None and parsed.prekey is None:\n            _check_listed",
        FIRST + "test_e10_a_replay_of_a_first_message_is_a_duplicate",
    ),
    Takeout(
        "E10",
        RATCHET,
        OPENING,
        "    try:\n"
        "        return after, open_sealed(token_key, sealed[HEADER:])\n"
        "    except SecurityError:\n"
        '        return after, b""',
        FIRST + "test_e10_a_first_message_that_does_not_open_uses_up_no_key",
    ),
    Takeout(
        "E10",
        HANDSHAKE,
        "        if found is None or found.kind is not kind:\n",
        "        if found is None and kind is PrekeyKind.ONE_TIME:\n"
        "            return bytes(KEY)\n"
        "        if found is None or found.kind is not kind:\n",
        FIRST + "test_e10_a_first_message_to_a_used_key_is_refused",
    ),
    Takeout(
        "E13",
        SESSION,
        SEEN,
        "    if False:\n",
        FIRST + "test_e13_a_first_message_cannot_be_claimed_by_another",
    ),
    Takeout(
        "E16",
        SESSIONS,
        "current is None or current.is_stale(now, limits) or",
        "current is None or",
        SEVERAL + "test_e16_a_session_without_an_answer_for_30_days_is_stale",
    ),
    Takeout(
        "E16",
        SESSION,
        "    if current is None or current.is_stale(now, limits):\n",
        "    if current is None:\n",
        SEVERAL + "test_e16_a_session_without_an_answer_for_30_days_is_stale",
    ),
    Takeout(
        "E16",
        SESSIONS,
        "        return bool(self.greeting) and waited",
        "        return waited",
        SEVERAL + "test_e16_a_session_that_was_answered_does_not_become_stale",
    ),
    Takeout(
        "E17",
        MESSAGE,
        "    reader.version(VERSION)\n",
        "    reader.number(1)\n",
        SEVERAL + "test_e17_other_versions_are_refused",
    ),
    Takeout(
        "E17",
        SESSIONS,
        "        if self.version > MESSAGE_VERSION:\n",
        "        if False:\n",
        SEVERAL + "test_e17_a_device_does_not_go_back_to_an_older_version",
    ),
    Takeout(
        "E18",
        SESSION,
        "    return Opened(sessions.put_first(after, limits), plaintext,",
        "    kept = replace(sessions, sessions=tuple(\n"
        "        after if one is session else one for one in sessions.sessions\n"
        "    ))\n"
        "    kept = kept if after in kept.sessions else replace(\n"
        "        kept, sessions=(*kept.sessions, after)\n"
        "    )\n"
        "    return Opened(kept, plaintext,",
        BOTH + "test_e18_simultaneous_first_messages_lose_nothing",
    ),
    Takeout(
        "E18",
        SESSIONS,
        "sessions=(session, *others)[: limits.sessions_per_device]",
        "sessions=(session,)",
        BOTH + "test_e18_simultaneous_first_messages_lose_nothing",
    ),
    Takeout(
        "E19",
        HANDSHAKE,
        "    ephemeral = generate_x25519(random)\n",
        "    ephemeral = generate_x25519(lambda count: local.identity.raw[:count][::-1])\n",
        AGREE + "test_e19_every_device_gets_an_ephemeral_key_of_its_own",
    ),
    Takeout(
        "E27",
        RATCHET,
        "    return replace(state, sending=sending), header + token",
        "    return (state if sending.number % 5 == 0 else replace(state, sending=sending)), (\n"
        "        header + token\n"
        "    )",
        STORED + "test_e27_what_is_stored_before_sending_repeats_no_key",
    ),
    Takeout(
        "E28",
        SESSION,
        "    state, plaintext = ratchet.decrypt(\n",
        "    state, plaintext = session.ratchet, ratchet.decrypt(\n",
        STORED + "test_e28_until_it_is_stored_a_message_can_be_opened_again",
    ),
    Takeout(
        "E33",
        SESSIONS,
        "        return self.unanswered >= limits.one_sided",
        "        return False and bool(limits)",
        SEVERAL + "test_e33_a_one_sided_chat_asks_for_an_answer_which_turns_the_ratchet",
    ),
    Takeout(
        "E34",
        SESSIONS,
        "(session, *others)[: limits.sessions_per_device]",
        "(session, *others)",
        SEVERAL + "test_e34_old_sessions_drop_out",
    ),
    Takeout(
        "E35",
        RATCHET,
        "    if state.sending.number >= limits.counter:\n",
        "    if False:\n",
        TURNS + "test_e35_a_chain_ends_before_its_counter_does",
    ),
    Takeout(
        "E35",
        SESSIONS,
        "        return sending is None or sending.number >= limits.counter",
        "        return sending is None or bool(limits is None)",
        SEVERAL + "test_e35_a_session_at_the_end_of_its_counter_needs_a_new_one",
    ),
    *(
        Takeout("E77", path, old, new, FROZEN + test)
        for path, old, new, test in (
            (
                "bpost/crypto/password.py",
                "PASSES = 3",
                "PASSES = 2",
                "test_e77_the_stretched_password",
            ),
            (
                "bpost/crypto/fingerprint.py",
                "ROUNDS = 5200",
                "ROUNDS = 5201",
                "test_e77_the_safety_number",
            ),
            (LABELS, "bpost/1 vault", "bpost/2 vault", "test_e77_the_vault_and_the_key_file"),
            (LABELS, "bpost/1 prekey", "bpost/2 prekey", "test_e77_the_bundle"),
            (LABELS, "bpost/1 PQXDH", "bpost/2 PQXDH", "test_e77_the_first_message"),
            (
                LABELS,
                "bpost/1 message",
                "bpost/2 message",
                "test_e77_twenty_ratchet_messages_and_the_states_that_open_them",
            ),
            (
                SESSIONS,
                ".number(session.unanswered, 4)",
                ".number(session.unanswered, 5)",
                "test_e77_twenty_ratchet_messages_and_the_states_that_open_them",
            ),
            (
                "bpost/protocol/envelope.py",
                "SMALLEST: Final = 1024",
                "SMALLEST: Final = 2048",
                "test_e77_the_envelope",
            ),
        )
    ),
]
