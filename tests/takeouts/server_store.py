"""Takeouts of what the post office stores and logs, and of what it keeps to itself."""

from __future__ import annotations

from tests.takeouts import Takeout

DESK = "bpost/server/desk.py"
FILES = "bpost/server/files.py"
LOG = "bpost/server/log.py"
MAILROOM = "bpost/server/mailroom.py"
STORE = "bpost/server/store.py"
MAIL = "bpost/server/store_mail.py"


STORED = "            receipts = self._store.mail.store(letters, now_ms())\n"
EARLY = """            early = [_answer(posting, Receipt(1, 1)) for posting in postings]
            self._send(postings, early)
"""

STORE_TEST = "tests.server.test_store."
STATIC_TEST = "tests.server.test_static.StaticTest."
FILES_TEST = "tests.server.test_files.FilesTest."
LINE_TEST = "tests.server.test_log.LineTest."

TAKEOUTS = [
    # S37, S38, S44: the promise, once, in order.
    Takeout(
        "S37",
        MAILROOM,
        STORED,
        EARLY + STORED,
        "tests.server.test_mailroom.MailroomTest.test_s37_the_promise_comes_after_the_commit",
    ),
    Takeout(
        "S37",
        MAILROOM,
        STORED,
        EARLY + STORED,
        "tests.server.test_mailroom.MailroomTest."
        "test_s37_where_the_commit_fails_the_sender_is_told_and_nothing_is_delivered",
    ),
    Takeout(
        "S37",
        MAILROOM,
        STORED,
        EARLY + "            threading.Event().wait(0.05)\n" + STORED,
        "tests.server.test_process.KillTest."
        "test_s37_nothing_promised_is_lost_or_doubled_however_often_the_server_is_killed",
    ),
    Takeout(
        "S37",
        STORE,
        '    ("synchronous", "full"),\n',
        '    ("synchronous", "off"),\n',
        STORE_TEST + "FailureTest.test_s37_the_database_is_synced_at_each_commit",
    ),
    Takeout(
        "S38",
        MAIL,
        "        receipt = None if letter.ref is None else self._known.get(key)\n",
        "        receipt = None\n",
        STORE_TEST + "MailboxTest.test_s38_the_same_ref_is_stored_once_and_answered_alike",
    ),
    Takeout(
        "S38",
        MAIL,
        "    return letter.sender, letter.device, letter.ref, relation.recipient\n",
        "    return letter.sender, '', letter.ref, relation.recipient\n",
        STORE_TEST + "MailboxTest."
        "test_s38_the_same_ref_from_another_device_or_to_another_user_is_another_message",
    ),
    Takeout(
        "S38",
        MAIL,
        "UPDATE messages SET body = NULL FROM",
        "UPDATE messages SET body = NULL, ref = NULL FROM",
        STORE_TEST + "MailboxTest.test_s38_a_ref_is_known_also_when_its_text_is_gone",
    ),
    Takeout(
        "S44",
        MAIL,
        "        self._last[recipient] = seq\n",
        "        self._last[recipient] = seq + 1\n",
        STORE_TEST + "MailboxTest.test_s44_numbers_rise_from_one_without_gaps_for_each_mailbox",
    ),
    Takeout(
        "S44",
        STORE,
        "                self._roll_back()\n                raise\n",
        "                database.commit()\n                raise\n",
        STORE_TEST + "MailboxTest.test_s44_a_transaction_that_fails_leaves_no_gap",
    ),
    Takeout(
        "S44",
        DESK,
        "            gap = self._behind or mails[0].seq != self._handed + 1\n",
        "            gap = self._behind\n",
        "tests.server.test_desk.DeskTest.test_s44_a_gap_is_filled_from_the_store_in_order",
    ),
    Takeout(
        "S44",
        DESK,
        "            self._behind = bool(mails) or self._missed\n",
        "            self._behind = bool(mails)\n",
        "tests.server.test_desk.DeskTest."
        "test_s44_mail_that_comes_while_the_store_is_read_is_not_forgotten",
    ),
    # S53, S54: the log.
    Takeout(
        "S53",
        LOG,
        '    return "".join(map(_escape_one, cut))\n',
        "    return cut\n",
        LINE_TEST + "test_s53_foreign_text_stays_on_its_line_and_shows_what_it_is",
    ),
    Takeout(
        "S53",
        LOG,
        """    if sign == "\\\\" or sign == '"':\n        return "\\\\" + sign\n""",
        "",
        LINE_TEST + "test_s53_a_value_cannot_pretend_to_be_another_field",
    ),
    Takeout(
        "S53",
        LOG,
        "text if len(text) <= LONGEST else",
        "text if text else",
        LINE_TEST + "test_s53_long_values_are_cut",
    ),
    Takeout(
        "S54",
        LOG,
        'told = str(error) if type(error).__module__.startswith("bpost.") else ""',
        "told = str(error)",
        "tests.server.test_log.SecretTest.test_s54_no_secret_and_no_content_is_ever_logged",
    ),
    Takeout(
        "S54",
        STORE,
        'logging.getLogger("peewee").setLevel(logging.WARNING)\n',
        "",
        "tests.server.test_log.SecretTest.test_s54_no_secret_and_no_content_is_ever_logged",
    ),
    # S57: files.
    Takeout(
        "S57",
        FILES,
        "os.O_RDWR | os.O_CREAT | NO_LINKS, 0o600)",
        "os.O_RDWR | os.O_CREAT | NO_LINKS, 0o640)",
        FILES_TEST + "test_s57_everything_is_private_from_the_first_byte_whatever_the_umask",
    ),
    Takeout(
        "S57",
        FILES,
        "(stat.S_IRWXO | stat.S_IWGRP)",
        "stat.S_ISUID",
        FILES_TEST + "test_s57_a_database_or_key_that_others_can_read_is_refused",
    ),
    Takeout(
        "S57",
        FILES,
        "    if POSIX and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:",
        "    if mode & stat.S_ISUID:",
        FILES_TEST + "test_s57_a_folder_that_everybody_can_write_to_is_refused",
    ),
    Takeout(
        "S57",
        FILES,
        " | NO_LINKS",
        "",
        FILES_TEST + "test_s57_a_link_in_place_of_the_database_is_refused",
    ),
    Takeout(
        "S57",
        "bpost/server/config.py",
        "    refuse_exposed(path)\n",
        "",
        "tests.server.test_config.ConfigTest.test_s57_a_file_that_others_can_read_is_refused",
    ),
    # S58: what must not be in the sources; here the hazard is added.
    Takeout(
        "S58",
        "bpost/server/table.py",
        "from contextlib import AbstractContextManager\n",
        "import pickle\nfrom contextlib import AbstractContextManager\n",
        STATIC_TEST + "test_s58_nothing_is_unpickled_or_parsed_by_what_can_run_code",
    ),
    Takeout(
        "S58",
        "bpost/server/table.py",
        "        self._reading = reading\n",
        '        self._reading = eval("reading")\n',
        STATIC_TEST + "test_s58_no_text_is_run_and_no_shell_is_started",
    ),
    Takeout(
        "S58",
        "bpost/server/table.py",
        "    return database.execute_sql(_spelled(sql, database.param), values)\n",
        '    return database.execute_sql(f"{_spelled(sql, database.param)}", values)\n',
        STATIC_TEST + "test_s58_no_sql_statement_is_put_together_from_values",
    ),
    Takeout(
        "S58",
        "bpost/server/table.py",
        "        self._reading = reading\n",
        '        self._reading = reading\n        import hashlib\n\n        hashlib.md5(b"")\n',
        STATIC_TEST + "test_s58_bandit_finds_nothing",
    ),
    Takeout(
        "S58",
        MAIL,
        "        self._rows.append((*key, seq, self._now, letter.body))\n",
        "        self._database.connection().executescript(\n"
        "            \"INSERT INTO withheld VALUES (NULL,1,'','\" + letter.body + \"',1,1,1)\"\n"
        "        )\n"
        "        self._rows.append((*key, seq, self._now, letter.body))\n",
        "tests.server.test_static.InjectionTest.test_s58_sql_in_fields_is_text",
    ),
]
