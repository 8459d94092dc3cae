"""Takeouts of the post office: who gets in, who may say what, and who waits for whom."""

from __future__ import annotations

from tests.takeouts import Takeout

DESK = "bpost/server/desk.py"
DIRECTORY = "bpost/server/directory.py"
ENTRY = "bpost/server/entry.py"
LISTENER = "bpost/server/listener.py"
SESSION = "bpost/server/session.py"
DEVICES = "bpost/server/store_devices.py"
MAIL = "bpost/server/store_mail.py"

NOT_YOU = """            raise Refused(Reason.NOT_YOU, "You are logged in under another name.")

    def overdo"""
PARSE = "            request = parse_request(text, self.office.limits)\n"
COUNT = """    device = _own_device(session, request.device)
    return _counted(session.office.store.devices.count_keys(session.me.id, device))
"""
OWN_DEVICE = """    if device != session.mine.device:
        raise Refused(Reason.NO_SUCH_DEVICE, _NO_DEVICE)
    return device
"""

SESSION_TEST = "tests.server.test_session."
LISTENER_TEST = "tests.server.test_listener."
BUNDLE_TEST = "tests.server.test_directory.BundleTest."
DRAIN_TEST = "tests.server.test_directory.DrainTest."

TAKEOUTS = [
    # E10 to E12: one-time keys.
    Takeout(
        "E10",
        DEVICES,
        "    removal(Prekey).where(Prekey.id == row[0]).execute(database)\n",
        "",
        BUNDLE_TEST + "test_e10_no_key_is_handed_out_twice_to_64_who_ask_at_once",
    ),
    Takeout(
        "E11",
        DIRECTORY,
        "            session.office.bus.publish(StockLow(contact.id, device, stock))\n",
        "            pass\n",
        BUNDLE_TEST + "test_e11_without_keys_left_bundles_still_come_and_the_owner_is_told",
    ),
    Takeout(
        "E11",
        DEVICES,
        "                taken.append(Keys(device, bundle, one_time))\n",
        "                if one_time or device in known:\n"
        "                    taken.append(Keys(device, bundle, one_time))\n",
        BUNDLE_TEST + "test_e11_without_keys_left_bundles_still_come_and_the_owner_is_told",
    ),
    Takeout(
        "E12",
        DEVICES,
        ".order_by(RANDOM)",
        ".order_by(Prekey.id)",
        BUNDLE_TEST + "test_e12_keys_come_in_no_order_that_tells_how_many_there_are",
    ),
    Takeout(
        "E12",
        "bpost/server/belongings.py",
        COUNT,
        "    return _counted(session.office.store.devices.count_keys(2, request.device))\n",
        BUNDLE_TEST + "test_e12_the_stock_of_another_is_not_shown",
    ),
    Takeout(
        "E12",
        DIRECTORY,
        ", (rates.bundles_pair, (me.id, contact.id))",
        "",
        DRAIN_TEST + "test_e12_a_thousand_fetches_take_few_keys",
    ),
    Takeout(
        "E12",
        DIRECTORY,
        "((rates.bundles, me.id), (rates.bundles_pair, (me.id, contact.id)))",
        "((rates.bundles_pair, (me.id, contact.id)),)",
        DRAIN_TEST + "test_e12_other_contacts_do_not_help_an_asker_who_asks_too_much",
    ),
    # E68: a stolen table is no log-in.
    Takeout(
        "E68",
        "bpost/server/office.py",
        "            return login.hash_login(password)\n",
        "            return login.hash_login(password) and password\n",
        "tests.server.test_entry.LogInTest.test_e68_what_is_stored_is_no_log_in",
    ),
    # S1, S2: deadlines, and who waits for whom.
    Takeout(
        "S1",
        LISTENER,
        "        connection.set_deadline(self._office.limits.log_in_seconds, LATE)\n",
        "",
        LISTENER_TEST
        + "DeadlineTest.test_s1_all_who_dawdle_are_gone_at_the_deadline_and_the_honest_get_in",
    ),
    Takeout(
        "S2",
        LISTENER,
        "        thread.start()\n",
        "        thread.run()\n",
        LISTENER_TEST + "SilentTest.test_s2_a_silent_client_delays_nobody",
    ),
    # S12: a name is a claim.
    Takeout(
        "S12",
        SESSION,
        NOT_YOU,
        "    def overdo",
        SESSION_TEST + "ClaimTest.test_s12_a_frame_in_another_name_is_refused_and_changes_nothing",
    ),
    Takeout(
        "S12",
        SESSION,
        "letter = Letter(me.id, me.name,",
        "letter = Letter(me.id, request.sender,",
        SESSION_TEST
        + "ClaimTest.test_s12_the_sender_is_shown_as_registered_whatever_the_frame_says",
    ),
    Takeout(
        "S12",
        SESSION,
        NOT_YOU,
        "    def overdo",
        SESSION_TEST + "ClaimTest.test_s12_another_user_gets_nothing_from_a_false_sender",
    ),
    Takeout(
        "S12",
        "bpost/server/belongings.py",
        OWN_DEVICE,
        "    return device\n",
        SESSION_TEST + "ClaimTest.test_s12_keys_of_another_device_cannot_be_touched",
    ),
    # S13: what may be said when, and by whom.
    Takeout(
        "S13",
        SESSION,
        "        if not is_legal(request, self.account is not None):\n"
        '            raise Refused(Reason.NOT_LOGGED_IN, "Log in first.")\n',
        '        self.account = self.account or self.office.store.accounts.find("alice")\n',
        SESSION_TEST + "OrderTest.test_s13_before_log_in_only_entering_is_answered",
    ),
    Takeout(
        "S13",
        ENTRY,
        "    if not session.office.verify_login(stored, password) or account is None:\n",
        "    if account is not None:\n"
        "        session.admit(account, PLAIN)\n"
        "    if not session.office.verify_login(stored, password) or account is None:\n",
        SESSION_TEST + "OrderTest.test_s13_after_a_failed_log_in_nothing_is_open",
    ),
    Takeout(
        "S13",
        MAIL,
        "if relation is None or not relation.listed:",
        "if relation is None:",
        SESSION_TEST + "OrderTest.test_s13_rights_are_checked_for_each_action",
    ),
    Takeout(
        "S13",
        DIRECTORY,
        "    if not own and not store.contacts.has(me.id, contact.id):\n"
        '        raise Refused(Reason.NOT_A_CONTACT, "This user is not in your contacts.")\n',
        "",
        SESSION_TEST + "OrderTest.test_s13_rights_are_checked_for_each_action",
    ),
    Takeout(
        "S13",
        DEVICES,
        "    return (Device.client == account) & (Device.device == device)\n",
        "    return Device.device == device\n",
        SESSION_TEST + "OrderTest.test_s13_a_device_of_another_user_is_none_of_mine",
    ),
    # S14: fields. The reader refuses them more than once, so here the hazard is added: leniency.
    Takeout(
        "S14",
        SESSION,
        PARSE,
        PARSE.replace("text,", 'text.replace("\\0", "").replace("\\r", ""),'),
        SESSION_TEST + "FieldTest.test_s14_separators_and_controls_never_get_through",
    ),
    Takeout(
        "S14",
        SESSION,
        PARSE,
        "            parts = text.split(SEPARATOR)\n"
        '            parts = [*parts[:2], " ".join(parts[2:-1]), parts[-1]]\n'
        + PARSE.replace("text,", "SEPARATOR.join(parts),"),
        SESSION_TEST + "FieldTest.test_s14_a_body_cannot_become_a_sender",
    ),
    Takeout(
        "S14",
        SESSION,
        PARSE,
        PARSE.replace("text,", "SEPARATOR.join(text.split(SEPARATOR)[:5]),"),
        SESSION_TEST + "FieldTest.test_s14_too_few_and_far_too_many_fields_are_refused",
    ),
    # S29, S30: slow readers.
    Takeout(
        "S29",
        DESK,
        "        if not self.plain:\n            return\n",
        "",
        LISTENER_TEST + "SlowTest.test_s29_who_never_reads_is_closed_and_loses_nothing",
    ),
    Takeout(
        "S29",
        DESK,
        "QUEUE = 256 * KIB\n",
        "QUEUE = 256 * KIB * KIB\n",
        LISTENER_TEST + "SlowTest.test_s29_what_waits_for_a_client_is_bounded",
    ),
    Takeout(
        "S29",
        DESK,
        "        return WINDOW - len(self._window)\n",
        "        return WINDOW\n",
        LISTENER_TEST + "FrozenTest.test_s29_what_is_on_the_way_to_a_client_is_bounded",
    ),
    Takeout(
        "S30",
        DESK,
        "            self.wire.send_many(texts)\n",
        "            self.wire.send_many(texts)\n"
        "            while self.wire.open and self.wire.queued:\n"
        "                threading.Event().wait(0.01)\n",
        LISTENER_TEST + "FrozenTest.test_s30_a_sender_never_waits_for_a_frozen_receiver",
    ),
    # S59: what clients are told.
    Takeout(
        "S59",
        SESSION,
        'f"The server made a mistake, noted as {name}."',
        'f"The server made a mistake ({error}), noted as {name}."',
        SESSION_TEST
        + "NonsenseTest.test_s59_errors_say_a_reason_and_a_sentence_and_nothing_of_the_inside",
    ),
    Takeout(
        "S59",
        SESSION,
        '"The server cannot do this now. Try again later."',
        "str(error)",
        SESSION_TEST + "NonsenseTest.test_s59_a_store_that_fails_is_busy_and_tells_no_path",
    ),
]
