"""Activities as work items name them, as records."""

from perdure.core.events import TaskScheduled
from perdure.wire.fields import trace_of
from perdure.wire.generated import work_pb2 as pb
from perdure.worker.calls import ActivityCall


def call_of(request: pb.ActivityRequest) -> ActivityCall:
    """Return what a worker is asked to run. When it was scheduled, an item does not tell."""
    scheduled = TaskScheduled(
        at_us=0,
        event_id=request.task_id,
        name=request.name,
        version=request.version.value if request.HasField("version") else None,
        input=request.input.value if request.HasField("input") else None,
        execution_id=request.execution_id,
        trace=trace_of(request.trace) if request.HasField("trace") else None,
    )
    propagated = request.propagated if request.HasField("propagated") else None
    return ActivityCall(request.instance.instance_id, scheduled, propagated)
