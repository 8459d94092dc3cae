"""Which groups TLS may agree on its keys in, where ``ssl`` has no call for it.

OpenSSL's own list ends in X448 and P-521. Nobody needs them, a handshake costs a server many times
as much with them, and graders of TLS complain. What OpenSSL's configuration calls the system's
default applies to every context made after it was read, so that is what is read here.
"""

from __future__ import annotations

import _ssl
import ctypes
import os
import ssl
import tempfile
from pathlib import Path

GROUPS = "X25519:P-256:P-384"
HYBRID = "X25519MLKEM768"
"""What no quantum computer opens later; OpenSSL has it from 3.5 on."""

_CONFIGURATION = """\
openssl_conf = bpost
[bpost]
ssl_conf = tls
[tls]
system_default = groups
[groups]
Groups = {groups}
"""


def restrict_groups() -> bool:
    """Let no TLS context that this process makes from now on use other groups than these.

    Call it before there are threads. Returns False where OpenSSL is out of reach, as it is when
    built into the interpreter, or no file can be written: then OpenSSL's own list counts.
    """
    groups = f"{HYBRID}:{GROUPS}" if ssl.OPENSSL_VERSION_INFO >= (3, 5) else GROUPS
    try:
        # The library that ``ssl`` itself uses; another copy would keep the list to itself.
        load = ctypes.CDLL(_ssl.__file__).CONF_modules_load_file
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "openssl.cnf")
            file.write_text(_CONFIGURATION.format(groups=groups))
            return bool(load(os.fsencode(file), None, 0) > 0)
    except (AttributeError, OSError):
        return False
