"""A listening socket with the thread that accepts on it, for the servers of the tests."""

from __future__ import annotations

import atexit
import shutil
import socket
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from bpost.net import certificates
from bpost.net.address import ServerAddress
from bpost.net.tls import ServerTLS
from tests.support import patience

L = TypeVar("L", bound="Listening")


@cache
def server_files() -> certificates.CertificateFiles:
    """Return a certificate for this process's tests."""
    folder = Path(tempfile.mkdtemp(prefix="bpost-net-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return certificates.ensure(folder)


class Listening:
    """Accepts from ``with`` to the end of it, on a free port unless told which.

    What comes of it, subclasses say.
    """

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def welcome(self, sock: socket.socket) -> None:
        """Do something with a new connection, in the accepting thread."""
        raise NotImplementedError

    def __enter__(self: L) -> L:
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(patience(20))
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.welcome(sock)


class ListeningTLS(Listening):
    """With the certificate of this process's tests."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        files = server_files()
        self.tls = ServerTLS(files.certificate, files.key)

    @property
    def address(self) -> ServerAddress:
        """The server's address, pinned."""
        return ServerAddress("127.0.0.1", self.port, pin=self.tls.pin)
