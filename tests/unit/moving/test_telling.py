"""What a server tells of an instance, as far as that is known."""

import pytest

from perdure.base.errors import CallerFault
from perdure.core.events import ExecutionStarted, ParentLink, WorkflowStarted
from perdure.core.status import Status
from perdure.moving.telling import told_whole
from perdure.store.checks import check_whole
from perdure.wire.events import encode

_TOLD = {
    "instanceID": "child",
    "workflowName": "ship",
    "appID": "shop",
    "executionID": "run",
    "runtimeStatus": "COMPLETED",
    "createdAt": "2026-01-01T00:00:00Z",
    "lastUpdatedAt": "2026-01-01T00:00:02Z",
    "completedAt": "2026-01-01T00:00:02Z",
}
_EVENTS = [
    encode(WorkflowStarted(at_us=1)),
    encode(
        ExecutionStarted(
            at_us=1,
            name="ship",
            instance_id="child",
            execution_id="run",
            version="2",
            tags=(("a", "b"),),
            parent=ParentLink("order", "run of order", "order", None, 7, app_id="other"),
        )
    ),
]


def test_what_is_told_is_kept() -> None:
    whole = told_whole(_TOLD, _EVENTS)
    check_whole(whole)
    identity = whole.identity
    assert (identity.instance_id, identity.name, identity.app_id) == ("child", "ship", "shop")
    assert (identity.version, identity.tags) == ("2", (("a", "b"),))
    assert (identity.parent_id, identity.parent_app_id, identity.parent_task_id) == (
        "order",
        "other",
        7,
    )
    assert identity.parent_key is None
    assert [row.event for row in whole.history] == _EVENTS
    assert [row.kind for row in whole.history] == [14, 3]
    completed_us, created_us = whole.head.completed_at_us, whole.head.created_at_us
    assert completed_us is not None
    assert completed_us - created_us == 2_000_000


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("PENDING", Status.PENDING),
        ("RUNNING", Status.RUNNING),
        ("SUSPENDED", Status.RUNNING),
        ("STALLED", Status.RUNNING),
        ("FAILED", Status.FAILED),
    ],
)
def test_the_phase_is_what_lies_beneath_the_status(status: str, phase: Status) -> None:
    whole = told_whole({**_TOLD, "runtimeStatus": status}, [])
    assert whole.head.phase == phase
    check_whole(whole)


def test_what_is_no_event_is_told() -> None:
    with pytest.raises(CallerFault):
        told_whole(_TOLD, [b"\xff"])


@pytest.mark.parametrize("status", [None, "", "UNHEARD_OF", 1])
def test_a_status_that_nobody_knows_is_told(status: object) -> None:
    with pytest.raises(CallerFault, match="runtimeStatus"):
        told_whole({**_TOLD, "runtimeStatus": status}, [])
