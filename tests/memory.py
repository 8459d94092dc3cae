"""Looking for keys in the memory of the process that runs the tests."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from bpost.client.profile import Profile
from bpost.crypto.account import AccountKey
from bpost.crypto.password import PasswordKeys


def keys_in_memory(but: Sequence[object] = ()) -> list[object]:
    """Return all objects of this process that hold keys, but those that are known."""
    gc.collect()
    known = {id(one) for one in but}
    kinds = (Profile, AccountKey, PasswordKeys)
    return [one for one in gc.get_objects() if type(one) in kinds and id(one) not in known]
