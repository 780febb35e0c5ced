"""What of all that a run has begun is below its instance."""

import json

from temporalio.api.common.v1 import Memo, Payload
from temporalio.api.history.v1 import (
    HistoryEvent,
    StartChildWorkflowExecutionInitiatedEventAttributes,
)

from perdure.bridge import names
from perdure.bridge.purges import child_in


def begun(memo: dict[str, object]) -> HistoryEvent:
    fields = {key: Payload(data=json.dumps(each).encode()) for key, each in memo.items()}
    return HistoryEvent(
        start_child_workflow_execution_initiated_event_attributes=(
            StartChildWorkflowExecutionInitiatedEventAttributes(
                workflow_id="begun", memo=Memo(fields=fields)
            )
        )
    )


def test_a_child_is_below_its_parent() -> None:
    assert child_in(begun({names.ORIGIN: {"parentInstanceID": "a parent"}})) == "begun"


def test_a_detached_workflow_and_an_activity_that_nobody_awaits_are_not() -> None:
    assert child_in(begun({names.ORIGIN: {"parentInstanceID": None}})) is None
    assert child_in(begun({})) is None
    assert child_in(HistoryEvent()) is None
