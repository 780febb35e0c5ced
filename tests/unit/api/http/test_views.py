"""Instances as JSON, where an engine seldom goes."""

from perdure.api.http.views import (
    FIELDS,
    instance_json,
    released_json,
    released_properties,
    task_json,
)
from perdure.components.port import FailureView, InstanceView, TaskView
from perdure.core.status import Status
from perdure.wire.json_api.text import write

VIEW = InstanceView(
    instance_id="i",
    name="W",
    component="temporal",
    app_id="shop",
    status=Status.FAILED,
    execution_id="e",
    created_at_us=0,
    started_at_us=1_000,
    updated_at_us=1_000_000,
    completed_at_us=1_500_000,
    scheduled_start_us=5,
    custom_status="half",
    input="{",
    output="1.10",
    failure=FailureView("T", "m", None, FailureView("U", "n", "s"), non_retriable=True),
    failure_wire=b"",
    tags=(("a", "1"),),
    parent_id="p",
    parent_app_id="q",
    version="2",
    history_length=3,
    history_bytes=4,
    waits_for="nothing",
    waits_since_us=6,
    next_wake_us=7,
    properties=(("taskQueue", "orders"),),
)


def test_everything_that_is_known_is_shown() -> None:
    shown = instance_json(VIEW, frozenset(FIELDS))
    assert tuple(shown) == FIELDS
    assert shown["properties"] == {"taskQueue": "orders"}
    assert (shown["createdAt"], shown["startedAt"]) == (
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.001Z",
    )
    assert write(shown).endswith('"properties":{"taskQueue":"orders"}}')
    assert '"customStatus":"half","input":"{","output":1.10,' in write(shown)


def test_only_what_is_wanted_is_shown() -> None:
    assert instance_json(VIEW, frozenset({"version"})) == {"version": "2"}


def test_the_released_form_of_a_failure() -> None:
    assert released_properties(VIEW) == {
        "dapr.workflow.custom_status": "half",
        "dapr.workflow.input": "{",
        "dapr.workflow.output": "1.10",
        "dapr.workflow.failure.error_type": "T",
        "dapr.workflow.failure.error_message": "m",
        "taskQueue": "orders",
    }
    assert tuple(released_json(VIEW)) == (
        "instanceID",
        "workflowName",
        "createdAt",
        "lastUpdatedAt",
        "runtimeStatus",
        "properties",
    )


def test_how_far_an_activity_has_come() -> None:
    states = {
        (None, None, False): "SCHEDULED",
        (2, None, False): "HANDED_OUT",
        (2, 3, False): "COMPLETED",
        (2, 3, True): "FAILED",
    }
    for (handed_out, finished, failed), state in states.items():
        task = TaskView(
            task_id=1,
            name="A",
            app_id="shop",
            scheduled_at_us=1,
            handed_out_at_us=handed_out,
            worker=None,
            attempts=0,
            finished_at_us=finished,
            failed=failed,
        )
        assert task_json(task)["state"] == state
