"""Takeouts of the demands about verified contacts and changed keys."""

from __future__ import annotations

from tests.takeouts import Takeout

PEOPLE, TRUST = "bpost/client/people.py", "bpost/client/trust.py"
BOOK = "bpost/client/keybook.py"
CHANGED = "tests.client.test_trust.ChangedKeyTest."
VERIFIED = "tests.client.test_trust.VerifiedTest."
CODES = "tests.client.test_trust.CodeTest."
WINDOW = "tests.client_tk.test_safety_w.SafetyTest."
COMMANDS = "tests.client.test_trust.CommandTest."

TAKEOUTS = [
    Takeout(
        "E55",
        TRUST,
        "        if was_verified and not anyway:\n",
        "        if False:\n",
        CHANGED + "test_e55_a_verified_contact_takes_a_verification_or_an_explicit_trust",
    ),
    Takeout(
        "E55",
        TRUST,
        '            self._people.pin(peer.name, raw, "accepted")\n',
        "            pass\n",
        CHANGED + "test_e55_verifying_the_new_key_lets_go_what_was_held",
    ),
    Takeout(
        "E55",
        PEOPLE,
        "        shown = self._history.notice(self._history.open(peer.name), peer.name, text)\n"
        "        return [Security",
        "        shown = list[Event]()\n        return [Security",
        CHANGED + "test_e55_a_change_is_a_line_in_the_conversation_before_anything_leaves",
    ),
    Takeout(
        "E55",
        TRUST,
        "        if not fits:\n",
        "        if False:\n",
        CHANGED + "test_e55_consent_is_for_the_key_that_was_shown",
    ),
    Takeout(
        "E55",
        TRUST,
        "        if peer.offered_key is not None:\n            text = f",
        "        if False:\n            text = f",
        CHANGED + "test_e55_the_mark_cannot_be_taken_away_to_make_a_change_easier",
    ),
    Takeout(
        "E57",
        TRUST,
        "        if verdict is not Verdict.SAME:\n",
        "        if verdict is Verdict.DIFFERENT:\n",
        CODES + "test_e57_any_other_code_verifies_nobody",
    ),
    Takeout(
        "E57",
        TRUST,
        "        return verdict, self.mark(name, self._people.contact(peer).key)\n",
        "        return verdict, []\n",
        CODES + "test_e57_the_code_of_the_other_verifies",
    ),
    Takeout(
        "E57",
        "bpost/client/cli_verify.py",
        "DIFFERENT, NOT_COMPARED = 1, 3\n",
        "DIFFERENT, NOT_COMPARED = 1, 1\n",
        COMMANDS + "test_e57_three_answers_have_three_exit_statuses",
    ),
    Takeout(
        "E55",
        "client_tk/header_w.py",
        "    if contact is not None and contact.was_verified:\n",
        "    if contact is not None and not contact.name:\n",
        WINDOW + "test_e55_a_verified_contact_whose_key_changed_takes_more_than_a_click",
    ),
    Takeout(
        "E55",
        "client_tk/safety_w.py",
        "            self.trust: there and safety is not None and safety.key_changed,\n",
        "            self.trust: False,\n",
        WINDOW + "test_e55_a_changed_key_can_be_compared_before_going_on",
    ),
    Takeout(
        "E57",
        "client_tk/safety.py",
        'f"Not compared: this is your own code.',
        'f"Different: this is your own code.',
        WINDOW + "test_e57_comparing_a_code_has_answers_that_nobody_mistakes",
    ),
    Takeout(
        "E58",
        BOOK,
        "return key is not None and (name, bytes(key)) in self._verified()",
        "return key is not None and name in {one for one, _ in self._verified()}",
        VERIFIED + "test_e58_a_name_that_is_registered_anew_is_not_verified",
    ),
    Takeout(
        "E58",
        PEOPLE,
        '        self._book.note(peer.name, key, "changed")\n',
        '        self._book.note(peer.name, key, "changed")\n'
        '        self._book.unmark(peer.name, bytes(peer.account_key or b""))\n',
        VERIFIED + "test_e58_a_verified_key_that_comes_back_still_is",
    ),
    Takeout(
        "E59",
        BOOK,
        "self._store.all(Verification, Verification.own_key == own)",
        "self._store.all(Verification, Verification.own_key != b'' if own else None)",
        VERIFIED + "test_e59_with_another_own_key_every_mark_is_void",
    ),
]
