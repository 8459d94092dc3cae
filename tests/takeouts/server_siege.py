"""Takeouts of what keeps crowds, the dead and the greedy from taking the server with them."""

from __future__ import annotations

from tests.takeouts import Takeout

DOOR = "bpost/server/door.py"
ENTRY = "bpost/server/entry.py"

DOOR_TEST = "tests.server.test_door."
SIEGE_TEST = "tests.server.test_siege."

TAKEOUTS = [
    Takeout(
        "S22",
        DOOR,
        "        with self._places:\n            yield\n",
        "        yield\n",
        DOOR_TEST + "FloodTest.test_s22_messages_flow_while_a_flood_of_log_ins_waits",
    ),
    Takeout(
        "S22",
        ENTRY,
        "    office = session.office\n    account = office.store.accounts.claimed",
        "    office = session.office\n"
        "    with office.store._lock, office.door.turn():\n"
        "        office.verify_login(None, request.password)\n"
        "    account = office.store.accounts.claimed",
        DOOR_TEST + "FloodTest.test_s22_messages_flow_while_a_flood_of_log_ins_waits",
    ),
    Takeout(
        "S36",
        DOOR,
        "        if crowded:\n",
        "        if False:\n",
        DOOR_TEST + "CrowdTest."
        "test_s36_who_would_wait_too_long_is_told_when_to_come_again_and_not_counted",
    ),
    Takeout(
        "S36",
        DOOR,
        "2 + secrets.randbelow(AGAIN_SECONDS - 1)",
        "AGAIN_SECONDS",
        DOOR_TEST + "CrowdTest."
        "test_s36_who_would_wait_too_long_is_told_when_to_come_again_and_not_counted",
    ),
    Takeout(
        "S36",
        DOOR,
        "                self._here -= 1\n",
        "                pass\n",
        DOOR_TEST + "ReturnTest."
        "test_s36_all_get_in_at_last_and_none_waits_in_a_line_that_only_grows",
    ),
    Takeout(
        "S36",
        DOOR,
        "            self._here += not crowded\n",
        "        threading.Event().wait(0.1)\n"
        "        with self._lock:\n"
        "            self._here += not crowded\n",
        DOOR_TEST + "ReturnTest."
        "test_s36_all_get_in_at_last_and_none_waits_in_a_line_that_only_grows",
    ),
    Takeout(
        "S38",
        "bpost/server/store_mail.py",
        "        receipt = None if letter.ref is None else self._known.get(key)\n",
        "        receipt = None\n",
        SIEGE_TEST + "CutTest.test_s38_however_often_the_line_is_cut_each_message_is_stored_once",
    ),
    Takeout(
        "S31",
        "bpost/server/mailroom.py",
        "            while self._open and not self._has_room():\n",
        "            while False:\n",
        SIEGE_TEST + "GreedTest.test_s31_who_sends_more_than_is_stored_has_to_wait",
    ),
    Takeout(
        "S33",
        "bpost/net/inbound.py",
        "                if now >= self._heard + self._limits.silence_seconds:\n",
        "                if False:\n",
        SIEGE_TEST + "HalfOpenTest."
        "test_s33_who_is_gone_without_a_word_is_noticed_and_his_mail_waits",
    ),
    Takeout(
        "S33",
        "bpost/net/inbound.py",
        "            self._ping()\n",
        "            pass\n",
        SIEGE_TEST + "HalfOpenTest."
        "test_s33_who_is_gone_without_a_word_is_noticed_and_his_mail_waits",
    ),
    Takeout(
        "S33",
        "bpost/net/sockets.py",
        "        sock.setsockopt(socket.IPPROTO_TCP, user_timeout, USER_TIMEOUT_MS)\n",
        "        pass\n",
        SIEGE_TEST + "HalfOpenTest.test_s33_the_system_looks_after_the_line_as_well",
    ),
    Takeout(
        "S34",
        "bpost/server/listener.py",
        "            del self._here[key]\n",
        "            pass\n",
        SIEGE_TEST + "BadEndTest.test_s34_nothing_is_left_of_connections_that_end_in_any_bad_way",
    ),
    Takeout(
        "S34",
        "bpost/server/listener.py",
        "            self._visits.discard(visit)\n",
        "            pass\n",
        SIEGE_TEST + "BadEndTest.test_s34_nothing_is_left_of_connections_that_end_in_any_bad_way",
    ),
    Takeout(
        "S34",
        "bpost/server/session.py",
        "            self.office.presence.leave(desk)\n",
        "            pass\n",
        SIEGE_TEST + "BadEndTest.test_s34_nothing_is_left_of_connections_that_end_in_any_bad_way",
    ),
]
