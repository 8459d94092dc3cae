"""Codes, reasons and the separator: the fixed words of the protocol (PROTOCOL: Codes, Reasons)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

SEPARATOR: Final = "\x1f"
"""INFORMATION SEPARATOR ONE: stands between the fields of a frame and can be in none of them."""

SUBPROTOCOL: Final = "bpost.1"
"""What client and server agree on in the WebSocket handshake."""


class Code(IntEnum):
    """What a frame is about: the decimal number that it begins with."""

    SEND = 0
    LOG_IN = 1
    REGISTER = 2
    CHANGE_PASSWORD = 3
    ADD_CONTACT = 4
    MESSAGE = 5
    PUBLIC_KEY = 6
    BUNDLES = 7
    DEVICES = 8
    CONTACTS = 9
    ONE_TIME_KEYS = 10
    VAULT = 11
    SIGNAL = 12
    BLOB = 13
    DELETE_ACCOUNT = 14
    KEY_LOG = 15
    CLOSING = 99


class Reason:
    """Why something was refused: stable words for programs, each with a text for people beside it.

    A receiver takes words that are not listed here as well; they come from a newer version.
    """

    BAD_FRAME: Final = "bad-frame"
    BAD_FIELD: Final = "bad-field"
    TOO_LARGE: Final = "too-large"
    NOT_LOGGED_IN: Final = "not-logged-in"
    NOT_YOU: Final = "not-you"
    WRONG_PASSWORD: Final = "wrong-password"  # noqa: S105 - a word, not a password
    NO_SUCH_USER: Final = "no-such-user"
    NAME_TAKEN: Final = "name-taken"
    NOT_A_CONTACT: Final = "not-a-contact"
    RATE_LIMITED: Final = "rate-limited"
    INVITE_NEEDED: Final = "invite-needed"
    DISABLED: Final = "disabled"
    CONFLICT: Final = "conflict"
    NO_SUCH_DEVICE: Final = "no-such-device"
    QUOTA: Final = "quota"
    SLOW_READER: Final = "slow-reader"
    BUSY: Final = "busy"
    INTERNAL: Final = "internal"
