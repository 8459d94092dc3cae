"""Takeouts for the operation of the post office."""

from __future__ import annotations

from tests.takeouts import Takeout

ADMIN_TEST = "tests.server.test_admin.AdminTest."
CLERK_TEST = "tests.server.test_clerk.ClerkTest."
COPIES_TEST = "tests.server.test_copies.CopiesTest."
METRICS_TEST = "tests.server.test_metrics."
INVITE_TEST = "tests.server.test_entry.InviteTest."
LOG_TEST = "tests.server.test_log."
PROCESS_TEST = "tests.server.test_process.KillTest."
PROXY_TEST = "tests.server.test_proxies."
STORE_TEST = "tests.server.test_store.FailureTest."
RATE_TEST = "tests.server.test_entry.RateTest."

TAKEOUTS = [
    # Backups.
    Takeout(
        "E10",
        "bpost/server/copies.py",
        "        keys = store.devices.drop_keys()\n",
        "        keys = 2\n",
        COPIES_TEST + "test_e10_keys_that_may_have_been_used_never_come_back",
    ),
    Takeout(
        "S41",
        "bpost/server/store.py",
        "                    own.backup(copy)\n",
        "                    path.write_bytes(self.path.read_bytes())\n",
        COPIES_TEST + "test_s41_copies_made_while_messages_come_are_each_whole",
    ),
    Takeout(
        "S44",
        "bpost/server/copies.py",
        "        store.accounts.leap()\n",
        "",
        COPIES_TEST + "test_s44_numbers_that_were_given_after_a_backup_are_not_given_again",
    ),
    Takeout(
        "S57",
        "bpost/server/copy_file.py",
        "os.O_EXCL, 0o600",
        "os.O_EXCL, 0o644",
        COPIES_TEST + "test_s57_a_backup_is_private_whatever_the_umask",
    ),
    # What those see who watch the server.
    Takeout(
        "S54",
        "bpost/server/collector.py",
        '("file", end or "db")',
        '("file", f"{path}{end}")',
        METRICS_TEST + "MetricsTest.test_s54_metrics_name_nobody",
    ),
    Takeout(
        "S66",
        "bpost/server/post_office.py",
        "            self._ensure()\n        self._tls.reload()\n        if",
        "            pass\n        self._tls.reload()\n        if",
        METRICS_TEST + "RenewalTest.test_s66_our_certificate_is_renewed_in_time_under_the_same_pin",
    ),
    # S23: who may join.
    Takeout(
        "S23",
        "bpost/server/store_accounts.py",
        "(Invite.hash == hashed) & Invite.used.is_null() & (Invite.expires > now)",
        "(Invite.hash == hashed) & (Invite.expires > now)",
        INVITE_TEST + "test_s23_an_invitation_is_good_once_and_not_spent_on_a_taken_name",
    ),
    Takeout(
        "S23",
        "bpost/server/store_accounts.py",
        " and not _use_invite(database, invite, account, now):\n",
        " and _use_invite(database, invite, account, now) is None:\n",
        INVITE_TEST + "test_s23_twenty_who_use_one_invitation_at_once_get_one_account",
    ),
    Takeout(
        "S23",
        "bpost/server/store_accounts.py",
        "(Invite.hash == hashed) & Invite.used.is_null() & (Invite.expires > now)",
        "(Invite.hash == hashed) & Invite.used.is_null()",
        INVITE_TEST + "test_s23_nobody_gets_in_without_an_invitation",
    ),
    Takeout(
        "S23",
        "bpost/server/entry.py",
        "    _take(session, office.rates.registrations_address, address, text)\n",
        "",
        RATE_TEST + "test_s23_an_address_makes_few_accounts_and_taken_names_do_not_count",
    ),
    # S24: who may not be here any more is gone within a second or two.
    Takeout(
        "S24",
        "bpost/server/clerk.py",
        "            self._presence.hear(Expelled(account, *GONE[why]))\n",
        "            pass\n",
        ADMIN_TEST + "test_s24_a_running_server_notices_that_a_user_was_disabled",
    ),
    Takeout(
        "S24",
        "bpost/server/store_accounts.py",
        "            Client.update(gone).where(Client.id == account).execute(database)\n"
        "            announce(database)\n",
        "            Client.update(gone).where(Client.id == account).execute(database)\n",
        ADMIN_TEST + "test_s24_a_running_server_notices_that_a_user_was_deleted",
    ),
    Takeout(
        "S24",
        "bpost/server/clerk.py",
        "        self._expel_removed()\n",
        "",
        ADMIN_TEST + "test_s24_a_running_server_notices_that_a_device_was_removed",
    ),
    Takeout(
        "S24",
        "bpost/server/entry.py",
        "Expelled(me.id, Reason.WRONG_PASSWORD, text, spare=session.wire.id)",
        "Expelled(0, Reason.WRONG_PASSWORD, text, spare=session.wire.id)",
        "tests.server.test_entry.PasswordTest.test_s24_other_connections_end_and_this_one_goes_on",
    ),
    Takeout(
        "S24",
        "bpost/server/belongings.py",
        "    session.afterwards(lambda: office.bus.publish(notice))\n",
        "    notice = notice\n",
        "tests.server.test_devices.DeviceTest.test_s24_a_removed_device_is_sent_away_and_stays_away",
    ),
    Takeout(
        "S24",
        "bpost/server/store_devices.py",
        "return not (gone.exists(database) or there.exists(database))",
        "return not there.exists(database)",
        "tests.server.test_devices.DeviceTest.test_s24_a_removed_device_is_sent_away_and_stays_away",
    ),
    Takeout(
        "S13",
        "bpost/server/store_devices.py",
        "return not (gone.exists(database) or there.exists(database))",
        "return not gone.exists(database)",
        "tests.server.test_session.OrderTest.test_s13_a_device_of_another_user_is_none_of_mine",
    ),
    # S45: what is left of messages.
    Takeout(
        "S45",
        "bpost/server/clerk.py",
        "        self._store.mail.clear_held(self._cursors.touched())\n",
        "        self._cursors.touched()\n",
        CLERK_TEST + "test_s45_what_every_device_holds_is_cleared_and_what_is_old_goes",
    ),
    Takeout(
        "S45",
        "bpost/server/clerk.py",
        "        while self._store.mail.expire(before) and not self._stopped.is_set():\n"
        "            pass\n",
        "",
        CLERK_TEST + "test_s45_undelivered_mail_stays_for_the_retention_time",
    ),
    Takeout(
        "S45",
        "bpost/server/clerk.py",
        "        self._store.mail.clear_held(idle)\n",
        "",
        "tests.server.test_admin.GoneTest."
        "test_s45_a_plain_device_that_is_idle_does_not_hold_back_what_others_have",
    ),
    # S46: updates of the database.
    Takeout(
        "S46",
        "bpost/server/store.py",
        "        self._keep_before_update()\n",
        "",
        STORE_TEST + "test_s46_an_update_keeps_what_was_there_before",
    ),
    Takeout(
        "S46",
        "bpost/server/store.py",
        "        self._keep_before_update()\n",
        "        try:\n            self._keep_before_update()\n"
        "        except StoreError:\n            pass\n",
        STORE_TEST + "test_s46_without_room_for_a_copy_nothing_is_brought_forward",
    ),
    Takeout(
        "S46",
        "bpost/server/migrations.py",
        "        steps[version](database)\n",
        "        steps[version](database)\n        database.commit()\n        database.begin()\n",
        STORE_TEST + "test_s46_a_kill_in_the_middle_of_an_update_leaves_the_old_or_the_new",
    ),
    Takeout(
        "S46",
        "bpost/server/migrations.py",
        "    if found > to:\n",
        "    if found > to + 9:\n",
        STORE_TEST + "test_s46_a_newer_database_is_refused_and_left_as_it_is",
    ),
    # S56: what must be in the log.
    Takeout(
        "S56",
        "bpost/server/entry.py",
        '"device added", ',
        '"log-in", ',
        LOG_TEST
        + "SecurityEventTest.test_s56_each_security_event_is_there_with_its_time_and_connection",
    ),
    Takeout(
        "S56",
        "bpost/server/session.py",
        '        self._note("rate limited", says=text)\n',
        "",
        LOG_TEST
        + "SecurityEventTest.test_s56_each_security_event_is_there_with_its_time_and_connection",
    ),
    Takeout(
        "S56",
        "bpost/server/post_office.py",
        '        self.log.info("stopped")\n',
        "",
        LOG_TEST + "LifeEventTest.test_s56_start_stop_and_a_new_certificate_are_there",
    ),
    # S60: stopping in order.
    Takeout(
        "S60",
        "bpost/server/__main__.py",
        "    post_office.stop()\n    return 0\n",
        "    os._exit(0)\n",
        PROCESS_TEST + "test_s60_whoever_tells_it_to_stop_under_load_loses_nothing",
    ),
    Takeout(
        "S60",
        "bpost/server/__main__.py",
        "            os._exit(1)\n",
        "            return\n",
        PROCESS_TEST + "test_s60_a_second_signal_means_now",
    ),
    # S68: whose word is taken.
    Takeout(
        "S68",
        "bpost/net/ws_server.py",
        "        proxied = proxies.covers(_host(peer))\n",
        "        proxied = True\n",
        PROXY_TEST + "StrangerTest.test_s68_a_stranger_is_not_believed",
    ),
    Takeout(
        "S68",
        "bpost/net/proxies.py",
        'reversed(header.split(","))',
        'header.split(",")',
        PROXY_TEST
        + "TrustedTest.test_s68_what_the_client_wrote_before_it_into_the_header_is_not_believed",
    ),
    Takeout(
        "S68",
        "bpost/net/ws_server.py",
        "            peer = announced(sock, deadline) or peer\n",
        "            announced(sock, deadline)\n",
        PROXY_TEST + "TrustedTest.test_s68_a_listed_proxy_says_who_it_is_by_line_or_header",
    ),
    # S21: tries to log in are counted over a restart.
    Takeout(
        "S21",
        "bpost/server/office.py",
        "        self.clerk.every_round(ledger.write)\n",
        "",
        RATE_TEST + "test_s21_a_restart_gives_no_new_tries",
    ),
    Takeout(
        "S21",
        "bpost/server/ledger.py",
        "max(0, now - wall) / 1000",
        "0",
        RATE_TEST + "test_s21_time_goes_on_while_the_server_is_off",
    ),
    Takeout(
        "S21",
        "bpost/server/ledger.py",
        "max(0, now - wall) / 1000",
        "abs(now - wall) / 1000",
        RATE_TEST + "test_s21_a_clock_that_was_put_back_takes_nothing_away",
    ),
    Takeout(
        "S21",
        "bpost/server/ledger.py",
        "            if gone or changed:\n",
        "            if changed:\n",
        RATE_TEST + "test_s21_full_buckets_leave_no_row_and_names_none_at_all",
    ),
]
