"""What of the gRPC door can be set."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from perdure.base.limits import (
    INSTANCE_ID_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    STREAM_SEND_TIMEOUT_US,
    STREAMS_MAX,
)
from perdure.base.time import SECOND_US

# Microsoft's worker takes a stream for dead after 120 seconds without a message; half of that is
# the promise, and a busy machine gets a margin.
PING_AFTER_US: Final = 45 * SECOND_US


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of TLS, in PEM. With `client_ca`, clients must prove who they are (mTLS)."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSettings:
    """The settings of the gRPC door; `token` None asks for no token, `tls` None is plain text."""

    hosts: tuple[str, ...]
    token: str | None = field(repr=False)
    tls: TlsFiles | None
    message_bytes_max: int = MESSAGE_BYTES_MAX
    instance_id_bytes_max: int = INSTANCE_ID_BYTES_MAX
    instance_id_extra_characters: str = ""
    streams_max: int = STREAMS_MAX
    send_timeout_us: int = STREAM_SEND_TIMEOUT_US
    ping_after_us: int = PING_AFTER_US

    def __post_init__(self) -> None:
        """Refuse what no door could be opened with."""
        assert self.hosts, "a server listens somewhere"
        assert self.token != "", "no token is None"
        assert self.message_bytes_max > 0
        assert self.send_timeout_us > 0
        assert self.ping_after_us > 0
