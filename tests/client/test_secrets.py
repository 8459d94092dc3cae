"""What the server, the disk and the logs must never hold."""

from __future__ import annotations

import base64
import io
import logging
import re
import shutil
import sys
import tempfile
import traceback
import unittest
from collections.abc import Iterator
from pathlib import Path

from bpost.client import Client
from bpost.client.models import Device, Fact, Prekey
from bpost.crypto.password import derive_password_keys
from bpost.errors import BPostError
from tests.client.programs import ServerProcess
from tests.client.town import LIMITS, texts, wait_for_text
from tests.support import patience, wait_until

TEXTS = ("canary-of-alice-7f3a", "canary-of-bob-91cc")
DRAFT = "canary-in-a-draft-55d0"
PASSWORDS = {"alice": "canary-password-a-1b2c", "bob": "canary-password-b-3d4e"}
LEAST = 12


class AfterTalking(unittest.TestCase):
    """Two people have talked over a server that is a process of its own."""

    folder: Path
    server: ServerProcess
    logged: io.StringIO
    alice: Client
    bob: Client

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.server = ServerProcess(cls.folder / "server")
        cls.addClassCleanup(cls.server.stop)
        cls.logged = io.StringIO()
        handler, root = logging.StreamHandler(cls.logged), logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        cls.addClassCleanup(root.removeHandler, handler)
        cls.addClassCleanup(root.setLevel, level)
        cls.alice, cls.bob = (cls._client(name) for name in ("alice", "bob"))
        cls.alice.add_contact("bob")
        cls.bob.add_contact("alice")
        cls.alice.send("bob", TEXTS[0])
        wait_for_text(cls.bob, "alice", TEXTS[0])
        cls.bob.send("alice", TEXTS[1])
        wait_for_text(cls.alice, "bob", TEXTS[1])
        cls.alice.set_draft("bob", DRAFT)
        for client in (cls.alice, cls.bob):
            client.flush(patience(10))

    @classmethod
    def _client(cls, name: str) -> Client:
        client = Client(cls.server.url, cls.folder / name, pin=cls.server.pin, limits=LIMITS)
        cls.addClassCleanup(client.close)
        client.register(name, PASSWORDS[name])
        return client

    def assert_nothing(self, data: bytes, secrets: dict[str, bytes], where: str) -> None:
        """Demand that none of ``secrets`` is in ``data``, in any spelling."""
        for what, secret in secrets.items():
            for spelling in _spellings(secret):
                self.assertNotIn(spelling, data, f"{what} in {where}")


class ServerTest(AfterTalking):
    """The server is pinned to knowing nothing (E64)."""

    def test_e64_its_folder_and_log_hold_no_text_no_password_and_no_key(self) -> None:
        self.alice.send("bob", TEXTS[0])
        secrets = {**_words(), **_keys(self.alice, "alice"), **_keys(self.bob, "bob")}
        for path in (*_files(self.folder / "server"), self.folder / "server.log"):
            self.assert_nothing(path.read_bytes(), secrets, path.name)

    @unittest.skipUnless(sys.platform == "linux", "reads /proc")
    def test_e64_its_memory_holds_no_text_no_password_and_no_private_key(self) -> None:
        secrets = {**_words(), **_keys(self.alice, "alice", login=False)}
        seen = 0
        for data in _memory(self.server.process.pid):
            seen += len(data)
            self.assert_nothing(data, secrets, "the memory of the server")
        self.assertGreater(seen, 10_000_000)

    @unittest.skipUnless(sys.platform == "linux", "reads /proc")
    def test_e64_the_search_finds_what_the_server_does_know(self) -> None:
        name = b"alice"
        self.assertTrue(any(name in data for data in _memory(self.server.process.pid)))
        files = b"".join(path.read_bytes() for path in _files(self.folder / "server"))
        self.assertIn(name, files)


