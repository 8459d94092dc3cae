"""Takeouts of the limits: how often, and how much."""

from __future__ import annotations

from tests.takeouts import Takeout

BELONGINGS = "bpost/server/belongings.py"
DIRECTORY = "bpost/server/directory.py"
ENTRY = "bpost/server/entry.py"
LIMITS = "bpost/limits.py"
SESSION = "bpost/server/session.py"
DEVICES = "bpost/server/store_devices.py"
MAIL = "bpost/server/store_mail.py"

SESSION_TEST = "tests.server.test_session."
RATE_TEST = "tests.server.test_limits.RateTest."
SIZE_TEST = "tests.server.test_limits.SizeTest."

REQUESTS = "        wait = self.office.rates.requests.take(self.wire.id)\n"
FREE = "        wait = 0.0\n"

TAKEOUTS = [
    Takeout(
        "S26",
        ENTRY,
        "    _take(session, rates.log_ins_account, (name, known), _ACCOUNT, name)\n",
        "",
        RATE_TEST + "test_s26_log_ins_for_an_account",
    ),
    Takeout(
        "S26",
        ENTRY,
        "    _take(session, rates.log_ins_address, address, _ADDRESS)\n",
        "",
        RATE_TEST + "test_s26_log_ins_from_an_address",
    ),
    Takeout(
        "S26",
        ENTRY,
        "    _take(session, office.rates.registrations_address, address, text)\n",
        "",
        RATE_TEST + "test_s26_new_accounts_from_an_address",
    ),
    Takeout(
        "S26",
        SESSION,
        "    wait = office.rates.sends.take(me.id)\n",
        "    wait = 0.0\n",
        RATE_TEST + "test_s26_messages",
    ),
    Takeout(
        "S26",
        SESSION,
        REQUESTS,
        FREE,
        RATE_TEST + "test_s26_all_other_requests_on_a_connection",
    ),
    Takeout(
        "S26",
        SESSION,
        REQUESTS,
        FREE,
        RATE_TEST + "test_s26_anything_before_log_in_ends_the_connection_over_the_rate",
    ),
    Takeout(
        "S26",
        SESSION,
        REQUESTS,
        FREE,
        SESSION_TEST + "FloodTest.test_s26_a_flood_of_each_frame_is_ended_and_a_neighbour_goes_on",
    ),
    Takeout(
        "S26",
        SESSION,
        "        wait = self.office.rates.excess.take(self.wire.id)\n",
        FREE,
        RATE_TEST + "test_s26_what_goes_on_over_a_rate_ends_the_connection",
    ),
    Takeout(
        "S26",
        DIRECTORY,
        "        _count_taking(session, contact)\n",
        "        pass\n",
        RATE_TEST + "test_s26_key_bundles_for_one_asker_and_for_one_contact",
    ),
    Takeout(
        "S26",
        BELONGINGS,
        "        wait = office.rates.key_changes.take(me.id)\n",
        "        wait = 0.0\n",
        RATE_TEST + "test_s26_news_in_the_log_of_keys",
    ),
    Takeout(
        "S26",
        LIMITS,
        "    message: int = 192 * KIB\n",
        "    message: int = 193 * KIB\n",
        SIZE_TEST + "test_s26_a_message_and_no_byte_more",
    ),
    Takeout(
        "S26",
        MAIL,
        "            if not self._has_room(letter, relation):\n",
        "            if False:\n",
        SIZE_TEST + "test_s26_a_mailbox",
    ),
    Takeout(
        "S26",
        DIRECTORY,
        "    if how(me.id, contact.id, most) is Added.FULL:\n",
        "    if how(me.id, contact.id, 2 * most) is Added.FULL:\n",
        SIZE_TEST + "test_s26_contacts",
    ),
    Takeout(
        "S26",
        DEVICES,
        "            if Device.select().where(others).count(database) >= most:\n",
        "            if Device.select().where(others).count(database) > most:\n",
        SIZE_TEST + "test_s26_devices",
    ),
    Takeout(
        "S26",
        DEVICES,
        "for key in keys[:room]]",
        "for key in keys]",
        SIZE_TEST + "test_s26_one_time_keys_of_a_device",
    ),
    Takeout(
        "S26",
        LIMITS,
        "    contacts: int = 10_000\n",
        "    contacts: int = 20_000\n",
        "tests.server.test_limits.PageTest.test_s26_each_number_on_the_page_is_the_one_that_holds",
    ),
    Takeout(
        "S59",
        SESSION,
        "            self._end(error.reason, str(error))\n",
        "            pass\n",
        SESSION_TEST + "NonsenseTest.test_s59_what_has_no_number_ends_the_connection_with_a_reason",
    ),
    Takeout(
        "S59",
        SESSION,
        "            if int(number) not in set(Code):\n",
        "            if False:\n",
        SESSION_TEST
        + "NonsenseTest.test_s59_a_number_that_is_no_code_is_answered_under_that_number",
    ),
]
