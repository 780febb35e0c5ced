"""What was sent in Microsoft's dialect is told by what is on disk, and nothing else is."""

from perdure.core.events import ExecutionStalled, Router, StallReason, TaskScheduled
from perdure.proving.dialects import forms_of
from perdure.wire.events import encode
from perdure.wire.work_items import for_microsoft

SCHEDULED = encode(
    TaskScheduled(
        at_us=1, event_id=1, router=Router(source_app="app"), name="act", execution_id="x"
    )
)


def test_an_event_is_known_as_it_is_stored_and_as_it_is_sent() -> None:
    (sent,) = for_microsoft([SCHEDULED])
    assert sent != SCHEDULED
    assert forms_of([SCHEDULED]) == {sent: SCHEDULED, SCHEDULED: SCHEDULED}


def test_a_stall_is_never_sent() -> None:
    reason = StallReason.PATCH_MISMATCH
    stall = encode(ExecutionStalled(at_us=1, event_id=-1, reason=reason, description=""))
    assert forms_of([stall]) == {stall: stall}
