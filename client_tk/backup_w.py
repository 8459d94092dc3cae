"""Writing a backup: a passphrase twice, then where to."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable
from pathlib import Path

from bpost.errors import BPostError
from client_tk import account, files
from client_tk.credentials_w import compare, show_strength
from client_tk.fields import PasswordField
from client_tk.form import FormSheet
from client_tk.theme import Look

Backup = Callable[[Path, str, Callable[[], object], Callable[[BPostError], object]], object]

TEXT = (
    "A backup holds your account, your contacts and all messages, sealed under a passphrase. With "
    "it and your password you can go on after losing this computer."
)
HINT = "Write it down, and keep it away from the backup: nobody can open it without."


class BackupSheet(FormSheet):
    """Asks for the passphrase and the file, and writes the backup."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        username: str,
        backup: Backup,
        say: Callable[[str], object],
    ) -> None:
        super().__init__(parent, look, "Backup", TEXT)
        self._username = username
        self._backup = backup
        self._say = say
        self.passphrase = PasswordField(self.body, look, "Passphrase", hint=HINT)
        self.again = PasswordField(self.body, look, "Passphrase again")
        self.add(self.passphrase, self.again)
        self.passphrase.on_change(self._judge)
        self.again.on_change(lambda: compare(self.passphrase, self.again))
        self.end("Choose a file …")
        self.open(self.passphrase.entry)

    def _judge(self) -> None:
        show_strength(self.passphrase, self._username)
        compare(self.passphrase, self.again)

    def submit(self) -> None:
        """Ask for the file and write the backup, unless something is plainly wrong."""
        self.clear()
        wrong = account.password_error(self.passphrase.value).replace("password", "passphrase")
        if wrong:
            self.passphrase.fail(wrong)
        elif self.again.value != self.passphrase.value:
            self.again.fail("The two passphrases differ.")
        else:
            name = f"{self._username}-{time.strftime('%Y-%m-%d')}.bpost"
            file = files.save_as(self, "Write the backup", name)
            if file is not None:
                self._write(file)

    def _write(self, file: Path) -> None:
        self.wait(True)

        def written() -> None:
            self._say(f"The backup is in {file}.")
            self.close()

        self._backup(file, self.passphrase.value, written, self._failed)

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            self._say(f"The backup was not written: {error}")
            return
        self.wait(False)
        self.general.configure(text=str(error))
