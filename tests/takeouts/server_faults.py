"""Takeouts of what keeps the server standing on a machine that fails: disk, clock, descriptors."""

from __future__ import annotations

from tests.takeouts import Takeout
from tests.takeouts.server_store import EARLY, STORED

LISTENER = "bpost/server/listener.py"
MAILROOM = "bpost/server/mailroom.py"
STORE = "bpost/server/store.py"

CERTIFICATE_TEST = "tests.net.test_certificates.CertificatesTest."
CLERK_TEST = "tests.server.test_clerk.ClerkTest."
CLOCK_TEST = "tests.server.test_faults.ClockTest."
DISK_TEST = "tests.server.test_faults.DiskTest."
SYSTEM_TEST = "tests.server.test_faults.SystemTest."

TAKEOUTS = [
    Takeout(
        "S39",
        STORE,
        '    ("synchronous", "full"),\n',
        '    ("synchronous", "normal"),\n',
        DISK_TEST + "test_s39_where_a_sync_fails_nothing_is_promised_until_one_succeeds",
    ),
    Takeout(
        "S39",
        MAILROOM,
        STORED,
        EARLY + STORED,
        DISK_TEST + "test_s39_a_kill_while_syncs_fail_loses_no_promise_either",
    ),
    Takeout(
        "S40",
        STORE,
        "        except (DatabaseError, InterfaceError) as error:\n",
        "        except InterfaceError as error:\n",
        DISK_TEST + "test_s40_on_a_full_disk_people_come_in_and_read_and_are_told",
    ),
    Takeout(
        "S40",
        "bpost/server/log.py",
        'self._handler.handle(logging.LogRecord("bpost", number, "", 0, line, None, None))',
        "print(line, file=self._handler.stream, flush=True)",
        DISK_TEST + "test_s40_where_not_even_the_log_can_be_written_it_goes_on_afterwards",
    ),
    Takeout(
        "S41",
        STORE,
        "            timeout=BUSY_SECONDS,\n",
        "            timeout=0,\n",
        DISK_TEST + "test_s41_while_another_program_holds_the_database_senders_wait",
    ),
    Takeout(
        "S43",
        "bpost/server/rates.py",
        "limits: Limits, clock: Callable[[], float] = time.monotonic)",
        "limits: Limits, clock: Callable[[], float] = time.time)",
        CLOCK_TEST + "test_s43_order_and_connections_survive_whatever_the_clock_says",
    ),
    Takeout(
        "S43",
        "bpost/server/post_office.py",
        "        self.office.clerk.regularly(self._notice_jump, LOOK_SECONDS)\n",
        "",
        CLOCK_TEST + "test_s43_it_starts_in_1970_and_after_2038_with_all_there_is",
    ),
    Takeout(
        "S43",
        "bpost/net/certificates.py",
        " or now < EARLIEST",
        "",
        CERTIFICATE_TEST + "test_s43_a_clock_before_this_program_was_made_replaces_no_certificate",
    ),
    Takeout(
        "S43",
        "bpost/net/certificates.py",
        "        if lasts and _has_begun(ca, now) and",
        "        if lasts and",
        CERTIFICATE_TEST + "test_s43_what_was_made_by_a_wrong_clock_is_made_anew_when_it_is_right",
    ),
    Takeout(
        "S43",
        "bpost/server/clerk.py",
        "        self._safely(self._passage.look)\n",
        "",
        CLERK_TEST + "test_s43_what_was_stamped_while_the_clock_was_behind_is_kept",
    ),
    Takeout(
        "S43",
        "bpost/server/clerk.py",
        "        self._safely(self._passage.too_old)\n",
        "",
        CLERK_TEST + "test_s43_what_was_stamped_just_after_a_start_with_such_a_clock_is_kept",
    ),
    Takeout(
        "S32",
        LISTENER,
        "                    self._rest(error)\n                    continue\n",
        "                    raise\n",
        SYSTEM_TEST
        + "test_s32_without_descriptors_those_who_are_in_go_on_and_others_come_in_later",
    ),
    Takeout(
        "S32",
        LISTENER,
        "        except RuntimeError as error:\n            self._leave(visit)\n",
        "        except KeyError as error:\n            self._leave(visit)\n",
        SYSTEM_TEST + "test_s32_without_threads_those_who_are_in_go_on_and_others_come_in_later",
    ),
]
