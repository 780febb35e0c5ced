"""Propagated history from bytes to records."""

import pytest

from perdure.base.errors import CallerFault
from perdure.core.events import Failure, PropagationScope, TaskFailed, TaskScheduled
from perdure.core.lineage import Chunk, Lineage
from perdure.wire.encoding import encode
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.lineage import lineage_of
from perdure.wire.work_items import propagated_history


def test_chunks_are_read_with_their_failures() -> None:
    scheduled = TaskScheduled(at_us=5, event_id=1, name="charge")
    failed = TaskFailed(at_us=6, task_id=1, failure=Failure("E", "no", non_retriable=False))
    chunk = pb.PropagatedChunk(
        events=[encode(scheduled), encode(failed)],
        app_id="shop",
        instance_id="order-1",
        workflow_name="order",
    )
    data = propagated_history(PropagationScope.OWN_HISTORY, chunk, None)
    wanted = Chunk("shop", "order-1", "order", (scheduled, failed))
    assert lineage_of(data) == Lineage(PropagationScope.OWN_HISTORY, (wanted,))


def test_what_is_none_is_refused() -> None:
    with pytest.raises(CallerFault, match="cannot be parsed"):
        lineage_of(b"\xff")
