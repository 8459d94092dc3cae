"""A client that says what a good one never would: payloads forged before they are sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bpost.client.sealing import seal_body
from bpost.crypto.session import seal
from bpost.protocol.envelope import Envelope
from bpost.protocol.payload import Payload, direct_conversation
from bpost.protocol.replies import Delivery
from tests.client.simulated import START, SimulatedDevice

ID = "00000000-0000-4000-8000-000000000001"


def honest(sender: SimulatedDevice, to: SimulatedDevice, text: str) -> Payload:
    """Return the payload that ``sender`` would seal next, without counting it."""
    conversation = direct_conversation(sender.name, to.name)
    with sender.store.reading():
        number, previous = sender.parts.outbox.chains.next(conversation)
    return Payload(
        type="text",
        id=ID,
        sender=sender.name,
        device=sender.device,
        to=to.name,
        conversation=conversation,
        number=number,
        previous=previous,
        sent=int(START * 1000),
        recipients={to.name: (to.device,)},
        content={"text": text},
    )


def forge(
    sender: SimulatedDevice,
    to: SimulatedDevice,
    change: Callable[[Payload], Payload] = lambda payload: payload,
    *,
    swap_body: bytes | None = None,
) -> Delivery:
    """Return what the server would deliver to ``to`` if ``sender`` sealed a changed payload."""
    body = seal_body(change(honest(sender, to, "forged")).to_bytes())
    with sender.profile.change():
        before = sender.parts.devices.reachable(to.name)[to.device]
        after, sealed = seal(before, body.secret, sender.profile.now())
        sender.parts.devices.put_sessions(after.account_public, after)
    token = body.body if swap_body is None else swap_body
    envelope = Envelope(sender.device, {to.device: sealed}, token)
    seq = len(to.server.account(to.name).mailbox) + 1
    return Delivery(envelope.text(), sender.name, seq, int(START * 1000))


def changed(**fields: object) -> Callable[[Payload], Payload]:
    """Return a change of some fields of a payload."""
    return lambda payload: replace(payload, **fields)  # type: ignore[arg-type]
