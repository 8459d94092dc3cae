"""What may be said when, as data: legal before log-in, answers to each request, pushes.

Requests are answered in the order in which they came on the connection, except those in
:data:`UNORDERED`: the answers to :class:`Send` carry its ``ref``, the others have none.
"""

from __future__ import annotations

from collections.abc import Mapping

from bpost.protocol import replies, requests
from bpost.protocol.replies import Refusal, SendAccepted, SendRefused
from bpost.protocol.requests import Send
from bpost.protocol.shape import Reply, Request

BEFORE_LOG_IN: frozenset[type[Request]] = frozenset({requests.LogIn, requests.Register})
"""Requests that are answered on a connection that is not logged in."""

UNORDERED: frozenset[type[Request]] = frozenset(
    {requests.Send, requests.Acknowledge, requests.Signal}
)
"""Requests whose answers, if any, need not come in order."""

UNSOLICITED: frozenset[type[Reply]] = frozenset(
    {replies.Delivery, replies.SignalDelivery, replies.KeyCount, replies.Closing}
)
"""Frames that come without a request; a key count comes as an answer too."""

ANSWERS: Mapping[type[Request], frozenset[type[Reply]]] = {
    requests.Send: frozenset({SendAccepted, SendRefused}),
    requests.LogIn: frozenset({replies.LoggedIn, Refusal}),
    requests.Register: frozenset({replies.Registered, Refusal}),
    requests.ChangePassword: frozenset({replies.PasswordChanged, Refusal}),
    requests.AddContact: frozenset({replies.ContactAdded, Refusal}),
    requests.Acknowledge: frozenset(),
    requests.PutKey: frozenset({replies.KeyStored, Refusal}),
    requests.GetBundles: frozenset({replies.Bundles, Refusal}),
    requests.ListDevices: frozenset({replies.DeviceRecords, Refusal}),
    requests.NameDevice: frozenset({replies.DeviceNamed, Refusal}),
    requests.RevokeDevice: frozenset({replies.DeviceRevoked, Refusal}),
    requests.ListContacts: frozenset({replies.ContactRecords, Refusal}),
    requests.RemoveContact: frozenset({replies.ContactRemoved, Refusal}),
    requests.BlockContact: frozenset({replies.ContactBlocked, Refusal}),
    requests.UnblockContact: frozenset({replies.ContactUnblocked, Refusal}),
    requests.UploadKeys: frozenset({replies.KeyCount, Refusal}),
    requests.CountKeys: frozenset({replies.KeyCount, Refusal}),
    requests.GetVault: frozenset({replies.VaultStored, Refusal}),
    requests.PutVault: frozenset({replies.VaultStored, Refusal}),
    requests.Signal: frozenset(),
    requests.BeginBlob: frozenset({replies.BlobBegun, Refusal}),
    requests.PutChunk: frozenset({replies.ChunkStored, Refusal}),
    requests.GetChunk: frozenset({replies.ChunkFound, Refusal}),
    requests.DeleteAccount: frozenset({replies.AccountDeleted, Refusal}),
    requests.GetLinks: frozenset({replies.LinksFound, Refusal}),
    requests.GetEntries: frozenset({replies.EntriesFound, Refusal}),
}


def is_legal(request: Request, logged_in: bool) -> bool:
    """Return whether ``request`` may be made on a connection in this state."""
    return logged_in or type(request) in BEFORE_LOG_IN


def is_answer(request: Request, reply: Reply) -> bool:
    """Return whether ``reply`` can be the answer to ``request``."""
    if type(reply) not in ANSWERS[type(request)]:
        return False
    if isinstance(reply, Refusal):
        return request.head[0] == reply.opening()[0]
    if isinstance(reply, SendAccepted | SendRefused) and isinstance(request, Send):
        return reply.ref == request.ref and reply.to in ("", request.to)
    return True
