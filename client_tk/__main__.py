"""Start the window: ``python -m client_tk``, or ``bpost`` once installed."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="bpost", description="BPost, a private messenger.")
    parser.add_argument("--server", default="", help="host:port, or an invite link")
    parser.add_argument("--pin", help="the pin of the server's certificate, to trust it")
    parser.add_argument("--profile", type=Path, help="the folder of this account on this computer")
    parser.add_argument("--user", default="", help="the username to log in with")
    parser.add_argument(
        "--password-file", type=Path, help="a file whose first line is the password"
    )
    parser.add_argument(
        "--delete-password-file", action="store_true", help="remove that file once it is read"
    )
    parser.add_argument("--open", default="", help="the conversation to open once logged in")
    parser.add_argument("--geometry", default="", help="place and size: WIDTHxHEIGHT+X+Y")
    parser.add_argument("--appearance", choices=("light", "dark", "system"), default="")
    parser.add_argument("--scale", type=float, help="1 draws for 96 dots an inch, 2 twice as large")
    return parser.parse_args(arguments)


def read_password(path: Path | None, delete: bool) -> str:
    """Return the first line of the password file, and delete the file if that is wanted."""
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        sys.exit(f"The password file {path} cannot be read: {error}. Give another one.")
    if delete:
        with contextlib.suppress(OSError):
            os.unlink(path)
    return text.partition("\n")[0].rstrip("\r")


def main(arguments: list[str] | None = None) -> int:
    """Run the window; return the exit status."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    password = read_password(options.password_file, options.delete_password_file)
    try:
        import tkinter

        from client_tk.app import App, Options
    except ImportError as error:
        print(
            f"The window cannot be drawn, for a part of it is missing ({error.name}). On Debian or "
            "Ubuntu: sudo apt install python3-tk. Or use the command line: bpost-cli.",
            file=sys.stderr,
        )
        return 1
    try:
        app = App(
            Options(
                server=options.server,
                pin=options.pin,
                profile=options.profile,
                username=options.user,
                password=password,
                conversation=options.open,
                geometry=options.geometry,
                appearance=options.appearance,
                scale=options.scale,
            )
        )
    except tkinter.TclError as error:
        print(
            f"There is no display for a window here ({error}). Run this in a desktop session, or "
            "use the command line: bpost-cli.",
            file=sys.stderr,
        )
        return 1

    def leave(_number: int, _frame: FrameType | None) -> None:
        if not app.closed:
            app.root.after(0, app.close)

    for number in (signal.SIGTERM, signal.SIGINT):
        # Runs between two events, since the pump lets Python look every 50 ms.
        signal.signal(number, leave)
    app.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
