"""A second, local port for those who watch a server: ``/metrics`` and ``/healthz``.

It listens on this machine only. What it answers names nobody, but it is not for strangers: whoever
wants it elsewhere has Prometheus, or a tunnel, fetch it here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bpost.errors import LocalError, StoreError
from bpost.server.listener import Listener
from bpost.server.log import EventLog
from bpost.server.office import Office

HOST = "127.0.0.1"
NAMES = frozenset({HOST, "localhost"})
"""What a client may call this server: a web page that had its name point here says another."""

SECONDS = 10
PROBE_SECONDS = 1.0

Page = Callable[[], tuple[int, str, bytes]]
"""Makes an answer: its status, its type, and its text."""


class Health:
    """Tells what is wrong with a post office, if anything is."""

    def __init__(self, office: Office, listener: Listener) -> None:
        self._office = office
        self._listener = listener
        # Guards the two below, and that one at a time tries the database.
        self._lock = threading.Lock()
        self._tried = 0.0
        self._refusal = ""

    def problems(self) -> list[str]:
        """Return a sentence for each problem."""
        found = [self._listener.trouble, self._database()]
        if not self._office.mailroom.alive:
            found.append("The thread that stores messages has ended.")
        return [problem for problem in found if problem]

    def _database(self) -> str:
        """Write a row, at most once a second however often somebody asks."""
        with self._lock:
            now = time.monotonic()
            if not self._tried or now - self._tried >= PROBE_SECONDS:
                try:
                    self._office.store.settings.probe()
                    self._refusal = ""
                except StoreError as error:
                    self._refusal = str(error)
                self._tried = time.monotonic()
            return self._refusal


class MetricsServer:
    """Serves pages by their paths, on this machine, from :meth:`start` to :meth:`stop`."""

    def __init__(self, port: int, pages: dict[str, Page], log: EventLog) -> None:
        """Listen.

        Raises:
            LocalError: the port cannot be used.
        """
        try:
            self._server = ThreadingHTTPServer((HOST, port), _handler(pages, log))
        except OSError as error:
            raise LocalError(
                f"Cannot listen on {HOST} port {port} for metrics: {error.strerror or error}. "
                "Choose another port with --metrics."
            ) from error
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="bpost-metrics", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def health_page(health: Health) -> Page:
    """Return the page that says ``ok``, or with status 503 what is wrong."""

    def page() -> tuple[int, str, bytes]:
        problems = health.problems()
        text = "\n".join(problems or ["ok"]) + "\n"
        return 503 if problems else 200, "text/plain; charset=utf-8", text.encode("utf-8")

    return page


def _name_in(host: str) -> str:
    """Return the name in ``name:port`` or ``name``."""
    return host.partition(":")[0]


def _handler(pages: dict[str, Page], log: EventLog) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request."""

        timeout = SECONDS
        server_version, sys_version = "bpost", ""

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            if _name_in(self.headers.get("Host", HOST)) not in NAMES:
                self.send_error(403, explain="Ask for 127.0.0.1 or localhost.")
            elif page is None:
                self.send_error(404, explain=f"There is {' and '.join(sorted(pages))}.")
            else:
                self._answer(page)

        def _answer(self, page: Page) -> None:
            try:
                status, kind, data = page()
            except Exception as error:
                log.failure("metrics", error)
                status, kind, data = 500, "text/plain", b"This could not be told. See the log.\n"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Leave the log to what matters."""

    return Handler
