"""How the transport behaves: message sizes, metadata sizes and keepalive."""

from typing import Final

from perdure.api.grpc.settings import GrpcSettings
from perdure.base.limits import KIB, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX
from perdure.base.time import SECOND_US

# Workers ping every 30 seconds, with and without a call; some more often. None is a nuisance.
CLIENT_PING_INTERVAL_MIN_US: Final = 1 * SECOND_US

# A worker whose machine is gone says nothing. It is asked after a quiet minute and given up after
# another one: a worker that computes for long in its only thread must not be taken for dead.
SERVER_PING_AFTER_US: Final = 60 * SECOND_US
SERVER_PING_TIMEOUT_US: Final = 60 * SECOND_US

# Each blocked Wait* call and each worker holds one of a connection's streams.
CALLS_PER_CONNECTION_MAX: Final = 2**31 - 1

# All tags that a start may have, as request metadata, and room for what else is there.
METADATA_BYTES_MAX: Final = TAGS_MAX * (TAG_KEY_CHARS_MAX + TAG_VALUE_CHARS_MAX + 64) + 16 * KIB


def channel_options(settings: GrpcSettings) -> tuple[tuple[str, int], ...]:
    """Return the server's channel arguments."""
    return (
        # Two servers on one port would each get a part of the calls, and nobody would notice.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.message_bytes_max),
        ("grpc.max_send_message_length", settings.message_bytes_max),
        ("grpc.max_metadata_size", METADATA_BYTES_MAX),
        ("grpc.absolute_max_metadata_size", 2 * METADATA_BYTES_MAX),
        ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION_MAX),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", CLIENT_PING_INTERVAL_MIN_US // 1_000),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.keepalive_time_ms", SERVER_PING_AFTER_US // 1_000),
        ("grpc.keepalive_timeout_ms", SERVER_PING_TIMEOUT_US // 1_000),
    )
