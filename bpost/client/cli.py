"""The command line: ``bpost-cli``, for people at a terminal and for scripts.

Exit status: 0 only when what was asked is done; 1 with a sentence on stderr when it is not; 2 for a
command line that makes no sense; 3 for a safety code that could not be compared. Passwords are
never arguments, where other users could see them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bpost import __version__
from bpost.client.archive import inspect_backup
from bpost.client.cli_custody import WARNING, write_export
from bpost.client.cli_devices import add_device_arguments, look_after, renew
from bpost.client.cli_history import add_history_arguments, fetch, show_conversation
from bpost.client.cli_link import compares, keep_vault, read_code
from bpost.client.cli_mail import (
    add_listen_arguments,
    add_send_arguments,
    incoming,
    send_again,
    tell_unsent,
    wait_stored,
)
from bpost.client.cli_second_thoughts import add_delete_arguments, add_edit_arguments, change
from bpost.client.cli_verify import add_arguments, answer, show_keys
from bpost.client.client import Client
from bpost.client.custody import receipt_text
from bpost.client.export import FORMATS
from bpost.client.keystore import Remembered, default_profile, remembered, remove_profile
from bpost.client.records import Message
from bpost.client.reset import RESET_WARNING
from bpost.client.terminal import (
    Signals,
    asks_trust,
    read_passphrase,
    read_password,
    say,
    show,
    types_again,
)
from bpost.errors import AccountLost, BPostError, Refused, UntrustedCertificate, UsageError

COMMON = ("server", "user", "profile", "pin", "password_file")
SERVER = "127.0.0.1:8765"
FLUSH_SECONDS = 10.0

Enter = Callable[[Client], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    given = _join(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given, argparse.Namespace(**dict.fromkeys(COMMON)))
    options.signals = Signals()
    try:
        return int(options.run(options))
    except AccountLost as error:
        say(f"{error} bpost-cli reset-account does that.")
        return 1
    except BPostError as error:
        say(str(error))
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def register(options: argparse.Namespace) -> int:
    """Create an account."""
    password = read_password(options.password_file, twice=True)
    user = _user(options, None)
    with _client(options, lambda me: me.register(user, password, options.invite)) as me:
        print(f"{me.username} is registered. This device is {me.device}.")
    return 0


def add(options: argparse.Namespace) -> int:
    """Add a contact."""
    with _logged_in(options) as me:
        contact = me.add_contact(options.contact)
        print(f"{contact.name} is in your contact list.")
        if not contact.has_key:
            say(f"{contact.name} has no keys yet; messages wait until they have.")
    return 0


def contacts(options: argparse.Namespace) -> int:
    """Print the contact list."""
    with _logged_in(options) as me:
        for contact in me.contacts():
            print(contact.name + ("  (blocked)" if contact.blocked else ""))
    return 0


def send(options: argparse.Namespace) -> int:
    """Send a text, or the standard input, and wait until the server has stored it."""
    texts = [options.text] if options.text not in (None, "-") else _standard_input(options.lines)
    if not texts:
        raise UsageError("There is nothing to send: the standard input is empty.")
    return _deliver(options, lambda me: [me.send(options.to, text) for text in texts])


def retry(options: argparse.Namespace) -> int:
    """Send again what failed in a conversation, and wait until the server has stored it."""
    return _deliver(options, lambda me: send_again(me, options.to))


def _deliver(options: argparse.Namespace, begin: Callable[[Client], Sequence[Message]]) -> int:
    """Wait until the server has stored what ``begin`` has put into the outbox."""
    with _logged_in(options) as me:
        waiting = {message.id: message for message in begin(me)}
        wait_stored(me, waiting, options)
        if not waiting:
            me.flush(min(options.timeout, FLUSH_SECONDS))
            return 0
    return tell_unsent(list(waiting.values()))


def listen(options: argparse.Namespace) -> int:
    """Print messages as they come, those not read yet first; and tell the senders."""
    with _logged_in(options) as me:
        left = options.count or -1
        for message, what in incoming(me, options):
            show(message, options.json, what=what)
            me.mark_read(message.conversation, message.id)
            left -= message.kind == "text" and not what
            if not left:
                break
        me.flush(1.0 if options.signals.came else FLUSH_SECONDS)
        return int(left > 0)


def edit(options: argparse.Namespace) -> int:
    """Change what a message of yours says, within a day; history --json shows its id."""
    with _logged_in(options) as me:
        return change(me, options, lambda: me.edit(options.to, options.id, options.text))


def delete(options: argparse.Namespace) -> int:
    """Remove a message from your devices, or take it back for everyone."""
    with _logged_in(options) as me:
        everyone = options.everyone
        return change(me, options, lambda: me.delete(options.to, options.id, everyone=everyone))


def history(options: argparse.Namespace) -> int:
    """Print a conversation, or fetch what was said before from your other devices."""
    with _logged_in(options, connect=options.fetch) as me:
        return fetch(me, options) if options.fetch else show_conversation(me, options)


def verify(options: argparse.Namespace) -> int:
    """Show the safety number with somebody, compare codes, and answer a changed key."""
    with _logged_in(options) as me:
        status = answer(me, options)
        if status == 0:
            me.flush(FLUSH_SECONDS)
    return status


def keys(options: argparse.Namespace) -> int:
    """Print what happened to the account keys of somebody, with dates."""
    with _logged_in(options, connect=False) as me:
        show_keys(me.key_history(options.contact), options.json)
    return 0


def devices(options: argparse.Namespace) -> int:
    """List the devices of the account, name this one, remove another, or give it the history."""
    with _logged_in(options) as me:
        return look_after(me, options)


def renew_key(options: argparse.Namespace) -> int:
    """Renew the account key, when somebody may have got at it; contacts go on without a pause."""
    with _logged_in(options) as me:
        return renew(me)


def vault(options: argparse.Namespace) -> int:
    """Say whether the server keeps your account key, sealed; let it do so, or no longer."""
    with _logged_in(options, connect=options.state is not None) as me:
        return keep_vault(me, options.state)


def join(options: argparse.Namespace) -> int:
    """Make this computer a device of your account, with a code that another one shows."""
    given = read_password(options.password_file)
    user = _user(options, _known(options))
    code = read_code(options.code_file)
    with _client(options, lambda me: me.log_in(user, given, code=code, compare=compares)) as me:
        print(f"This computer is the device {me.device} of {me.username}.")
    return 0


def password(options: argparse.Namespace) -> int:
    """Change the password."""
    current = read_password(options.password_file)
    new = read_password(options.new_password_file, twice=True, what="New password")
    user = _user(options, _known(options))
    with _client(options, lambda me: me.log_in(user, current)) as me:
        me.change_password(current, new)
        print("The password is changed.")
    return 0


def backup(options: argparse.Namespace) -> int:
    """Write account key, contacts and history to a file, sealed under a passphrase."""
    with _logged_in(options, connect=False) as me:
        passphrase = read_passphrase(options.passphrase_file, twice=True)
        me.backup(options.file, passphrase)
        print(f"{options.file} holds a backup of {me.username}. Keep its passphrase elsewhere.")
    return 0


def restore(options: argparse.Namespace) -> int:
    """Make a profile of a backup: this is a new device of the account then."""
    passphrase = read_passphrase(options.passphrase_file)
    found = inspect_backup(options.file, passphrase)
    if options.server is None:
        options.server, options.pin = found.server, options.pin or found.pin
    given = read_password(options.password_file)
    wanted, options.user = options.user or "", options.user or found.username
    enter: Enter = lambda me: me.restore(options.file, passphrase, given, wanted)  # noqa: E731
    with _client(options, enter) as me:
        me.flush(FLUSH_SECONDS)
        print(f"{me.username} is restored. This device is {me.device}.")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a conversation as a page or as JSON, in the clear."""
    with _logged_in(options, connect=False) as me:
        write_export(me.export(options.contact, options.format), options.output)
    return 0


