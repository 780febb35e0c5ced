"""What a bridge lists: its own app's instances, and only what visibility can tell apart."""

import pytest

from perdure.base.errors import CallerFault
from perdure.bridge.listing import listing_of
from perdure.core.status import Status
from perdure.store.query import AllOf, AnyOf, Compare, Field, InstanceQuery, Operator, Order


def where(*statuses: Status, operator: Operator = Operator.IN) -> InstanceQuery:
    return InstanceQuery(AllOf((AnyOf((Compare(Field.STATUS, operator, statuses),)),)))


def test_it_lists_its_own_queue_without_lone_activities() -> None:
    found = listing_of(InstanceQuery(), {}, "it's")
    assert r"TaskQueue = 'it\'s'" in found
    assert "WorkflowType != 'perdure.lone-activity'" in found


def test_the_order_that_no_client_is_promised_is_temporals_own() -> None:
    any_order = InstanceQuery(order=(Order(Field.CREATED),))
    assert listing_of(any_order, {}, "q") == listing_of(InstanceQuery(), {}, "q")
    with pytest.raises(CallerFault, match="one order"):
        listing_of(InstanceQuery(order=(Order(Field.NAME),)), {}, "q")


@pytest.mark.parametrize("status", [Status.PENDING, Status.SUSPENDED, Status.STALLED])
def test_what_only_a_memo_says_cannot_be_selected(status: Status) -> None:
    with pytest.raises(CallerFault, match=f"cannot select instances by {status.name}"):
        listing_of(where(status), {}, "q")


def test_what_has_ended_can_be_selected() -> None:
    found = listing_of(where(Status.COMPLETED, Status.TERMINATED), {}, "q")
    assert "ExecutionStatus = 'Completed' OR ExecutionStatus = 'Terminated'" in found
    running = listing_of(where(Status.RUNNING, operator=Operator.EQ), {}, "q")
    assert "'Running'" in running
