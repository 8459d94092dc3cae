"""Takeouts for what is said: frames, envelope, payload."""

from __future__ import annotations

from tests.takeouts import Takeout

ENVELOPE = "bpost/protocol/envelope.py"
PAYLOAD = "bpost/protocol/payload.py"
FIELDS = "bpost/protocol/fields.py"
FRAMES = "bpost/protocol/frames.py"

ENVELOPE_TEST = "tests.protocol.test_envelope.EnvelopeTest."
PAYLOAD_TEST = "tests.protocol.test_payload.PayloadTest."
ORIGIN_TEST = "tests.protocol.test_payload.OriginTest."
INJECTION_TEST = "tests.protocol.test_frames.InjectionTest."

TAKEOUTS = [
    Takeout(
        "E41",
        PAYLOAD,
        "    _check_sender(payload, frame_sender, envelope_device, me, my_device)\n",
        "",
        ORIGIN_TEST + "test_e41_whatever_the_server_changes_outside_is_noticed",
    ),
    Takeout(
        "E41",
        PAYLOAD,
        "or set(own) != set(envelope_devices)",
        "",
        ORIGIN_TEST + "test_e41_whatever_the_server_changes_outside_is_noticed",
    ),
    Takeout(
        "E41",
        PAYLOAD,
        "if not named or not members.issuperset(payload.recipients):",
        "if not named:",
        ORIGIN_TEST + "test_e41_a_message_of_two_shows_no_third",
    ),
    Takeout(
        "E42",
        PAYLOAD,
        "named = payload.conversation == direct_conversation(payload.sender, payload.to)",
        "named = True",
        ORIGIN_TEST + "test_e42_no_message_is_moved_between_conversations",
    ),
    Takeout(
        "E42",
        PAYLOAD,
        "if not named or not members.issuperset(payload.recipients):",
        "if not named:",
        ORIGIN_TEST + "test_e42_no_message_is_moved_between_conversations",
    ),
    Takeout(
        "E42",
        PAYLOAD,
        "if (payload.sender, payload.device) == (canonical(me), my_device):",
        "if False:",
        ORIGIN_TEST + "test_e42_a_message_is_not_reflected_to_its_sender",
    ),
    Takeout(
        "E44",
        PAYLOAD,
        "my_device not in own or",
        "False and",
        ORIGIN_TEST + "test_e44_a_message_for_another_user_or_device_is_not_taken",
    ),
    Takeout(
        "E45",
        ENVELOPE,
        "return max(SMALLEST, -(-least // step) * step)",
        "return max(256, -(-least // step) * step)",
        PAYLOAD_TEST + "test_e45_short_messages_receipts_and_empty_payloads_have_one_size",
    ),
    Takeout(
        "E45",
        ENVELOPE,
        "return max(SMALLEST, -(-least // step) * step)",
        "return max(SMALLEST, least)",
        "tests.protocol.test_envelope.PaddingTest."
        "test_e45_sizes_grow_by_256_up_to_4_kib_and_then_by_12_percent_at_most",
    ),
    Takeout(
        "E46",
        ENVELOPE,
        "from typing import Any, Final\n",
        "import zlib  # noqa: F401\nfrom typing import Any, Final\n",
        "tests.protocol.test_no_compression.NoCompressionTest."
        "test_e46_nothing_that_is_sealed_passes_a_compressor",
    ),
    Takeout(
        "E47",
        "bpost/b64.py",
        "if data is None or encode(data) != text:",
        "if data is None:",
        ENVELOPE_TEST + "test_e47_other_spellings_of_base64_are_refused",
    ),
    Takeout(
        "E47",
        PAYLOAD,
        "        _digest.check(payload.previous, None)\n",
        "        pass\n",
        PAYLOAD_TEST + "test_e47_other_spellings_of_a_hash_are_refused",
    ),
    Takeout(
        "E48",
        ENVELOPE,
        "    _check_bounds(text, limits)\n",
        "",
        ENVELOPE_TEST + "test_e48_everything_is_bounded_before_anything_is_decoded",
    ),
    Takeout(
        "E48",
        "bpost/protocol/canonical_json.py",
        "    if write(value) != text:  # a key that stands there twice is in the value only once\n"
        '        raise NotCanonical("is not JSON in its one canonical spelling")\n',
        "",
        ENVELOPE_TEST + "test_e48_everything_is_bounded_before_anything_is_decoded",
    ),
    Takeout(
        "E48",
        ENVELOPE,
        "    _check_bounds(text, limits)\n",
        "",
        ENVELOPE_TEST + "test_e48_whatever_is_out_of_bounds_is_refused_within_10_ms",
    ),
    Takeout(
        "E49",
        "bpost/protocol/canonical_json.py",
        "    if write(value) != text:  # a key that stands there twice is in the value only once\n"
        '        raise NotCanonical("is not JSON in its one canonical spelling")\n',
        "",
        ENVELOPE_TEST + "test_e49_nothing_may_be_missing_added_or_trail",
    ),
    Takeout(
        "E49",
        ENVELOPE,
        "    except canonical_json.NotCanonical as error:\n",
        "    except UnicodeError as error:\n",
        ENVELOPE_TEST + "test_e49_any_text_is_an_envelope_in_one_spelling_or_a_security_error",
    ),
    Takeout(
        "E49",
        PAYLOAD,
        "except (UnicodeDecodeError, Unfit, NotCanonical):",
        "except (Unfit, NotCanonical):",
        PAYLOAD_TEST + "test_e49_any_bytes_are_a_payload_in_one_spelling_or_a_security_error",
    ),
    Takeout(
        "S14",
        FIELDS,
        "if has_control(value, CONTROL if self.free else _STRUCTURAL):",
        "if False:",
        INJECTION_TEST + "test_s14_no_field_is_sent_with_a_separator_or_control_character",
    ),
    Takeout(
        "S14",
        FIELDS,
        "if has_control(value, CONTROL if self.free else _STRUCTURAL):",
        "if has_control(value):",
        INJECTION_TEST + "test_s14_no_field_arrives_with_a_control_character",
    ),
    Takeout(
        "S14",
        FRAMES,
        "    if any(map(has_control, parts)):\n",
        "    if False:\n",
        INJECTION_TEST + "test_s14_not_even_a_field_that_is_passed_over_holds_one",
    ),
    Takeout(
        "S14",
        FRAMES,
        "    if len(parts) > limits.fields:\n",
        "    if False:\n",
        INJECTION_TEST + "test_s14_too_few_and_far_too_many_fields_are_refused",
    ),
]
