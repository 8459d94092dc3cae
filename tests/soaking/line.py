"""One connection of a resident: frames in and out, and the ways in which a line can be bad."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from bpost.net.frames import TEXT
from bpost.protocol.codes import SEPARATOR
from tests.net.harness import raw_frame


class Line(WSListener):
    """A connection; ``hear`` gets the fields of each frame, ``over`` is set at the end."""

    def __init__(self, hear: Callable[[list[str]], None]) -> None:
        self.over = asyncio.Event()
        self._hear = hear
        self._transport: WSTransport | None = None
        self._deaf = False

    @property
    def open(self) -> bool:
        """Whether anything can be sent."""
        return self._transport is not None and not self.over.is_set()

    def say(self, *fields: str) -> None:
        """Send a frame, if the line still stands."""
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, SEPARATOR.join(fields).encode())

    def say_half(self, *fields: str, part: float) -> None:
        """Send the first part of a frame."""
        frame = raw_frame(TEXT, SEPARATOR.join(fields).encode())
        self._below(lambda below: below.write(frame[: max(1, int(part * len(frame)))]))

    def stop_reading(self) -> None:
        """Take nothing from the network, as one who is slow or busy."""
        self._below(lambda below: below.pause_reading())

    def read_on(self) -> None:
        """Go on reading."""
        self._below(lambda below: below.resume_reading())

    def leave(self) -> None:
        """End the connection in order."""
        if self._transport is not None:
            self._transport.send_close()
            self._transport.disconnect()

    def cut(self) -> None:
        """End the connection without a word; nothing that arrives afterwards is heard."""
        self._deaf = True
        self._below(lambda below: below.abort())

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT and not self._deaf:
            self._hear(frame.get_payload_as_bytes().decode().split(SEPARATOR))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self.over.set()

    def _below(self, work: Callable[[Any], object]) -> None:
        if self._transport is not None:
            work(self._transport.underlying_transport)
