"""The rules about what a user keeps at the server: codes 6, 8, 10, 11 and, for now, 13."""

from __future__ import annotations

from bpost.errors import Refused
from bpost.protocol.canonical_json import spelled_size
from bpost.protocol.codes import Reason
from bpost.protocol.replies import (
    DeviceNamed,
    DeviceRecord,
    DeviceRecords,
    DeviceRevoked,
    KeyCount,
    KeyStored,
    VaultStored,
)
from bpost.protocol.requests import (
    CountKeys,
    GetVault,
    ListDevices,
    NameDevice,
    PutKey,
    PutVault,
    RevokeDevice,
    UploadKeys,
)
from bpost.protocol.shape import Request
from bpost.server.bus import Expelled
from bpost.server.rates import wait_text
from bpost.server.records import Publication, PublishedKey
from bpost.server.session import Session

MOST = (1 << 63) - 1
"""The greatest number that a row holds; no vault has this version."""

_NO_DEVICE = "You have no such device, or it is not the one that you are logged in with."
_REVOKED = "This device was removed from the account."


def put_key(session: Session, request: PutKey) -> KeyStored:
    """Rule of code 6: publish the account's key, and the bundle of the device that says so."""
    me, store = session.me, session.office.store
    key = _key(session, request)
    if request.device is None or request.bundle is None:
        outcome = store.accounts.set_public_key(me.id, key)
    else:
        device = _own_device(session, request.device)
        _check_spelled(session, request.bundle)
        outcome = store.devices.publish(me.id, key, device, request.bundle)
    if outcome is Publication.NO_DEVICE:
        raise Refused(Reason.NO_SUCH_DEVICE, _NO_DEVICE)
    if outcome is Publication.OTHER_KEY:
        raise Refused(Reason.CONFLICT, "The account has another public key by now. Get it first.")
    session.office.log.info("key published", connection=session.wire.id, user=me.name)
    return KeyStored()


def list_devices(session: Session, request: ListDevices) -> DeviceRecords:  # noqa: ARG001
    """Rule of code 8, list."""
    rows = session.office.store.devices.all(session.me.id)
    records = (DeviceRecord(row.device, row.created, row.last_seen, row.name) for row in rows)
    return DeviceRecords(tuple(records))


def name_device(session: Session, request: NameDevice) -> DeviceNamed:
    """Rule of code 8, name."""
    store = session.office.store
    if not store.devices.name(session.me.id, request.device, request.sealed_name):
        raise Refused(Reason.NO_SUCH_DEVICE, _NO_DEVICE)
    return DeviceNamed()


def revoke_device(session: Session, request: RevokeDevice) -> DeviceRevoked:
    """Rule of code 8, revoke: the device is gone with its keys, and its connection ends."""
    me, office = session.me, session.office
    if not office.store.devices.remove(me.id, request.device):
        raise Refused(Reason.NO_SUCH_DEVICE, _NO_DEVICE)
    office.cursors.forget(me.id, request.device)
    office.log.info(
        "device removed", connection=session.wire.id, user=me.name, device=request.device
    )
    notice = Expelled(me.id, Reason.NO_SUCH_DEVICE, _REVOKED, device=request.device)
    session.afterwards(lambda: office.bus.publish(notice))
    return DeviceRevoked()


def upload_keys(session: Session, request: UploadKeys) -> KeyCount:
    """Rule of code 10, upload: keys beyond the room there is are passed over."""
    device = _own_device(session, request.device)
    most = session.office.limits.one_time_keys
    count = session.office.store.devices.add_keys(session.me.id, device, request.keys, most)
    return _counted(count)


def count_keys(session: Session, request: CountKeys) -> KeyCount:
    """Rule of code 10, count."""
    device = _own_device(session, request.device)
    return _counted(session.office.store.devices.count_keys(session.me.id, device))


def get_vault(session: Session, request: GetVault) -> VaultStored:  # noqa: ARG001
    """Rule of code 11, get."""
    vault = session.office.store.accounts.vault(session.me.id)
    return VaultStored(vault.version, vault.text)


def put_vault(session: Session, request: PutVault) -> VaultStored:
    """Rule of code 11, put: only over the version that the client has seen."""
    store = session.office.store
    version = None
    if request.version < MOST:
        version = store.accounts.put_vault(session.me.id, request.version, request.vault)
    if version is None:
        raise Refused(Reason.CONFLICT, "The vault was changed by another device. Get it first.")
    return VaultStored(version)


def no_attachments(session: Session, request: Request) -> None:  # noqa: ARG001
    """Rule of code 13 on a server that has none."""
    raise Refused(Reason.BAD_FRAME, "This server has no attachments.")


def _key(session: Session, request: PutKey) -> PublishedKey:
    """Return the key, and what the log gets of it; everybody reads that, so news is metered."""
    me, office = session.me, session.office
    key = PublishedKey(
        request.public_key,
        request.succession or "",
        request.replacing,
        office.store.keylog.tag(me),
        request.statement or "",
    )
    if office.store.keylog.is_news(me.id, key):
        wait = office.rates.key_changes.take(me.id)
        if wait:
            text = f"Your keys change too often. {wait_text(wait)}"
            raise Refused(Reason.RATE_LIMITED, text)
    return key


def _check_spelled(session: Session, bundle: str) -> None:
    """Refuse a bundle that grows too large inside the JSON that hands it on."""
    most = session.office.limits.device_bundle
    if spelled_size(bundle) > most:
        raise Refused(Reason.TOO_LARGE, f"The bundle takes more than {most} bytes as JSON.")


def _own_device(session: Session, device: str) -> str:
    if device != session.mine.device:
        raise Refused(Reason.NO_SUCH_DEVICE, _NO_DEVICE)
    return device


def _counted(count: int | None) -> KeyCount:
    if count is None:
        raise Refused(Reason.NO_SUCH_DEVICE, _NO_DEVICE)
    return KeyCount(count)
