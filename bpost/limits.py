"""Every bound and timeout of BPost, in one frozen dataclass (PROTOCOL: Limits).

Sizes are bytes, times are seconds, unless the name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

KIB = 1024
MIB = 1024 * KIB
DAY = 24 * 3600


@dataclass(frozen=True)
class Rate:
    """A token bucket: ``count`` events in ``seconds``, at most ``burst`` of them at once."""

    count: float
    seconds: float
    burst: float | None = None

    @property
    def capacity(self) -> float:
        """How many events may come at once."""
        return self.count if self.burst is None else self.burst


@dataclass(frozen=True)
class Limits:
    """The bounds that client and server keep, each a setting with this default."""

    # What is said.
    frame: int = 256 * KIB
    message: int = 192 * KIB
    signal: int = 16 * KIB
    public_key: int = 4 * KIB
    succession: int = 4 * KIB
    device_bundle: int = 16 * KIB
    one_time_key: int = 1 * KIB
    vault: int = 64 * KIB
    device_name: int = 1 * KIB
    ref: int = 64
    invite: int = 256
    sentence: int = 1 * KIB
    fields: int = 16
    mailbox: int = 256 * MIB
    contacts: int = 10_000
    devices: int = 10
    one_time_keys: int = 100
    one_time_keys_low: int = 20
    log_links: int = 2_000
    log_entries: int = 20

    # How bytes move.
    http_request: int = 8 * KIB
    http_headers: int = 64
    handshake_seconds: float = 10.0
    log_in_seconds: float = 30.0
    ping_seconds: float = 25.0
    silence_seconds: float = 60.0
    pings_per_second: int = 10
    fragments: int = 4096
    fragments_per_second: int = 4096
    close_seconds: float = 2.0
    send_seconds: float = 20.0
    outbound_queue: int = 4 * MIB
    unacknowledged: int = 20 * MIB

    # How often (server).
    rates: bool = True
    log_ins_account: Rate = Rate(10, 60)
    log_ins_address: Rate = Rate(60, 60)
    registrations_address: Rate = Rate(5, 3600)
    sends: Rate = Rate(50, 1, burst=200)
    bundles: Rate = Rate(30, 60)
    bundles_pair: Rate = Rate(10, 600)
    requests: Rate = Rate(100, 1, burst=400)
    key_changes: Rate = Rate(60, 3600)
    excess: Rate = Rate(100, 1, burst=2_000)

    # How long things are kept.
    retention_seconds: float = 30 * DAY
    plain_seconds: float = 7 * DAY
    signed_prekey_seconds: float = 7 * DAY
    old_prekey_seconds: float = 30 * DAY
    bundle_seconds: float = 60 * DAY
    clock_error_seconds: float = 1 * DAY
    stale_session_seconds: float = 30 * DAY
    skipped_key_seconds: float = 30 * DAY

    # The ratchet and the envelope.
    skip: int = 1_000
    skipped_stored: int = 2_000
    skipped_total: int = 20_000
    sessions_per_device: int = 5
    one_sided: int = 50
    counter: int = 1 << 31
    envelope_devices: int = 24

    # What is missing, and asked for again.
    missing_seconds: float = 2.0
    inquiry_seconds: float = 3600.0
    inquiries: int = 60
    retries: int = 3
    nudge_seconds: float = 600.0
    resend_seconds: float = 14 * DAY

    # A new device of the account, and its earlier messages.
    history_page: int = 64 * KIB
    history_pages: int = 4
    history_bytes: int = 128 * MIB
    history_seconds: float = 60.0
    link_seconds: float = 300.0

    # Changing what one has said.
    edit_seconds: float = 1 * DAY
    changes_kept: int = 200

    # The client.
    acknowledge_after: int = 64
    acknowledge_seconds: float = 0.2
    request_seconds: float = 30.0
    reconnect_first: float = 1.0
    reconnect_most: float = 60.0
    events: int = 10_000

    def without_rates(self) -> Limits:
        """Return the same sizes with no rates, for measuring on loopback."""
        return replace(self, rates=False)
