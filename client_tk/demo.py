"""The demo: a post office of its own, and alice and bob in two windows, ready to type in.

Everything lives in a temporary folder, and is gone when both windows are closed, at Ctrl-C and at
SIGTERM. Without a display, alice and bob write to each other here, as two headless clients.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from bpost.client import Client, MessageAdded
from bpost.errors import BPostError

START_WITHIN = 60.0  # seconds
ANSWER_WITHIN = 60.0
END_WITHIN = 8.0
SMALLEST_WIDTH, LARGEST_WIDTH, HEIGHT = 680, 940, 660
LETTERS = (
    ("alice", "Hello Bob! Is this thing private?"),
    ("bob", "It is: sealed on your machine, opened on mine."),
    ("alice", "And the post office in between?"),
    ("bob", "Sees that there is a letter, and not a word of it."),
)


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass
class Person:
    """One of the two, with a profile in the temporary folder."""

    name: str
    folder: Path
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    def client(self, server: str, pin: str) -> Client:
        """Return a headless client of this person."""
        return Client(server, self.folder, pin=pin)


class PostOffice:
    """A server in a process of its own, on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "bpost.server", "--data", str(folder / "server")]
        command += ["--host", "127.0.0.1", "--port", "0"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=_environment(),
                start_new_session=True,
            )
        self.url, self.pin = self._wait()

    def _wait(self) -> tuple[str, str]:
        """Wait for the line that says where it listens; return the address and the pin."""
        lines: queue.Queue[str] = queue.Queue()
        output = self.process.stdout
        if output is None:
            raise DemoError("The post office has no output to read from.")

        def read() -> None:
            for line in output:
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, name="demo-server-output", daemon=True).start()
        deadline = time.monotonic() + START_WITHIN
        while True:
            try:
                words = lines.get(timeout=max(0.1, deadline - time.monotonic())).split()
            except queue.Empty:
                raise DemoError(f"The post office did not start in {START_WITHIN:.0f} s.") from None
            if words[:2] == ["listening", "on"] and len(words) == 5:
                return words[2], words[4]
            if not words:
                said = self._log.read_text(encoding="utf-8", errors="replace").strip()
                raise DemoError(f"The post office did not start: {said or 'it said nothing'}")

    def stop(self) -> None:
        """End the server."""
        _end([self.process])


def _environment() -> dict[str, str]:
    """Return our environment without settings that are meant for another server or client."""
    kept = ("BPOST_SCALE", "BPOST_FONT")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("BPOST_") or name in kept
    }


def _end(processes: list[subprocess.Popen[str]]) -> None:
    """Ask processes to end, and make those that do not."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + END_WITHIN
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_friends(office: PostOffice, people: tuple[Person, Person]) -> None:
    """Register both, and put each into the other's contact list."""
    clients = [person.client(office.url, office.pin) for person in people]
    with clients[0] as first, clients[1] as second:
        for person, client in zip(people, clients, strict=True):
            client.register(person.name, person.password)
        first.add_contact(people[1].name)
        second.add_contact(people[0].name)


# With windows


def screen() -> tuple[int, int] | None:
    """Return the size of the screen; None if there is none to draw on."""
    try:
        import tkinter

        root = tkinter.Tk()
    except ImportError:
        return None
    except tkinter.TclError:
        return None
    root.withdraw()
    size = root.winfo_screenwidth(), root.winfo_screenheight()
    root.destroy()
    return size


