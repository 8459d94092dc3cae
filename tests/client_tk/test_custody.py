"""Lock, backup, restoration, export and deletion, as somebody at the window does them."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from bpost.client import Client
from bpost.errors import ProfileError, SecurityError, TransportError
from bpost.limits import Limits
from bpost.server.config import Config
from bpost.server.post_office import PostOffice
from client_tk import settings
from client_tk.app import App
from client_tk.backup_w import BackupSheet
from client_tk.delete_w import DeleteSheet
from client_tk.idle import IdleWatch
from client_tk.lock_w import LockWindow
from client_tk.restore_w import RestoreSheet
from tests.client.town import password_keys
from tests.client_tk.gui import PASSWORD, GuiTest
from tests.client_tk.gui import texts as drawn
from tests.client_tk.simulator import SimulatedClient
from tests.crypto.test_backup import cheap
from tests.memory import keys_in_memory

PASSPHRASE = "a passphrase for the backup"


def talked(client: SimulatedClient) -> None:
    """Let alice have talked with bob."""
    client.add_contact("bob")
    client.put("bob", "between you and me", quiet=True)


class LockTest(GuiTest):
    """Locked, nothing is there but a field for the password."""

    def locked(self, app: App) -> LockWindow:
        """Return the lock screen, which must be there."""
        self.until(lambda: app.locked is not None, "the lock screen")
        assert app.locked is not None
        app.locked.password.entry.focus_force()
        app.root.update()
        return app.locked

    def open_locked(self) -> tuple[App, LockWindow]:
        """Open alice's window with a conversation, and lock it with Ctrl+L."""
        app = self.open_main(talked)
        self.main(app).open("bob")
        self.settle(app)
        self.main(app).composer.text.event_generate("<Control-l>")
        return app, self.locked(app)

    def test_ctrl_l_closes_the_account_and_shows_nothing_of_it(self) -> None:
        app, locked = self.open_locked()
        self.until(lambda: self.world.client.closed, "the account to be closed")
        self.assertIsNone(app.client)
        self.assertIsNone(app.main)
        self.assertEqual(app.root.title(), "BPost")
        self.assertEqual([w for w in app.root.winfo_children() if w.winfo_ismapped()], [locked])
        self.screenshot(app, "lock-light")

    def test_the_password_opens_it_where_it_was(self) -> None:
        app, locked = self.open_locked()
        locked.password.value = PASSWORD
        locked.password.entry.event_generate("<Return>")
        self.until(lambda: app.main is not None, "the main window")
        self.assertIsNone(app.locked)
        self.assertEqual(len(self.world.clients), 2)
        self.until(lambda: self.main(app).controller.book.current == "bob", "the conversation")

    def test_a_wrong_password_is_said_and_opens_nothing(self) -> None:
        app, locked = self.open_locked()
        locked.submit()
        self.assertIn("Write your password", locked.password.error)
        locked.password.value = "wrong"
        locked.submit()
        self.until(lambda: locked.password.error, "the complaint")
        self.assertIn("not the password", locked.password.error)
        self.assertIsNone(app.main)
        self.world.fail["log_in"] = ProfileError("Another program uses it.")
        locked.password.value = PASSWORD
        locked.submit()
        self.until(lambda: locked.general.cget("text"), "the sentence")

    def test_another_account_can_be_used_from_there(self) -> None:
        app, locked = self.open_locked()
        locked.log_out.invoke()
        self.assertIsNone(app.locked)
        self.start(app)

    def test_an_open_sheet_goes_with_the_rest(self) -> None:
        app = self.open_main(talked)
        sheet = self.main(app).sheets.open_settings()
        app.root.update()
        sheet.lock.invoke()
        self.locked(app)
        self.assertFalse(app.root.grab_current())

    def test_a_draft_is_kept(self) -> None:
        app = self.open_main(talked)
        self.main(app).open("bob")
        self.settle(app)
        self.main(app).composer.text.insert("end", "half a sent")
        app.lock()
        self.locked(app)
        client = self.world.client
        self.until(lambda: client.closed, "the account to be closed")
        self.assertEqual(client.draft("bob"), "half a sent")

    def test_it_locks_by_itself_when_nobody_is_there(self) -> None:
        app = self.open_main(talked)
        now = [1000.0]
        locks: list[float] = []
        watch = IdleWatch(app.root, lambda: 5, lambda: locks.append(now[0]), lambda: now[0])
        self.addCleanup(watch.stop)
        for later, expected in ((290.0, 0), (310.0, 1), (320.0, 1), (700.0, 2)):
            with self.subTest(later):
                now[0] = 1000.0 + later
                watch.look(again=False)
                self.assertEqual(len(locks), expected)

    def test_a_key_puts_it_off_but_not_after_the_time_is_over(self) -> None:
        app = self.open_main(talked)
        now, locks = [1000.0], list[float]()
        watch = IdleWatch(app.root, lambda: 5, lambda: locks.append(now[0]), lambda: now[0])
        self.addCleanup(watch.stop)
        for later, expected in ((200.0, 0), (400.0, 0), (5000.0, 1)):
            with self.subTest(later):
                now[0] = 1000.0 + later
                app.root.focus_force()
                app.root.event_generate("<Shift_L>")
                app.root.update()
                self.assertEqual(len(locks), expected)

    def test_the_minutes_are_chosen_in_the_settings_and_kept(self) -> None:
        app = self.open_main(talked)
        sheet = self.main(app).sheets.open_settings()
        self.screenshot(app, "settings-light")
        sheet.locks[15].invoke()
        self.assertEqual(app.settings.lock_minutes, 15)
        sheet.close()
        self.assertEqual(settings.load(self.folder).lock_minutes, 15)


