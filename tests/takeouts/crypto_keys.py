"""Takeouts of the keys of accounts and devices, and of how they are spelt and signed."""

from __future__ import annotations

from tests.takeouts import Takeout

PRIMITIVES = "bpost/crypto/primitives.py"
ACCOUNT = "bpost/crypto/account.py"
PREKEYS = "bpost/crypto/prekeys.py"
FINGERPRINT = "bpost/crypto/fingerprint.py"

BUNDLES = "tests.crypto.test_prekeys.BundleTest."
LISTS = "tests.crypto.test_account.DeviceListTest."
AGREEMENT = "tests.crypto.test_primitives.AgreementTest."
SIGNATURES = "tests.crypto.test_primitives.SignatureTest."
KEM = "tests.crypto.test_primitives.KemTest."
CODEC = "tests.crypto.test_codec.CodecTest."
NUMBERS = "tests.crypto.test_fingerprint.SafetyNumberTest."

SIGNED_HEAD = (
    "    writer = Writer().number(FORMAT, 1).number(prekey.kind, 1).fixed(prekey.id, PREKEY_ID)\n"
    "    writer.number(prekey.created, 8).blob(name_bytes(username))\n"
    '    return writer.fixed(device.encode("ascii"), DEVICE_ID).blob(prekey.key).done()'
)


def unsigned(number: str, part: str, test: str) -> Takeout:
    """Leave one part out of what a prekey's signature covers."""
    assert part in SIGNED_HEAD
    return Takeout(number, PREKEYS, SIGNED_HEAD, SIGNED_HEAD.replace(part, ""), BUNDLES + test)


