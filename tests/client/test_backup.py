"""Backup and restoration: everything that matters comes back, and nothing that must not."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from bpost import b64
from bpost.client import Client, backup, inspect_backup
from bpost.client.models import Device, Fact, Prekey
from bpost.client.profile import IDENTITY
from bpost.crypto.backup import MAGIC, open_backup, seal_backup
from bpost.errors import BPostError, ProfileError, Refused, SecurityError, UsageError
from tests.client.test_cli import CommandLine
from tests.client.town import Town, password_of, status, wait_for_text
from tests.crypto.test_backup import cheap
from tests.support import wait_until

PASSPHRASE = "seven words that nobody else would say"


class BackupCase(Town):
    """Alice and bob have talked, and alice has a backup."""

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch("bpost.crypto.backup.argon2id", cheap)
        patch.start()
        self.addCleanup(patch.stop)
        self.file = self.folder / "alice.backup"

    def talk(self) -> tuple[Client, Client]:
        """Return alice and bob, who have said a word each; alice's backup is written."""
        alice, bob = self.register("alice", "bob")
        alice.send("bob", "a word from alice")
        wait_for_text(bob, "alice", "a word from alice")
        bob.send("alice", "a word from bob")
        wait_for_text(alice, "bob", "a word from bob")
        first = alice.history("bob")[0]
        wait_until(lambda: status(alice, first) == "delivered", what="the receipt")
        alice.set_draft("bob", "not sent yet")
        alice.backup(self.file, PASSPHRASE, {"zoom": 120})
        return alice, bob

    def restored(self, profile: str = "again", **changes: str) -> Client:
        """Return a client in another folder, restored from the file."""
        given = {"passphrase": PASSPHRASE, "password": password_of("alice"), **changes}
        client = self.client(profile)
        client.restore(self.file, given["passphrase"], given["password"])
        return client

    def pieces(self) -> list[dict[str, Any]]:
        """Return what stands in the file, unsealed."""
        with self.file.open("rb") as opened:
            return [json.loads(piece) for piece in open_backup(opened.read, PASSPHRASE)]


def secrets(client: Client) -> set[bytes]:
    """Return every secret of a device that must never exist twice."""
    store = client._run.profile.store
    with store.reading():
        found = {bytes(row.sessions) for row in store.all(Device) if row.sessions is not None}
        found |= {bytes(row.secret) for row in store.all(Prekey)}
        found |= {bytes(row.value) for row in store.all(Fact, Fact.name == IDENTITY)}
    return found


def full_disk(*_arguments: object) -> Iterator[bytes]:
    """Be the pieces of a backup for which there is no room."""
    yield b"the first"
    raise OSError(28, "No space left on device")


class BackupTest(BackupCase):
    """What is in it, and how it is written."""

    def test_e31_no_session_no_prekey_and_no_device_is_in_a_backup(self) -> None:
        alice, _ = self.talk()
        old_device, kept = alice.device, secrets(alice)
        whole = json.dumps(self.pieces())
        self.assertGreater(len(kept), 100)
        for secret in kept:
            self.assertNotIn(b64.encode(secret), whole)
        alice.close()
        again = self.restored()
        self.assertNotEqual(again.device, old_device)
        self.assertFalse(secrets(again) & kept)

    def test_e31_only_tables_that_are_named_are_in_a_backup(self) -> None:
        self.talk()
        first, *tables = self.pieces()
        self.assertEqual(
            set(first), {"schema", "made", "username", "server", "pin", "account", "settings"}
        )
        columns = {name for one in tables for name in one["columns"]}
        self.assertEqual(len({one["table"] for one in tables}), len(tables))
        self.assertFalse(columns & {"sessions", "secret", "body"})

    def test_nothing_readable_is_in_the_file_and_nobody_else_may_read_it(self) -> None:
        alice, _ = self.talk()
        data = self.file.read_bytes()
        self.assertTrue(data.startswith(MAGIC))
        for word in (b"a word", b"bob", b"alice", alice._run.profile.account.seed):
            self.assertNotIn(word, data)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)

    def test_it_says_whose_it_is(self) -> None:
        self.talk()
        info = inspect_backup(self.file, PASSPHRASE)
        self.assertEqual((info.username, info.server, info.pin), ("alice", self.url, self.pin))
        self.assertEqual(info.settings, {"zoom": 120})

    def test_a_backup_that_fails_leaves_the_older_one_and_nothing_else(self) -> None:
        alice, _ = self.talk()
        before, there = self.file.read_bytes(), sorted(self.folder.iterdir())
        with (
            mock.patch("bpost.client.archive.backup_pieces", full_disk),
            self.assertRaises(ProfileError),
        ):
            alice.backup(self.file, PASSPHRASE)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(sorted(self.folder.iterdir()), there)
        alice.backup(self.file, PASSPHRASE)
        self.assertNotEqual(self.file.read_bytes(), before)

    def test_nothing_but_a_backup_is_written_over(self) -> None:
        (alice,) = self.register("alice")
        letter = self.folder / "letter.txt"
        letter.write_text("Dear BPost,")
        for file, error in ((letter, UsageError), (self.folder, ProfileError)):
            with self.subTest(file.name), self.assertRaises(error):
                alice.backup(file, PASSPHRASE)
        self.assertEqual(letter.read_text(), "Dear BPost,")
        with self.assertRaises(UsageError):
            alice.backup(self.file, "")
        self.assertFalse(self.file.exists())

    def test_mail_comes_in_while_a_backup_is_written(self) -> None:
        alice, bob = self.talk()
        whole = backup.backup_pieces

        def slowly(*arguments: Any) -> Any:
            pieces = whole(*arguments)
            yield next(pieces)
            bob.send("alice", "meanwhile")
            wait_for_text(alice, "bob", "meanwhile")
            yield from pieces

        with mock.patch("bpost.client.archive.backup_pieces", slowly):
            alice.backup(self.file, PASSPHRASE)
        self.assertNotIn("meanwhile", json.dumps(self.pieces()))


