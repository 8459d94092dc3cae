"""Takeouts of the ratchet: messages altered, skipped, repeated and out of bounds."""

from __future__ import annotations

from tests.takeouts import Takeout

CODEC = "bpost/crypto/codec.py"
MESSAGE = "bpost/crypto/message.py"
RATCHET = "bpost/crypto/ratchet.py"
STATE = "bpost/crypto/ratchet_state.py"
SESSION = "bpost/crypto/session.py"

TURNS = "tests.crypto.test_ratchet.RatchetTest."
STORED = "tests.crypto.test_session.TransactionTest."
CROSS = "tests.crypto.test_cross_check.CrossCheckTest."

OPENING = "    return after, open_sealed(token_key, sealed[HEADER:])"
BOUND = "return hkdf(message_key, info=labels.MESSAGE + associated + header)"
TOO_FAR = "    if max(jumps) > limits.skip:\n"

TAKEOUTS = [
    *(
        Takeout(
            "E20",
            RATCHET,
            OPENING,
            '    object.__setattr__(state, "receiving", after.receiving)\n' + OPENING,
            TURNS + test,
        )
        for test in (
            "test_e20_state_unchanged_on_failure",
            "test_e20_ten_thousand_altered_messages_change_nothing",
            "test_e20_no_bytes_whatever_do_harm",
        )
    ),
    Takeout(
        "E20",
        SESSION,
        "associated = session.associated + message.outer",
        "associated = session.associated",
        STORED + "test_e20_a_message_that_does_not_open_changes_nothing",
    ),
    Takeout(
        "E20",
        CODEC,
        'raise self._bad("it is cut short")',
        'raise ValueError("it is cut short")',
        STORED + "test_e20_no_bytes_whatever_raise_anything_else",
    ),
    *(
        Takeout(
            "E21",
            RATCHET,
            BOUND,
            f"del {part}\n    return hkdf(message_key, info=labels.MESSAGE + {kept})",
            TURNS + "test_e21_every_part_of_header_and_associated_data_is_bound",
        )
        for part, kept in (("header", "associated"), ("associated", "header"))
    ),
    Takeout(
        "E21",
        SESSION,
        "session.associated + message.outer",
        "session.associated + ratchet_outer(session.base_key)",
        STORED + "test_e21_everything_before_the_ratchet_is_bound",
    ),
    Takeout(
        "E22",
        RATCHET,
        TOO_FAR,
        "    if False:\n",
        TURNS + "test_e22_too_great_jumps_are_refused_before_anything_is_computed",
    ),
    Takeout(
        "E22",
        RATCHET,
        TOO_FAR,
        "    if max(jumps) >= limits.skip:\n",
        TURNS + "test_e22_the_greatest_allowed_jump_is_taken",
    ),
    Takeout(
        "E23",
        RATCHET,
        "    return after.without_skipped(most=limits.skipped_stored), key",
        "    return after, key",
        TURNS + "test_e23_stored_keys_stay_under_their_limit_and_the_newest_are_kept",
    ),
    Takeout(
        "E23",
        STATE,
        "kept = kept[max(0, len(kept) - most) :]",
        "kept = kept[:most]",
        TURNS + "test_e23_stored_keys_stay_under_their_limit_and_the_newest_are_kept",
    ),
    Takeout(
        "E23",
        RATCHET,
        "    state = state.without_skipped(before=now - int(limits.skipped_key_seconds * 1000))\n",
        "",
        TURNS + "test_e23_stored_keys_expire",
    ),
    Takeout(
        "E24",
        RATCHET,
        "    if state.receiving is None and header.previous:\n",
        "    if False:\n",
        TURNS + "test_e24_a_count_of_messages_that_were_never_sent_stores_no_keys",
    ),
    Takeout(
        "E24",
        RATCHET,
        "    jumps = (header.previous - received, header.number) if turns else",
        "    jumps = (header.number,) if turns else",
        TURNS + "test_e24_a_count_of_messages_that_were_never_sent_stores_no_keys",
    ),
    Takeout(
        "E25",
        RATCHET,
        "            return replace(state, skipped=kept), found.key",
        "            return state, found.key if kept is not None else b''",
        TURNS + "test_e25_a_repeat_is_called_a_duplicate",
    ),
    Takeout(
        "E25",
        RATCHET,
        "(*state.retired, state.theirs)[-RETIRED:]",
        "()",
        TURNS + "test_e25_a_repeat_is_called_a_duplicate",
    ),
    Takeout(
        "E25",
        RATCHET,
        "or (not turns and header.number < received)",
        "or False",
        STORED + "test_e25_a_repeat_is_shown_once_also_after_a_restart",
    ),
    Takeout(
        "E26",
        RATCHET,
        "        key = check_x25519(reader.fixed(KEY))\n",
        "        key = reader.fixed(KEY)\n"
        "        key = check_x25519(key[:31] + bytes([key[31] & 0x7F]))\n",
        TURNS + "test_e26_a_ratchet_key_has_one_spelling",
    ),
    Takeout(
        "E38",
        STATE,
        "hmac_sha256(self.key, labels.CHAIN_MESSAGE_KEY)",
        "hmac_sha256(self.key, labels.CHAIN_NEXT_KEY)",
        CROSS + "test_e38_random_schedules_with_ours_as_initiator",
    ),
    Takeout(
        "E38",
        RATCHET,
        "previous=0 if state.sending is None else state.sending.number",
        "previous=0",
        CROSS + "test_e38_random_schedules_with_theirs_as_initiator",
    ),
    Takeout(
        "E38",
        RATCHET,
        "not turns and header.number < received",
        "not turns and header.number + 1 < received",
        CROSS + "test_e38_both_call_a_repeat_a_duplicate",
    ),
]
