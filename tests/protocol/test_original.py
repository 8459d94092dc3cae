"""The original forms of frames 0 to 6, as PROTOCOL.md lists them, spelled out by hand."""

from __future__ import annotations

import unittest

from bpost.protocol import replies, requests
from bpost.protocol.codes import SEPARATOR, Code
from bpost.protocol.frames import parse_reply, parse_request
from bpost.protocol.replies import Refusal
from bpost.protocol.shape import Reply, Request

KEY, OTHER, DEVICE = "A" * 43, "B" * 42 + "A", "abcdefghijklmnop"

REQUESTS: tuple[tuple[str, Request], ...] = (
    ("0·alice·hi·bob", requests.Send("alice", "hi", "bob")),
    ("0·alice·hi·bob·r1", requests.Send("alice", "hi", "bob", "r1")),
    ("0·alice··bob", requests.Send("alice", "", "bob")),
    (f"1·alice·{KEY}", requests.LogIn("alice", KEY)),
    (f"1·alice·{KEY}·new", requests.LogIn("alice", KEY, "new")),
    (f"1·alice·{KEY}·{DEVICE}", requests.LogIn("alice", KEY, DEVICE)),
    (f"2·alice·{KEY}", requests.Register("alice", KEY)),
    (f"2·alice·{KEY}·token", requests.Register("alice", KEY, "token")),
    (f"3·alice·{KEY}·{OTHER}", requests.ChangePassword("alice", KEY, OTHER)),
    (f"3·alice·{KEY}·{OTHER}·v", requests.ChangePassword("alice", KEY, OTHER, "v")),
    ("4·alice·bob", requests.AddContact("alice", "bob")),
    ("5·OK·17", requests.Acknowledge(17)),
    ("6·alice·a key\nin two lines", requests.PutKey("alice", "a key\nin two lines")),
    (f"6·alice·key·{DEVICE}·bundle", requests.PutKey("alice", "key", DEVICE, "bundle")),
    ("7·alice·bob", requests.GetBundles("alice", "bob")),
    ("7·alice·bob·", requests.GetBundles("alice", "bob", ())),
    (f"7·alice·bob·{DEVICE}", requests.GetBundles("alice", "bob", (DEVICE,))),
    ("8·list", requests.ListDevices()),
    (f"8·name·{DEVICE}·sealed", requests.NameDevice(DEVICE, "sealed")),
    (f"8·revoke·{DEVICE}", requests.RevokeDevice(DEVICE)),
    ("9·list", requests.ListContacts()),
    ("9·list·bob", requests.ListContacts("bob")),
    ("9·remove·bob", requests.RemoveContact("bob")),
    ("9·block·bob", requests.BlockContact("bob")),
    ("9·unblock·bob", requests.UnblockContact("bob")),
    (f'10·upload·{DEVICE}·["k1","k2"]', requests.UploadKeys(DEVICE, ("k1", "k2"))),
    (f"10·count·{DEVICE}", requests.CountKeys(DEVICE)),
    ("11·get", requests.GetVault()),
    ("11·put·3·vault", requests.PutVault(3, "vault")),
    ("12·alice·typing·bob", requests.Signal("alice", "typing", "bob")),
    (f"13·begin·9·{KEY}", requests.BeginBlob(9, KEY)),
    (f"13·chunk·{DEVICE}·0·YWJj", requests.PutChunk(DEVICE, 0, b"abc")),
    (f"13·get·{DEVICE}·3", requests.GetChunk(DEVICE, 3)),
    (f"14·alice·{KEY}", requests.DeleteAccount("alice", KEY)),
    ("15·links·7", requests.GetLinks(7)),
    ("15·entries·bob·7", requests.GetEntries("bob", 7)),
)

