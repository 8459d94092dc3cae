"""The real server on a machine that fails under it, judged by what became of every message."""

from __future__ import annotations

import contextlib
import resource
import socket
import sqlite3
import time
import unittest
from collections.abc import Iterator
from pathlib import Path

from bpost.limits import DAY
from bpost.server import clerk
from bpost.server.store import FILE
from tests.server.history import HistoryTest
from tests.server.parts import PASSWORD, Process, reason
from tests.support import patience, wait_until

REFUSED = 5
"""How many refusals show that the fault is there."""


class FaultyProcess(Process):
    """The server on a machine whose faults are files in ``faults`` (``tests.server.faulty``)."""

    def __init__(self, folder: Path, faults: Path, *flags: str) -> None:
        self.program = ("tests.server.faulty", str(faults))
        super().__init__(folder, *flags)


class FaultTest(HistoryTest):
    """A server whose disk, clock and threads can fail."""

    def setUp(self) -> None:
        super().setUp()
        self.faults = self.folder.parent / "faults"
        self.faults.mkdir()

    def process(self, *flags: str) -> Process:
        return FaultyProcess(self.folder, self.faults, *flags)

    @contextlib.contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Let something fail for a while."""
        (self.faults / name).touch()
        try:
            yield
        finally:
            (self.faults / name).unlink()

    def refused(self, why: str = "busy") -> None:
        """Wait until the fault is felt, and then see that nothing at all is promised."""
        before = self.history.refusals(why)
        wait_until(lambda: self.history.refusals(why) >= before + REFUSED, 30, "refusals")
        promises = self.history.promises
        before = self.history.refusals(why)
        wait_until(lambda: self.history.refusals(why) >= before + REFUSED, 30, "refusals")
        self.assertEqual(self.history.promises, promises)


class DiskTest(FaultTest):
    """Disks that are full, cannot sync, or are not ours alone (S39 to S41)."""

    lasts = 12

    def test_s39_where_a_sync_fails_nothing_is_promised_until_one_succeeds(self) -> None:
        self.load()
        for _ in range(3):
            self.works()
            with self.fault("sync"):
                self.refused()
        self.works()
        self.judge()

    def test_s39_a_kill_while_syncs_fail_loses_no_promise_either(self) -> None:
        self.load()
        self.works()
        with self.fault("sync"):
            self.refused()
            self.server.end(kill=True)
        self.start()
        self.works()
        self.judge()

    def test_s40_on_a_full_disk_people_come_in_and_read_and_are_told(self) -> None:
        self.load()
        self.works()
        with self.fault("full"):
            self.refused()
            reader = self.connect("bob")
            self.assertEqual(reader.receive()[0], "5")  # his mail from before
            reader.close()
            stranger = self.server.client()
            self.assertEqual(reason(stranger.ask("2", "erin", PASSWORD)), "busy")
            stranger.close()
        self.works()
        self.judge()

    def test_s40_where_not_even_the_log_can_be_written_it_goes_on_afterwards(self) -> None:
        self.load()
        self.works()
        whole = resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (0, whole[1]))
        self.refused()
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, whole)
        self.works()
        self.judge()

    def test_s41_while_another_program_holds_the_database_senders_wait(self) -> None:
        self.load()
        self.works()
        with contextlib.closing(sqlite3.connect(self.folder / FILE)) as other:
            other.isolation_level = None
            other.execute("PRAGMA busy_timeout = 20000")
            other.execute("BEGIN IMMEDIATE")
            promises = self.history.promises
            time.sleep(1)
            self.assertLessEqual(self.history.promises, promises + len(self.writers))
            other.execute("ROLLBACK")
        self.works()
        self.assertEqual(self.history.refusals("busy"), 0)
        self.judge()


class ClockTest(FaultTest):
    """A wall clock that is wrong (S43); with all rates, which know time as well."""

    lasts = 12

    def process(self, *flags: str) -> Process:
        return super().process("--limits", "on", *flags)

    def shift_clock(self, seconds: float) -> None:
        """Let the server's wall clock be wrong by so much."""
        (self.faults / "new").symlink_to(str(seconds))
        (self.faults / "new").replace(self.faults / "clock")

    def test_s43_order_and_connections_survive_whatever_the_clock_says(self) -> None:
        self.load()
        silent = self.connect("carol", "new")
        for hours in (-1, 24, -24 * 365, 24 * 365 * 20, 0):
            self.shift_clock(hours * 3600)
            self.works()
            self.assertEqual(silent.ask("9", "list")[:2], ["9", "OK"])
            self.connect("bob").close()
        silent.close()
        self.judge()

    def test_s43_it_starts_in_1970_and_after_2038_with_all_there_is(self) -> None:
        self.load()
        for year in (1970, 2040):
            self.works()
            self.server.end(kill=True)
            self.shift_clock((year - 1970) * 365.25 * DAY + DAY - time.time())
            self.start()
        time.sleep(2 * clerk.ROUND_SECONDS)  # so that its first round is over
        self.shift_clock(0)
        self.works()
        self.judge()


class SystemTest(FaultTest):
    """A system that has no descriptor, and no thread, left (S32)."""

    lasts = 8

    def crowd(self, count: int) -> list[socket.socket]:
        """Open connections that say nothing, to be closed at the end at the latest."""
        address = ("127.0.0.1", self.server.port)
        crowd = [socket.create_connection(address, patience(20)) for _ in range(count)]
        for sock in crowd:
            self.addCleanup(sock.close)
        return crowd

    def test_s32_without_descriptors_those_who_are_in_go_on_and_others_come_in_later(self) -> None:
        self.load()
        self.works()
        pid = self.server.process.pid
        whole = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, whole[1]))
        crowd = self.crowd(20)
        wait_until(lambda: b"ERROR accepting" in self.server.log.read_bytes(), 30, "EMFILE")
        self.works()
        for sock in crowd:
            sock.close()
        wait_until(self.comes_in, 30, "a way in")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, whole)
        self.judge()

    def test_s32_without_threads_those_who_are_in_go_on_and_others_come_in_later(self) -> None:
        self.load()
        self.works()
        with self.fault("threads"):
            crowd = self.crowd(5)
            self.assertEqual([sock.recv(1) for sock in crowd], [b""] * 5)
            self.works()
        for sock in crowd:
            sock.close()
        wait_until(self.comes_in, 30, "a way in")
        self.judge()

    def comes_in(self) -> bool:
        """Tell whether a new connection can log in."""
        with contextlib.suppress(OSError):
            self.connect("bob").close()
            return True
        return False


if __name__ == "__main__":
    unittest.main()