def places(size: tuple[int, int]) -> tuple[str, str]:
    """Return where two windows stand side by side."""
    gap = 16
    width = max(SMALLEST_WIDTH, min((size[0] - 3 * gap) // 2, LARGEST_WIDTH))
    height = min(HEIGHT, size[1] - 80)
    left = max(0, (size[0] - 2 * width - gap) // 2)
    right = max(0, min(left + width + gap, size[0] - width))
    top = max(0, (size[1] - height) // 3)
    return f"{width}x{height}+{left}+{top}", f"{width}x{height}+{right}+{top}"


def open_window(
    office: PostOffice, person: Person, other: Person, geometry: str, appearance: str
) -> subprocess.Popen[str]:
    """Open a window in which ``person`` is logged in and the conversation is open."""
    secret = person.folder.parent / f"{person.name}.password"
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(person.password + "\n")
    command = [sys.executable, "-m", "client_tk", "--server", office.url, "--pin", office.pin]
    command += ["--profile", str(person.folder), "--user", person.name]
    command += ["--password-file", str(secret), "--delete-password-file"]
    command += ["--open", other.name, "--geometry", geometry]
    command += ["--appearance", appearance] if appearance else []
    return subprocess.Popen(command, text=True, env=_environment(), start_new_session=True)


def show_windows(
    office: PostOffice, people: tuple[Person, Person], size: tuple[int, int], appearance: str
) -> None:
    """Open both windows, and wait until both are closed."""
    windows: list[subprocess.Popen[str]] = []
    try:
        both = zip(people, reversed(people), places(size), strict=True)
        for person, other, geometry in both:
            windows.append(open_window(office, person, other, geometry, appearance))
        print("Two windows are open, alice's and bob's. Close both to end the demo.", flush=True)
        while any(window.poll() is None for window in windows):
            if office.process.poll() is not None:
                raise DemoError("The post office has ended by itself; its log is above.")
            time.sleep(0.1)
    finally:
        _end(windows)


# Without


def converse(office: PostOffice, people: tuple[Person, Person]) -> None:
    """Let two headless clients write to each other, and print what arrives."""
    clients = {person.name: person.client(office.url, office.pin) for person in people}
    with contextlib.ExitStack() as stack:
        for person in people:
            client = stack.enter_context(clients[person.name])
            client.log_in(person.name, person.password)
        for sender, text in LETTERS:
            recipient = next(name for name in clients if name != sender)
            clients[sender].send(recipient, text)
            arrived = wait_for_letter(clients[recipient], sender)
            print(f"{sender:>5} → {recipient:<5}  {arrived}", flush=True)


def wait_for_letter(client: Client, sender: str) -> str:
    """Return the text of the next message from ``sender``."""
    deadline = time.monotonic() + ANSWER_WITHIN
    while time.monotonic() < deadline:
        event = client.next_event(timeout=1)
        if isinstance(event, MessageAdded) and event.message.sender == sender:
            return event.message.text
    raise DemoError(f"No message from {sender} came within {ANSWER_WITHIN:.0f} s.")


@contextlib.contextmanager
def _orderly() -> Iterator[Path]:
    """Give a temporary folder, and end in order at Ctrl-C, SIGTERM and SIGHUP."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    names = ("SIGTERM", "SIGHUP", "SIGINT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    for number in numbers:
        signal.signal(number, leave)
    folder = Path(tempfile.mkdtemp(prefix="bpost-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ignore_signals() -> None:
    """Let nothing disturb the tidying up."""
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _run(folder: Path, size: tuple[int, int] | None, appearance: str) -> None:
    people = (Person("alice", folder / "alice"), Person("bob", folder / "bob"))
    print("Starting a post office and two people …", flush=True)
    office = PostOffice(folder)
    try:
        make_friends(office, people)
        if size is None:
            converse(office, people)
        else:
            show_windows(office, people, size, appearance)
    finally:
        _ignore_signals()
        office.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return the exit status."""
    parser = argparse.ArgumentParser(prog="demo", description="alice and bob, side by side.")
    parser.add_argument("--headless", action="store_true", help="print, and draw no window")
    parser.add_argument("--appearance", choices=("light", "dark", "system"), default="")
    options = parser.parse_args(arguments)
    size = None if options.headless else screen()
    if size is None and not options.headless:
        print("There is no display here, so alice and bob write without windows.", flush=True)
    try:
        with _orderly() as folder:
            _run(folder, size, options.appearance)
    except (DemoError, BPostError, OSError) as error:
        print(f"The demo ended early: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
