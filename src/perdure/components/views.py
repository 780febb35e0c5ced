"""What the store and the engine know of an instance, as readers see it."""

from dataclasses import dataclass
from typing import Final

from perdure.components.catalog import EMBEDDED
from perdure.components.port import FailureView, InstanceView, TaskView
from perdure.core.events import ExecutionCompleted, ExecutionStarted, StallReason
from perdure.core.status import STATUSES, TERMINAL
from perdure.core.views import Wait
from perdure.store.port import Snapshot, TaskRow
from perdure.wire.events import decode_stored
from perdure.wire.fields import failure_bytes, parse_failure
from perdure.wire.generated import history_pb2 as pb


@dataclass(frozen=True, slots=True)
class Payloads:
    """An instance's input, output and failure."""

    input: str | None
    output: str | None
    failure: bytes | None


NO_PAYLOADS: Final = Payloads(None, None, None)


def payloads_of(
    started: ExecutionStarted | bytes | None, completed: ExecutionCompleted | bytes | None
) -> Payloads:
    """Return the payloads of the events that hold them, stored or as records."""
    start = decode_stored(started) if isinstance(started, bytes) else started
    end = decode_stored(completed) if isinstance(completed, bytes) else completed
    assert start is None or isinstance(start, ExecutionStarted), start
    assert end is None or isinstance(end, ExecutionCompleted), end
    return Payloads(
        None if start is None else start.input,
        None if end is None else end.result,
        None if end is None else failure_bytes(end.failure),
    )


def failure_view(failure: bytes) -> FailureView:
    """Return a serialized TaskFailureDetails as people read it."""
    return _failure_view(parse_failure(failure))


def _failure_view(message: pb.FailureDetails) -> FailureView:
    return FailureView(
        error_type=message.error_type,
        message=message.message,
        stack_trace=message.stack_trace.value if message.HasField("stack_trace") else None,
        inner=_failure_view(message.inner) if message.HasField("inner") else None,
        non_retriable=message.non_retriable,
    )


def view_of(snapshot: Snapshot, payloads: Payloads | None) -> InstanceView:
    """Return an instance as readers see it; without payloads if None."""
    identity, head = snapshot.identity, snapshot.head
    found = payloads or NO_PAYLOADS
    return InstanceView(
        instance_id=identity.instance_id,
        name=identity.name,
        component=EMBEDDED,
        app_id=identity.app_id,
        status=STATUSES[snapshot.status],
        execution_id=identity.execution_id,
        created_at_us=head.created_at_us,
        started_at_us=head.started_at_us,
        updated_at_us=head.updated_at_us,
        completed_at_us=head.completed_at_us,
        scheduled_start_us=identity.scheduled_start_us,
        # To Dapr's engine an empty one is none (decision 0040).
        custom_status=head.custom_status or None,
        input=found.input,
        output=found.output,
        failure=None if found.failure is None else failure_view(found.failure),
        failure_wire=found.failure,
        tags=identity.tags,
        parent_id=identity.parent_id,
        parent_app_id=identity.parent_app_id,
        version=head.version_name or identity.version,
        history_length=head.history_length,
        history_bytes=head.history_bytes,
        waits_for=_waits_for(snapshot),
        waits_since_us=None if head.phase in TERMINAL else head.waits_since_us,
        next_wake_us=head.next_wake_us,
    )


def _waits_for(snapshot: Snapshot) -> str:
    """Return what has to come before an instance moves on, the nearest cause first."""
    if snapshot.head.phase in TERMINAL:
        return Wait.NOTHING
    if snapshot.head.stalled is not None:
        what = "larger messages" if _is_too_large(snapshot.head.stalled) else "a fitting worker"
        return f"{what} ({snapshot.head.stalled})"
    if snapshot.suspended:
        return "resume"
    if snapshot.held:
        return Wait.START_TIME
    return Wait.TURN if snapshot.inbox_length else snapshot.head.waits_for


def _is_too_large(stalled: str) -> bool:
    return stalled.startswith(StallReason.PAYLOAD_SIZE_EXCEEDED.name)


def task_view(row: TaskRow) -> TaskView:
    """Return an activity as readers see it."""
    return TaskView(
        task_id=row.add.task_id,
        name=row.add.name,
        app_id=row.add.app_id,
        scheduled_at_us=row.add.scheduled_at_us,
        handed_out_at_us=row.handed_out_at_us,
        worker=row.worker,
        attempts=row.attempts,
        finished_at_us=row.finished_at_us,
        failed=row.failed,
    )