def delete_account(options: argparse.Namespace) -> int:
    """Delete the account on the server, for all devices; asks to type the username."""
    given = read_password(options.password_file)
    user = _user(options, _known(options))
    with _client(options, lambda me: me.log_in(user, given)) as me:
        name, folder = me.username, me.folder
        if not types_again(name, WARNING.format(name=name)):
            raise UsageError("That is not the username. Nothing was deleted.")
        print(receipt_text(me.delete_account(given)))
    if options.remove_profile:
        remove_profile(folder)
        print(f"The profile {folder} is removed.")
    else:
        print(f"The profile {folder} is still here: history opens it; --remove-profile removes it.")
    return 0


def reset_account(options: argparse.Namespace) -> int:
    """Begin the account anew where its key is lost; asks to type the username."""
    given = read_password(options.password_file)
    user = _user(options, _known(options))
    if not types_again(user, RESET_WARNING.format(name=user)):
        raise UsageError("That is not the username. Nothing was changed.")
    with _client(options, lambda me: me.begin_anew(user, given)) as me:
        me.flush(FLUSH_SECONDS)
        print(f"The account of {me.username} begins anew. This device is {me.device}.")
    return 0


def whoami(options: argparse.Namespace) -> int:
    """Say whose profile this is; that takes no password."""
    known = _known(options)
    if known is None:
        raise UsageError("There is no profile here. Register, or log in with any other command.")
    print(f"{known.username} at {known.server}, device {known.device or 'not known yet'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line; the common options may stand before or after the command."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--server", help=f"host:port or an invite link (default {SERVER})")
    common.add_argument("--user", help="your username")
    common.add_argument("--profile", type=Path, help="the folder of the profile")
    common.add_argument("--pin", help="trust the server with this pin")
    common.add_argument("--password-file", type=Path, help="the password is its first line")
    parser = argparse.ArgumentParser(
        prog="bpost-cli", parents=[common], description="BPost: a private messenger."
    )
    parser.add_argument("--version", action="version", version=f"BPost {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        what = (run.__doc__ or "").partition("\n")[0]
        made = commands.add_parser(
            run.__name__.replace("_", "-"), parents=[common], help=what, description=what
        )
        made.set_defaults(run=run)
        return made

    command(register).add_argument("--invite", help="the token of an invitation")
    command(add).add_argument("contact")
    command(contacts)
    add_send_arguments(command(send), "what to say; the standard input if left out")
    add_send_arguments(command(retry))
    add_listen_arguments(command(listen))
    add_edit_arguments(command(edit))
    add_delete_arguments(command(delete))
    add_history_arguments(command(history))
    add_arguments(command(verify))
    known = command(keys)
    known.add_argument("contact", metavar="USER")
    known.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_device_arguments(command(devices))
    command(renew_key)
    command(password).add_argument("--new-password-file", type=Path)
    for made in (command(backup), command(restore)):
        made.add_argument("file", type=Path, metavar="FILE")
        what = "the passphrase of the backup is its first line"
        made.add_argument("--passphrase-file", type=Path, help=what)
    written = command(export)
    written.add_argument("contact", metavar="USER")
    written.add_argument("--format", choices=FORMATS, default="html", help="html, if left out")
    written.add_argument("--output", type=Path, help="a new file; the standard output if left out")
    kept = command(vault)
    kept.add_argument("state", nargs="?", choices=("on", "off"))
    command(join).add_argument("--code-file", type=Path, help="the code is its first line")
    what = "remove the profile from this computer too"
    command(delete_account).add_argument("--remove-profile", action="store_true", help=what)
    command(reset_account)
    command(whoami)
    return parser


def _known(options: argparse.Namespace) -> Remembered | None:
    """Return what the profile in question tells without its password."""
    folder = options.profile
    if folder is None and options.user is not None:
        folder = default_profile(options.server or SERVER, options.user)
    return None if folder is None else remembered(folder)


def _user(options: argparse.Namespace, known: Remembered | None) -> str:
    user = options.user or (known.username if known else None)
    if not user:
        raise UsageError("Say who you are with --user, or name a profile with --profile.")
    return str(user)


@contextmanager
def _client(options: argparse.Namespace, enter: Enter) -> Iterator[Client]:
    """Give a client that ``enter`` has logged in; ask about an unknown certificate once."""
    known = _known(options)
    server = options.server or (known.server if known else SERVER)
    folder = options.profile or default_profile(server, _user(options, known))
    me = Client(server, folder, pin=options.pin)
    with options.signals:  # from here on; a prompt for a password ends at the first one
        try:
            try:
                enter(me)
            except UntrustedCertificate as error:
                if not asks_trust(error):
                    raise Refused("untrusted-certificate", "Nothing was sent.") from error
                me = Client(server, folder, pin=error.pin)
                enter(me)
            yield me
        finally:
            me.close()


@contextmanager
def _logged_in(options: argparse.Namespace, *, connect: bool = True) -> Iterator[Client]:
    """Give a client that is logged in, or offline with its profile open."""
    given = read_password(options.password_file)
    user = _user(options, _known(options))
    with _client(options, lambda me: me.log_in(user, given, connect=connect)) as me:
        yield me


def _standard_input(lines: bool) -> list[str]:
    """Return the standard input as one text, or each of its lines."""
    text = sys.stdin.read()
    return [line for line in text.splitlines() if line.strip()] if lines else [text.rstrip("\n")]


def _join(arguments: Sequence[str]) -> list[str]:
    """Join options to their values where a value may begin with a hyphen, as base64url may."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in ("--pin", "--invite"):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined
