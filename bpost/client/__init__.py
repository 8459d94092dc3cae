"""THE HEADLESS CLIENT: everything a messenger does, without a window.

client     the facade: thread-safe, the only thing a program needs
records    what it hands out: Message, Contact, Conversation
events     what it tells: MessageAdded, ConnectionChanged, …
"""

from __future__ import annotations

from bpost.client.archive import BackupInfo, inspect_backup, write_document
from bpost.client.client import Client
from bpost.client.custody import receipt_text
from bpost.client.events import (
    ConnectionChanged,
    ConnectionState,
    ContactsChanged,
    ConversationChanged,
    Event,
    EventsLost,
    HandoverChanged,
    LinkChanged,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    SecurityNotice,
    SignedOut,
)
from bpost.client.joining import code_error
from bpost.client.keystore import (
    Remembered,
    default_profile,
    remembered,
    remove_profile,
    set_aside,
)
from bpost.client.records import (
    Contact,
    Conversation,
    DeviceInfo,
    HandoverInfo,
    KeyChange,
    KeyLogState,
    LinkInfo,
    LogFinding,
    Message,
    Safety,
)
from bpost.client.reset import RESET_WARNING
from bpost.client.ring import REMOVED_TEXT
from bpost.crypto.fingerprint import Verdict

__all__ = [
    "REMOVED_TEXT",
    "RESET_WARNING",
    "BackupInfo",
    "Client",
    "ConnectionChanged",
    "ConnectionState",
    "Contact",
    "ContactsChanged",
    "Conversation",
    "ConversationChanged",
    "DeviceInfo",
    "Event",
    "EventsLost",
    "HandoverChanged",
    "HandoverInfo",
    "KeyChange",
    "KeyLogState",
    "LinkChanged",
    "LinkInfo",
    "LogFinding",
    "Message",
    "MessageAdded",
    "MessageChanged",
    "MessageRemoved",
    "Remembered",
    "Safety",
    "SecurityNotice",
    "SignedOut",
    "Verdict",
    "code_error",
    "default_profile",
    "inspect_backup",
    "receipt_text",
    "remembered",
    "remove_profile",
    "set_aside",
    "write_document",
]
