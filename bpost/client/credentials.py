"""What a logged-in account proves itself with."""

from __future__ import annotations

from dataclasses import dataclass, field

from bpost.crypto.password import PasswordKeys, password_field


@dataclass
class Credentials:
    """The keys from the password, which a change of password replaces."""

    keys: PasswordKeys = field(repr=False)

    @property
    def password(self) -> str:
        """What frames 1 to 3 carry."""
        return password_field(self.keys.login_key)
