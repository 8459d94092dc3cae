"""The server's settings: flags, else the environment, else an INI file, else defaults."""

from __future__ import annotations

import argparse
import configparser
import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bpost.errors import UsageError
from bpost.limits import Limits
from bpost.net.proxies import Proxies
from bpost.net.ws_server import NO_PROXIES
from bpost.server.files import refuse_exposed

PORT = 8765
SECTION = "server"
_WORDS = {
    "registration": ("auto", "open", "invite"),
    "limits": ("on", "off"),
    "log_format": ("text", "json"),
    "log_level": ("debug", "info", "warning", "error"),
    "log_addresses": ("full", "network"),
}


@dataclass(frozen=True)
class Config:
    """The settings of one post office."""

    data: Path
    host: str = "127.0.0.1"
    port: int = PORT
    certificate: Path | None = None
    key: Path | None = None
    public: str = ""
    registration: str = "auto"
    connections: int = 10_000
    connections_address: int = 1_000
    origins: tuple[str, ...] = ()
    proxies: Proxies = NO_PROXIES
    metrics: int | None = None
    log_format: str = "text"
    log_level: str = "info"
    log_addresses: str = "full"
    limits: Limits = field(default_factory=Limits)

    def connections_from(self, host: str) -> int:
        """Return how many connections one address may have; this machine may have half of all."""
        here = self.connections // 2 if is_loopback(host) else 0
        return max(self.connections_address, here)

    @property
    def by_invite(self) -> bool:
        """Whether registering takes an invitation: unless told, where strangers can connect."""
        if self.registration == "auto":
            return self.is_reachable
        return self.registration == "invite"

    @property
    def is_reachable(self) -> bool:
        """Whether others than this machine's users can connect, also by way of a proxy."""
        return bool(self.proxies) or not is_loopback(self.host)

    @property
    def public_host(self) -> str:
        """The name or address in ``public``, without its port; empty where none is set."""
        host, colon, port = self.public.rpartition(":")
        return (host if colon and port.isdigit() else self.public).strip("[]")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach what listens on ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_wildcard(host: str) -> bool:
    """Tell whether ``host`` stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of this user for the data of a server, by the XDG rules."""
    base = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "bpost-server"


def read_config(
    arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ
) -> Config:
    """Gather the settings.

    Raises:
        UsageError: a value that cannot be, named with where it came from.
        SecurityError: ``exposed-file``, the INI file.
        SystemExit: argparse has printed help, or what is wrong with the flags.
    """
    flags = {key: value for key, value in vars(_parser().parse_args(arguments)).items() if value}
    known = set(_help())
    there = {name: environ.get(f"BPOST_{name.upper()}") for name in known}
    from_environ = {name: value for name, value in there.items() if value}
    file = flags.pop("config", None) or environ.get("BPOST_CONFIG")
    from_file = _read_file(Path(file), known) if file else {}
    return _build({**from_file, **from_environ, **flags}, environ)


def setting_names() -> tuple[str, ...]:
    """Return the name of each setting, as it stands in an INI file."""
    return tuple(_help())


def _help() -> dict[str, str]:
    """Return each setting with its help; all three sources know the same names."""
    return {
        "data": "folder for the database and the certificate (default: a folder of this user)",
        "host": "address to listen on (default: 127.0.0.1, this machine only)",
        "port": f"port to listen on (default: {PORT}; 0 picks a free one)",
        "certificate": "PEM file of the certificate chain (default: one made in the data folder)",
        "key": "PEM file of the certificate's private key",
        "public": "HOST:PORT by which clients reach the server, for invitations",
        "registration": "open, invite, or auto: by invitation if others can come (default: auto)",
        "connections": "how many connections at most (default: 10000)",
        "connections_address": "how many connections from one address at most (default: 1000)",
        "origins": "web origins that may connect, separated by commas (default: none)",
        "proxies": "addresses or networks of proxies in front, separated by commas (default: none)",
        "limits": "off: no limits on rates, for measuring on loopback only (default: on)",
        "retention": "days that undelivered messages are kept (default: 30)",
        "metrics": "port on 127.0.0.1 for Prometheus (/metrics) and /healthz (default: none)",
        "log_format": "text or json (default: text)",
        "log_level": "debug, info, warning or error (default: info)",
        "log_addresses": "full or network: how much of client addresses is logged (default: full)",
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bpost-server",
        description="The post office of BPost. Every flag can also be set in the environment "
        f"(--log-level as BPOST_LOG_LEVEL) or in an INI file, section [{SECTION}] (log_level).",
    )
    parser.add_argument("--config", metavar="FILE", help="INI file with settings")
    for name, text in _help().items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=name.upper(), help=text)
    return parser


def _read_file(path: Path, known: set[str]) -> dict[str, str]:
    refuse_exposed(path)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
        values = dict(parser[SECTION])
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings file {path} cannot be read ({error}).") from error
    except (configparser.Error, KeyError) as error:
        raise UsageError(f"{path} is not an INI file with a section [{SECTION}].") from error
    for name in sorted(set(values) - known):
        raise UsageError(f"{path} has a setting {name!r} that does not exist. Look at --help.")
    return values


def _build(values: Mapping[str, str], environ: Mapping[str, str]) -> Config:
    chosen = Config(
        data=Path(values["data"]) if "data" in values else data_folder(environ),
        host=values.get("host", "127.0.0.1"),
        port=_number(values, "port", PORT, 65_535),
        certificate=_path(values, "certificate"),
        key=_path(values, "key"),
        public=values.get("public", ""),
        registration=_word(values, "registration", "auto"),
        connections=_number(values, "connections", 10_000, 1_000_000, least=1),
        connections_address=_number(values, "connections_address", 1_000, 1_000_000, least=1),
        origins=_list(values, "origins"),
        proxies=Proxies(_list(values, "proxies")),
        metrics=_number(values, "metrics", 0, 65_535) if "metrics" in values else None,
        log_format=_word(values, "log_format", "text"),
        log_level=_word(values, "log_level", "info"),
        log_addresses=_word(values, "log_addresses", "full"),
        limits=_limits(values),
    )
    if not chosen.limits.rates and chosen.is_reachable:
        raise UsageError(
            f"--limits off is for measuring on this machine, and {chosen.host} can be reached from "
            "others. Leave it out, or listen on 127.0.0.1 without proxies.",
        )
    if (chosen.certificate is None) != (chosen.key is None):
        raise UsageError("A certificate needs its key: give both --certificate and --key.")
    return chosen


def _list(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(values.get(name, "").replace(",", " ").split())


def _limits(values: Mapping[str, str]) -> Limits:
    days = _number(values, "retention", 30, 36_500, least=1)
    limits = Limits(retention_seconds=days * 24 * 3600.0)
    return limits.without_rates() if _word(values, "limits", "on") == "off" else limits


def _number(values: Mapping[str, str], name: str, default: int, most: int, least: int = 0) -> int:
    text = values.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
        raise UsageError(f"The setting {name} is {text!r}, not a number from {least} to {most}.")
    return int(text)


def _word(values: Mapping[str, str], name: str, default: str) -> str:
    text = values.get(name, default)
    if text not in _WORDS[name]:
        raise UsageError(f"The setting {name} is {text!r}, not one of {', '.join(_WORDS[name])}.")
    return text


def _path(values: Mapping[str, str], name: str) -> Path | None:
    return Path(values[name]) if name in values else None