class RefusedTest(BackupCase):
    """Nothing is changed by what cannot be restored."""

    def refuse(
        self, kind: type[BPostError], text: str, work: Callable[[], object], name: str = "again"
    ) -> None:
        """Demand an error, no profile, and no new device of alice."""
        with self.assertRaisesRegex(kind, text):
            work()
        left = {path.name for path in (self.folder / name).glob("*")}
        self.assertLessEqual(left, {"lock"})

    def test_a_wrong_passphrase_or_password(self) -> None:
        self.talk()[0].close()
        self.refuse(SecurityError, "passphrase", lambda: self.restored(passphrase="wrong"))
        self.refuse(Refused, "", lambda: self.restored(password="wrong"))
        self.restored()

    def test_a_file_that_is_damaged_foreign_or_missing(self) -> None:
        self.talk()[0].close()
        whole = self.file.read_bytes()
        for data, text in (
            (whole[:-1], "cut short"),
            (whole[:-400], "cut short"),
            (whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:], "damaged"),
            (b"", "no backup of BPost"),
            (b"PK\x03\x04 a picture", "no backup of BPost"),
        ):
            with self.subTest(text, length=len(data)):
                self.file.write_bytes(data)
                self.refuse(SecurityError, text, self.restored)
        self.file.unlink()
        self.refuse(ProfileError, "cannot be read", self.restored)

    def test_a_backup_whose_content_makes_no_sense(self) -> None:
        self.talk()[0].close()
        first, *rows = self.pieces()
        for pieces in (
            [],
            [{"nothing": "known"}],
            [first | {"account": "AQ"}],
            [first | {"schema": "new"}],
            [first, {"table": "peers", "columns": ["name"], "rows": [["a", "b"]]}],
            [first, {"table": "peers", "columns": ["name"], "rows": "a"}],
            [first, *rows, *rows],
            [first | {"schema": 1000}],
        ):
            with self.subTest(str(pieces)[:40]):
                sealed = seal_backup((json.dumps(one).encode() for one in pieces), PASSPHRASE)
                self.file.write_bytes(b"".join(sealed))
                self.refuse(BPostError, "[.]$", self.restored)

    def test_a_backup_of_somebody_else(self) -> None:
        self.talk()
        client = self.client("again")
        password = password_of("bob")
        self.refuse(
            UsageError,
            "backup of alice, not of bob",
            lambda: client.restore(self.file, PASSPHRASE, password, "bob"),
        )

    def test_an_account_that_was_begun_anew(self) -> None:
        self.talk()[0].close()
        first, *rows = self.pieces()
        other = first | {"account": b64.encode(bytes(range(32)))}
        sealed = seal_backup((json.dumps(one).encode() for one in [other, *rows]), PASSPHRASE)
        self.file.write_bytes(b"".join(sealed))
        self.refuse(SecurityError, "begun anew", self.restored)

    def test_a_folder_that_has_an_account_already(self) -> None:
        alice, bob = self.talk()
        alice.close()
        bob.close()
        before = sorted(path.name for path in (self.folder / "bob").iterdir())
        with self.assertRaisesRegex(ProfileError, "already"):
            self.restored("bob")
        self.assertEqual(sorted(path.name for path in (self.folder / "bob").iterdir()), before)
        self.assertEqual(self.log_in("bob").username, "bob")

    def test_a_server_that_is_away(self) -> None:
        self.talk()[0].close()
        self.stop()
        self.refuse(BPostError, "", self.restored)
        self.start()
        self.restored()


class CommandTest(CommandLine, BackupCase):
    """``bpost-cli backup`` and ``restore``."""

    def test_a_lost_laptop(self) -> None:
        self.sign_up("alice", "bob")
        self.run_cli("bob", "send", "alice", "remember this")
        self.run_cli("alice", "listen", "--count", "1")
        secret = self._passphrase(PASSPHRASE)
        given = (str(self.file), "--passphrase-file", secret)
        code, out, _ = self.run_cli("alice", "backup", *given)
        self.assertEqual((code, "holds a backup of alice" in out), (0, True))
        (self.folder / "again.password").write_text(password_of("alice"))
        code, out, err = self.run_cli("again", "restore", *given)
        self.assertEqual((code, err, "alice is restored" in out), (0, "", True))
        self.assertIn("remember this", self.run_cli("again", "history", "bob")[1])
        self.assertEqual(self.run_cli("again", "send", "bob", "I am back")[0], 0)

    def test_what_cannot_be_restored_is_said(self) -> None:
        self.sign_up("alice")
        given = (str(self.file), "--passphrase-file", self._passphrase(PASSPHRASE))
        self.assertEqual(self.run_cli("alice", "backup", *given)[0], 0)
        code, _, err = self.run_cli("alice", "restore", *given)
        self.assertEqual((code, "already" in err), (1, True))
        wrong = (str(self.file), "--passphrase-file", self._passphrase("wrong"))
        code, _, err = self.run_cli("again", "restore", *wrong)
        self.assertEqual((code, "passphrase does not open" in err), (1, True))
        self.assertEqual(self.run_cli("alice", "backup", str(self.file))[0], 1)

    def _passphrase(self, text: str) -> str:
        path = Path(self.folder / f"{len(text)}.passphrase")
        path.write_text(text + "\n")
        return str(path)
