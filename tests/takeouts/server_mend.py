"""Takeouts for what attacks on the running post office brought to light."""

from __future__ import annotations

from tests.takeouts import Takeout

DRAINER = "bpost/net/drainer.py"
DIRECTORY_TEST = "tests.server.test_directory."
DRAINER_TEST = "tests.net.test_drainer.DrainerTest."

SESSION = "bpost/server/session.py"
STREAM = "bpost/net/tls_stream.py"
WS_SERVER = "bpost/net/ws_server.py"
CLERK_TEST = "tests.server.test_clerk.ClerkTest."
FLOOD_TEST = "tests.server.test_session.FloodTest."
LOG_TEST = "tests.server.test_log.LineTest."
TURNS_TEST = "tests.net.test_turns.TurnsTest."
IDLE_TEST = "tests.net.test_idle_records.IdleRecordsTest."

LOOKED_AT = """            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._deadline = None
                self.close(CloseCode.POLICY, "deadline passed", self._last_text)
            try:
                data = self._inbound.receive_past(self._library.input_buffer.append, self._deadline)
            except TimeoutError:
                continue
"""
WAITED_FOR = """            try:
                data = self._inbound.receive_past(self._library.input_buffer.append, self._deadline)
            except TimeoutError:
                self._deadline = None
                self.close(CloseCode.POLICY, "deadline passed", self._last_text)
                continue
"""
STILL = """            self._await_room(outbound, still)  # more was put since it was drained
"""

NAMES_TEST = "tests.server.test_unknown_names."

