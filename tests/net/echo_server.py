"""A server that sends back what comes, for conformance kits: ``python -m tests.net.echo_server``.

The way of each byte is the product's own. Only the bounds are raised, for a kit sends 16 MiB at
once and thousands of pieces, and binary messages are let in, which BPost's protocol does not know.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from unittest import mock

from bpost.limits import MIB, Limits
from bpost.net import inbound
from bpost.net.frames import BINARY, TEXT, FrameWatch
from bpost.net.ws_server import ServerConnection
from tests.net.harness import Harness, raw_frame

_OPCODE = 0x0F
GENEROUS = replace(
    Limits(rates=False),
    frame=16 * MIB,
    fragments=1 << 20,
    pings_per_second=1 << 20,
    outbound_queue=64 * MIB,
)


class EveryMessage(FrameWatch):
    """Judges a binary message as it judges a text."""

    __slots__ = ()

    def _check(self, head: bytes) -> None:
        if head[0] & _OPCODE == BINARY:
            head = bytes((head[0] ^ BINARY ^ TEXT,)) + head[1:]
        super()._check(head)


def echo(connection: ServerConnection, message: str | bytes) -> None:
    """Send back what came, as what it came."""
    if isinstance(message, str):
        connection.send(message)
    else:
        connection._outbound.put((raw_frame(BINARY, message, mask=None),))


@contextlib.contextmanager
def serving(port: int = 0, limits: Limits = GENEROUS) -> Iterator[Harness]:
    """Run the server for a while; meanwhile no server of this process minds binary messages."""
    with mock.patch.object(inbound, "FrameWatch", EveryMessage):
        with Harness(echo, limits=limits, port=port) as server:
            yield server


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.net.echo_server", description=__doc__)
    parser.add_argument("--port", type=int, default=9001, help="on 127.0.0.1; 0 finds a free one")
    with serving(parser.parse_args(arguments).port) as server:
        print(f"An echo at wss://127.0.0.1:{server.port}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
