"""A race over TLS connections, run in a process of its own, since what it hunts may crash it.

``python -m tests.net.race SCENARIO VERSION CONNECTIONS SECONDS`` streams numbered, checked frames
both ways between this process and a peer process, with one reader and several writers on each side
of each connection, and prints what broke as JSON: an empty list is what is wanted.

    duplex  both directions saturated
    start   many short connections: everybody starts right after the handshake
    rekey   the peer asks for new TLS 1.3 keys every 50 frames, which the reader has to answer
    reuse   close() while the others are busy: the next connection gets the same descriptor
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from functools import cache
from pathlib import Path

from bpost.net import certificates
from bpost.net.tls import server_context
from bpost.net.tls_stream import TLSStream
from tests.net.harness import blind_context
from tests.support import patience

HEAD = struct.Struct(">IIBQ")  # length, checksum, writer, number
WRITERS = 4
BODY = bytes(range(256)) * 3
FAREWELL = ("BrokenPipeError", "ConnectionResetError", "SSLEOFError")


def frame(writer: int, number: int) -> bytes:
    """Return a frame whose size and content follow from its number."""
    body = BODY[number % 64 : number % 64 + 200 + number % 300]
    return HEAD.pack(len(body), zlib.crc32(body), writer, number) + body


class Traffic:
    """One reader and several writers on one end of a connection."""

    def __init__(self, stream: TLSStream, rekey_every: int = 0) -> None:
        self.stream = stream
        self.stop = threading.Event()
        self.errors: list[str] = []
        self.sent = self.got = 0
        self._rekey_every = rekey_every
        self.threads = [threading.Thread(target=self._guard, args=(self._read,), daemon=True)]
        for writer in range(WRITERS):
            arguments = (self._write, writer)
            self.threads.append(threading.Thread(target=self._guard, args=arguments, daemon=True))
        for thread in self.threads:
            thread.start()

    def _guard(self, work: object, *arguments: int) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except Exception as error:  # the race's findings
            if not self.stop.is_set():
                self.errors.append(f"{type(error).__name__}: {error}")

    def _write(self, writer: int) -> None:
        number = 0
        while not self.stop.is_set():
            if self._rekey_every and writer == 0 and number % self._rekey_every == 1:
                request_key_update(self.stream)
            self.stream.send(frame(writer, number))
            number += 1
            self.sent += 1

    def _read(self) -> None:
        data, expected = b"", Counter[int]()
        while more := self.stream.receive(None):
            data += more
            while len(data) >= HEAD.size:
                size, checksum, writer, number = HEAD.unpack_from(data)
                if size > len(BODY):
                    raise AssertionError("corrupt header")
                if len(data) < HEAD.size + size:
                    break
                body, data = data[HEAD.size : HEAD.size + size], data[HEAD.size + size :]
                if zlib.crc32(body) != checksum or number != expected[writer]:
                    raise AssertionError(f"corrupt or out of order: {writer} {number}")
                expected[writer] += 1
                self.got += 1
        if not self.stop.is_set():
            raise AssertionError("the stream ended")

    def end(self, *, abruptly: bool = False) -> list[str]:
        """End the connection, return what broke, threads that do not leave included."""
        found = list(self.errors)
        self.stop.set()
        if abruptly:
            self.stream.close()
        else:
            self.stream.shutdown()
        for thread in self.threads:
            thread.join(patience(10))
            if thread.is_alive():
                found.append("a thread was not woken")
        self.stream.close()
        return found


def request_key_update(stream: TLSStream) -> None:
    """Ask the peer for new keys; only OpenSSL's own API can (SSL* is the third word here)."""
    with stream._tls_lock:
        engine = stream._tls._sslobj  # type: ignore[attr-defined]
        pointer = ctypes.c_void_p.from_address(id(engine) + 3 * ctypes.sizeof(ctypes.c_void_p))
        if openssl().SSL_key_update(pointer, 1) != 1:
            raise AssertionError("no key update")


@cache
def openssl() -> ctypes.CDLL:
    """Return the libssl that Python's ssl module uses."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    library = ctypes.CDLL(next(line.split()[-1] for line in lines if "libssl" in line))
    library.SSL_key_update.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


def peer(scenario: str, folder: str) -> None:
    """Answer in another process: print the port, then report what broke as lines."""
    files = certificates.ensure(Path(folder))
    context = server_context(files.certificate, files.key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        arguments = (sock, context, scenario)
        threading.Thread(target=peer_connection, args=arguments, daemon=True).start()


def peer_connection(sock: socket.socket, context: ssl.SSLContext, scenario: str) -> None:
    """Stream on one connection until the other side leaves."""
    stream = TLSStream(sock, context, server_side=True)
    try:
        stream.handshake(time.monotonic() + patience(10))
    except OSError:
        return  # in "reuse" the other side may leave that early
    traffic = Traffic(stream, 50 if scenario == "rekey" else 0)
    traffic.threads[0].join()
    for error in traffic.end():
        if not error.startswith(FAREWELL) and "the stream ended" not in error:
            print(error, file=sys.stderr, flush=True)


def run(scenario: str, version: str, connections: int, seconds: float, port: int) -> list[str]:
    """Race on ``connections`` connections, one after the other; return what broke."""
    context = blind_context()
    context.maximum_version = ssl.TLSVersion[version]
    found: list[str] = []
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        stream = TLSStream(sock, context)
        stream.handshake(time.monotonic() + patience(10))
        traffic = Traffic(stream)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not traffic.errors:
            traffic.stop.wait(min(0.02, seconds / 4))
        if scenario in ("duplex", "rekey") and not (traffic.sent and traffic.got):
            found.append("nothing moved")
        found += traffic.end(abruptly=scenario == "reuse")
    return found


def main(scenario: str, version: str, connections: str, seconds: str, folder: str) -> None:
    """Run one scenario against a peer process and print what broke."""
    command = [sys.executable, "-m", "tests.net.race", "peer", scenario, folder]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as other:
        assert other.stdout is not None
        try:
            port = int(other.stdout.readline())
            found = run(scenario, version, int(connections), float(seconds), port)
        finally:
            other.kill()
        found += [f"peer: {line}" for line in other.communicate()[1].splitlines()]
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.setswitchinterval(1e-5)
    if sys.argv[1] == "peer":
        peer(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