TAKEOUTS = [
    Takeout(
        "E1",
        PREKEYS,
        "    verify_account(account_public, prekey.signature, labels.PREKEY, content)\n",
        "    del content\n",
        BUNDLES + "test_e1_each_signature_is_verified_in_each_byte",
    ),
    Takeout(
        "E1",
        PREKEYS,
        "    verify_prekey(kem, PrekeyKind.KEM, account_public, username, device)\n",
        "",
        BUNDLES + "test_e1_a_bit_off_anywhere_is_refused",
    ),
    Takeout(
        "E1",
        ACCOUNT,
        "    verify_account(account_public, found.signature, labels.DEVICE_LIST, "
        "found.list.to_bytes())\n",
        "",
        BUNDLES + "test_e1_the_keys_of_another_account_are_refused",
    ),
    Takeout(
        "E2",
        PREKEYS,
        "    if prekey.kind is not kind:\n",
        "    if False:\n",
        BUNDLES + "test_e2_a_key_in_the_place_of_another_kind_is_refused",
    ),
    unsigned("E2", ".number(prekey.kind, 1)", "test_e2_the_kind_is_signed"),
    unsigned("E2", ".fixed(prekey.id, PREKEY_ID)", "test_e2_the_id_is_signed"),
    unsigned("E2", '.fixed(device.encode("ascii"), DEVICE_ID)', "test_e2_the_device_is_signed"),
    unsigned("E2", ".blob(name_bytes(username))", "test_e2_the_username_is_signed"),
    Takeout(
        "E2",
        ACCOUNT,
        "        return self._key.sign(label + content)",
        "        return self._key.sign(labels.PREKEY + content)",
        BUNDLES + "test_e2_a_signature_of_a_list_is_none_of_a_prekey",
    ),
    Takeout(
        "E5",
        PRIMITIVES,
        '            raise _bad_key("A key for agreement (X25519) leads to no secret.") from None',
        "            return bytes(KEY)",
        AGREEMENT + "test_e5_keys_that_lead_to_nothing_are_refused",
    ),
    Takeout(
        "E5",
        PRIMITIVES,
        '    if len(public) != KEY or int.from_bytes(public, "little") >= FIELD:',
        "    if len(public) != KEY:",
        AGREEMENT + "test_e5_other_spellings_of_a_key_are_refused",
    ),
    Takeout(
        "E5",
        PREKEYS,
        "        check_x25519(prekey.key)",
        "        pass",
        BUNDLES + "test_e5_a_prekey_that_is_not_canonical_is_refused_though_signed",
    ),
    Takeout(
        "E6",
        PRIMITIVES,
        " or y >= FIELD or y in SMALL_ORDER:",
        " or y >= FIELD:",
        SIGNATURES + "test_e6_keys_of_small_order_are_refused_in_all_encodings",
    ),
    Takeout(
        "E6",
        PRIMITIVES,
        "from_public_bytes(check_ed25519(public))",
        "from_public_bytes(public)",
        SIGNATURES + "test_e6_a_signature_that_fits_everything_is_refused",
    ),
    Takeout(
        "E6",
        PRIMITIVES,
        " or y >= FIELD or y in SMALL_ORDER:",
        " or y in SMALL_ORDER:",
        SIGNATURES + "test_e6_keys_that_are_not_canonical_are_refused",
    ),
    Takeout(
        "E6",
        FINGERPRINT,
        "check_ed25519(party.account_public)",
        "party.account_public",
        NUMBERS + "test_e6_a_key_of_small_order_has_no_number",
    ),
    Takeout(
        "E8",
        PRIMITIVES,
        "    _kem_public(public)\n    return public",
        "    return public",
        KEM + "test_e8_keys_with_a_number_beyond_the_modulus_are_refused",
    ),
    Takeout(
        "E8",
        PREKEYS,
        "        check_kem(prekey.key)",
        "        pass",
        BUNDLES + "test_e8_a_kem_key_beyond_the_modulus_is_refused_though_signed",
    ),
    Takeout(
        "E9",
        PRIMITIVES,
        "        return self._key.decapsulate(ciphertext)",
        "        if ciphertext[0] % 2:\n"
        '            raise SecurityError("bad-key", "The ciphertext was altered.")\n'
        "        return self._key.decapsulate(ciphertext)",
        KEM + "test_e9_an_altered_ciphertext_gives_another_secret_silently",
    ),
    Takeout(
        "E15",
        PREKEYS,
        "    if age > limits.bundle_seconds + tolerance:",
        "    if False:",
        BUNDLES + "test_e15_a_bundle_expires",
    ),
    Takeout(
        "E15",
        PREKEYS,
        "    for prekey in (signed, kem):",
        "    for prekey in (signed,):",
        BUNDLES + "test_e15_each_key_expires",
    ),
    Takeout(
        "E15",
        PREKEYS,
        "    if age < -tolerance:",
        "    if False:",
        BUNDLES + "test_e15_a_bundle_from_the_future_is_refused",
    ),
    unsigned("E15", ".number(prekey.created, 8)", "test_e15_the_time_is_signed"),
    Takeout(
        "E47",
        "bpost/b64.py",
        "    if data is None or encode(data) != text:",
        "    if data is None:",
        "tests.test_b64.Base64Test.test_e47_other_spellings_of_a_text_are_refused",
    ),
    Takeout(
        "E47",
        "bpost/b64.py",
        "    if data is None or encode(data) != text:",
        "    if data is None:",
        "tests.test_b64.Base64Test.test_e47_a_text_is_refused_or_the_only_spelling",
    ),
    Takeout(
        "E49",
        "bpost/crypto/codec.py",
        "        if self._at != len(self._data):",
        "        if False:",
        CODEC + "test_e49_nothing_may_follow_nor_be_missing",
    ),
    Takeout(
        "E49",
        "bpost/crypto/codec.py",
        "        if end > len(self._data):",
        "        if False:",
        CODEC + "test_e49_what_is_missing_or_too_long_is_refused",
    ),
    Takeout(
        "E49",
        PREKEYS,
        "        if number not in set(PrekeyKind):",
        "        if False:",
        CODEC + "test_e49_an_altered_bit_is_refused_or_read_as_it_is",
    ),
    Takeout(
        "E49",
        "bpost/crypto/codec.py",
        "        if self._at != len(self._data):",
        "        if False:",
        CODEC + "test_e49_noise_is_refused_or_read_as_it_is",
    ),
    Takeout(
        "E49",
        "bpost/crypto/codec.py",
        "        if self._at != len(self._data):",
        "        if False:",
        BUNDLES + "test_e49_a_bundle_has_one_form",
    ),
    Takeout(
        "E53",
        ACCOUNT,
        "    verify_account(account_public, found.signature, labels.DEVICE_LIST, "
        "found.list.to_bytes())\n",
        "",
        LISTS + "test_e53_a_device_that_the_server_adds_is_refused",
    ),
    Takeout(
        "E53",
        ACCOUNT,
        "    if new < old:",
        "    if False:",
        LISTS + "test_e53_a_list_that_goes_back_is_refused",
    ),
    Takeout(
        "E53",
        ACCOUNT,
        "    if new == old and not equal(",
        "    if False and not equal(",
        LISTS + "test_e53_a_second_list_of_the_same_version_is_refused",
    ),
    Takeout(
        "E53",
        PREKEYS,
        "    entry = device_list.list.find(device)\n",
        "    entry = device_list.list.find(device) or device_list.list.devices[0]\n",
        BUNDLES + "test_e53_a_device_that_is_not_on_the_signed_list_is_refused",
    ),
    Takeout(
        "E54",
        ACCOUNT,
        "        if entry.id in ids or entry.identity in identities:",
        "        if entry.identity in identities:",
        LISTS + "test_e54_an_id_keeps_its_identity",
    ),
    Takeout(
        "E54",
        ACCOUNT,
        "        if entry.id in ids or entry.identity in identities:",
        "        if entry.id in ids:",
        LISTS + "test_e54_an_identity_keeps_its_id",
    ),
    Takeout(
        "E54",
        ACCOUNT,
        "    _check_one_to_one({*offered.list.devices, *seen})",
        "    _check_one_to_one(offered.list.devices)",
        LISTS + "test_e54_an_id_that_was_removed_does_not_come_back_with_other_keys",
    ),
    Takeout(
        "E54",
        ACCOUNT,
        "        _check_one_to_one(devices)\n        return found",
        "        return found",
        LISTS + "test_e54_a_list_names_each_device_once",
    ),
    Takeout(
        "E54",
        ACCOUNT,
        "    if not _DEVICE_ID.fullmatch(text):",
        "    if not text:",
        LISTS + "test_e54_an_id_that_looks_like_something_else_is_refused",
    ),
]
