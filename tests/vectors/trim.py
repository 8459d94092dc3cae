"""Make the packed vectors out of Wycheproof's files: ``python -m tests.vectors.trim FOLDER``."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from tests.vectors import FOLDER, Case

KEPT = {
    "x25519": ("public", "private", "shared"),
    "ed25519": ("public", "msg", "sig"),
    "hkdf_sha256": ("ikm", "salt", "info", "size", "okm"),
    "hmac_sha256": ("key", "msg", "tag"),
    "aes_cbc_pkcs5": ("key", "iv", "msg", "ct"),
    "mlkem_768": ("seed", "ek_sha256", "c", "K"),
    "mlkem_768_encaps": ("ek",),
    "mlkem_768_keygen_seed": ("seed", "ek_sha256"),
}
"""The fields that our wrappers can use; keys that they make themselves are kept as a hash."""


def trim(name: str, data: dict[str, Any]) -> list[Case]:
    """Return the cases of one file of Wycheproof with nothing but what the tests read."""
    cases = []
    for group in data["testGroups"]:
        for test in group["tests"]:
            fields = {**test, "public": test.get("public", group.get("publicKey", {}).get("pk"))}
            if "ek" in test:
                fields["ek_sha256"] = hashlib.sha256(bytes.fromhex(test["ek"])).hexdigest()
            case = {"id": test["tcId"], "result": test["result"], "flags": test.get("flags", [])}
            cases.append(case | {key: fields[key] for key in KEPT[name] if key in fields})
    return cases


def main(folder: Path) -> None:
    """Read NAME_test.json in ``folder``, and write NAME.json.gz, the same bytes each time."""
    for name in KEPT:
        data = json.loads((folder / f"{name}_test.json").read_text(encoding="utf-8"))
        text = json.dumps(trim(name, data), separators=(",", ":"))
        packed = gzip.compress(text.encode("ascii"), mtime=0)
        (FOLDER / f"{name}.json.gz").write_bytes(packed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
