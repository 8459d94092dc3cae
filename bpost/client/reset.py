"""Beginning an account anew, where its key is lost: the password opens the log-in, nothing the key.

The name, the contact list and the password stay. The key is a new one that no old key signed for:
contacts see that, and what they send waits until they have looked (CRYPTO, section 7). So it
happens at the user's word only, never by itself: a server that withholds the vault must not bring
it about.
"""

from __future__ import annotations

from dataclasses import replace

from bpost import b64
from bpost.client.enrol import Entrance, enter_as, find_account, open_profile
from bpost.client.link import Link
from bpost.client.profile import REGISTERED, VAULT, Profile, create_profile
from bpost.crypto.account import AccountKey
from bpost.crypto.vault import seal_vault
from bpost.errors import AccountLost, ProfileError, UsageError
from bpost.protocol.replies import (
    Bundles,
    DeviceRecords,
    DeviceRevoked,
    KeyStored,
    VaultStored,
)
from bpost.protocol.requests import (
    GetBundles,
    GetVault,
    ListDevices,
    PutKey,
    PutVault,
    RevokeDevice,
)

RESET_WARNING = (
    "This begins the account of {name} anew, with a new key. All devices that it had are removed. "
    "Earlier messages do not come back. Contacts see that your key has changed, and what they send "
    "waits until they have looked; who had verified you must do so again. Your name, your contact "
    "list and your password stay. If a device of yours still works, or you have a backup, use that "
    "instead: the server may only say that it has lost your key."
)


def begin_anew(entrance: Entrance) -> Profile:
    """Give the account a new key, and make this its only device.

    Interrupted, it is either not begun, or done but for the profile, which the next log-in makes.

    Raises:
        UsageError: the account's key is not lost.
        ProfileError: there is a profile in the folder.
        Refused, TransportError, SecurityError.
    """
    if entrance.keystore.exists:
        text = "There is a profile in {}, which may have the key: log in with it, or choose another"
        raise ProfileError(text.format(entrance.keystore.folder) + " folder.")
    link = entrance.link()
    try:
        device = enter_as(entrance, link, "")
        _check_lost(entrance, link)
        account = AccountKey.generate()
        username = _replace(entrance, link, device, account)
    finally:
        link.close()
    facts = replace(entrance.remembered(link, device), username=username)
    create_profile(entrance.keystore, facts, account, entrance.keys, (REGISTERED, VAULT))
    return open_profile(entrance)


def _check_lost(entrance: Entrance, link: Link) -> None:
    """Refuse where a log-in would do: there is no need to alarm anybody."""
    try:
        find_account(entrance, link)
    except AccountLost:
        return
    text = "The key of your account is not lost: log in. If somebody may have got at it, renew it"
    raise UsageError(text + " there.")


def _replace(entrance: Entrance, link: Link, device: str, account: AccountKey) -> str:
    """Put the new key in the place of the old one; return the name as it is registered.

    The vault comes first, since nothing else has the key if this ends in between.
    """
    me = entrance.username
    own = link.ask(GetBundles(me, me, ()), Bundles)
    vault = link.ask(GetVault(), VaultStored)
    sealed = seal_vault(entrance.keys.wrapping_key, me, account)
    link.ask(PutVault(vault.version, sealed), VaultStored)
    for one in link.ask(ListDevices(), DeviceRecords).devices:
        if one.device != device:
            link.ask(RevokeDevice(one.device), DeviceRevoked)
    before = own.public_key or None
    link.ask(PutKey(me, b64.encode(account.public), replacing=before), KeyStored)
    return own.contact
