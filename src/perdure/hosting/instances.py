"""A workflow instance as Python people read it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from perdure.authoring.payloads import from_json
from perdure.components.port import FailureView, InstanceView
from perdure.core.status import TERMINAL, Status

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What is known of an instance at one moment. Times are in UTC.

    `input`, `output` and `custom_status` are values where they are JSON, else the text; they are
    None where there is none, and in listings that were not asked for payloads.
    """

    id: str
    workflow: str
    status: Status
    app_id: str
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    completed_at: datetime | None
    input: Any
    output: Any
    output_text: str | None
    custom_status: Any
    failure: FailureView | None
    tags: dict[str, str]
    parent_id: str | None
    version: str | None
    history_length: int
    waits_for: str
    next_wake_at: datetime | None

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.status in TERMINAL


def instance_of(view: InstanceView) -> Instance:
    """Return a view of a component as an instance."""
    return Instance(
        id=view.instance_id,
        workflow=view.name,
        status=view.status,
        app_id=view.app_id,
        created_at=moment_of(view.created_at_us),
        started_at=_moment(view.started_at_us),
        updated_at=moment_of(view.updated_at_us),
        completed_at=_moment(view.completed_at_us),
        input=_value(view.input),
        output=_value(view.output),
        output_text=view.output,
        custom_status=_value(view.custom_status),
        failure=view.failure,
        tags=dict(view.tags),
        parent_id=view.parent_id,
        version=view.version,
        history_length=view.history_length,
        waits_for=view.waits_for,
        next_wake_at=_moment(view.next_wake_us),
    )


def moment_of(at_us: int) -> datetime:
    """Return microseconds since 1970 as a moment in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def microseconds_of(moment: datetime) -> int:
    """Return a moment as microseconds since 1970; one without a zone is in UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def _moment(at_us: int | None) -> datetime | None:
    return None if at_us is None else moment_of(at_us)


def _value(text: str | None) -> Any:
    if not text:
        return None
    try:
        return from_json(text)
    except ValueError:
        return text
