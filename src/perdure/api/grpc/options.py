"""How the transport behaves: message sizes, metadata sizes and keepalive."""

from typing import Final

from perdure.api.grpc.settings import GrpcSettings
from perdure.base.limits import KIB, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX
from perdure.transport.options import Options

# A worker whose machine is gone says nothing. It is asked after a quiet minute and given up after
# another one: a worker that computes for long in its only thread must not be taken for dead.
# Workers may ping as often as they like, with and without a call.
SERVER_PING_AFTER_S: Final = 60.0
SERVER_PING_TIMEOUT_S: Final = 60.0

# How long anybody may take to say something that makes sense.
PATIENCE_S: Final = 10.0

# All tags that a start may have, as request metadata, and room for what else is there.
METADATA_BYTES_MAX: Final = TAGS_MAX * (TAG_KEY_CHARS_MAX + TAG_VALUE_CHARS_MAX + 64) + 16 * KIB


def transport_options(settings: GrpcSettings) -> Options:
    """Return how the transport is to behave."""
    return Options(
        message_bytes_max=settings.message_bytes_max,
        header_bytes_max=METADATA_BYTES_MAX,
        patience_s=PATIENCE_S,
        ping_after_s=SERVER_PING_AFTER_S,
        ping_timeout_s=SERVER_PING_TIMEOUT_S,
    )
