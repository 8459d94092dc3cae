"""The table of the rules: which function answers which request."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bpost.protocol import requests
from bpost.protocol.shape import Request
from bpost.server import belongings, directory, entry, session

RULES: Mapping[type[Request], session.Rule] = MappingProxyType(
    {
        requests.Send: session.send,
        requests.LogIn: entry.log_in,
        requests.Register: entry.register,
        requests.ChangePassword: entry.change_password,
        requests.AddContact: directory.add_contact,
        requests.Acknowledge: session.acknowledge,
        requests.PutKey: belongings.put_key,
        requests.GetBundles: directory.get_bundles,
        requests.ListDevices: belongings.list_devices,
        requests.NameDevice: belongings.name_device,
        requests.RevokeDevice: belongings.revoke_device,
        requests.ListContacts: directory.list_contacts,
        requests.RemoveContact: directory.remove_contact,
        requests.BlockContact: directory.block_contact,
        requests.UnblockContact: directory.unblock_contact,
        requests.UploadKeys: belongings.upload_keys,
        requests.CountKeys: belongings.count_keys,
        requests.GetVault: belongings.get_vault,
        requests.PutVault: belongings.put_vault,
        requests.Signal: directory.signal,
        requests.BeginBlob: belongings.no_attachments,
        requests.PutChunk: belongings.no_attachments,
        requests.GetChunk: belongings.no_attachments,
        requests.DeleteAccount: entry.delete_account,
        requests.GetLinks: directory.get_links,
        requests.GetEntries: directory.get_entries,
    }
)
