"""Takeouts of the primitives, the keys of accounts and devices, and what is sealed at rest."""

from __future__ import annotations

from tests.takeouts import Takeout

PRIMITIVES = "bpost/crypto/primitives.py"
ACCOUNT = "bpost/crypto/account.py"
PREKEYS = "bpost/crypto/prekeys.py"
FINGERPRINT = "bpost/crypto/fingerprint.py"
LOGIN = "bpost/crypto/login.py"
PASSWORD = "bpost/crypto/password.py"

BUNDLES = "tests.crypto.test_prekeys.BundleTest."
LISTS = "tests.crypto.test_account.DeviceListTest."
AGREEMENT = "tests.crypto.test_primitives.AgreementTest."
SIGNATURES = "tests.crypto.test_primitives.SignatureTest."
KEM = "tests.crypto.test_primitives.KemTest."
LABELS = "tests.crypto.test_labels.LabelsTest."
CODEC = "tests.crypto.test_codec.CodecTest."
NUMBERS = "tests.crypto.test_fingerprint.SafetyNumberTest."
CODES = "tests.crypto.test_fingerprint.SafetyCodeTest."
SECRETS = "tests.crypto.test_secrets.SecretsTest."
VECTORS = "tests.crypto.test_wycheproof.WycheproofTest."
LOGINS = "tests.crypto.test_login.LoginTest."
PASSWORDS = "tests.crypto.test_password.PasswordTest."

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
        "E36",
        "bpost/crypto/labels.py",
        'b"bpost/1 ratchet"',
        'b"bpost/1 message, too"',
        LABELS + "test_e36_no_label_begins_another",
    ),
    Takeout(
        "E36",
        PASSWORD,
        "info=labels.WRAP",
        'info=b"bpost/" + labels.WRAP',
        LABELS + "test_e36_labels_stand_nowhere_else",
    ),
    Takeout(
        "E36",
        PASSWORD,
        "info=labels.WRAP",
        "info=salt",
        LABELS + "test_e36_every_derived_key_has_a_label",
    ),
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
    Takeout(
        "E56",
        FINGERPRINT,
        "    for _ in range(ROUNDS - 1):",
        "    for _ in range(ROUNDS):",
        NUMBERS + "test_e56_the_numbers_are_signals",
    ),
    Takeout(
        "E56",
        FINGERPRINT,
        '    return "".join(sorted((one, other)))',
        "    return one + other",
        NUMBERS + "test_e56_both_sides_see_the_same_60_digits",
    ),
    Takeout(
        "E56",
        FINGERPRINT,
        "iterated_hash(labels.SAFETY_NUMBER, public, ",
        "iterated_hash(labels.SAFETY_NUMBER, public[:31], ",
        NUMBERS + "test_e56_another_key_gives_another_number",
    ),
    Takeout(
        "E56",
        FINGERPRINT,
        "public, name_bytes(party.username))",
        'public, b"")',
        NUMBERS + "test_e56_another_name_gives_another_number",
    ),
    Takeout(
        "E56",
        "bpost/crypto/codec.py",
        '    return username.lower().encode("utf-8")',
        '    return username.encode("utf-8")',
        NUMBERS + "test_e56_the_case_of_a_name_does_not_matter",
    ),
    Takeout(
        "E57",
        FINGERPRINT,
        "    if version != CODE_VERSION:",
        "    if False:",
        CODES + "test_e57_what_cannot_be_compared_is_neither_same_nor_different",
    ),
    Takeout(
        "E57",
        FINGERPRINT,
        "    if equal(scanned, other + own):",
        "    if equal(scanned[:30], (other + own)[:30]):",
        CODES + "test_e57_codes_are_compared_in_full",
    ),
    Takeout(
        "E68",
        LOGIN,
        "    found = scrypt(",
        '    if field == stored.split("$")[-1]:\n        return True\n    found = scrypt(',
        LOGINS + "test_e68_what_is_stored_is_no_log_in",
    ),
    Takeout(
        "E68",
        LOGIN,
        "    salt = random(SALT)",
        "    salt = bytes(SALT)",
        LOGINS + "test_e68_the_hash_is_slow_and_salted",
    ),
    Takeout(
        "E69",
        PASSWORD,
        "MEMORY_KIB = 64 * 1024",
        "MEMORY_KIB = 8",
        PASSWORDS + "test_e69_the_costs_are_those_of_the_design",
    ),
    Takeout(
        "E69",
        PASSWORD,
        "def derive_password_keys(username: str, password: str) -> PasswordKeys:",
        "def derive_password_keys(\n"
        "    username: str, password: str, memory_kib: int = MEMORY_KIB\n"
        ") -> PasswordKeys:",
        PASSWORDS + "test_e69_nothing_that_a_server_says_reaches_the_costs",
    ),
    Takeout(
        "E70",
        PASSWORD,
        "info=labels.WRAP",
        "info=labels.LOGIN",
        PASSWORDS + "test_e70_the_two_keys_come_by_two_labels",
    ),
    Takeout(
        "E70",
        PASSWORD,
        "info=labels.WRAP",
        "info=labels.LOGIN",
        PASSWORDS + "test_e70_the_keys_are_those_of_every_release",
    ),
    Takeout(
        "E72",
        PREKEYS,
        "    secret: bytes = field(repr=False)",
        "    secret: bytes",
        SECRETS + "test_e72_secrets_do_not_show_in_repr",
    ),
    Takeout(
        "E72",
        PRIMITIVES,
        '            raise _bad_key("A private key of ML-KEM-768 has the wrong length.")',
        '            raise _bad_key(f"A private key is {seed!r}.")',
        SECRETS + "test_e72_secrets_do_not_show_in_failures",
    ),
    Takeout(
        "E73",
        LOGIN,
        "    right = equal(found, expected)",
        "    right = found == expected",
        SECRETS + "test_e73_nothing_secret_is_compared_with_equals",
    ),
    Takeout(
        "E73",
        PRIMITIVES,
        "    return hmac.compare_digest(one, other)",
        "    return one.__eq__(other)",
        SECRETS + "test_e73_comparing_takes_constant_time",
    ),
    Takeout(
        "E74",
        PRIMITIVES,
        "    return os.urandom(count)",
        "    import random\n\n    return random.randbytes(count)",
        SECRETS + "test_e73_e74_bandit_finds_nothing",
    ),
    Takeout(
        "E74",
        PRIMITIVES,
        "    return os.urandom(count)",
        '    return hashlib.shake_256(b"seed").digest(count)',
        SECRETS + "test_e74_randomness_is_from_the_operating_system",
    ),
    Takeout(
        "E74",
        PRIMITIVES,
        "    return os.urandom(count)",
        "    import random\n\n    return random.randbytes(count)",
        SECRETS + "test_e74_nothing_needs_another_source",
    ),
    Takeout(
        "E74",
        PRIMITIVES,
        "    return os.urandom(count)",
        "    import random\n\n    return random.randbytes(count)",
        SECRETS + "test_e74_no_module_imports_another_source",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "key = x25519.X25519PublicKey.from_public_bytes(check_x25519(peer))",
        "key = x25519.X25519PublicKey.from_public_bytes(peer)",
        VECTORS + "test_e76_x25519",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "        key.verify(signature, message)",
        "        key.verify(signature[:64], message)",
        VECTORS + "test_e76_ed25519",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "from_public_bytes(check_ed25519(public))",
        "from_public_bytes(public)",
        VECTORS + "test_e76_ed25519_keys_of_small_order",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "    return HKDF(SHA256(), length, salt or None, info).derive(secret)",
        "    return HKDF(SHA256(), length, None, info).derive(secret)",
        VECTORS + "test_e76_hkdf_sha_256",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        '    return hmac.digest(key, data, "sha256")',
        '    return hmac.digest(key[:64], data, "sha256")',
        VECTORS + "test_e76_hmac_sha_256",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "    except InvalidToken:\n        raise _bad_token() from None",
        '    except InvalidToken:\n        return b""',
        VECTORS + "test_e76_aes_cbc_pkcs5_inside_tokens",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "        if len(seed) != KEM_SEED:",
        "        seed = seed[:KEM_SEED].ljust(KEM_SEED)\n        if not seed:",
        VECTORS + "test_e76_ml_kem_768_decapsulation",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "    secret, ciphertext = _kem_public(public).encapsulate()\n",
        "    public = public[:KEM_PUBLIC].ljust(KEM_PUBLIC)\n"
        "    secret, ciphertext = _kem_public(public).encapsulate()\n",
        VECTORS + "test_e76_ml_kem_768_encapsulation_keys",
    ),
    Takeout(
        "E76",
        PRIMITIVES,
        "MLKEM768PrivateKey.from_seed_bytes(seed)",
        "MLKEM768PrivateKey.from_seed_bytes(seed[::-1])",
        VECTORS + "test_e76_ml_kem_768_key_generation",
    ),
]
