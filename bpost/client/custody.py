"""What a person does with the whole of an account: back it up, restore, export, delete it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bpost.client.account import Account
from bpost.client.archive import check_username_of, open_archive, restore_profile, write_backup
from bpost.client.export import Format, Title, exported
from bpost.client.records import Message
from bpost.client.reset import begin_anew
from bpost.crypto.password import password_field
from bpost.errors import UsageError
from bpost.protocol.fields import canonical
from bpost.protocol.replies import AccountDeleted
from bpost.protocol.requests import DeleteAccount

PAGE = 500

COUNTED = ("messages", "contacts", "devices", "keys")


class Custody(Account):
    """Backups, exports, and the end of an account."""

    def backup(
        self, file: Path, passphrase: str, settings: Mapping[str, object] | None = None
    ) -> None:
        """Write account key, contacts and history to ``file``, sealed under a passphrase.

        ``settings`` are what the program wants to have back from `inspect_backup`. Mail comes in
        meanwhile.

        Raises: UsageError if the passphrase is empty or ``file`` is something else than a backup;
        ProfileError if it cannot be written.
        """
        running = self._writing
        write_backup(self._keystore, running.profile, file, passphrase, settings or {})

    def restore(self, file: Path, passphrase: str, password: str, username: str = "") -> None:
        """Make a profile of a backup, and log in as a new device of its account.

        ``password`` is that of the account. If it fails, nothing is changed.

        Raises:
            SecurityError: ``bad-token`` for a wrong passphrase, ``bad-encoding`` for what is no
                backup or a damaged one, ``account-key-changed`` …
            UsageError: it is not a backup of ``username``, if that is given.
            ProfileError: there is an account in the folder already, or a file cannot be used.
            Refused, TransportError: as :meth:`log_in`.
        """
        with self._life, open_archive(file, passphrase) as (backed, pieces):
            check_username_of(backed, username)
            entrance = self._enter(backed.facts.username, password)
            try:
                profile = restore_profile(entrance, backed, pieces)
                self._start(entrance, profile, needed=False)
            except BaseException:
                self._leave()
                raise

    def begin_anew(self, username: str, password: str) -> None:
        """Give an account whose key is lost a new one, and log in as its only device.

        For when :meth:`log_in` raised AccountLost and the user has read what follows from it
        (``RESET_WARNING``): contacts see a changed key, and earlier messages do not come back.

        Raises: UsageError if the key is not lost; what :meth:`log_in` raises.
        """
        with self._life:
            entrance = self._enter(username, password)
            try:
                profile = begin_anew(entrance)
                self._start(entrance, profile, needed=True)
            except BaseException:
                self._leave()
                raise

    def export(self, name: str, format: Format) -> Iterator[str]:  # noqa: A002
        """Return the conversation with ``name`` as a document, piece by piece.

        ``html`` is one page that fetches nothing and runs nothing, ``json`` one object. It is in
        the clear: what keeps it is up to the caller.

        Raises: UsageError for another format, or if there is no such conversation.
        """
        running = self._run
        with running.profile.store.reading():
            there = running.parts.history.conversations()
        found = [one.name for one in there if canonical(one.name) == canonical(name)]
        if not found:
            raise UsageError(f"There is no conversation with {name}.")
        title = Title(running.profile.username, found[0], running.profile.now())
        return exported(title, self._whole(found[0]), format)

    def _whole(self, name: str) -> Iterator[Message]:
        """Yield a conversation from its first message on, without holding all of it."""
        running = self._run
        after: float | None = None
        while True:
            with running.profile.store.reading():
                page = running.parts.history.following(name, after, PAGE)
            if not page:
                return
            yield from page
            after = page[-1].place

    def delete_account(self, password: str) -> Mapping[str, int]:
        """Delete the account on the server, for all devices, and log out; there is no way back.

        Returns how many contacts, devices, keys and messages the server deleted. The name stays
        reserved. The profile stays too, and can be read: see `remove_profile`.

        Raises: ``Refused("wrong-password")``; TransportError if offline.
        """
        running = self._run
        keys = self._check_password(password, "The password is wrong. Nothing was deleted.")
        request = DeleteAccount(running.profile.username, password_field(keys.login_key))
        receipt = running.receiver.link.request(request, AccountDeleted).receipt
        self.log_out()
        return receipt or {}


def receipt_text(receipt: Mapping[str, int]) -> str:
    """Say what the server deleted."""
    counts = [(receipt[what], what) for what in COUNTED if what in receipt]
    counted = [f"{count} {what[:-1] if count == 1 else what}" for count, what in counts]
    return f"The server deleted: {', '.join(counted)}." if counted else "The server deleted it."
