"""Policies of other apps: what workflows ask of them is done, or fails at once and for good."""

import pytest

from perdure.core.access import Access, Operation, Policy, Rule, WorkflowRule
from perdure.core.events import ChildFailed, Failure, TaskFailed
from perdure.core.globs import compiled
from perdure.core.status import Status
from perdure.wire.fields import parse_failure
from tests.kit.answers import (
    child,
    complete,
    continue_as_new,
    detached,
    end_other,
    schedule,
    send,
)
from tests.kit.house import House
from tests.kit.worker import ActivityItem, TurnItem

OTHER = "other"
# The app lets ours run "Pay*", start "Order*", and nothing else.
GATE = Access(
    (
        Policy(
            "gate",
            (
                Rule(
                    frozenset({"app"}),
                    (WorkflowRule(compiled("Order*"), frozenset({Operation.SCHEDULE})),),
                    (compiled("Pay*"),),
                ),
            ),
            frozenset({OTHER}),
        ),
    )
)


def _failure_of(event: object) -> tuple[str, str, bool]:
    assert isinstance(event, TaskFailed | ChildFailed), event
    if isinstance(event.failure, Failure):
        return event.failure.error_type, event.failure.message, event.failure.non_retriable
    assert isinstance(event.failure, bytes)
    message = parse_failure(event.failure)
    return message.error_type, message.message, message.non_retriable


async def test_an_activity_that_is_allowed_runs_and_another_fails_for_good() -> None:
    async with House(access=GATE) as house:
        worker, other = house.worker(), house.worker(OTHER)
        await house.start("a")
        await worker.decide(
            await worker.turn(),
            schedule(1, "Pay", app=OTHER),
            schedule(2, "Steal", app=OTHER),
            schedule(3, "Steal"),
        )
        assert (await other.activity()).name == "Pay"
        came = [await worker.take(), await worker.take()]
        assert sum(isinstance(item, ActivityItem) for item in came) == 1, "our own needs no leave"
        turn = next(item for item in came if isinstance(item, TurnItem))
        assert turn.names() == ["WorkflowStarted", "TaskFailed"]
        kind, text, is_final = _failure_of(turn.new[1])
        assert kind == "WorkflowAccessPolicyDenied"
        assert text == "access denied by workflow access policy"
        assert is_final
        assert not other.waiting
        await worker.decide(turn, complete())
        assert house.kinds("a").count("TaskScheduled") == 3


async def test_a_child_that_is_not_allowed_fails_and_is_not_born() -> None:
    async with House(access=GATE) as house:
        worker, other = house.worker(), house.worker(OTHER)
        await house.start("a")
        await worker.decide(
            await worker.turn(),
            child(1, "c1", "OrderFlow", app=OTHER),
            child(2, "c2", "Report", app=OTHER),
        )
        assert (await other.turn()).instance_id == "c1"
        turn = await worker.turn()
        assert _failure_of(turn.new[1])[0] == "WorkflowAccessPolicyDenied"
        assert await house.component.get("c2") is None
        await house.restart()
        worker = house.worker()
        turn = await worker.turn()
        assert turn.names() == ["WorkflowStarted", "ChildFailed"], "it is on disk"
        await worker.decide(turn, complete())


async def test_what_is_denied_beside_a_completion_is_nobodys() -> None:
    async with House(access=GATE) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, "Steal", app=OTHER), complete())
        assert await house.status("a") is Status.COMPLETED
        assert house.store.tasks(0, 10) == ()


async def test_what_a_new_generation_is_denied_is_told_to_it() -> None:
    async with House(access=GATE) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(
            await worker.turn(), continue_as_new(1), schedule(1, "Steal", app=OTHER)
        )
        turn = await worker.turn()
        assert turn.names()[1:] == ["ExecutionStarted", "TaskScheduled", "TaskFailed"]
        await worker.decide(turn, complete())


@pytest.mark.parametrize("app", [OTHER, "third"])
async def test_workflows_tell_others_only_what_those_allow(app: str) -> None:
    async with House(access=GATE) as house:
        house.expected_faults = ("what a workflow asked of another app",)
        worker, hers = house.worker(), house.worker(app)
        await house.start("theirs", app_id=app)
        await hers.decide(await hers.turn())
        await house.start("a")
        await worker.decide(await worker.turn(), send(1, "theirs", "e"), end_other(2, "theirs"))
        await house.settle()
        allowed = app != OTHER
        assert (await house.status("theirs") is Status.TERMINATED) is allowed
        assert len(house.recorder.faults()) == (0 if allowed else 2)
        assert house.kinds("a").count("EventSent") == 1


@pytest.mark.parametrize(("name", "born"), [("OrderFlow", True), ("Report", False)])
async def test_detached_workflows_are_started_where_that_is_allowed(name: str, born: bool) -> None:
    async with House(access=GATE) as house:
        house.expected_faults = ("what a workflow asked of another app",)
        worker = house.worker()
        await house.start("a")
        action = detached(1, "d", name)
        action.router = child(1, "x", app=OTHER).router
        await worker.decide(await worker.turn(), action)
        assert (await house.component.get("d") is not None) is born
        assert len(house.recorder.faults()) == (0 if born else 1)


async def test_without_a_policy_nothing_is_looked_up_and_all_is_allowed() -> None:
    async with House() as house:
        worker, other = house.worker(), house.worker(OTHER)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, "Steal", app=OTHER))
        assert (await other.activity()).name == "Steal"


@pytest.mark.parametrize(("app", "taken"), [(OTHER, True), ("third", False)])
async def test_a_child_takes_the_id_of_a_finished_one_only_where_that_is_allowed(
    app: str, taken: bool
) -> None:
    """It would delete what has the id."""
    async with House(access=GATE) as house:
        worker, theirs = house.worker(), house.worker(app)
        await house.start("c", app_id=app)
        await theirs.decide(await theirs.turn(), complete(result="kept"))
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "c"))
        turn = await worker.turn()
        assert (turn.instance_id == "a") is taken
        if taken:
            assert _failure_of(turn.new[1])[0] == "WorkflowInstanceAlreadyExists"
            assert (await house.view("c")).output == "kept"
