"""Metrics and health, on a port of their own."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
import unittest
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from unittest import mock

from prometheus_client.parser import text_string_to_metric_families

from bpost.errors import LocalError, StoreError
from bpost.limits import Limits, Rate
from bpost.net import certificates
from bpost.server.counts import Histogram
from bpost.server.post_office import PostOffice
from bpost.server.store import FILE
from tests.server.parts import OTHER, PASSWORD, PlainClient, ServerTest, reason
from tests.support import patience, wait_until


class WatchedTest(ServerTest):
    """A server that is watched."""

    settings: Mapping[str, Any] = MappingProxyType({"metrics": 0})
    limits = Limits(log_ins_account=Rate(2, 600), sends=Rate(3, 600))

    def fetch(self, path: str, **headers: str) -> tuple[int, str]:
        """Ask the port; return status and text."""
        url = f"http://127.0.0.1:{self.post_office.metrics_port}{path}"
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=patience(20)) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self) -> dict[str, float]:
        """Return every number by its name and label values."""
        status, text = self.fetch("/metrics")
        self.assertEqual(status, 200)
        return {
            " ".join((sample.name, *sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


class MetricsTest(WatchedTest):
    """What is counted."""

    def friends(self) -> tuple[PlainClient, PlainClient]:
        """Register alice, who has bob as a contact, and bob."""
        alice, bob = self.user("alice"), self.user("bob")
        alice.ask("4", "alice", "bob")
        return alice, bob

    def test_what_happens_is_counted(self) -> None:
        alice, bob = self.friends()
        stranger = self.client()
        for number in range(2):
            alice.ask("0", "alice", "x" * 100, "bob", f"r{number}")
            bob.receive()
        self.assertEqual(reason(alice.ask("0", "alice", "x", "nobody", "r2")), "not-a-contact")
        self.assertEqual(reason(alice.ask("0", "alice", "x", "bob", "r3")), "rate-limited")
        for expected in ("wrong-password", "wrong-password", "rate-limited"):
            with self.subTest(expected):
                self.assertEqual(reason(self.client().ask("1", "bob", OTHER)), expected)
        alice.ask("4", "alice", "ghost")
        found = self.metrics()
        wanted = {
            "bpost_connections logged_in": 2,
            "bpost_messages_accepted_total": 2,
            "bpost_messages_delivered_total": 2,
            "bpost_messages_refused_total not-a-contact": 1,
            "bpost_messages_refused_total rate-limited": 1,
            "bpost_log_ins_total wrong-password": 2,
            "bpost_log_ins_total rate-limited": 1,
            "bpost_registrations_total ok": 2,
            "bpost_requests_refused_total no-such-user": 1,
            "bpost_rate_limited_total sends": 1,
            "bpost_rate_limited_total log_ins_account": 1,
            "bpost_commit_seconds_count": 3,
            "bpost_commit_seconds_bucket +Inf": 3,
            "bpost_mailroom_messages": 0,
            "bpost_outbound_bytes": 0,
            "bpost_connections_turned_away_total": 0,
        }
        self.assertEqual({name: found.get(name) for name in wanted}, wanted)
        self.assertGreaterEqual(found["bpost_connections stranger"], 1)
        self.assertGreater(found["bpost_threads"], 4)
        self.assertGreater(found["bpost_database_bytes -wal"], 0)
        self.assertGreater(found["bpost_certificate_expires_seconds"], time.time())
        self.assertGreater(found["process_open_fds"], 5)
        stranger.close()

    def test_what_was_delivered_is_counted_also_when_its_reader_is_gone(self) -> None:
        alice, bob = self.friends()
        alice.ask("0", "alice", "hi", "bob", "r1")
        bob.receive()
        again = self.client()
        again.ask("1", "bob", PASSWORD)  # the newer wins
        wait_until(lambda: self.metrics()["bpost_messages_delivered_total"] == 1)
        again.close()
        wait_until(lambda: self.metrics()["bpost_connections logged_in"] == 1)
        self.assertEqual(self.metrics()["bpost_messages_delivered_total"], 1)

    def test_s54_metrics_name_nobody(self) -> None:
        alice, _ = self.friends()
        alice.ask("0", "alice", "CANARY", "bob", "r1")
        self.client().ask("1", "mallory", PASSWORD)
        text = self.fetch("/metrics")[1]
        for word in ("alice", "bob", "mallory", "CANARY", "127.0.0.1", PASSWORD, str(self.folder)):
            self.assertNotIn(word, text)

    def test_only_this_machine_is_answered_and_no_web_page(self) -> None:
        port = self.post_office.metrics_port
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost"):
            self.assertEqual(self.fetch("/healthz", Host=host)[0], 200)
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example:80"):
            with self.subTest(host):
                self.assertEqual(self.fetch("/metrics", Host=host)[0], 403)
        self.assertEqual(self.fetch("/etc/passwd")[0], 404)
        assert port is not None
        with socket.create_connection(("127.0.0.1", port), patience(20)) as old:
            old.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")  # as some that look after health do
            self.assertIn(b" 200 ", old.makefile("rb").readline())
        metrics = self.post_office._metrics
        assert metrics is not None
        self.assertEqual(metrics._server.server_address[0], "127.0.0.1")

    def test_a_port_that_is_taken_is_a_sentence_and_leaves_nothing_behind(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            config = self.post_office.config
            other = type(config)(data=self.folder / "other", port=0, metrics=port)
            for _ in range(2):
                second = PostOffice(other, self.post_office.log)
                with self.assertRaisesRegex(LocalError, "--metrics"):
                    second.start()
                self.assertEqual(second._listener._drainer._ringer.fileno(), -1)

    def test_a_histogram_counts_within_bounds(self) -> None:
        histogram = Histogram((0.1, 1))
        for seconds in (0.05, 0.1, 0.5, 2):
            histogram.note(seconds)
        self.assertEqual(histogram.upto(), [2, 3, 4])
        self.assertAlmostEqual(histogram.sum, 2.65)


class HealthTest(WatchedTest):
    """When the server is well, and when not."""

    def test_it_is_well(self) -> None:
        self.assertEqual(self.fetch("/healthz"), (200, "ok\n"))

    def test_a_database_that_cannot_be_written_is_told(self) -> None:
        full = StoreError("The database cannot be used (disk full).")
        with mock.patch("bpost.server.metrics.PROBE_SECONDS", 0):
            with mock.patch.object(self.post_office.office.store.settings, "probe") as probe:
                probe.side_effect = full
                status, text = self.fetch("/healthz")
                self.assertEqual((status, text), (503, f"{full}\n"))
            self.assertEqual(self.fetch("/healthz")[0], 200)

    def test_it_really_writes(self) -> None:
        store = self.post_office.office.store
        with store.reading() as database:
            connection: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]
        connection.execute("PRAGMA query_only = on")
        status, text = self.fetch("/healthz")
        connection.execute("PRAGMA query_only = off")
        self.assertEqual(status, 503, text)

    def test_a_server_that_lets_nobody_in_is_told(self) -> None:
        listener = self.post_office._listener
        with mock.patch("bpost.server.listener.STUCK_SECONDS", -1):
            self.assertIn("does not go on", listener.trouble)
        listener._rest(OSError(24, "Too many open files"))
        self.assertIn("Too many open files", listener.trouble)
        wait_until(lambda: not listener.trouble)
        with mock.patch.object(self.post_office.office, "config") as config:
            config.connections = 0
            self.assertIn("--connections", listener.trouble)
        self.post_office._listener.stop()
        self.assertEqual(self.fetch("/healthz"), (503, "The server is closing.\n"))

    def test_a_mailroom_that_ended_is_told(self) -> None:
        self.post_office.office.mailroom.stop()
        self.assertIn("stores messages", self.fetch("/healthz")[1])


class RenewalTest(WatchedTest):
    """The certificate, while the server runs."""

    def round(self) -> None:
        """Have a day go by."""
        clerk = self.post_office.office.clerk
        clerk._due.pop(self.post_office._renew, None)
        clerk.round()

    def served(self) -> float:
        """Return when the certificate expires that new connections get, as the metrics say."""
        return self.metrics()["bpost_certificate_expires_seconds"]

    def test_s66_our_certificate_is_renewed_in_time_under_the_same_pin(self) -> None:
        pin, folder = self.post_office.pin, self.folder / "certificate"
        long_ago = datetime.now(timezone.utc) - timedelta(days=380)
        (folder / "server.pem").unlink()
        certificates.ensure(folder, now=long_ago)
        self.post_office._tls.reload()
        self.assertLess(self.served(), time.time() + 30 * 86_400)
        self.round()
        self.assertGreater(self.served(), time.time() + 300 * 86_400)
        self.assertEqual(self.post_office.pin, pin)
        self.assertIn("certificate renewed", self.log.getvalue())
        self.user("alice")

    def test_a_renewal_that_fails_keeps_the_old_one_and_is_told(self) -> None:
        with mock.patch.object(certificates, "ensure", side_effect=LocalError("no room")):
            self.round()
        self.assertIn("no room", self.log.getvalue())
        self.user("alice")

    def test_the_database_from_before_an_update_goes_after_two_weeks(self) -> None:
        old, new = (self.folder / f"{FILE}.version-{number}" for number in (1, 2))
        for path, days in ((old, 15), (new, 13)):
            path.touch()
            os.utime(path, (time.time() - days * 86_400,) * 2)
        clerk = self.post_office.office.clerk
        clerk._due.pop(self.post_office._tidy, None)
        clerk.round()
        self.assertEqual((old.exists(), new.exists()), (False, True))

    def test_one_that_expires_and_is_not_renewed_is_warned_of(self) -> None:
        with mock.patch("bpost.server.post_office.SOON", 1e9):
            self.round()
        self.assertIn("certificate expires soon", self.log.getvalue())


if __name__ == "__main__":
    unittest.main()
