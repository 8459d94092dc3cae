"""Tests that hold for the whole layer: what shows, how it compares, where randomness is from."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import logging
import os
import random
import re
import subprocess
import sys
import traceback
import unittest
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from bpost.crypto import keyfile, login, password, primitives, vault
from bpost.crypto.account import AccountKey, sign_device_list
from bpost.crypto.codec import Reader, Writer
from bpost.crypto.prekeys import PrekeyKind, PrekeySecret, make_prekey
from tests.crypto.people import NOW, PHONE, Person
from tests.crypto.test_labels import nodes

ROOT = Path(__file__).resolve().parents[2]
ALICE = Person.named("alice")

CANARY = b"Canary-in-a-coal-mine-32-bytes-!"
FORMS = (
    CANARY.decode(),
    CANARY.hex(),
    base64.b64encode(CANARY).decode().rstrip("="),
    base64.urlsafe_b64encode(CANARY).decode().rstrip("="),
)
ACCOUNT = AccountKey.from_seed(CANARY)
TWICE = replace(ALICE.devices.list, devices=ALICE.devices.list.devices * 2)

HOLDERS: list[object] = [
    ACCOUNT,
    primitives.X25519Private(CANARY),
    primitives.Ed25519Private(CANARY),
    primitives.KemPrivate(CANARY * 2),
    password.PasswordKeys(CANARY, CANARY),
    PrekeySecret(bytes(8), PrekeyKind.SIGNED, CANARY, NOW),
    Writer().blob(CANARY),
    Reader(CANARY, "thing"),
]

FAILURES: list[Callable[[], object]] = [
    lambda: primitives.X25519Private(CANARY + CANARY),
    lambda: primitives.X25519Private(CANARY).exchange(bytes(32)),
    lambda: primitives.Ed25519Private(CANARY + CANARY),
    lambda: primitives.KemPrivate(CANARY),
    lambda: primitives.KemPrivate(CANARY * 2).decapsulate(CANARY),
    lambda: primitives.encapsulate(CANARY),
    lambda: primitives.verify_ed25519(ACCOUNT.public, CANARY * 2, CANARY),
    lambda: primitives.seal(CANARY * 2, CANARY),
    lambda: primitives.seal(CANARY, CANARY.decode()),  # type: ignore[arg-type]
    lambda: primitives.open_sealed(CANARY, CANARY),
    lambda: primitives.open_sealed(CANARY, primitives.seal(bytes(32), CANARY)),
    lambda: primitives.hkdf(CANARY, info=CANARY, length=2**20),
    lambda: primitives.argon2id(CANARY, b"", memory_kib=1, passes=0, lanes=0),
    lambda: primitives.scrypt(CANARY, CANARY, n=3, r=8, p=1),
    lambda: password.derive_password_keys("alice", CANARY.decode() + "\ud800"),
    lambda: login.verify_login(CANARY.decode(), CANARY.decode()),
    lambda: AccountKey.from_seed(CANARY * 2),
    lambda: sign_device_list(ACCOUNT, TWICE),
    lambda: make_prekey(9, ACCOUNT, "alice", PHONE, now=-1),  # type: ignore[arg-type]
    lambda: vault.open_vault(CANARY, "alice", "AQ"),
    lambda: vault.open_vault(CANARY, "alice", vault.seal_vault(CANARY, "bob", ACCOUNT)),
    lambda: keyfile.open_with_password(CANARY, CANARY),
    lambda: keyfile.open_with_account(
        keyfile.seal_key_file(CANARY, CANARY, ACCOUNT), ALICE.account
    ),
    lambda: keyfile.open_with_password(keyfile.seal_key_file(CANARY, CANARY, ACCOUNT), bytes(32)),
    lambda: Writer().fixed(CANARY, 31),
    lambda: Reader(CANARY, "thing").blob(9),
    lambda: Reader(bytes([0, 0, 0, 33]) + CANARY + b"\xff", "thing").text(99),
    lambda: Reader(CANARY, "thing").end(),
]

# What may be compared with == though it is no number and no text in the source: public words.
PLAIN = {"username", "named", "version", "device", "devices", "id", "kind", "name", "new", "number"}
# Public keys, sent in the clear: time tells nothing that the wire does not.
PUBLIC = {"ratchet_key", "base_key", "theirs"}


def is_plain(node: ast.expr) -> bool:
    """Tell whether one side of a comparison shows that no secret is compared."""
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, bytes)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"len", "name_bytes"}
    if isinstance(node, ast.BinOp):
        return is_plain(node.left) or is_plain(node.right)
    word = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return word in PLAIN | PUBLIC or bool(re.fullmatch(r"_?[A-Z][A-Z_]+", word))


class SecretsTest(unittest.TestCase):
    def assert_hidden(self, text: str) -> None:
        for form in FORMS:
            self.assertNotIn(form, text)

    def test_e72_secrets_do_not_show_in_repr(self) -> None:
        for holder in HOLDERS:
            for text in (repr(holder), str(holder), f"{[holder]}"):
                with self.subTest(type(holder).__name__):
                    self.assert_hidden(text)

    def test_e72_secrets_do_not_show_in_failures(self) -> None:
        out, logged = io.StringIO(), io.StringIO()
        handler = logging.StreamHandler(logged)
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)
        for fail in FAILURES:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                with self.assertRaises(Exception) as raised:
                    fail()
            self.assert_hidden("".join(traceback.format_exception_only(raised.exception)))
            self.assert_hidden(f"{raised.exception.args} {raised.exception.__context__}")
        self.assert_hidden(out.getvalue() + logged.getvalue())

    def test_e73_nothing_secret_is_compared_with_equals(self) -> None:
        for path, node in nodes():
            if not isinstance(node, ast.Compare):
                continue
            sides = [node.left, *node.comparators]
            for op, one, other in zip(node.ops, sides, sides[1:], strict=False):
                if isinstance(op, ast.Eq | ast.NotEq):
                    plain = is_plain(one) or is_plain(other)
                    self.assertTrue(plain, f"{path.name}:{node.lineno}: {ast.unparse(node)}")

    def test_e73_comparing_takes_constant_time(self) -> None:
        with patch("hmac.compare_digest", return_value=False) as compare:
            self.assertFalse(primitives.equal(b"same", b"same"))
            self.assertFalse(login.verify_login(login.hash_login("A" * 43), "A" * 43))
        self.assertEqual(compare.call_count, 2)

    def test_e73_e74_bandit_finds_nothing(self) -> None:
        command = [sys.executable, "-m", "bandit", "-q", "-r", str(ROOT / "bpost" / "crypto")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_e74_randomness_is_from_the_operating_system(self) -> None:
        with patch("os.urandom", wraps=os.urandom) as system:
            made = primitives.generate_x25519(), primitives.generate_kem(), AccountKey.generate()
            make_prekey(PrekeyKind.ONE_TIME, made[2], "alice", PHONE, now=NOW)
            keyfile.generate_database_key()
            login.hash_login("A" * 43)
            token = primitives.seal(bytes(32), b"words")
        lengths = [call.args[0] for call in system.call_args_list]
        self.assertEqual(lengths, [32, 64, 32, 8, 32, 32, 16, 16])
        self.assertEqual(len(token), primitives.TOKEN_OVERHEAD + 16)

    def test_e74_nothing_needs_another_source(self) -> None:
        generator = random.Random
        names = [name for name in vars(generator) if name.islower() and name[0] != "_"]
        error = AssertionError("predictable randomness was used")
        with contextlib.ExitStack() as stack:
            for name in names:
                if hasattr(random, name):
                    stack.enter_context(patch.object(random, name, side_effect=error))
            Person.named("alice")
            make_prekey(PrekeyKind.KEM, AccountKey.generate(), "alice", PHONE, now=NOW)
            primitives.encapsulate(ALICE.kem.key)
            primitives.seal(bytes(32), b"words")
            login.hash_login("A" * 43)

    def test_e74_no_module_imports_another_source(self) -> None:
        for path, node in nodes():
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                self.assertFalse(names & {"random", "numpy", "uuid", "time"}, path.name)


if __name__ == "__main__":
    unittest.main()
