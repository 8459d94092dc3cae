"""The profile folder: its lock, its sealed key file, and what may be known before the password.

    profile.json   server, username, device id and pin: nothing secret
    key            the key of the database, sealed twice (bpost.crypto.keyfile)
    bpost.db       SQLCipher, with its -wal and -shm
    lock           held by the one program that uses the profile
    joining        the device id that a new device got before it had a profile

The folder is 0700 and every file 0600 from its first byte. A file that others could read, that
belongs to another user, or that is a symbolic link, is refused: it may not be ours any more.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import stat
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bpost.errors import ProfileError, SecurityError
from bpost.net.address import parse_address

FOLDER_MODE = 0o700
FILE_MODE = 0o600
SMALL = 64 * 1024

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Remembered:
    """What a profile tells without its password."""

    server: str
    username: str
    device: str = ""
    pin: str | None = None


def default_profile(server: str, username: str) -> Path:
    """Return the folder that the account of ``username`` at ``server`` has on this computer."""
    address = parse_address(server)
    name = re.sub(r"[^a-z0-9._-]", "_", f"{username}@{address.host}_{address.port}".lower())
    return data_folder() / "profiles" / name


def data_folder() -> Path:
    """Return where this user's programs keep their data; ``BPOST_HOME`` overrules it."""
    home = os.environ.get("BPOST_HOME")
    if home:
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home())) / "bpost"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "bpost"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "bpost"


def remembered(profile: Path) -> Remembered | None:
    """Return what the profile tells without its password; None if there is no profile.

    Raises:
        ProfileError, SecurityError: the folder cannot be used.
    """
    try:
        return Keystore(profile).read_remembered()
    except FileNotFoundError:
        return None


class Keystore:
    """The files of one profile folder. Not thread-safe but for :meth:`unlock`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "bpost.db"
        self._key = folder / "key"
        self._json = folder / "profile.json"
        self._joining = folder / "joining"
        self._lock: int | None = None

    @property
    def exists(self) -> bool:
        """Whether there is an account in the folder: its key file is written last."""
        return self._key.exists()

    def lock(self) -> None:
        """Make the folder if needed and take it for this program until :meth:`unlock`.

        Raises:
            ProfileError: it cannot be made or used, or another program has it.
            SecurityError: ``exposed-file``.
        """
        make_private_folder(self.folder)
        descriptor = _open_private(self.folder / "lock", os.O_RDWR | os.O_CREAT)
        try:
            _take(descriptor)
        except OSError:
            os.close(descriptor)
            text = f"Another program uses the profile {self.folder}. Close it, then try again."
            raise ProfileError(text) from None
        self._lock = descriptor

    def unlock(self) -> None:
        """Let other programs use the folder."""
        descriptor, self._lock = self._lock, None
        if descriptor is not None:
            os.close(descriptor)

    def read_key(self) -> bytes:
        """Return the sealed key file."""
        return _read(self._key)

    def write_key(self, data: bytes) -> None:
        """Replace the sealed key file: a crash leaves the old or the new one, never half of one."""
        write_atomically(self._key, data)

    def read_remembered(self) -> Remembered | None:
        """Return what :meth:`remember` wrote; None for a file that cannot be understood."""
        return _facts(_read(self._json))

    def remember(self, facts: Remembered) -> None:
        """Replace what is known without the password."""
        write_atomically(self._json, json.dumps(asdict(facts)).encode("utf-8"))

    def read_joining(self) -> Remembered | None:
        """Return what :meth:`note_joining` wrote; None if there is nothing to go on with."""
        try:
            return _facts(_read(self._joining))
        except FileNotFoundError:
            return None

    def note_joining(self, facts: Remembered) -> None:
        """Note the id that a device got, until it has its profile or :meth:`discard` is called."""
        write_atomically(self._joining, json.dumps(asdict(facts)).encode("utf-8"))

    def create_database(self) -> None:
        """Make sure that the database file is there, empty at first, and private."""
        os.close(_open_private(self.database, os.O_RDWR | os.O_CREAT))

    def check_database(self) -> None:
        """Refuse a database, or a file that SQLite keeps beside it, that others could read."""
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.close(_open_private(Path(f"{self.database}{suffix}"), os.O_RDONLY))

    def discard(self) -> None:
        """Remove what is in the folder, its key first; the folder and its lock stay."""
        names = [self._key, self._json, self._joining, self.database]
        for path in (*names, *(Path(f"{self.database}{end}") for end in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)


def remove_profile(folder: Path) -> None:
    """Remove a profile that no program uses: without its key nothing opens what a disk still has.

    Raises:
        ProfileError: another program uses it, or something in it cannot be removed.
    """
    keystore = Keystore(folder)
    keystore.lock()
    try:
        keystore.discard()
        (folder / "lock").unlink(missing_ok=True)
    except OSError as error:
        raise ProfileError(f"{folder} cannot be removed: {error.strerror}.") from error
    finally:
        keystore.unlock()
    with contextlib.suppress(OSError):  # somebody keeps something else there
        folder.rmdir()


def set_aside(folder: Path) -> Path:
    """Give a profile that no program uses another place beside its own, and return that.

    Raises:
        ProfileError: another program uses it, or it cannot be moved.
    """
    keystore = Keystore(folder)
    keystore.lock()
    keystore.unlock()  # some systems move no folder in which a file is open
    places = (folder.with_name(f"{folder.name}.removed-{number}") for number in itertools.count(1))
    aside = next(place for place in places if not place.exists())
    try:
        return folder.rename(aside)
    except OSError as error:
        raise ProfileError(f"{folder} cannot be moved: {error.strerror}.") from error


def make_private_folder(folder: Path) -> None:
    """Make ``folder`` for this user alone, or make sure that it is; raise ProfileError if not."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
        found = folder.lstat()
    except OSError as error:
        text = f"The profile folder {folder} cannot be made: {error.strerror}. Choose another one."
        raise ProfileError(text) from error
    if not stat.S_ISDIR(found.st_mode):
        text = f"The profile folder {folder} is a file or a symbolic link. Choose another one."
        raise ProfileError(text)
    if not _is_own(found):
        raise ProfileError(f"The profile folder {folder} belongs to another user. Choose your own.")
    if os.name == "posix" and stat.S_IMODE(found.st_mode) != FOLDER_MODE:
        folder.chmod(FOLDER_MODE)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a private file so that it is there in full or not at all, even after a crash.

    Raises:
        ProfileError: it cannot be written.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    write_pieces(path, (data,), new)