class BackupSheetTest(GuiTest):
    """The settings offer it."""

    def open_sheet(self) -> tuple[App, BackupSheet]:
        """Open the sheet from the settings."""
        app = self.open_main(talked)
        made: list[BackupSheet] = []
        main = self.main(app)
        whole = main.sheets.open_backup
        with mock.patch.object(
            main.sheets, "open_backup", side_effect=lambda: made.append(whole())
        ):
            main.sheets.open_settings().backup.invoke()
        app.root.update()
        return app, made[0]

    def choose(self, file: Path | None) -> None:
        """Let the dialog of the desktop answer ``file``."""
        patch = mock.patch("client_tk.files.filedialog.asksaveasfilename", return_value=file or "")
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_backup_is_written_where_somebody_chose(self) -> None:
        app, sheet = self.open_sheet()
        file = self.folder / "alice.bpost"
        self.choose(file)
        sheet.passphrase.value = sheet.again.value = PASSPHRASE
        self.screenshot(app, "backup-light")
        sheet.confirm.invoke()
        self.until(lambda: not sheet.winfo_exists(), "the sheet to close")
        kept = "{'appearance': 'light', 'lock_minutes': 0}"
        self.assertEqual(file.read_text(), f"{PASSPHRASE} {kept}")

    def test_passphrases_that_are_short_or_differ_write_nothing(self) -> None:
        _, sheet = self.open_sheet()
        self.choose(self.folder / "never")
        sheet.passphrase.value = "short"
        sheet.submit()
        self.assertIn("Too short", sheet.passphrase.error)
        sheet.passphrase.value, sheet.again.value = PASSPHRASE, "another one"
        sheet.submit()
        self.assertIn("differ", sheet.again.error)
        self.assertNotIn("backup", self.world.client.calls)

    def test_no_file_or_a_disk_that_is_full(self) -> None:
        _, sheet = self.open_sheet()
        sheet.passphrase.value = sheet.again.value = PASSPHRASE
        self.choose(None)
        sheet.submit()
        self.assertNotIn("backup", self.world.client.calls)
        self.world.fail["backup"] = ProfileError("The disk is full.")
        self.choose(self.folder / "full")
        sheet.submit()
        self.until(lambda: sheet.general.cget("text"), "the sentence")
        self.assertEqual(sheet.general.cget("text"), "The disk is full.")


class ExportAndDeleteTest(GuiTest):
    """The menu of a contact, and the end."""

    def test_a_conversation_is_exported_from_its_menu(self) -> None:
        app = self.open_main(talked)
        main = self.main(app)
        main.open("bob")
        self.settle(app)
        for action in ("html", "json"):
            file = self.folder / f"bob.{action}"
            with mock.patch("client_tk.files.filedialog.asksaveasfilename", return_value=str(file)):
                main.header.ask_change(action)
            self.until(file.exists, "the export")
            self.assertEqual(file.read_text(), f"{action}between you and me")

    def open_delete(self) -> tuple[App, DeleteSheet]:
        """Open the sheet that asks."""
        app = self.open_main(talked)
        sheet = self.main(app).sheets.open_delete()
        app.root.update()
        return app, sheet

    def test_the_username_has_to_be_typed(self) -> None:
        app, sheet = self.open_delete()
        self.screenshot(app, "delete-light")
        for name, password, field in (
            ("", PASSWORD, sheet.name),
            ("bob", PASSWORD, sheet.name),
            ("alice", "", sheet.password),
        ):
            with self.subTest(name):
                sheet.name.value, sheet.password.value = name, password
                sheet.submit()
                self.assertTrue(field.error)
        sheet.password.value = "wrong"
        sheet.submit()
        self.until(lambda: sheet.password.error, "the complaint")
        self.assertIn("alice", self.world.passwords)

    def test_deleted_it_says_what_went(self) -> None:
        app, sheet = self.open_delete()
        sheet.name.value, sheet.password.value = "Alice", PASSWORD
        sheet.submit()
        self.until(lambda: app.start is not None, "the start window")
        said = self.start(app).general.cget("text")
        self.assertIn("3 messages, 2 contacts, 1 device, 90 keys", said)
        self.assertEqual(self.start(app).general.cget("style"), "TLabel")  # it is no complaint
        self.assertTrue(self.folder.exists())
        self.screenshot(app, "deleted-light")

    def test_without_a_connection_nothing_is_deleted(self) -> None:
        app, sheet = self.open_delete()
        self.world.fail["delete_account"] = TransportError("The server cannot be reached.")
        sheet.name.value, sheet.password.value = "alice", PASSWORD
        sheet.submit()
        self.until(lambda: sheet.general.cget("text"), "the sentence")
        self.assertIsNotNone(app.main)


