"""Takeouts of labels, safety numbers, passwords, what secrets show, and published vectors."""

from __future__ import annotations

from tests.takeouts import Takeout

PRIMITIVES = "bpost/crypto/primitives.py"
PREKEYS = "bpost/crypto/prekeys.py"
FINGERPRINT = "bpost/crypto/fingerprint.py"
LOGIN = "bpost/crypto/login.py"
PASSWORD = "bpost/crypto/password.py"

KEM = "tests.crypto.test_primitives.KemTest."
LABELS = "tests.crypto.test_labels.LabelsTest."
NUMBERS = "tests.crypto.test_fingerprint.SafetyNumberTest."
CODES = "tests.crypto.test_fingerprint.SafetyCodeTest."
SECRETS = "tests.crypto.test_secrets.SecretsTest."
VECTORS = "tests.crypto.test_wycheproof.WycheproofTest."
LOGINS = "tests.crypto.test_login.LoginTest."
PASSWORDS = "tests.crypto.test_password.PasswordTest."

TAKEOUTS = [
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