def write_pieces(path: Path, pieces: Iterable[bytes], new: Path) -> None:
    """Write a private file of any size at ``new``, and give it its name when it is whole.

    Raises:
        ProfileError: it cannot be written; nothing is left then, nor after any other error.
    """
    try:
        descriptor = _open_private(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with open(descriptor, "wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        text = f"{path} cannot be written: {error.strerror}. Check the disk, then try again."
        raise ProfileError(text) from error


def _facts(data: bytes) -> Remembered | None:
    """Read what is known without the password; None for what cannot be understood."""
    try:
        found = Remembered(**json.loads(data))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (found.server, found.username, found.device, found.pin or "")
    return found if all(isinstance(text, str) for text in texts) else None


def _read(path: Path) -> bytes:
    """Read a small private file."""
    with open(_open_private(path, os.O_RDONLY), "rb") as file:
        return file.read(SMALL)


def _open_private(path: Path, flags: int) -> int:
    """Open a file that must be this user's alone, and never through a symbolic link.

    Raises:
        FileNotFoundError: there is none, and ``flags`` do not make one.
        ProfileError, SecurityError: it cannot be used.
    """
    try:
        descriptor = os.open(path, flags | _NO_FOLLOW, FILE_MODE)
    except FileNotFoundError:
        raise
    except OSError as error:
        if path.is_symlink():
            raise _exposed(path, "is a symbolic link") from None
        raise ProfileError(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        _check_private(path, os.fstat(descriptor))
    except SecurityError:
        os.close(descriptor)
        raise
    return descriptor


def _check_private(path: Path, found: os.stat_result) -> None:
    """Refuse what others own or may read."""
    if not stat.S_ISREG(found.st_mode):
        raise _exposed(path, "is not a file")
    if not _is_own(found):
        raise _exposed(path, "belongs to another user")
    if os.name == "posix" and found.st_mode & 0o077:
        raise _exposed(path, "can be read or written by other users (chmod 600 ends that)")


def _exposed(path: Path, why: str) -> SecurityError:
    text = f"{path} {why}, so it is not used. Find out why before you go on."
    return SecurityError("exposed-file", text)


def _is_own(found: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or found.st_uid == os.getuid()


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows knows no such thing."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take(descriptor: int) -> None:
    """Lock a file for this program; the lock ends with it, however it ends. Raises OSError."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
