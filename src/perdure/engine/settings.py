"""What of the engine can be set (behaviour.md 4.14, and bounds of our own)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from perdure.base.limits import (
    LEASE_BEAT_PERCENT,
    LEASE_CALM_PERCENT,
    LEASE_MARGIN_PERCENT,
    LEASE_TTL_US,
    MESSAGE_BYTES_MAX,
    READY_QUEUE_MAX,
    RECEIPTS_KEPT_US,
    RESIDENT_BYTES_MAX,
    RESIDENTS_MAX,
    RESULT_WAITS_TURN_PERCENT_MAX,
)
from perdure.core.access import OPEN, Access
from perdure.core.status import Status
from perdure.store.sharing import SharedStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What a node that shares its store with others is, and how its leases go."""

    store: SharedStore
    node: str  # names this life of this process among all that ever were
    name: str  # for people
    lease_ttl_us: int = LEASE_TTL_US

    @property
    def beat_us(self) -> int:
        """How often leases are renewed: three times before they would run out."""
        return self.lease_ttl_us * LEASE_BEAT_PERCENT // 100

    @property
    def calm_us(self) -> int:
        """How long after being called to look at the leases the next call is answered at most."""
        return self.beat_us * LEASE_CALM_PERCENT // 100

    @property
    def margin_us(self) -> int:
        """How long before the end of its leases a node takes them for run out."""
        return self.lease_ttl_us * LEASE_MARGIN_PERCENT // 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """The engine's settings. None means no bound; a missing retention means for ever."""

    app_id: str
    message_bytes_max: int = MESSAGE_BYTES_MAX
    turns_max: int | None = None
    activities_max: int | None = None
    turns_max_by_name: Mapping[str, int] = field(default_factory=dict)
    activities_max_by_name: Mapping[str, int] = field(default_factory=dict)
    retention_us: Mapping[Status, int] = field(default_factory=dict)
    access: Access = OPEN  # what apps may do in other apps
    receipts_us: int = RECEIPTS_KEPT_US  # for how long a message that comes again is known
    trace_all: bool = False  # begin a trace for starts that bring none
    result_waits_us: int = 0  # for the turn that it is to land with (`engine.together`)
    turn_percent_max: int = RESULT_WAITS_TURN_PERCENT_MAX  # of a commit's time, to be waited for
    ready_max: int = READY_QUEUE_MAX  # of each kind and app
    residents_max: int = RESIDENTS_MAX
    resident_bytes_max: int = RESIDENT_BYTES_MAX
