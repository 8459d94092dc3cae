"""Takeouts of the network layer: TLS, WebSocket, certificates."""

from __future__ import annotations

from tests.takeouts import Takeout

STREAM = "bpost/net/tls_stream.py"
SERVER = "bpost/net/ws_server.py"
REQUEST = "bpost/net/request.py"
FRAMES = "bpost/net/frames.py"
OUTBOUND = "bpost/net/outbound.py"
TLS = "bpost/net/tls.py"
CERTIFICATES = "bpost/net/certificates.py"
CLIENT = "bpost/net/ws_client.py"

UPGRADE = "tests.net.test_upgrade.UpgradeTest."
TEXTS = "tests.net.test_texts.TextsTest."
HOSTILE = "tests.net.test_hostile_frames.HostileFramesTest."
SENDING = "tests.net.test_sending.SendingTest."
THREADS = "tests.net.test_tls_stream.StreamTest."
RACE = "tests.net.test_tls_stream.RaceTest."
TRUST = "tests.net.test_tls.TrustTest."
CHANGE = "tests.net.test_tls.ServerTest."
OFFER = "tests.server.test_tls_offer.OfferTest."
OWN = "tests.net.test_certificates.CertificatesTest."
HOSTILE_SERVER = "tests.net.test_ws_client.HostileServerTest."

