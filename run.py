#!/usr/bin/env python3
"""Set BPost up and run it, with nothing but a stock Python (3.10 or newer).

    python3 run.py demo      a post office and two windows, alice and bob, ready to write
    python3 run.py test      the whole test suite
    python3 run.py server    the post office        (what follows goes to bpost-server)
    python3 run.py client    the window             (what follows goes to bpost)
    python3 run.py cli       the command line       (what follows goes to bpost-cli)
    python3 run.py admin     the owner's tool       (what follows goes to bpost-admin)
    python3 run.py bench     measure the post office on this machine (docs/performance.md)

The first run makes the folder .venv beside this file and installs requirements.txt into it;
later runs need no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 10)
COMMANDS = {
    "demo": ["client_tk.demo"],
    "test": ["tests"],
    "server": ["bpost.server"],
    "client": ["client_tk"],
    "cli": ["bpost.client"],
    "admin": ["bpost.server.admin"],
    "bench": ["bench"],
}
WINDOWS = {"client"}
LISTS = {"test": ["requirements-dev.txt"], "bench": ["requirements-bench.txt"]}


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def environment_folder() -> Path:
    """Return the folder of the virtual environment for the running Python.

    It is ``.venv``; where that was made by another version of Python, this one gets a folder of
    its own beside it, so that neither breaks the other.
    """
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    plain = ROOT / ".venv"
    if not plain.exists() or installed_version(plain) in (version, None):
        return plain
    return ROOT / f".venv-{version}"


def installed_version(folder: Path) -> str | None:
    """Return the Python version, such as ``3.11``, that made the environment in ``folder``."""
    try:
        settings = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return None
    for line in settings.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "version":
            return ".".join(value.strip().split(".")[:2])
    return None


def interpreter(folder: Path) -> Path:
    """Return the Python program of the environment in ``folder``."""
    if os.name == "nt":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"


def prepare(lists: list[str]) -> Path:
    """Make the environment and install what the requirement ``lists`` name.

    Returns the environment's Python program.

    Raises:
        SetupError: something is missing on this machine, or a package cannot be had.
    """
    folder = environment_folder()
    python = interpreter(folder)
    if not python.exists():
        make_environment(folder)
    for name in lists:
        install(folder, ROOT / name)
    return python


def make_environment(folder: Path) -> None:
    """Make a virtual environment in ``folder``."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            "Python's venv module is missing, and BPost keeps its packages in a virtual "
            "environment: install it (on Debian or Ubuntu: sudo apt install python3-venv) and "
            "run this command again."
        )
    print(f"Making the virtual environment {folder.name} (only the first time) …", flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=False)
    if done.returncode:
        raise SetupError(
            f"The virtual environment could not be made in {folder}: see the lines above. "
            "On Debian or Ubuntu, sudo apt install python3-venv is what is missing most often."
        )


def install(folder: Path, requirements: Path) -> None:
    """Install a list of packages, unless the same list was installed before.

    What is not, byte for byte, what the list was made with is not installed.
    """
    wanted = fingerprint(requirements)
    stamp = folder / f"installed-{requirements.stem}"
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    print(f"Installing {requirements.name} (only the first time) …", flush=True)
    command = [str(interpreter(folder)), "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check", "--require-hashes", "-r", str(requirements)]
    if subprocess.run(command, check=False).returncode:
        raise SetupError(
            f"The packages of {requirements.name} could not be installed: see the lines above. "
            "The first run needs the network; run this command again when it is there. If hashes "
            "do not match, what came is not what BPost was made with: do not use it."
        )
    stamp.write_text(wanted, encoding="ascii")


def fingerprint(requirements: Path) -> str:
    """Return a hash of a requirements file and of the run-time list that it builds on."""
    both = requirements.read_bytes() + (ROOT / "requirements.txt").read_bytes()
    return hashlib.sha256(both).hexdigest()


def missing_for_windows() -> str | None:
    """Say in one sentence what a window lacks on this machine, or return None."""
    if importlib.util.find_spec("tkinter") is None or importlib.util.find_spec("_tkinter") is None:
        return (
            "This Python has no tkinter, which draws the window: install it (on Debian or "
            "Ubuntu: sudo apt install python3-tk) and run this command again."
        )
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return (
            "There is no display for a window here (DISPLAY is not set): run this in a desktop "
            "session, or use the command line instead: python3 run.py cli."
        )
    return None


def main(arguments: list[str]) -> int:
    """Run one command; return its exit status."""
    if sys.version_info < OLDEST:
        print(f"BPost needs Python 3.10 or newer; this is {sys.version.split()[0]}.")
        return 1
    if not arguments or arguments[0] not in COMMANDS:
        if arguments[:1] in (["-h"], ["--help"]):
            print(__doc__)
            return 0
        what = f"There is no command {arguments[0]!r}." if arguments else "Say what to run."
        print(f"{what}\n\n{__doc__}", file=sys.stderr)
        return 2
    command, rest = arguments[0], arguments[1:]
    lack = missing_for_windows() if command in WINDOWS and "--help" not in rest else None
    if lack:
        print(lack, file=sys.stderr)
        return 1
    try:
        python = prepare(["requirements.txt", *LISTS.get(command, [])])
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return call([str(python), "-m", *COMMANDS[command], *rest], tests=command == "test")


def call(command: list[str], tests: bool) -> int:
    """Run a program that finds our packages from any folder; return its exit status."""
    here = os.environ.get("PYTHONPATH")
    paths = f"{ROOT}{os.pathsep}{here}" if here else str(ROOT)
    environment = {**os.environ, "PYTHONPATH": paths}
    child = subprocess.Popen(command, env=environment, cwd=ROOT if tests else None)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # The child got the same Ctrl-C from the terminal and is tidying up.
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
