"""What a post office tells Prometheus: read from its own counters when it is asked, no names in it.

Nothing here is of one user or one address, and no statement is run: what is asked for every few
seconds must not cost what grows with the database.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bpost import __version__
from bpost.net.tls import ServerTLS
from bpost.server.listener import Listener
from bpost.server.office import Office

CONTENT_TYPE = CONTENT_TYPE_LATEST


class PostOfficeCollector(Collector):
    """Makes metrics of one post office."""

    def __init__(self, office: Office, listener: Listener, tls: ServerTLS) -> None:
        self._office = office
        self._listener = listener
        self._tls = tls

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, as it is now."""
        yield _gauge("build_info", "The version that runs.", [(("version", __version__), 1)])
        yield from self._connections()
        yield from self._outcomes()
        yield from self._messages()
        yield from self._rates()
        yield from self._machine()

    def _connections(self) -> Iterator[Metric]:
        seen = self._listener.census()
        inside = len(self._office.presence.all())
        states = {
            "handshake": seen.arriving,
            "stranger": max(0, seen.connected - inside),
            "logged_in": inside,
        }
        rows = [(("state", state), count) for state, count in states.items()]
        yield _gauge("connections", "Connections, by how far they are.", rows)
        yield _count("connections_accepted", "Connections that were let in.", seen.accepted)
        text = "Connections that were turned away, because there were too many."
        yield _count("connections_turned_away", text, seen.turned_away)
        text = "Bytes that wait for clients to read."
        yield _gauge("outbound_bytes", text, [((), seen.queued)])

    def _outcomes(self) -> Iterator[Metric]:
        log_ins = CounterMetricFamily("bpost_log_ins", "Tries to log in.", labels=["result"])
        made = CounterMetricFamily("bpost_registrations", "Tries to register.", labels=["result"])
        text = "Messages that were not taken."
        messages = CounterMetricFamily("bpost_messages_refused", text, labels=["reason"])
        text = "Other requests that were refused."
        others = CounterMetricFamily("bpost_requests_refused", text, labels=["reason"])
        families = {"log-in": log_ins, "register": made, "send": messages}
        for (what, result), count in self._office.outcomes.all().items():
            families.get(what, others).add_metric([result], count)
        yield from (log_ins, made, messages, others)

    def _messages(self) -> Iterator[Metric]:
        mailroom = self._office.mailroom
        text = "Messages that are stored and were confirmed."
        yield _count("messages_accepted", text, mailroom.accepted)
        text = "Messages that were handed to connections."
        yield _count("messages_delivered", text, self._office.presence.delivered)
        letters, size = mailroom.queued
        text = "Messages that wait to be stored."
        yield _gauge("mailroom_messages", text, [((), letters)])
        yield _gauge("mailroom_bytes", "Bytes that wait to be stored.", [((), size)])
        commits = mailroom.commits
        bounds = [*(str(float(bound)) for bound in commits.bounds), "+Inf"]
        text = "How long it took to store what had been posted, synced to the disk."
        family = HistogramMetricFamily("bpost_commit_seconds", text)
        family.add_metric([], list(zip(bounds, commits.upto(), strict=True)), commits.sum)
        yield family

    def _rates(self) -> Iterator[Metric]:
        text = "How often somebody did something too often."
        family = CounterMetricFamily("bpost_rate_limited", text, labels=["rate"])
        for name, meter in self._office.rates.all.items():
            family.add_metric([name], meter.refused)
        yield family

    def _machine(self) -> Iterator[Metric]:
        path = self._office.store.path
        sizes = [(("file", end or "db"), _size(Path(f"{path}{end}"))) for end in ("", "-wal")]
        yield _gauge("database_bytes", "The size of the database's files.", sizes)
        yield _gauge("threads", "Threads of the server.", [((), threading.active_count())])
        text = "When the certificate expires, in seconds since 1970."
        yield _gauge("certificate_expires_seconds", text, [((), self._tls.expires)])


def exposition(collector: Collector) -> bytes:
    """Return what Prometheus reads, with what it knows of processes: memory, files, time."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _count(name: str, text: str, count: float) -> Metric:
    return CounterMetricFamily(f"bpost_{name}", text, value=count)


def _gauge(name: str, text: str, rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """Make a gauge of rows, each ``(label, value), number`` or ``(), number``."""
    taken = list(rows)
    family = GaugeMetricFamily(f"bpost_{name}", text, labels=taken[0][0][:1])
    for label, number in taken:
        family.add_metric(label[1:], number)
    return family


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # there is none at the moment