TAKEOUTS = [
    Takeout(
        "S1",
        SERVER,
        "more = stream.receive(max(0.0, deadline - time.monotonic()))",
        "more = stream.receive(limits.handshake_seconds)",
        UPGRADE + "test_s1_dripping_clients_are_gone_at_the_deadline",
    ),
    Takeout(
        "S1",
        SERVER,
        "if len(data) > limits.http_request:",
        "if len(data) > 1 << 30:",
        UPGRADE + "test_s1_a_request_is_bounded",
    ),
    Takeout(
        "S2",
        SERVER,
        "        stream.handshake(deadline)\n",
        "        with drainer._lock:\n            stream.handshake(deadline)\n",
        UPGRADE + "test_s2_silent_sockets_delay_nobody",
    ),
    Takeout(
        "S3",
        REQUEST,
        "        if name in headers:\n",
        "        if False:\n",
        UPGRADE + "test_s3_any_other_request_is_refused",
    ),
    Takeout(
        "S3",
        REQUEST,
        '    if rest or "transfer-encoding"',
        '    if "transfer-encoding"',
        UPGRADE + "test_s3_any_other_request_is_refused",
    ),
    Takeout(
        "S3",
        SERVER,
        "            check_beginning(data)\n",
        "",
        UPGRADE + "test_s3_what_will_never_be_a_request_is_refused_at_its_first_bytes",
    ),
    Takeout(
        "S3",
        REQUEST,
        'if method != b"GET" or version != b"HTTP/1.1":',
        'if method != b"GET":',
        UPGRADE + "test_s3_any_other_request_is_refused",
    ),
    Takeout(
        "S3",
        REQUEST,
        'if path != b"/":',
        "if False:",
        UPGRADE + "test_s3_any_other_request_is_refused",
    ),
    Takeout(
        "S3",
        REQUEST,
        "    if len(key) != _KEY_BYTES:\n",
        "    if not key:\n",
        UPGRADE + "test_s3_any_other_request_is_refused",
    ),
    Takeout(
        "S3",
        REQUEST,
        'if headers.get("sec-websocket-version") != "13":',
        "if False:",
        UPGRADE + "test_s3_any_other_request_is_refused",
    ),
    Takeout(
        "S3",
        REQUEST,
        "_VALUE.fullmatch(value)):",
        "value):",
        UPGRADE + "test_s3_any_other_request_is_refused",
    ),
    Takeout(
        "S4",
        REQUEST,
        'if "origin" in headers and headers["origin"] not in origins:',
        "if not headers.get('origin', '').startswith(tuple(origins) or ''):",
        UPGRADE + "test_s4_a_foreign_origin_is_refused",
    ),
    Takeout(
        "S5",
        REQUEST,
        '        "HTTP_HOST": "bpost",\n',
        '        "HTTP_HOST": "bpost",\n        "HTTP_SEC_WEBSOCKET_EXTENSIONS": '
        'headers.get("sec-websocket-extensions", ""),\n',
        UPGRADE + "test_s5_compression_is_never_agreed_on",
    ),
    Takeout(
        "S6",
        FRAMES,
        "if self._message > self._limits.frame:",
        "if length > self._limits.frame:",
        HOSTILE + "test_s6_a_message_is_bounded_in_bytes_while_it_arrives",
    ),
    Takeout(
        "S6",
        FRAMES,
        "if self._pieces > self._limits.fragments:",
        "if self._pieces > 1 << 30:",
        HOSTILE + "test_s6_a_message_is_bounded_in_bytes_while_it_arrives",
    ),
    Takeout(
        "S6",
        CLIENT,
        "            return self._inbound.receive(self.until)\n",
        "            return self._stream.receive(5)\n",
        HOSTILE_SERVER + "test_s6_s7_frames_that_break_the_rules_end_the_connection",
    ),
    Takeout(
        "S6",
        "bpost/net/inbound.py",
        "raise WebSocketError(fault.code, str(fault))",
        "raise fault",
        HOSTILE + "test_s6_a_connection_that_was_at_fault_leaves_no_garbage",
    ),
    Takeout(
        "S7",
        FRAMES,
        "elif opcode == BINARY:",
        "elif opcode is None:",
        HOSTILE + "test_s7_a_binary_message_is_closed_with_1003",
    ),
    Takeout(
        "S7",
        FRAMES,
        "if self._control and not self._skip:",
        "if False:",
        HOSTILE + "test_s7_pings_between_fragments_are_answered",
    ),
    Takeout(
        "S7",
        SERVER,
        "last=holds_close(frames)",
        "last=False",
        HOSTILE + "test_s7_nothing_is_sent_after_a_close",
    ),
    Takeout(
        "S7",
        FRAMES,
        "if self._control and not self._skip:",
        "if False:",
        "tests.net.test_conversations.ConversationsTest."
        "test_s7_each_conversation_goes_as_the_standard_has_it",
    ),
    Takeout(
        "S8",
        FRAMES,
        "if self._pings > self._limits.pings_per_second:",
        "if self._pings > 1 << 30:",
        HOSTILE + "test_s8_a_ping_flood_is_closed_with_1008_while_the_server_pushes",
    ),
    Takeout(
        "S9",
        SERVER,
        "        self._outbound.put((frames,), last=holds_close(frames))\n",
        "        self._stream._tls.write(frames)\n"
        "        self._stream._sock.send(self._stream._outgoing.read())\n",
        SENDING + "test_s9_eight_senders_and_pongs_never_mix",
    ),
    Takeout(
        "S1",
        STREAM,
        'struct.pack("ii", 1, 0)',
        'struct.pack("ii", 0, 0)',
        "tests.net.test_tls_stream.StreamTest.test_s1_a_peer_whose_sending_is_stuck_learns_of_a_cut",
    ),
    Takeout(
        "S1",
        STREAM,
        "        self._ended = True  # the system may hold megabytes that nobody wants any more\n",
        "",
        "tests.net.test_tls_stream.StreamTest.test_s1_a_peer_whose_sending_is_stuck_learns_of_a_cut",
    ),
    Takeout(
        "S10",
        SERVER,
        "        self._stream.drain(deadline)\n",
        "",
        SENDING + "test_s10_unread_input_does_not_destroy_what_is_under_way",
    ),
    Takeout(
        "S10",
        SERVER,
        "        self._outbound.flush(deadline)\n        self._stream.finish()\n",
        "        self._stream.shutdown()\n",
        SENDING + "test_s10_unread_input_does_not_destroy_what_is_under_way",
    ),
    Takeout(
        "S10",
        OUTBOUND,
        "            self._put(frames)\n            self._end_within(self._limits.close_seconds)\n",
        "            self._put(frames)\n",
        SENDING + "test_s10_a_client_that_does_not_answer_a_close_is_cut_off",
    ),
    Takeout(
        "S10",
        STREAM,
        "        self._ended = True  # the system may hold megabytes that nobody wants any more\n",
        "",
        SENDING + "test_s10_a_client_that_is_cut_off_is_not_heard_to_the_end",
    ),
    Takeout(
        "S11",
        STREAM,
        "if sent == len(self._owed) else memoryview(self._owed)[sent:]",
        "if sent else b''",
        SENDING + "test_s11_a_slow_reader_gets_a_large_message_whole",
    ),
    Takeout(
        "S29",
        OUTBOUND,
        "if self.queued + size > self._limits.outbound_queue and not self._last:",
        "if False:",
        SENDING + "test_s29_a_client_that_does_not_read_is_closed_and_others_are_not",
    ),
    Takeout(
        "S29",
        OUTBOUND,
        "elif since is not None and now - since >= self._limits.send_seconds:",
        "elif False:",
        SENDING + "test_s29_a_frame_that_waits_too_long_closes_the_connection",
    ),
    Takeout(
        "S30",
        STREAM,
        "            self._push(None, patient=False)\n            owed",
        "            self._push(None)\n            owed",
        SENDING + "test_s30_a_sender_never_waits_for_frozen_receivers",
    ),
    Takeout(
        "S35",
        STREAM,
        "        with self._read_lock, self._wire_lock:\n            self._sock.close()\n",
        "        self._sock.close()\n",
        THREADS + "test_s35_a_descriptor_is_given_back_when_the_last_thread_has_left",
    ),
    Takeout(
        "S57",
        CERTIFICATES,
        "stat.S_IMODE(path.stat().st_mode) & 0o077",
        "stat.S_IMODE(path.stat().st_mode) & 0o007",
        OWN + "test_s57_an_exposed_key_is_refused_with_the_command_that_mends_it",
    ),
    Takeout(
        "S62",
        TLS,
        'CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"',
        'CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES"',
        OFFER + "test_s62_only_forward_secret_suites_with_aead_are_agreed_on",
    ),
    Takeout(
        "S62",
        TLS,
        "TLSv1_2\n    context.set_ciphers(CIPHERS)\n",
        'TLSv1\n    context.set_ciphers("ALL:@SECLEVEL=0")\n',
        OFFER + "test_s62_only_tls_1_2_and_1_3_are_spoken",
    ),
    Takeout(
        "S62",
        "bpost/server/__main__.py",
        "restricted = restrict_groups()",
        "restricted = True",
        OFFER + "test_s62_only_groups_that_are_needed_are_agreed_on",
    ),
    Takeout(
        "S62",
        TLS,
        "ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION",
        "ssl.OP_NO_COMPRESSION",
        CHANGE + "test_s62_a_client_cannot_have_keys_renegotiated",
    ),
    Takeout(
        "S63",
        TLS,
        "    if pin is not None:\n",
        "    if True:\n",
        TRUST + "test_s63_each_fault_is_refused_and_named",
    ),
    Takeout(
        "S63",
        TLS,
        "    context.verify_flags |= ssl.VERIFY_X509_STRICT\n",
        "    context.check_hostname = False\n",
        TRUST + "test_s63_another_address_is_refused",
    ),
    Takeout(
        "S63",
        CLIENT,
        "if address.pin is not None and not hmac.compare_digest(pin, address.pin):",
        "if address.pin and not hmac.compare_digest(pin[:4], address.pin[:4]) and ca_file is None:",
        TRUST + "test_s63_a_wrong_pin_is_refused_before_a_byte_is_sent",
    ),
    Takeout(
        "S64",
        CERTIFICATES,
        "        .add_extension(serves, critical=False)\n",
        "",
        OWN + "test_s64_leaf_and_ca_say_what_they_are_for",
    ),
    Takeout(
        "S64",
        CERTIFICATES,
        "_builder(name, ca.subject, key, ca_key, now, LEAF_LIFE)",
        "_builder(name, name, key, key, now, LEAF_LIFE)",
        OWN + "test_s64_openssl_accepts_the_chain_strictly",
    ),
    Takeout(
        "S64",
        CERTIFICATES,
        "        .add_extension(signer, critical=False)\n",
        "",
        OWN + "test_s64_a_strict_verifier_accepts_the_chain",
    ),
    Takeout(
        "S64",
        CERTIFICATES,
        "        and _vouches(ca, leaf)\n",
        "",
        OWN + "test_s64_a_leaf_of_another_authority_is_replaced_and_the_pin_stays",
    ),
    Takeout(
        "S64",
        CERTIFICATES,
        "_write(files.certificate, _pem(leaf), 0o644)",
        "_write(files.certificate, _pem(leaf) + _pem(ca), 0o644)",
        OWN + "test_s64_the_authority_itself_is_not_sent",
    ),
    Takeout(
        "S65",
        STREAM,
        "if not heard and data[0] not in _FIRST_BYTES:",
        "if False:",
        TRUST + "test_s65_a_server_that_answers_in_clear_is_refused",
    ),
    Takeout(
        "S65",
        "bpost/net/address.py",
        'if parts.scheme in ("ws", "http"):',
        "if False:",
        "tests.net.test_address.AddressTest.test_s65_an_address_without_encryption_is_refused",
    ),
    Takeout(
        "S65",
        CLIENT,
        "                redirect_limit=0,\n",
        "",
        HOSTILE_SERVER + "test_s65_a_redirect_is_not_followed",
    ),
    Takeout(
        "S66",
        TLS,
        "        with self._lock:\n            self._current = self._load()\n",
        "        self._load()\n",
        CHANGE + "test_s66_new_connections_get_the_new_certificate_and_old_ones_go_on",
    ),
    Takeout(
        "S66",
        TLS,
        "            self._current = self._load()\n",
        "            del self._current\n            self._current = self._load()\n",
        CHANGE + "test_s66_bad_files_keep_the_old_certificate",
    ),
    Takeout(
        "S67",
        STREAM,
        "                parts.append(self._outgoing.read())\n",
        "                parts.append(bytes(view[start : start + SLICE]))\n",
        "tests.net.test_tls_stream.CleartextTest."
        "test_s67_nothing_leaves_in_clear_however_a_connection_ends",
    ),
    Takeout(
        "S69",
        TLS,
        "    context.num_tickets = 0\n",
        "    context.num_tickets = 2\n",
        CHANGE + "test_s69_no_tickets_are_issued_in_either_version",
    ),
    Takeout(
        "S69",
        TLS,
        "    context.num_tickets = 0\n",
        "",
        THREADS + "test_s69_no_session_tickets_are_issued",
    ),
    Takeout(
        "S69",
        "bpost/net/sockets.py",
        "    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n",
        "",
        THREADS + "test_s69_small_frames_leave_at_once",
    ),
    Takeout(
        "S70",
        STREAM,
        "self._tls_lock = threading.Lock()",
        "self._tls_lock = contextlib.nullcontext()",
        RACE + "test_s70_both_directions_are_saturated",
    ),
    Takeout(
        "S70",
        STREAM,
        "self._tls_lock = threading.Lock()",
        "self._tls_lock = contextlib.nullcontext()",
        RACE + "test_s70_many_connections_start",
    ),
    Takeout(
        "S70",
        STREAM,
        "            if self._reply_waits:\n                self._flush_reply()\n",
        "            if self._reply_waits:\n"
        "                self._sock.send(self._outgoing.read())\n",
        RACE + "test_s70_the_peer_asks_for_new_keys",
    ),
    Takeout(
        "S70",
        STREAM,
        "                raw = self._receive(deadline)\n",
        "                with self._wire_lock:\n"
        "                    raw = self._receive(deadline)\n",
        THREADS + "test_s70_a_send_never_waits_for_a_half_received_record",
    ),
    Takeout(
        "S70",
        STREAM,
        "            self._sock.shutdown(socket.SHUT_RDWR)\n",
        "            pass\n",
        THREADS + "test_s70_close_wakes_a_reader_and_all_senders",
    ),
    Takeout(
        "S6",
        "bpost/net/texts.py",
        "if upto > end or size > most:",
        "if upto > end:",
        TEXTS + "test_s6_a_message_over_the_bound_is_not_plain",
    ),
    Takeout(
        "S7",
        "bpost/net/texts.py",
        "            if size < _SHORTEST_OF_TWO:\n                break\n",
        "",
        TEXTS + "test_s7_what_is_not_plain_is_left_from_its_first_byte_on",
    ),
    Takeout(
        "S7",
        "bpost/net/texts.py",
        "        except UnicodeDecodeError:\n            break\n",
        '        except UnicodeDecodeError:\n            text = ""\n',
        TEXTS + "test_s7_what_is_not_plain_is_left_from_its_first_byte_on",
    ),
    Takeout(
        "S8",
        "bpost/net/inbound.py",
        "            self._watch.take_pong()\n",
        "",
        TEXTS + "test_s8_pongs_that_come_one_by_one_are_counted",
    ),
]
