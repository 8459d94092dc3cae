"""The one thread for all slow connections: what happens between two of its looks."""

from __future__ import annotations

import selectors
import socket
import threading
import time
import unittest
from collections.abc import Callable

from bpost.limits import Limits
from bpost.net.drainer import Drainer
from bpost.net.outbound import Outbound
from bpost.net.tls import ServerTLS
from bpost.net.tls_stream import TLSStream
from tests.net.harness import blind_context
from tests.net.listening import server_files
from tests.support import patience, wait_until

FRAME = b"\x82\x7e\x20\x00" + b"x" * 8192


class Watched(Outbound):
    """An outbound whose next ``drain`` by the drainer is followed by something at once."""

    def __init__(self, stream: TLSStream, drainer: Drainer) -> None:
        super().__init__(stream, Limits(), drainer, None)
        self.meanwhile: Callable[[bool], bool] | None = None

    def drain(self) -> bool:
        waits = super().drain()
        if self.meanwhile is not None and self.meanwhile(waits):
            self.meanwhile = None
        return waits


class DrainerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.failures: list[Exception] = []
        self.drainer = Drainer(self.failures.append)
        self.addCleanup(self.drainer.stop)
        self.drainer.start()

    def connect(self) -> tuple[Watched, TLSStream]:
        """Return one end's outbound, and the other end."""
        files = server_files()
        near, far = socket.socketpair()
        server = TLSStream(near, ServerTLS(files.certificate, files.key).context, server_side=True)
        client = TLSStream(far, blind_context())
        deadline = time.monotonic() + patience(20)
        shaking = threading.Thread(target=client.handshake, args=(deadline,))
        shaking.start()
        server.handshake(deadline)
        shaking.join()
        self.addCleanup(server.close)
        self.addCleanup(client.close)
        return Watched(server, self.drainer), client

    def fill(self, outbound: Outbound) -> int:
        """Put frames until they wait; return how many bytes that were."""
        size = 0
        while not outbound.queued:
            outbound.put((FRAME,))
            size += len(FRAME)
        return size

    def read(self, client: TLSStream, size: int) -> int:
        """Read ``size`` bytes, however long they take; return how many came beyond them."""
        while size > 0:
            data = client.receive(patience(20))
            self.assertTrue(data, "the connection was cut")
            size -= len(data)
        return -size

    def test_s29_what_is_put_just_after_a_drain_is_sent_too(self) -> None:
        outbound, client = self.connect()
        more: list[int] = []

        def refill(waits: bool) -> bool:
            if not waits:
                more.append(self.fill(outbound))
            return not waits

        size = self.fill(outbound)
        outbound.meanwhile = refill
        beyond = self.read(client, size)
        wait_until(lambda: more, what="the drain that leaves nothing")
        self.read(client, more[0] - beyond)
        wait_until(lambda: not outbound.queued)

    def test_s29_a_flush_between_two_looks_does_not_end_the_thread(self) -> None:
        outbound, client = self.connect()
        flushed: list[bool] = []

        def flush(waits: bool) -> bool:
            if waits and not flushed:
                flushed.append(True)
                reading = threading.Thread(target=self.read, args=(client, size))
                reading.start()
                while Outbound.drain(outbound):
                    outbound.stream.wait_to_send(time.monotonic() + patience(20))
                reading.join()
            return bool(flushed)

        outbound.meanwhile = flush
        size = self.fill(outbound)
        wait_until(lambda: flushed and outbound not in self.drainer._watched, what="the flush")
        self.assertNotIn(outbound.stream, self.drainer._selector.get_map())
        for _ in range(3):
            self.read(client, self.fill(outbound))
            wait_until(lambda: not outbound.queued)
        self.assertEqual(self.failures, [])

    def test_s29_what_fails_costs_one_connection_and_not_the_others(self) -> None:
        def fail(_waits: bool) -> bool:
            raise KeyError("made up")

        bad, bad_client = self.connect()
        good, client = self.connect()
        bad.meanwhile = fail
        self.fill(bad)
        wait_until(lambda: self.failures, what="the failure")
        self.read(client, self.fill(good))
        with self.assertRaises((AssertionError, OSError)):
            self.read(bad_client, 1 << 30)
        bad.end()
        wait_until(lambda: bad.stream.fileno() < 0, what="its descriptor")

    def test_nothing_is_left_in_the_selector(self) -> None:
        pairs = [self.connect() for _ in range(4)]
        for outbound, client in pairs:
            reading = threading.Thread(target=self.read, args=(client, self.fill(outbound)))
            reading.start()
            outbound.flush(time.monotonic() + patience(20))
            reading.join()
            outbound.end()
            wait_until(lambda stream=outbound.stream: stream.fileno() < 0)  # type: ignore[misc]
        wait_until(lambda: not self.drainer._watched)
        known = self.drainer._selector.get_map().values()
        self.assertEqual([key.events for key in known], [selectors.EVENT_READ])


if __name__ == "__main__":
    unittest.main()