class ClientTest(AfterTalking):
    """The profile folder and the logs of the clients."""

    def test_e64_the_profile_holds_no_text_and_no_key_in_the_clear(self) -> None:
        for client, name in ((self.alice, "alice"), (self.bob, "bob")):
            secrets = {**_words(), **_keys(client, name)}
            for path in _files(self.folder / name):
                self.assert_nothing(path.read_bytes(), secrets, f"{name}/{path.name}")

    def test_no_other_file_is_left_behind(self) -> None:
        names = {path.name for path in _files(self.folder / "alice")}
        allowed = {"bpost.db", "bpost.db-wal", "bpost.db-shm", "key", "lock", "profile.json"}
        self.assertLessEqual(names, allowed)

    def test_e72_the_most_talkative_log_holds_no_secret(self) -> None:
        secrets = {**_words(), **_keys(self.alice, "alice"), **_keys(self.bob, "bob")}
        self.assert_nothing(self.logged.getvalue().encode(), secrets, "the log")

    def test_e72_nothing_that_can_be_printed_shows_a_secret(self) -> None:
        running = self.alice._running
        assert running is not None
        shown = [self.alice, running, running.profile, running.credentials, running.parts]
        shown += [running.credentials.keys, running.profile.account, running.profile.identity]
        shown += [self.alice.history("bob"), self.alice.conversations()]
        shown += [running.parts.outbox, running.receiver, self.alice.contacts()]
        secrets = {**_words(), **_keys(self.alice, "alice")}
        self.assert_nothing(repr(shown).encode(), secrets, "a repr")

    def test_e72_errors_show_no_secret(self) -> None:
        told = io.StringIO()
        for attempt in (
            lambda: self.alice.change_password(PASSWORDS["bob"], PASSWORDS["alice"]),
            lambda: self.alice.send("nobody", TEXTS[0]),
            lambda: self.alice.send("bob", TEXTS[0] * 100_000),
            lambda: self.alice.log_in("alice", PASSWORDS["alice"]),
            lambda: self._client_of_bob().log_in("bob", PASSWORDS["alice"]),
            lambda: self._client_of_bob().register("alice", PASSWORDS["bob"]),
        ):
            with self.subTest(attempt), self.assertRaises(BPostError) as raised:
                attempt()
            traceback.print_exception(raised.exception, file=told)
        lines = [line for line in told.getvalue().splitlines() if "lambda" not in line]
        self.assert_nothing("\n".join(lines).encode(), _words(), "an error")

    def test_everything_was_said(self) -> None:
        wait_until(lambda: set(TEXTS) <= set(texts(self.bob, "alice")))

    def _client_of_bob(self) -> Client:
        folder = self.folder / "another"
        client = Client(self.server.url, folder, pin=self.server.pin, limits=LIMITS)
        self.addCleanup(client.close)
        return client


def _words() -> dict[str, bytes]:
    """Return what people typed."""
    typed = {**{text: text for text in TEXTS}, "draft": DRAFT, **PASSWORDS}
    return {what: text.encode() for what, text in typed.items()}


def _keys(client: Client, name: str, *, login: bool = True) -> dict[str, bytes]:
    """Return every private key of a client, by what it is."""
    running = client._running
    assert running is not None
    store, found = running.profile.store, {}
    with store.reading():
        for fact in store.all(Fact):
            if fact.name in ("account", "identity"):
                found[f"{name}: {fact.name}"] = bytes(fact.value)
        for prekey in store.all(Prekey):
            found[f"{name}: prekey {bytes(prekey.id).hex()}"] = bytes(prekey.secret)
        for device in store.all(Device, Device.sessions.is_null(False)):
            key = bytes(device.account_key)
            sessions = running.parts.devices.sessions(device.peer, key, device.id)
            for number, one in enumerate(sessions.sessions if sessions else ()):
                found[f"{name}: root key {number} with {device.id}"] = one.ratchet.root
    keys = derive_password_keys(name, PASSWORDS[name])
    found[f"{name}: wrapping key"] = keys.wrapping_key
    if login:
        found[f"{name}: log-in key"] = keys.login_key
    return found


def _spellings(secret: bytes) -> set[bytes]:
    """Return how a secret may be spelled: raw, hex, base64 at each of its three offsets."""
    if secret.isascii():
        return {secret, secret.decode().encode("utf-16-le")}
    spelled = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for skip in range(3):
        whole = secret[skip : len(secret) - (len(secret) - skip) % 3]
        spelled |= {base64.b64encode(whole), base64.urlsafe_b64encode(whole)}
    return {one for one in spelled if len(one) >= LEAST}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _memory(pid: int) -> Iterator[bytes]:
    """Yield every part of the memory of a process that can be read."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r", maps, re.MULTILINE):
            first, last = int(start, 16), int(end, 16)
            try:
                memory.seek(first)
                yield memory.read(last - first)
            except (OSError, ValueError, OverflowError):
                continue  # the kernel's own pages
