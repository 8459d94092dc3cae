"""Takeouts for what lets one version get on with the next."""

from __future__ import annotations

from tests.takeouts import Takeout

VERSIONS = "tests.test_versions.LaterTest."
LATER = "tests.client.test_later.LaterTest."
MAILBOX = "bpost/client/mailbox.py"
SHAPE = "bpost/protocol/shape.py"

TAKEOUTS = [
    Takeout(
        "E78",
        SHAPE,
        "        if len(texts) < sum(not slot.optional for slot in shape):\n",
        "        if not sum(not slot.optional for slot in shape) <= len(texts) <= len(shape):\n",
        VERSIONS + "test_e78_frames_with_further_fields_disturb_nobody",
    ),
    Takeout(
        "E78",
        SHAPE,
        "not item.keys() >= set(names):",
        "item.keys() != set(names):",
        VERSIONS + "test_e78_a_later_server_may_tell_more_of_devices_and_contacts",
    ),
    Takeout(
        "E78",
        MAILBOX,
        "            payload=None if is_text else unsealed.data,\n",
        "",
        LATER + "test_e78_an_unknown_type_is_kept_as_it_came_and_shown_as_newer",
    ),
    Takeout(
        "E78",
        "bpost/protocol/payload.py",
        "        return replace(payload, newer=True)\n",
        "        return payload\n",
        LATER + "test_e78_a_text_with_an_unknown_part_is_not_shown_without_it",
    ),
    Takeout(
        "E78",
        "bpost/protocol/envelope.py",
        "    if version > VERSION:\n",
        "    if version > 2 * VERSION:\n",
        LATER + "test_e78_an_envelope_of_a_later_version_says_so",
    ),
    Takeout(
        "E78",
        "bpost/client/devices.py",
        "str(error)))\n                continue\n",
        "str(error)))\n                raise\n",
        LATER + "test_e78_keys_of_a_later_version_hold_the_message_and_say_why",
    ),
    Takeout(
        "E78",
        "bpost/crypto/labels.py",
        'b"bpost/1 message"',
        'b"bpost/1 message "',
        "tests.test_versions.NewServerTest."
        "test_e78_old_and_new_clients_write_to_each_other_through_a_new_server",
    ),
]
