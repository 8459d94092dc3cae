"""Checking what the server hands out for a device, also around a renewal of the account key."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from bpost import b64
from bpost.client.profile import Profile
from bpost.crypto.prekeys import Prekey, PrekeyKind, VerifiedBundle, open_bundle, verify_prekey
from bpost.errors import SecurityError
from bpost.protocol.replies import DeviceKeys


def open_offered(
    profile: Profile, name: str, key: bytes, former: Iterable[bytes], one: DeviceKeys
) -> VerifiedBundle | None:
    """Return the bundle of a device of ``name``, which the account key ``key`` must have signed.

    None for one from before a renewal: its device has not been online since. A one-time key from
    before is left out: the server may have had it still.

    Raises:
        SecurityError: something in it is not right.
    """
    try:
        return _open(profile, name, key, one, one.one_time)
    except SecurityError as error:
        if error.cause != "bad-signature":
            raise
        for before in former:
            with suppress(SecurityError):
                _open(profile, name, before, one, None)
                return None
            with suppress(SecurityError):
                _check_one_time(name, before, one)
                return _open(profile, name, key, one, None)
        raise


def _open(
    profile: Profile, name: str, key: bytes, one: DeviceKeys, one_time: str | None
) -> VerifiedBundle:
    return open_bundle(
        one.bundle,
        one_time,
        account_public=key,
        username=name,
        device=one.device,
        now=profile.now(),
        limits=profile.limits,
    )


def _check_one_time(name: str, key: bytes, one: DeviceKeys) -> None:
    """Check that an account key signed the one-time key that came with a bundle."""
    once = Prekey.from_bytes(b64.decode(one.one_time or ""))
    verify_prekey(once, PrekeyKind.ONE_TIME, key, name, one.device)
