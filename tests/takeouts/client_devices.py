"""Takeouts for the devices of an account: joining, naming, removing."""

from __future__ import annotations

from tests.takeouts import Takeout

HOUSEHOLD = "tests.client.test_household"
JOINING = "tests.client.test_joining"
HANDOVER = "tests.client.test_handover"
LINKING = "tests.client.test_linking"
LINK_KEYS = "tests.crypto.test_linking.LinkingTest"

TAKEOUTS = [
    Takeout(
        "S27",
        "bpost/server/store_mail.py",
        "        return Receipt(receipt.seq, receipt.timestamp, receipt.mail, there, own)\n",
        "        return receipt\n",
        "tests.server.test_directory.BundleTest.test_s27_a_sender_is_told_the_devices_of_both_sides",
    ),
    Takeout(
        "S27",
        "bpost/client/outbox.py",
        "        self.reach.compare(reply)\n",
        "",
        f"{JOINING}.MissedTest.test_s27_a_message_goes_again_to_a_device_that_the_server_names",
    ),
    Takeout(
        "S27",
        "bpost/client/dispatch.py",
        "                self._named[user] = named\n",
        "",
        f"{JOINING}.MissedTest.test_s27_a_server_that_names_a_device_that_is_not_signed_for_gets_nothing",
    ),
    Takeout(
        "E60",
        "bpost/client/dispatch.py",
        "        self._upkeep.tell(self.link)\n",
        "",
        f"{HOUSEHOLD}.ListTest.test_e60_the_other_devices_show_a_new_one",
    ),
    Takeout(
        "E61",
        "bpost/client/household.py",
        "            link.request(RevokeDevice(device), DeviceRevoked)",
        "            pass",
        f"{HOUSEHOLD}.RemovalTest.test_e61_a_removed_device_is_cut_off_and_told_and_gets_nothing_more",
    ),
    Takeout(
        "E61",
        "bpost/client/ring.py",
        "            self._store.run(cast(Any, table).delete())",
        "            pass",
        f"{HOUSEHOLD}.RemovalTest.test_e61_a_removed_device_holds_no_keys_and_can_be_read_only",
    ),
    Takeout(
        "E61",
        "bpost/client/upkeep.py",
        "        self._revoke_removed(link)\n",
        "",
        f"{HOUSEHOLD}.InterruptedTest"
        ".test_e61_a_removal_that_was_interrupted_is_completed_at_the_next_log_in",
    ),
    Takeout(
        "E61",
        "bpost/client/devices.py",
        "        self._store.run(Device.update(sessions=None).where(gone))\n",
        "",
        f"{HOUSEHOLD}.InterruptedTest.test_e61_contacts_drop_their_sessions_with_a_removed_device",
    ),
    Takeout(
        "E61",
        "bpost/client/devices.py",
        "            entries.pop(removed, None)",
        "            pass",
        f"{HOUSEHOLD}.InterruptedTest"
        ".test_e61_a_removed_device_does_not_come_back_with_a_list_of_its_own",
    ),
    Takeout(
        "E60",
        "bpost/client/handing.py",
        "        if not self._may_ask(request):\n            return []\n",
        "",
        f"{HANDOVER}_consent.ConsentTest.test_e60_nobody_but_a_listed_device_of_the_account_is_answered",
    ),
    Takeout(
        "E60",
        "bpost/client/handing.py",
        "        if known is not None and known.state in (SENDING, DONE):",
        "        if known is not None:",
        f"{HANDOVER}_consent.ConsentTest.test_e60_the_user_is_asked_before_a_new_device_gets_anything",
    ),
    Takeout(
        "E60",
        "bpost/client/handing.py",
        "        return [*events, HandoverChanged()]\n\n    def decide(",
        "        return events + self.decide(device, yes=True)\n\n    def decide(",
        f"{HANDOVER}_consent.ConsentTest.test_e60_the_user_is_asked_before_a_new_device_gets_anything",
    ),
    Takeout(
        "E60",
        "bpost/client/fetching.py",
        "        if answer.sender != self._profile.name or row is None or answer.device"
        " not in listed:\n            return []\n",
        "        row = row or Fetch(device=answer.device, state=ASKED, before='m:')\n",
        f"{HANDOVER}_consent.ConsentTest.test_e60_nobody_is_believed_who_was_not_asked",
    ),
    Takeout(
        "E60",
        "bpost/client/merging.py",
        "            if self._is_foreign(one):\n                continue\n",
        "",
        f"{HANDOVER}_consent.ConsentTest.test_e60_words_that_cannot_be_of_the_account_are_passed_over",
    ),
    Takeout(
        "E60",
        "bpost/client/merging.py",
        "        if known is None or other:\n            self._people.pin(peer.name, key)\n",
        "        if known is None:\n            self._people.pin(peer.name, key)\n"
        "        if other:\n            return []\n",
        f"{HANDOVER}_consent.PinTest.test_e60_a_key_that_only_the_new_device_was_given_is_found_out",
    ),
    Takeout(
        "E60",
        "bpost/client/linking.py",
        '        elif now.state == "agreed":\n',
        '        elif now.state in ("met", "agreed"):\n',
        f"{LINKING}.LinkTest.test_e60_nothing_is_given_before_both_have_confirmed",
    ),
    Takeout(
        "E60",
        "bpost/client/joining.py",
        "        if not answers.get():\n",
        "        if answers.get() is None:\n",
        f"{LINKING}.LinkTest.test_e60_nothing_is_given_before_both_have_confirmed",
    ),
    Takeout(
        "E60",
        "bpost/client/linking.py",
        '                now.state = "spied"\n',
        "                pass\n",
        f"{LINKING}.LinkTest.test_e60_whoever_saw_the_code_is_found_out_by_the_number",
    ),
    Takeout(
        "E60",
        "bpost/client/linking.py",
        '            now.state, now.keys = "over", None\n            return None\n',
        "            pass\n",
        f"{LINKING}.LinkTest.test_e60_a_code_serves_once_and_not_for_long",
    ),
    Takeout(
        "E60",
        "bpost/crypto/linking.py",
        "    return hkdf(code.secret, info=labels.LINK_HELLO",
        "    return hkdf(bytes(SECRET), info=labels.LINK_HELLO",
        f"{LINK_KEYS}.test_e60_a_request_that_was_made_without_the_code_does_not_open",
    ),
    Takeout(
        "E60",
        "bpost/crypto/linking.py",
        "    return hkdf(code.secret, info=labels.LINK_HELLO",
        "    return hkdf(bytes(SECRET), info=labels.LINK_HELLO",
        f"{LINKING}.LinkTest"
        ".test_e60_a_link_request_that_the_server_hands_to_an_attacker_gets_nothing",
    ),
    Takeout(
        "E60",
        "bpost/crypto/linking.py",
        "            self.shared, info=labels.LINK_NUMBER",
        "            bytes(KEY), info=labels.LINK_NUMBER",
        f"{LINK_KEYS}.test_e60_whoever_saw_the_code_shows_another_number_and_opens_nothing",
    ),
    Takeout(
        "E60",
        "bpost/client/account.py",
        "            keep = bool(found.vault) and profile.has_vault",
        "            keep = True",
        f"{LINKING}.VaultTest.test_e60_a_key_that_was_taken_out_of_the_vault_stays_out",
    ),
    Takeout(
        "E60",
        "bpost/client/upkeep.py",
        '                link.request(PutVault(found.version, ""), VaultStored)\n',
        "                pass\n",
        f"{LINKING}.VaultTest.test_e60_a_key_that_was_taken_out_of_the_vault_stays_out",
    ),
]