class RestoreTest(GuiTest):
    """With the real library and a real server; only the stretching of passwords is cheap."""

    def setUp(self) -> None:
        super().setUp()
        for name, quick in (
            ("bpost.client.account.derive_password_keys", password_keys),
            ("bpost.crypto.backup.argon2id", cheap),
        ):
            patch = mock.patch(name, quick)
            patch.start()
            self.addCleanup(patch.stop)
        data = Path(tempfile.mkdtemp(dir=self.folder))
        config = Config(data=data, port=0, limits=Limits(rates=False), log_level="error")
        self.office = PostOffice(config).start()
        self.addCleanup(self.office.stop)
        self.url = f"wss://127.0.0.1:{self.office.port}"
        self.file = self.folder / "alice.bpost"
        with Client(self.url, self.folder / "bob", pin=self.office.pin) as bob:
            bob.register("bob", PASSWORD)
        with Client(self.url, self.folder / "alice", pin=self.office.pin) as alice:
            alice.register("alice", PASSWORD)
            alice.add_contact("bob")
            alice.send("bob", "before the fire")
            alice.flush(10)
            alice.backup(self.file, PASSPHRASE, {"appearance": "dark", "lock_minutes": 5})

    def open_restore(self) -> tuple[App, RestoreSheet]:
        """Open the start window of a new computer, and ask for a backup."""
        app = self.open_app(server="", profile=self.folder / "new")
        app._make = Client
        start = self.start(app)
        start.restore.invoke()
        made = [one for one in start.winfo_children() if isinstance(one, RestoreSheet)]
        app.root.update()
        return app, made[0]

    def test_a_newcomer_restores_a_backup_from_the_start_window(self) -> None:
        app, sheet = self.open_restore()
        with mock.patch("client_tk.files.filedialog.askopenfilename", return_value=str(self.file)):
            sheet.browse.invoke()
        sheet.passphrase.value, sheet.password.value = PASSPHRASE, PASSWORD
        self.screenshot(app, "restore-light")
        sheet.confirm.invoke()
        self.until(lambda: app.main is not None, "the main window", 30)
        main = self.main(app)
        self.until(lambda: main.controller.book.conversations, "the conversations")
        main.open("bob")
        self.until(lambda: "before the fire" in drawn(main.messages.canvas), "the history")
        self.assertEqual((app.settings.appearance, app.settings.lock_minutes), ("dark", 5))
        self.assertEqual(app.look.palette.mode, "dark")
        self.until(lambda: app.client and app.client.flush(0), "the connection")
        self.screenshot(app, "restored-dark")

    def test_what_is_wrong_is_said_where_it_belongs(self) -> None:
        app, sheet = self.open_restore()
        sheet.submit()
        self.assertTrue(all(field.error for field in sheet.fields()))
        letter = self.folder / "letter.txt"
        letter.write_text("Dear BPost,")
        for file, passphrase, password, said in (
            (self.file, "wrong", PASSWORD, lambda: sheet.passphrase.error),
            (self.file, PASSPHRASE, "wrong", lambda: sheet.password.error),
            (letter, PASSPHRASE, PASSWORD, lambda: sheet.general.cget("text")),
            (self.folder / "none", PASSPHRASE, PASSWORD, lambda: sheet.general.cget("text")),
        ):
            with self.subTest(file=file.name, passphrase=passphrase):
                sheet.file.value = str(file)
                sheet.passphrase.value, sheet.password.value = passphrase, password
                sheet.submit()
                self.until(said, "the complaint", 30)
                self.assertIsNone(app.main)
        self.screenshot(app, "restore-refused-light")

    def test_locked_no_key_is_in_memory(self) -> None:
        before = keys_in_memory()  # of other tests
        app, sheet = self.open_restore()
        sheet.file.value = str(self.file)
        sheet.passphrase.value, sheet.password.value = PASSPHRASE, PASSWORD
        sheet.submit()
        self.until(lambda: app.main is not None, "the main window", 30)
        del sheet
        self.assertTrue(keys_in_memory(before))
        app.lock()
        self.until(lambda: not keys_in_memory(before), "the keys to go", 30)


class ErrorTest(unittest.TestCase):
    """Where errors of a restoration are shown."""

    def test_a_wrong_passphrase_belongs_to_its_field(self) -> None:
        from client_tk.account import complaint

        error = SecurityError("bad-token", "The passphrase does not open this backup.")
        self.assertEqual(complaint(error).place, "passphrase")


if __name__ == "__main__":
    unittest.main()
