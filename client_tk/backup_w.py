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
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Progressbar, Wrapped

Backup = Callable[[Path, str, Callable[[], object], Callable[[BPostError], object]], object]

TEXT = (
    "A backup holds your account, your contacts and all messages, sealed under a passphrase. With "
    "it and your password you can go on after losing this computer."
)
HINT = "Write it down, and keep it away from the backup: nobody can open it without."


class BackupSheet(Sheet):
    """Asks for the passphrase and the file, and writes the backup."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        username: str,
        backup: Backup,
        say: Callable[[str], object],
    ) -> None:
        super().__init__(parent, look, "Backup")
        self._username = username
        self._backup = backup
        self._say = say
        Wrapped(self.body, text=TEXT).pack(fill="x", pady=(0, look.px(14)))
        self.passphrase = PasswordField(self.body, look, "Passphrase", hint=HINT)
        self.again = PasswordField(self.body, look, "Passphrase again")
        for field in (self.passphrase, self.again):
            field.pack(fill="x", pady=(0, look.px(8)))
            field.entry.bind("<Return>", lambda _: self.submit())
        self.passphrase.on_change(self._judge)
        self.again.on_change(lambda: compare(self.passphrase, self.again))
        self.general = Wrapped(self.body, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.general.pack(fill="x")
        self.bar = Progressbar(self.body, mode="indeterminate", bootstyle="primary")
        self.confirm = self.add_button("Choose a file …", self.submit, "primary")
        self.cancel = self.add_button("Cancel", self.close)
        self.open(self.passphrase.entry)

    def _judge(self) -> None:
        show_strength(self.passphrase, self._username)
        compare(self.passphrase, self.again)

    def submit(self) -> None:
        """Ask for the file and write the backup, unless something is plainly wrong."""
        for field in (self.passphrase, self.again):
            field.clear()
        self.general.configure(text="")
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
        self._wait(True)

        def written() -> None:
            self._say(f"The backup is in {file}.")
            self.close()

        self._backup(file, self.passphrase.value, written, self._failed)

    def _wait(self, waiting: bool) -> None:
        for part in (self.passphrase.entry, self.again.entry, self.confirm):
            part.state(["disabled" if waiting else "!disabled"])
        if waiting:
            self.bar.pack(fill="x", pady=(self.look.px(8), 0))
            self.bar.start(15)
        else:
            self.bar.stop()
            self.bar.pack_forget()

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            self._say(f"The backup was not written: {error}")
            return
        self._wait(False)
        self.general.configure(text=str(error))
