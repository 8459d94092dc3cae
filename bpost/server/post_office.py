"""A whole post office: data folder, certificate, office, listener."""

from __future__ import annotations

import os
import time

from bpost.errors import LocalError
from bpost.limits import DAY
from bpost.net import certificates
from bpost.net.tls import ServerTLS
from bpost.server.collector import CONTENT_TYPE, PostOfficeCollector, exposition
from bpost.server.config import Config, is_wildcard
from bpost.server.files import lock_folder, private_folder
from bpost.server.listener import Listener
from bpost.server.log import EventLog
from bpost.server.metrics import HOST as METRICS_HOST
from bpost.server.metrics import Health, MetricsServer, Page, health_page
from bpost.server.office import Office
from bpost.server.store import FILE, KEPT

CERTIFICATE = "certificate"
KEPT_SECONDS = 14 * DAY
"""How long the database from before an update is kept."""

SOON = 10 * DAY
"""How long before it expires a certificate is warned of."""

JUMP_SECONDS = 3600
LOOK_SECONDS = 5.0
"""By how much the clock must have been set, and how often that is looked for."""


class PostOffice:
    """A server in this process; :meth:`start` and :meth:`stop` it, or use it in a ``with``."""

    def __init__(self, config: Config, log: EventLog | None = None) -> None:
        """Open the data folder, the certificate and the database, and make what is missing.

        Raises:
            LocalError: one of them cannot be used.
            SecurityError: ``exposed-file``.
        """
        self.config = config
        self.log = log or EventLog(config.log_format, config.log_level, config.log_addresses)
        self.host = config.host
        self.port = config.port
        self._lock = lock_folder(private_folder(config.data))
        try:
            self._tls = self._certificate()
            self.office = Office(config, self.log)
        except BaseException:
            os.close(self._lock)
            raise
        self._listener = Listener(self.office, self._tls)
        self._metrics: MetricsServer | None = None
        self._ahead = _ahead()
        self.office.clerk.regularly(self._renew, DAY)
        self.office.clerk.regularly(self._notice_jump, LOOK_SECONDS)
        self.office.clerk.regularly(self._tidy, DAY)

    @property
    def address(self) -> str:
        """The URL that clients connect to; its port is known once started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"wss://{host}:{self.port}"

    @property
    def pin(self) -> str:
        """The pin of the certificate in use."""
        return self._tls.pin

    def start(self) -> PostOffice:
        """Listen, and return self. It starts once.

        Raises:
            LocalError: the address cannot be used; everything is closed again then.
        """
        self._warn()
        try:
            self._metrics = self._watched()
            self.port = self._listener.start()
        except LocalError:
            self._listener.stop()
            self._unwatch()
            self.office.store.close()
            os.close(self._lock)
            raise
        self.office.start()
        self.log.info("started", address=f"{self.host}:{self.port}", pin=self.pin)
        if self._metrics is not None:
            self._metrics.start()
            self.log.info("metrics", address=f"{METRICS_HOST}:{self._metrics.port}")
        return self

    def stop(self) -> None:
        """Tell the clients, finish what was posted, and close; a few seconds at most."""
        self._listener.stop()
        self.office.stop()
        self._unwatch()
        os.close(self._lock)
        self.log.info("stopped")

    def reload(self) -> None:
        """Read the certificate again, for new connections; keep the old one if that fails."""
        if self.config.certificate is None:
            self._ensure()
        self._tls.reload()
        self.log.info("certificate reloaded", pin=self.pin)

    @property
    def metrics_port(self) -> int | None:
        """The port of the metrics, known once started; None where there are none."""
        return None if self._metrics is None else self._metrics.port

    def __enter__(self) -> PostOffice:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _watched(self) -> MetricsServer | None:
        if self.config.metrics is None:
            return None
        collector = PostOfficeCollector(self.office, self._listener, self._tls)
        pages: dict[str, Page] = {
            "/healthz": health_page(Health(self.office, self._listener)),
            "/metrics": lambda: (200, CONTENT_TYPE, exposition(collector)),
        }
        return MetricsServer(self.config.metrics, pages, self.log)

    def _unwatch(self) -> None:
        if self._metrics is not None:
            self._metrics.stop()

    def _renew(self) -> None:
        """Look after the certificate once a day: renew ours, and take one that was replaced."""
        before = self._tls.expires
        if self.config.certificate is None:
            self._ensure()
        self._tls.reload()
        if self._tls.expires != before:
            self.log.info("certificate renewed", pin=self.pin)
        elif self._tls.expires - time.time() < SOON:
            self.log.warning(
                "certificate expires soon",
                days=int((self._tls.expires - time.time()) / DAY),
                says="Renew it, and send the server SIGHUP; see docs/running.md.",
            )

    def _notice_jump(self) -> None:
        """Look after the certificate where the clock was set: it may be one for another time."""
        ahead = _ahead()
        if abs(ahead - self._ahead) > JUMP_SECONDS:
            self._renew()
            self._ahead = ahead

    def _tidy(self) -> None:
        """Remove the copy from before an update, when that has proved itself."""
        for kept in self.config.data.glob(f"{FILE}{KEPT}*"):
            if time.time() - kept.stat().st_mtime > KEPT_SECONDS:
                kept.unlink()

    def _certificate(self) -> ServerTLS:
        if self.config.certificate is not None and self.config.key is not None:
            return ServerTLS(self.config.certificate, self.config.key)
        files = self._ensure()
        return ServerTLS(files.certificate, files.key)

    def _ensure(self) -> certificates.CertificateFiles:
        hosts = {self.config.host, self.config.public_host} - {""}
        named = {host for host in hosts if not is_wildcard(host)}
        return certificates.ensure(self.config.data / CERTIFICATE, named)

    def _warn(self) -> None:
        if not self.config.limits.rates:
            self.log.warning("no rate limits", says="--limits off: for measuring only")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            self.log.warning("running as root", says="better give the server a user of its own")
        if self.config.registration == "open" and self.config.is_reachable:
            self.log.warning("open registration", says="anyone who reaches it can join")


def _ahead() -> float:
    """Return by how much the wall clock is ahead of the one that only ticks."""
    return time.time() - time.monotonic()
