"""Takeouts for edits and deletions."""

from __future__ import annotations

from tests.takeouts import Takeout

REVISIONS = "bpost/client/revisions.py"
JOURNAL = "bpost/client/journal.py"
EDIT = "tests.client.test_revisions.EditTest."
AUTHOR = "tests.client.test_revisions.AuthorTest."
DELETE = "tests.client.test_revisions.DeleteTest."
WHOSE = "next((one for one in rows if (one.sender, one.conversation) == (author, where)), None)"
NEWER = "(revision, device) > (row.revision, row.editor)"

TAKEOUTS = [
    Takeout(
        "E51",
        "bpost/client/upkeep.py",
        "        if parts.stock.leftovers or parts.revisions.leftovers:\n",
        "        if parts.stock.leftovers:\n",
        DELETE + "test_e51_deleted_words_do_not_stay_in_the_write_ahead_log",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "        if row is not None:\n            return self._do(row, payload, key)\n",
        "        if rows:\n"
        '            text = str(content.get("text"))\n'
        "            return self.rewrite(rows[0], text, 1, payload.device, 1)\n",
        AUTHOR + "test_e51_nobody_changes_what_somebody_else_wrote",
    ),
    Takeout(
        "E51",
        REVISIONS,
        WHOSE,
        "next((one for one in rows if one.sender == author), None)",
        AUTHOR + "test_e51_own_words_are_not_changed_from_another_conversation",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "        if row.device not in self._devices.ever_listed(payload.sender, key):\n",
        "        if not row.device:\n",
        AUTHOR + "test_e51_a_new_account_key_changes_nothing_of_what_the_old_one_said",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "            if payload.sender != self._profile.name:\n",
        "            if not payload.sender:\n",
        AUTHOR + "test_e51_only_the_own_devices_remove_what_is_shown_here",
    ),
    Takeout(
        "E51",
        "bpost/client/mailbox.py",
        "VAULT, EMPTY, EDIT, DELETE, HIDE})",
        "VAULT, EMPTY})",
        AUTHOR + "test_e51_a_change_of_what_does_not_exist_is_never_answered",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "        for old in kept[self._profile.limits.changes_kept :]:\n",
        "        for old in kept[:0]:\n",
        AUTHOR + "test_e51_what_waits_for_a_message_is_bounded_and_forgotten",
    ),
    Takeout(
        "E51",
        REVISIONS,
        NEWER,
        "bool(revision and device)",
        EDIT + "test_e51_the_newest_wins_whatever_comes_when",
    ),
    Takeout(
        "E51",
        REVISIONS,
        NEWER,
        "revision >= row.revision",
        EDIT + "test_e51_two_devices_that_edit_at_once_end_with_one_text_everywhere",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "            entry = self._settled(entry, row, key)\n",
        "            pass\n",
        EDIT + "test_e51_an_edit_that_comes_before_its_message_waits_for_it",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "            self._journal.keep_original(row.id, row.text)\n",
        "            pass\n",
        EDIT + "test_e51_what_was_edited_meanwhile_is_sent_again_as_it_was",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "        if late or not self._is_newer",
        "        if not self._is_newer",
        EDIT + "test_e51_an_edit_long_after_is_not_taken",
    ),
    Takeout(
        "E51",
        JOURNAL,
        "        self._store.run(stand_in.where(Sent.id == message, Sent.type == TEXT))\n",
        "",
        DELETE + "test_e51_what_was_deleted_meanwhile_heals_as_deleted",
    ),
    Takeout(
        "E51",
        JOURNAL,
        '            if json.loads(row.content)["message"] == message:\n',
        "            if not row.content:\n",
        DELETE + "test_e51_what_is_taken_back_leaves_a_line_and_none_of_its_words",
    ),
    Takeout(
        "E51",
        "bpost/client/chains.py",
        "        elif chain and chain.hash and last ==",
        "        elif chain and last ==",
        DELETE + "test_e51_what_was_deleted_meanwhile_heals_as_deleted",
    ),
    Takeout(
        "E51",
        REVISIONS,
        '        if row.kind in (HIDDEN, "deleted"):\n            return []\n'
        "        if self._is_of_here",
        "        if self._is_of_here",
        DELETE + "test_e51_what_is_removed_here_stays_removed",
    ),
    Takeout(
        "E51",
        REVISIONS,
        '        return row.kind == "text" and',
        "        return",
        DELETE + "test_e51_nothing_brings_back_what_was_deleted",
    ),
    Takeout(
        "E51",
        REVISIONS,
        "        if row.type == HIDE:\n            return replace",
        '        if row.type == "":\n            return replace',
        DELETE + "test_e51_what_was_removed_elsewhere_before_it_came_is_not_shown",
    ),
]
