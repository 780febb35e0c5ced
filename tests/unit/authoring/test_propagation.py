"""Propagated history as workflows and activities ask it."""

import pytest

from perdure.authoring.propagation import (
    ActivityResult,
    ChildWorkflowResult,
    PropagatedHistory,
    PropagationNotFoundError,
)
from perdure.core import events as ev
from perdure.core.lineage import Chunk, Lineage
from tests.kit.played import broken, done, failure


def scheduled(number: int, name: str, text: str | None = None) -> ev.TaskScheduled:
    return ev.TaskScheduled(at_us=1, event_id=number, name=name, input=text)


def born(number: int, name: str) -> ev.ChildCreated:
    return ev.ChildCreated(at_us=1, event_id=number, name=name, instance_id=f"child-{number}")


ANCESTOR = Chunk(
    "shop",
    "order-1",
    "order",
    (
        scheduled(1, "charge", '"pen"'),
        broken(1, failure("CardError", "no money")),
        scheduled(2, "charge", '"pencil"'),
        done(2, '"paid"'),
        born(3, "ship"),
        ev.ChildCompleted(at_us=1, task_id=3, result='"sent"'),
        born(4, "bill"),
        ev.ChildFailed(at_us=1, task_id=4, failure=failure("Late", "too late")),
    ),
)
CALLER = Chunk("depot", "ship-1", "ship", (scheduled(1, "pack"),))
HISTORY = PropagatedHistory(Lineage(ev.PropagationScope.LINEAGE, (ANCESTOR, CALLER)))


def test_the_line_is_told_from_the_oldest_to_the_caller() -> None:
    assert HISTORY.scope is ev.PropagationScope.LINEAGE
    assert HISTORY.get_app_ids() == ["shop", "depot"]
    assert [one.instance_id for one in HISTORY.get_workflows()] == ["order-1", "ship-1"]
    assert HISTORY.events == [*ANCESTOR.events, *CALLER.events]
    assert HISTORY.get_events_by_app_id("depot") == list(CALLER.events)
    assert HISTORY.get_events_by_instance_id("order-1") == list(ANCESTOR.events)
    assert HISTORY.get_events_by_workflow_name("nobody") == []


def test_what_became_of_activities() -> None:
    (order,) = HISTORY.get_workflows_by_name("order")
    first, last = order.get_activities_by_name("charge")
    assert (first.failed, first.completed, first.input) == (True, False, '"pen"')
    assert first.error is not None
    assert (first.error.error_type, first.error.message) == ("CardError", "no money")
    assert last == ActivityResult("charge", True, True, False, '"pencil"', '"paid"', None)
    assert order.get_last_activity_by_name("charge") == last
    packed = HISTORY.get_last_workflow_by_name("ship").get_last_activity_by_name("pack")
    assert packed == ActivityResult("pack", True, False, False, None, None, None)


def test_what_became_of_children() -> None:
    order = HISTORY.get_last_workflow_by_name("order")
    shipped = order.get_last_child_workflow_by_name("ship")
    assert shipped == ChildWorkflowResult("ship", True, True, False, '"sent"', None)
    (billed,) = order.get_child_workflows_by_name("bill")
    assert billed.failed
    assert billed.error is not None
    assert billed.error.message == "too late"


def test_what_is_not_there_is_said_not_to_be() -> None:
    order = HISTORY.get_last_workflow_by_name("order")
    with pytest.raises(PropagationNotFoundError, match="no workflow named 'x'"):
        HISTORY.get_last_workflow_by_name("x")
    with pytest.raises(PropagationNotFoundError, match="no activity named 'x'"):
        order.get_last_activity_by_name("x")
    with pytest.raises(PropagationNotFoundError, match="no child workflow named 'x'"):
        order.get_last_child_workflow_by_name("x")
