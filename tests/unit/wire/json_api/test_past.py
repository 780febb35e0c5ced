"""Events come back from the JSON that tells of them, and are told the same again."""

import json

import pytest
from hypothesis import given

from perdure.base.errors import CallerFault
from perdure.core import events as ev
from perdure.wire.events import encode
from perdure.wire.json_api.history import event_json
from perdure.wire.json_api.past import event_of
from perdure.wire.json_api.text import write
from tests.kit.strategies import events


def told(event: ev.Event) -> object:
    return json.loads(write(event_json(encode(event), 7)))


@given(events)
def test_what_came_back_is_told_the_same_again(event: ev.Event) -> None:
    first = told(event)
    assert isinstance(first, dict)
    assert told(event_of(first)) == first


def test_an_activity_comes_back_with_its_payload_and_failure() -> None:
    scheduled = ev.TaskScheduled(at_us=5, event_id=1, name="charge", input='{"amount":1.10}')
    again = event_of(_members(scheduled))
    assert again == ev.TaskScheduled(at_us=5, event_id=1, name="charge", input='{"amount":1.1}')
    failed = ev.TaskFailed(at_us=6, task_id=1, failure=ev.Failure("Refused", "no card", False))
    assert _members(event_of(_members(failed)))["failure"] == _members(failed)["failure"]


def test_a_start_with_an_empty_body_stays_empty_and_a_result_that_is_an_empty_string_is_one() -> (
    None
):
    start = ev.ExecutionStarted(at_us=1, name="order", instance_id="a", execution_id="x", input="")
    assert event_of(_members(start)) == start
    done = ev.TaskCompleted(at_us=1, task_id=1, result='""')
    assert event_of(_members(done)) == done


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"type": "Sneezed", "timestamp": "2026-01-01T00:00:00Z"},
        {"type": "TimerFired", "timestamp": "yesterday", "timerID": 1},
        {"type": "ExecutionCompleted", "timestamp": "2026-01-01T00:00:00Z", "status": "GONE"},
        {"type": "TaskFailed", "timestamp": "2026-01-01T00:00:00Z", "failure": 3},
    ],
)
def test_what_is_no_event_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(CallerFault):
        event_of(members)


def _members(event: ev.Event) -> dict[str, object]:
    members = told(event)
    assert isinstance(members, dict)
    return members
