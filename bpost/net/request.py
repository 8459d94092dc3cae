"""The HTTP request that opens a WebSocket connection: read strictly, answered shortly. No I/O."""

from __future__ import annotations

import base64
import binascii
import re
from http import HTTPStatus

from bpost.errors import RemoteError
from bpost.limits import Limits
from bpost.net.frames import SUBPROTOCOL

END = b"\r\n\r\n"
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_KEY_BYTES = 16
_LOOKED_AT = 8
_METHOD = re.compile(rb"[A-Z]{1,7}(?: .*)?", re.DOTALL)


class RequestError(RemoteError):
    """A client did not ask as it should; ``status`` is the HTTP status it gets."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status

    def answer(self) -> bytes:
        """Return the HTTP response, which ends the connection."""
        body = f"{self}\n".encode()
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Connection: close\r\n"
        )
        if self.status is HTTPStatus.UPGRADE_REQUIRED:
            head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        return head.encode() + b"\r\n" + body


def check_beginning(data: bytes) -> None:
    """Refuse by its first bytes what will never be a request, rather than wait for its end.

    Raises:
        RequestError: with the status to answer.
    """
    if not _METHOD.fullmatch(data[:_LOOKED_AT]):
        raise _bad("This is no HTTP.")


def read_upgrade(data: bytes, limits: Limits, origins: frozenset[str]) -> dict[str, str]:
    """Check a whole request and return the headers for the library, and no others.

    The library is never shown what it would do too much with: an offer of compression, above all.

    Raises:
        RequestError: with the status to answer.
    """
    head, _, rest = data.partition(END)
    line, *lines = head.split(b"\r\n")
    headers = _headers(lines, limits)
    if rest or "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise _bad("A request that opens a WebSocket has no body.")
    _check_line(line)
    _check_origin(headers, origins)
    _check_upgrade(headers)
    chosen = {
        "HTTP_HOST": "bpost",
        "HTTP_UPGRADE": "websocket",
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_SEC_WEBSOCKET_KEY": headers["sec-websocket-key"],
        "HTTP_SEC_WEBSOCKET_VERSION": "13",
    }
    if "sec-websocket-protocol" in headers:
        if SUBPROTOCOL not in _items(headers["sec-websocket-protocol"]):
            raise _bad(f"The subprotocol of this server is {SUBPROTOCOL}.")
        chosen["HTTP_SEC_WEBSOCKET_PROTOCOL"] = SUBPROTOCOL
    return chosen


def forwarded_for(data: bytes, limits: Limits) -> str:
    """Return the header X-Forwarded-For of a checked request, empty where there is none."""
    _, *lines = data.partition(END)[0].split(b"\r\n")
    return _headers(lines, limits).get("x-forwarded-for", "")


def _headers(lines: list[bytes], limits: Limits) -> dict[str, str]:
    """Read the header lines; each name once, none folded, no control characters."""
    if len(lines) > limits.http_headers:
        raise RequestError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"There are more than {limits.http_headers} headers.",
        )
    headers: dict[str, str] = {}
    for line in lines:
        raw, colon, value = line.partition(b":")
        if not (colon and _NAME.fullmatch(raw) and _VALUE.fullmatch(value)):
            raise _bad("A header line is malformed.")
        name = raw.decode("ascii").lower()
        if name in headers:
            raise _bad(f"The header {name} comes twice.")
        headers[name] = value.strip(b" \t").decode("latin-1")
    return headers


def _check_line(line: bytes) -> None:
    method, _, rest = line.partition(b" ")
    path, _, version = rest.partition(b" ")
    if method != b"GET" or version != b"HTTP/1.1":
        raise _bad("Only GET with HTTP/1.1 is served here.")
    if path != b"/":
        raise RequestError(HTTPStatus.NOT_FOUND, "There is nothing here but the path /.")


def _check_origin(headers: dict[str, str], origins: frozenset[str]) -> None:
    """Let in programs, which name no origin, and the listed web pages, compared as they are."""
    if "origin" in headers and headers["origin"] not in origins:
        raise RequestError(HTTPStatus.FORBIDDEN, "Web pages of this origin may not connect.")


def _check_upgrade(headers: dict[str, str]) -> None:
    if "host" not in headers:
        raise _bad("The header Host is missing.")
    upgrades = headers.get("upgrade", "").lower() == "websocket"
    if not upgrades or "upgrade" not in _items(headers.get("connection", "").lower()):
        raise RequestError(HTTPStatus.UPGRADE_REQUIRED, "This is a WebSocket server.")
    if headers.get("sec-websocket-version") != "13":
        raise RequestError(HTTPStatus.UPGRADE_REQUIRED, "The WebSocket version must be 13.")
    try:
        key = base64.b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise _bad("The header Sec-WebSocket-Key is not 16 bytes in base64.")


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",")]


def _bad(text: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, text)
