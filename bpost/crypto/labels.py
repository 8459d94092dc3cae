"""Every domain string of BPost's cryptography, so that no two uses of a key or hash can meet.

All are different and none is a prefix of another (a test holds that), so a label followed by
anything is never another label followed by something else. The ``1`` is the version: a change of
what a label stands for is a new label.
"""

from __future__ import annotations

# Password (CRYPTO, section 1).
PASSWORD = b"bpost/1 password"
LOGIN = b"bpost/1 login"
WRAP = b"bpost/1 wrap"

# What account keys sign, and seal (sections 2 and 7).
DEVICE_LIST = b"bpost/1 device list"
PREKEY = b"bpost/1 prekey"
DEVICE_NAME = b"bpost/1 device name"
SUCCESSION = b"bpost/1 succession, by the old key"
SUCCESSOR = b"bpost/1 successor, by the new key"

# Joining by a code that another device shows (section 9).
LINK_SLOT = b"bpost/1 link slot"
LINK_HELLO = b"bpost/1 link hello"
LINK_STEP = b"bpost/1 link step"
LINK_NUMBER = b"bpost/1 link number"

# Starting a session (section 3).
HANDSHAKE = b"bpost/1 PQXDH CURVE25519 SHA-256 ML-KEM-768"
ASSOCIATED_DATA = b"bpost/1 associated data"

# The ratchet (section 4).
RATCHET = b"bpost/1 ratchet"
MESSAGE = b"bpost/1 message"
CHAIN_MESSAGE_KEY = b"\x01"
CHAIN_NEXT_KEY = b"\x02"

# Knowing whom one writes to (section 7).
SAFETY_NUMBER = b"bpost/1 safety number"

# The server's log of keys.
KEY_LOG_FIRST = b"bpost/1 key log, first head"
KEY_LOG_NAME = b"bpost/1 key log, name"
KEY_LOG_VALUE = b"bpost/1 key log, value"
KEY_LOG_LINK = b"bpost/1 key log, link"
KEY_LOG_LIST = b"bpost/1 key log, device list"

# At rest (sections 2 and 8).
VAULT = b"bpost/1 vault"
KEY_FILE_PASSWORD = b"bpost/1 key file, by password"
KEY_FILE_ACCOUNT = b"bpost/1 key file, by account"
BACKUP_HEADER = b"bpost/1 backup header"
BACKUP_PIECE = b"bpost/1 backup piece"
