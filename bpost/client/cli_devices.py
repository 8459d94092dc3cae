"""``bpost-cli devices``: list the devices, name this one, remove another, give it the history."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

from bpost.client.cli_history import follow_giving, tell_who_asks
from bpost.client.cli_link import show_code
from bpost.client.client import Client
from bpost.client.records import DeviceInfo
from bpost.client.terminal import printable
from bpost.errors import UsageError

FLUSH_SECONDS = 10.0


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what may follow the command."""
    parser.add_argument("action", nargs="?", choices=("name", "remove", "code", "give", "refuse"))
    parser.add_argument("value", nargs="?", help="a name for this device, or the id of another")
    text = "with remove: keep the account key, which that device had, too"
    parser.add_argument("--keep-key", action="store_true", help=text)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def look_after(me: Client, options: argparse.Namespace) -> int:
    """Do what was asked for."""
    if options.action == "code":
        return show_code(me, options)
    if options.action and not options.value:
        raise UsageError("Say devices code, name TEXT, or devices remove, give or refuse ID.")
    if options.action == "name":
        me.name_device(options.value)
    elif options.action == "remove":
        me.remove_device(options.value, renew=not options.keep_key)
        me.flush(FLUSH_SECONDS)
    elif options.action == "refuse":
        me.give_history(options.value, yes=False)
        me.flush(FLUSH_SECONDS)
    elif options.action == "give":
        options.device = options.value
        me.give_history(options.value)
        return follow_giving(me, options)
    else:
        for device in me.devices():
            _show(device, options.json)
        tell_who_asks(me)
    return 0


RENEWED = (
    "Your account key is renewed. Contacts follow by themselves; whom you verified, and who had "
    "verified you, is to be compared again. If somebody may know your password, change that, too."
)


def renew(me: Client) -> int:
    """Renew the account key, and see that contacts are told."""
    me.renew_key()
    me.flush(FLUSH_SECONDS)
    print(RENEWED)
    return 0


def _show(device: DeviceInfo, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(device)), flush=True)
        return
    seen = time.strftime("%Y-%m-%d %H:%M", time.localtime(device.last_seen / 1000))
    added = time.strftime("%Y-%m-%d", time.localtime(device.added / 1000))
    what = "this one" if device.this else f"last seen {seen}"
    what += "" if device.listed else ", not on your list: it never finished joining"
    print(f"{device.id}  {printable(device.name) or '-'}  (added {added}, {what})", flush=True)
