"""The envelope: one sealed body, and its key sealed for each device (CRYPTO, section 5).

It is what stands as ``Message`` in frames 0 and 5 between clients that seal. Nothing in it is
believed by itself; :func:`bpost.protocol.payload.check_origin` compares it with what was sealed.
Every bound is checked before any part of it is decoded, and long before anything is decrypted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bpost import b64
from bpost.errors import SecurityError, UsageError
from bpost.limits import Limits
from bpost.protocol import canonical_json
from bpost.protocol.fields import Device, Unfit, kind_of, utf8_size

VERSION: Final = 1

SMALLEST: Final = 1024
"""The smallest padded size: a payload's own fields take some 400 bytes, so that every short
message, receipt and empty payload comes out the same."""

STEP: Final = 256
"""The smallest step between padded sizes; above 8 KiB Padmé's own steps are larger."""

_END: Final = b"\x80"
_KEYS: Final = {"v", "from", "to", "body"}
_QUOTES: Final = 12
"""Quotation marks around the keys, the sender and the body; each device has four more."""

_DEPTH: Final = 8
_CONTAINERS: Final = 64
"""More than this version has, so that the version of a newer one can be read."""

_device = kind_of(Device)


@dataclass(frozen=True)
class Envelope:
    """From one device: ``body``, a sealed payload, and ``to``, its sealed key by device id."""

    device: str
    to: Mapping[str, bytes] = field(repr=False)
    body: bytes = field(repr=False)

    def text(self) -> str:
        """Return the one text of this envelope.

        Raises:
            UsageError: a device id that is none, no devices, or an empty part.
        """
        try:
            _check_device(self.device)
            for device in self.to:
                _check_device(device)
        except Unfit as error:
            raise UsageError(f"An envelope {error}.") from None
        if not self.to or not self.body or not all(self.to.values()):
            raise UsageError("An envelope needs a body, and a sealed key for one device at least.")
        return canonical_json.write(
            {
                "v": VERSION,
                "from": self.device,
                "to": {device: b64.encode(sealed) for device, sealed in self.to.items()},
                "body": b64.encode(self.body),
            }
        )


def parse_envelope(text: str, limits: Limits) -> Envelope:
    """Read what :meth:`Envelope.text` wrote.

    Raises:
        SecurityError: ``too-large``, ``newer-version``, or ``bad-encoding`` for all other texts.
    """
    _check_bounds(text, limits)
    value = _read(text)
    if set(value) != _KEYS or not isinstance(value["to"], dict) or not value["to"]:
        raise _bad("does not have the parts of one")
    try:
        _check_device(value["from"])
        for device in value["to"]:
            _check_device(device)
    except Unfit as error:
        raise _bad(str(error)) from None
    sealed = {device: _octets(spelled) for device, spelled in value["to"].items()}
    return Envelope(value["from"], sealed, _octets(value["body"]))


def _check_bounds(text: str, limits: Limits) -> None:
    if len(text) > limits.message or utf8_size(text) > limits.message:
        raise SecurityError("too-large", "A sealed message is larger than allowed.")
    if text.count('"') > _QUOTES + 4 * limits.envelope_devices:
        raise SecurityError("too-large", "A sealed message is addressed to too many devices.")


def _read(text: str) -> dict[str, Any]:
    try:
        value = canonical_json.read(text, depth=_DEPTH, containers=_CONTAINERS)
    except canonical_json.NotCanonical as error:
        raise _bad(str(error)) from None
    if not isinstance(value, dict):
        raise _bad("is not a JSON object")
    version = value.get("v")
    if type(version) is not int or version < VERSION:
        raise _bad("has no version that was ever used")
    if version > VERSION:
        raise SecurityError("newer-version", "This message needs a newer version of BPost.")
    return value


def _check_device(device: object) -> None:
    try:
        _device.check(device, None)
    except Unfit as error:
        raise Unfit(f"names a device that {error}") from None


def _octets(spelled: object) -> bytes:
    if not isinstance(spelled, str) or not spelled:
        raise _bad("holds an empty part")
    return b64.decode(spelled)


def _bad(problem: str) -> SecurityError:
    return SecurityError("bad-encoding", f"What should be a sealed message {problem}.")


def padded_size(size: int) -> int:
    """Return the size to which ``size`` bytes are padded, one byte of padding at least."""
    least = size + 1
    exponent = least.bit_length() - 1
    step = max(STEP, 1 << (exponent - exponent.bit_length()) if exponent > 1 else 1)
    return max(SMALLEST, -(-least // step) * step)


def pad(data: bytes) -> bytes:
    """Pad ``data`` so that its size tells next to nothing: Padmé, in steps of 256 at least.

    The padding is one byte 0x80, then zeros (ISO/IEC 7816-4). Padmé is from "Reducing Metadata
    Leakage from Encrypted Files and Communication with PURBs", section 4.
    """
    return (data + _END).ljust(padded_size(len(data)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Return what :func:`pad` was given.

    Raises:
        SecurityError: ``bad-encoding``, for what it did not make.
    """
    data = padded.rstrip(b"\0")
    if not data.endswith(_END) or padded_size(len(data) - 1) != len(padded):
        raise SecurityError("bad-encoding", "A sealed message is not padded as it must be.")
    return data[:-1]
