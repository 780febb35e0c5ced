"""What of the bridge can be set."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from perdure.base.limits import MESSAGE_BYTES_MAX
from perdure.components.temporal.settings import TemporalSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSettings:
    """The bridge's settings; None means no bound."""

    cluster: TemporalSettings
    app_id: str
    queues: str  # the pattern of the task queues' names, see `envelope.queue_of`
    message_bytes_max: int = MESSAGE_BYTES_MAX
    turns_max: int | None = None
    activities_max: int | None = None
    turns_max_by_name: Mapping[str, int] = field(default_factory=dict)
    activities_max_by_name: Mapping[str, int] = field(default_factory=dict)