TAKEOUTS = [
    Takeout(
        "E71",
        "bpost/crypto/login.py",
        "    n, r, p, salt, expected = _parse(_NOBODY if stored is None else stored)\n",
        "    if stored is None:\n        return False\n"
        "    n, r, p, salt, expected = _parse(stored)\n",
        NAMES_TEST + "TimeTest."
        "test_e71_a_thousand_known_and_unknown_names_are_answered_alike_and_after_one_time",
    ),
    Takeout(
        "E71",
        "bpost/crypto/login.py",
        '    found = scrypt(field.encode("utf-8", "replace"), salt, n=n, r=r, p=p, length=HASH)',
        "    n = n if stored else n // 2\n"
        '    found = scrypt(field.encode("utf-8", "replace"), salt, n=n, r=r, p=p, length=HASH)',
        NAMES_TEST + "WorkTest.test_e71_the_hash_of_nobody_costs_what_a_real_one_costs",
    ),
    Takeout(
        "E71",
        "bpost/server/entry.py",
        "    _take(session, rates.log_ins_account, (name, known), _ACCOUNT, name)\n",
        "    if account.id:\n"
        "        _take(session, rates.log_ins_account, (name, known), _ACCOUNT, name)\n",
        NAMES_TEST + "CountTest."
        "test_e71_unknown_names_are_counted_like_known_ones_and_the_owner_gets_in",
    ),
    Takeout(
        "E71",
        "bpost/server/entry.py",
        "        raise Refused(Reason.WRONG_PASSWORD, _WRONG)\n    if session.account is not None",
        "        there = account and account.id\n"
        "        raise Refused(Reason.WRONG_PASSWORD if there else Reason.NO_SUCH_USER, _WRONG)\n"
        "    if session.account is not None",
        NAMES_TEST + "AnswerTest.test_e71_before_log_in_only_a_registration_tells",
    ),
    Takeout(
        "S29",
        DRAINER,
        STILL,
        "            pass\n",
        DRAINER_TEST + "test_s29_what_is_put_just_after_a_drain_is_sent_too",
    ),
    Takeout(
        "S29",
        DRAINER,
        "        if waits:\n            return\n",
        "",
        DRAINER_TEST + "test_s29_a_flush_between_two_looks_does_not_end_the_thread",
    ),
    Takeout(
        "S29",
        DRAINER,
        "        except Exception as error:\n            self._forget",
        "        except OSError as error:\n            self._forget",
        DRAINER_TEST + "test_s29_what_fails_costs_one_connection_and_not_the_others",
    ),
    Takeout(
        "S1",
        WS_SERVER,
        LOOKED_AT,
        WAITED_FOR,
        "tests.server.test_listener.DeadlineTest."
        "test_s1_who_never_stops_talking_is_gone_at_the_deadline_too",
    ),
    Takeout(
        "S1",
        STREAM,
        "            if raw and deadline is not None and time.monotonic() >= deadline:\n",
        "            if False:\n",
        IDLE_TEST + "test_s1_records_without_data_do_not_hold_back_the_deadline",
    ),
    Takeout(
        "S26",
        STREAM,
        "self._idle > IDLE or self._outgoing.pending > IDLE",
        "False",
        IDLE_TEST + "test_s26_a_peer_that_only_asks_for_new_keys_is_cut_off",
    ),
    Takeout(
        "S26",
        "bpost/net/frames.py",
        "self._limits.rates and self._pieces_now > self._limits.fragments_per_second",
        "False",
        "tests.net.test_frames.PiecesTest.test_s26_pieces_are_bounded_by_the_second",
    ),
    Takeout(
        "S26",
        SESSION,
        "if self.account is None or not isinstance(request, Send | Acknowledge):",
        "if not isinstance(request, Send | Acknowledge):",
        FLOOD_TEST + "test_s26_a_stranger_over_the_rate_is_out_whatever_he_says",
    ),
    Takeout(
        "S26",
        SESSION,
        "        session.strain()  # it said so before\n",
        "        return\n",
        FLOOD_TEST + "test_s26_acknowledging_the_same_for_ever_ends_the_connection",
    ),
    Takeout(
        "S26",
        SESSION,
        "        self.strain()\n        raise Refused",
        "        raise Refused",
        FLOOD_TEST + "test_s26_who_sends_on_although_refused_is_out_at_last",
    ),
    Takeout(
        "S43",
        "bpost/server/passage.py",
        "        if unseen > UNSEEN_MS:\n",
        "        if False:\n",
        CLERK_TEST + "test_s43_a_clock_that_jumps_ahead_costs_no_mail",
    ),
    Takeout(
        "S43",
        "bpost/server/store_clock.py",
        "return None if when is None else Seen(when, 0)",
        "return None",
        CLERK_TEST + "test_s43_a_clock_that_is_ahead_at_the_start_costs_no_mail_either",
    ),
    Takeout(
        "S26",
        "bpost/server/belongings.py",
        "    if spelled_size(bundle) > most:\n",
        "    if False:\n",
        DIRECTORY_TEST + "BundleTest.test_s26_bundles_never_outgrow_a_frame",
    ),
    Takeout(
        "S26",
        "bpost/server/directory.py",
        "        if room < 0:\n",
        "        if False:\n",
        DIRECTORY_TEST + "BundleTest.test_s26_bundles_never_outgrow_a_frame",
    ),
    Takeout(
        "S30",
        "bpost/server/presence.py",
        " and desk.wire.queued <= LEISURE",
        "",
        DIRECTORY_TEST
        + "SignalTest.test_s30_a_signal_is_dropped_where_the_client_is_slow_or_it_is_large",
    ),
    Takeout(
        "S19",
        "bpost/server/entry.py",
        "    if request.device not in (None, NEW, PLAIN):\n",
        "    if account.id and request.device not in (None, NEW, PLAIN):\n",
        "tests.server.test_entry.LogInTest."
        "test_s19_a_made_up_device_costs_the_same_work_for_an_unknown_user",
    ),
    Takeout(
        "S66",
        "bpost/net/tls.py",
        "        except (OSError, ValueError) as error:\n",
        "        except OSError as error:\n",
        "tests.net.test_tls.ServerTest.test_s66_bad_files_keep_the_old_certificate",
    ),
    Takeout(
        "S55",
        "bpost/server/repeats.py",
        "            count.untold += 1\n            return False\n",
        "            return True\n",
        LOG_TEST + "test_s55_what_repeats_is_told_once_and_counted",
    ),
    Takeout(
        "S55",
        "bpost/server/repeats.py",
        "len(self._counts) >= CAUSES",
        "False",
        LOG_TEST + "test_s55_a_million_names_do_not_fill_the_log_or_the_memory",
    ),
    Takeout(
        "S32",
        "bpost/server/listener.py",
        "full or crowded or self._stopping",
        "full or self._stopping",
        "tests.server.test_listener.NeighbourTest."
        "test_s32_an_address_has_so_many_connections_and_others_get_in",
    ),
    Takeout(
        "S26",
        "bpost/server/store_mail.py",
        "            if not self._has_room(letter, relation):\n                return FULL\n",
        "",
        CLERK_TEST + "test_s26_a_mailbox_takes_so_much_and_takes_again_when_it_was_read",
    ),
    Takeout(
        "E90",
        "bpost/net/turns.py",
        "                    self._relieve(given)\n",
        "                    continue\n",
        TURNS_TEST + "test_e90_who_waits_elsewhere_with_a_turn_holds_nobody_up",
    ),
    Takeout(
        "E90",
        "bpost/net/turns.py",
        "        if holder is not None and holder.thread == threading.get_ident():\n",
        "        if False:\n",
        TURNS_TEST + "test_e90_who_steps_aside_holds_nobody_up",
    ),
]