REPLIES: tuple[tuple[str, Reply], ...] = (
    ("0·WillBeSent·bob", replies.SendAccepted("bob")),
    ("0·WillBeSent·bob·r1·7·8", replies.SendAccepted("bob", "r1", 7, 8)),
    ("0·Error·bob", replies.SendRefused("bob")),
    ("0·Error·bob·r1·quota·Full.", replies.SendRefused("bob", "r1", "quota", "Full.")),
    ("0·Error·bob··quota·Full.", replies.SendRefused("bob", None, "quota", "Full.")),
    ("1·OK", replies.LoggedIn()),
    (f'1·OK·{DEVICE}·9·{{"frame":5}}', replies.LoggedIn(DEVICE, 9, {"frame": 5})),
    ("1·Error", Refusal(Code.LOG_IN)),
    ("1·Error·busy·Wait.", Refusal(Code.LOG_IN, "busy", "Wait.")),
    ("2·OK", replies.Registered()),
    ("2·Error", Refusal(Code.REGISTER)),
    ("3·OK", replies.PasswordChanged()),
    ("3·Error", Refusal(Code.CHANGE_PASSWORD)),
    ("4·OK·key", replies.ContactAdded("key")),
    ("4·OK·key·bob", replies.ContactAdded("key", "bob")),
    ("4·OK··bob", replies.ContactAdded("", "bob")),
    ("4·Error", Refusal(Code.ADD_CONTACT)),
    ("4·Error·no-such-user", Refusal(Code.ADD_CONTACT, "no-such-user")),
    (
        "4·Error·no-such-user·Nobody.·bob",
        Refusal(Code.ADD_CONTACT, "no-such-user", "Nobody.", "bob"),
    ),
    ("5·hi·alice", replies.Delivery("hi", "alice")),
    ("5·hi·alice·7·8", replies.Delivery("hi", "alice", 7, 8)),
    ("6·OK", replies.KeyStored()),
    ("6·Error", Refusal(Code.PUBLIC_KEY)),
    ("7·OK·bob··[]", replies.Bundles("bob", "", ())),
    (
        f'7·OK·bob·key·[{{"bundle":"b","device":"{DEVICE}","one_time":null}}]',
        replies.Bundles("bob", "key", (replies.DeviceKeys(DEVICE, "b"),)),
    ),
    ("7·Error", Refusal(Code.BUNDLES)),
    (
        '8·OK·list·[{"created":1,"device":"plain","last_seen":2,"name":""}]',
        replies.DeviceRecords((replies.DeviceRecord("plain", 1, 2),)),
    ),
    ("8·OK·name", replies.DeviceNamed()),
    ("8·OK·revoke", replies.DeviceRevoked()),
    (
        '9·OK·list·[{"blocked":true,"name":"Bob"}]',
        replies.ContactRecords((replies.ContactRecord("Bob", True),)),
    ),
    ("9·OK·list·[]·bob", replies.ContactRecords((), "bob")),
    ("9·OK·remove·bob", replies.ContactRemoved("bob")),
    ("9·OK·block·bob", replies.ContactBlocked("bob")),
    ("9·OK·unblock·bob", replies.ContactUnblocked("bob")),
    ("10·OK·count·19", replies.KeyCount(19)),
    ("11·OK·0·", replies.VaultStored(0)),
    ("11·OK·4·vault", replies.VaultStored(4, "vault")),
    ("11·Error·conflict", Refusal(Code.VAULT, "conflict")),
    ("12·typing·alice", replies.SignalDelivery("typing", "alice")),
    (f"13·OK·begin·{DEVICE}·0", replies.BlobBegun(DEVICE, 0)),
    (f"13·OK·chunk·{DEVICE}·3", replies.ChunkStored(DEVICE, 3)),
    (f"13·OK·get·{DEVICE}·0·3·YWJj", replies.ChunkFound(DEVICE, 0, 3, b"abc")),
    ("14·OK", replies.AccountDeleted()),
    ('14·OK·{"messages":3}', replies.AccountDeleted({"messages": 3})),
    (f"15·OK·links·{KEY}·0·{KEY}", replies.LinksFound(KEY, 0, KEY)),
    (f"15·OK·links·{KEY}·1·{KEY}·YWJj", replies.LinksFound(KEY, 1, KEY, b"abc")),
    (
        '15·OK·entries·bob·[{"position":8,"public_key":"key","statement":""}]',
        replies.EntriesFound("bob", (replies.LogEntry(8, "key"),)),
    ),
    ("99·slow-reader·Read faster.", replies.Closing("slow-reader", "Read faster.")),
)


class OriginalFormsTest(unittest.TestCase):
    def test_each_request_is_written_and_read_as_the_protocol_lists_it(self) -> None:
        for shown, request in REQUESTS:
            text = shown.replace("·", SEPARATOR)
            with self.subTest(frame=shown):
                self.assertEqual(request.text(), text)
                self.assertEqual(parse_request(text), request)

    def test_each_reply_is_written_and_read_as_the_protocol_lists_it(self) -> None:
        for shown, reply in REPLIES:
            text = shown.replace("·", SEPARATOR)
            with self.subTest(frame=shown):
                self.assertEqual(reply.text(), text)
                self.assertEqual(parse_reply(text), reply)

    def test_each_class_is_listed_here(self) -> None:
        self.assertEqual({type(frame) for _, frame in REQUESTS}, set(requests.REQUESTS))
        self.assertEqual({type(frame) for _, frame in REPLIES}, {*replies.REPLIES, Refusal})
