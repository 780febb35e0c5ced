"""What the server tells of instances, events and activities, as records to render from.

The JSON itself is kept beside the record: `--json` prints what the server said, whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

from perdure.cli.printable import printable
from perdure.cli.times import parse_us

JsonObject: TypeAlias = Mapping[str, Any]
UNFINISHED: Final = ("PENDING", "RUNNING", "SUSPENDED", "STALLED")
FINISHED: Final = frozenset({"COMPLETED", "FAILED", "CANCELED", "TERMINATED"})


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance as the document form's GET and the list show it. Times in microseconds."""

    raw: JsonObject
    instance_id: str
    name: str
    status: str
    created_at_us: int | None
    started_at_us: int | None
    updated_at_us: int | None
    completed_at_us: int | None
    waits_for: str
    waits_since_us: int | None
    next_wake_us: int | None
    parent_id: str
    history_length: int

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        """Return the record of the server's JSON."""
        return cls(
            raw=raw,
            instance_id=str(raw["instanceID"]),
            name=_text(raw, "workflowName"),
            status=_text(raw, "runtimeStatus"),
            created_at_us=parse_us(raw.get("createdAt")),
            started_at_us=parse_us(raw.get("startedAt")),
            updated_at_us=parse_us(raw.get("lastUpdatedAt")),
            completed_at_us=parse_us(raw.get("completedAt")),
            waits_for=_text(raw, "waitsFor"),
            waits_since_us=parse_us(raw.get("waitsSince")),
            next_wake_us=parse_us(raw.get("nextWakeAt")),
            parent_id=_text(raw, "parentInstanceID"),
            history_length=int(raw.get("historyLength") or 0),
        )

    @property
    def is_finished(self) -> bool:
        """Whether the instance has ended."""
        return self.status in FINISHED

    @property
    def tags(self) -> Mapping[str, str]:
        """The key-value pairs saved at its start."""
        found: Mapping[str, str] = self.raw.get("tags") or {}
        return found

    @property
    def failure(self) -> JsonObject | None:
        """Why it failed: type, message, stackTrace and inner."""
        found: JsonObject | None = self.raw.get("failure")
        return found

    @property
    def duration_us(self) -> int | None:
        """How long it took, if it has ended."""
        first = self.started_at_us if self.started_at_us is not None else self.created_at_us
        if first is None or self.completed_at_us is None:
            return None
        return self.completed_at_us - first


def _text(raw: JsonObject, key: str) -> str:
    value = raw.get(key)
    return "" if value is None else printable(str(value))
