"""The context of a workflow: what it asks for, and what type checkers know of the answers.

The functions that begin with `typed` are for type checkers: `assert_type` and the ignores, each of
which has to be needed, are checked whenever the tests are.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_type

import pytest

from perdure.authoring.activities import ActivityContext
from perdure.authoring.context import WorkflowContext
from perdure.authoring.joins import as_completed, gather, wait_for
from perdure.authoring.registry import Registry
from perdure.authoring.tasks import Task
from perdure.core import actions as act
from perdure.core.events import PropagationScope, Router
from tests.kit.played import Played, done, raised, replayer_of

Steps = Generator[Task[Any], Any, Any]


@dataclass
class Order:
    item: str


@dataclass
class Receipt:
    order: Order
    paid: bool = True


def charge(_ctx: ActivityContext, order: Order) -> Receipt:
    return Receipt(order)


async def ship(_ctx: ActivityContext, receipt: Receipt) -> str:
    return receipt.order.item


def tick(_ctx: ActivityContext) -> int:
    return 1


async def child(_ctx: WorkflowContext, order: Order) -> list[Receipt]:
    return [Receipt(order)]


def old_child(_ctx: WorkflowContext, _order: Order) -> Generator[Task[Any], Any, Receipt]:
    yield _ctx.call_activity(tick)
    return Receipt(_order)


async def typed_calls(ctx: WorkflowContext, order: Order) -> None:
    receipt = await ctx.call_activity(charge, order)
    assert_type(receipt, Receipt)
    assert_type(await ctx.call_activity(charge, input=order), Receipt)
    assert_type(await ctx.call_activity(ship, receipt), str)
    assert_type(await ctx.call_activity(tick), int)
    assert_type(await ctx.call_activity("by name", 3), Any)
    assert_type(await ctx.call_child_workflow(child, order), list[Receipt])
    assert_type(await ctx.call_child_workflow(old_child, order), Receipt)
    assert_type(await ctx.call_child_workflow("by name"), Any)
    assert_type(await ctx.wait_for_external_event("e", data_type=Order), Order)
    assert_type(await ctx.create_timer(timedelta(seconds=1)), None)
    assert_type(ctx.side_effect(len, "abc"), int)
    await ctx.call_activity(charge, "an order")  # type: ignore[arg-type]  # what a checker refuses is tried
    await ctx.call_activity(charge)  # type: ignore[arg-type]  # what a checker refuses is tried


async def typed_joins(ctx: WorkflowContext, order: Order) -> None:
    both = await gather(ctx.call_activity(charge, order), ctx.call_activity(tick))
    assert_type(both, tuple[Receipt, int])
    many = await gather(*[ctx.call_activity(tick) for _ in range(9)])
    assert_type(many, list[int])
    kept = await gather(*[ctx.call_activity(tick)], return_exceptions=True)
    assert_type(kept, list[int | BaseException])
    assert_type(await wait_for(ctx.call_activity(tick), 3), int)
    assert_type(await wait_for(child(ctx, order), None), list[Receipt])
    for one in as_completed([ctx.call_activity(tick)]):
        assert_type(await one, int)


@pytest.fixture(params=[100, 0], ids=["kept", "replayed"])
def kept_max(request: pytest.FixtureRequest) -> int:
    kept: int = request.param
    return kept


def play(body: Any, text: str | None = None, *, kept_max: int = 0) -> Played:
    """An instance of the workflow."""
    registry = Registry()
    registry.add_workflow(body, name="wf")
    return Played(replayer_of(registry, kept_max=kept_max), "wf", text)


def test_values_are_what_the_types_say(kept_max: int) -> None:
    async def body(ctx: WorkflowContext, order: Order) -> str:
        receipt = await ctx.call_activity(charge, order)
        assert isinstance(receipt, Receipt)
        assert isinstance(receipt.order, Order)
        shipped = await ctx.call_child_workflow(child, receipt.order)
        assert isinstance(shipped[0], Receipt)
        event = await ctx.wait_for_external_event("next", data_type=Order)
        return receipt.order.item + event.item

    played = play(body, '{"item": "pen"}', kept_max=kept_max)
    (called,) = played.turn().actions
    assert isinstance(called, act.ScheduleTask)
    assert (called.name, called.router) == ("charge", None)
    assert called.input is not None
    assert called.input.startswith('{"item": "pen"')
    (born,) = played.turn(done(1, '{"order": {"item": "pen"}, "paid": true}')).actions
    assert isinstance(born, act.CreateChild)
    assert (born.name, born.instance_id) == ("child", "one:0002")
    played.inbox = played.next_events(lambda _task: '[{"order": {"item": "pen"}}]')
    played.turn()
    played.turn(raised("next", '{"item": "!"}'))
    assert played.output == '"pen!"'


def test_a_result_that_is_not_what_the_type_says_fails_the_call() -> None:
    async def body(ctx: WorkflowContext) -> str:
        try:
            await ctx.call_activity(charge, Order("pen"))
        except ValueError as error:
            return str(error).splitlines()[0]
        return "it was"

    played = play(body)
    played.turn()
    played.turn(done(1, '"no receipt"'))
    assert played.output == '"1 validation error for Receipt"'


def test_calls_may_go_to_other_apps_and_show_history() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("a", app_id="abroad", propagation=PropagationScope.LINEAGE)

    (called,) = play(body).turn().actions
    assert isinstance(called, act.ScheduleTask)
    assert called.router == Router("wfapp", "abroad")
    assert called.scope is PropagationScope.LINEAGE


def test_a_custom_status_is_told_with_each_turn_until_it_is_replaced(kept_max: int) -> None:
    def body(ctx: WorkflowContext) -> Steps:
        ctx.set_custom_status("first")
        yield ctx.call_activity("a")
        yield ctx.call_activity("b")
        with pytest.warns(DeprecationWarning, match="non-str"):
            ctx.set_custom_status({"at": 3})  # type: ignore[arg-type]  # what a checker refuses is tried

    played = play(body, kept_max=kept_max)
    assert played.turn().custom_status == "first"
    assert played.turn(done(1)).custom_status == "first"
    assert played.turn(done(2)).custom_status == '{"at": 3}'


def test_what_a_workflow_knows_of_itself(kept_max: int) -> None:
    told: list[object] = []

    def body(ctx: WorkflowContext) -> Steps:
        told.append((ctx.instance_id, ctx.app_id, ctx.is_replaying))
        yield ctx.call_activity("a")
        return ctx.get_propagated_history()

    played = play(body, kept_max=kept_max)
    played.turn()
    played.turn(done(1))
    assert told[0] == ("one", "wfapp", False)
    assert told[1:] == ([] if kept_max else [("one", "wfapp", True)])
    assert played.output is None


def test_tasks_tell_where_they_are() -> None:
    def body(ctx: WorkflowContext) -> Steps:
        task = ctx.call_activity("a")
        said: list[object] = [task.is_complete, task.is_failed]
        for call in (task.get_result, task.get_exception):
            try:
                call()
            except ValueError as error:
                said.append(str(error))
        yield task
        return [*said, task.is_complete, task.get_result()]

    played = play(body)
    played.turn()
    played.turn(done(1, "7"))
    said = '"The task has not completed.", "The task has not failed."'
    assert played.output == f"[false, false, {said}, true, 7]"
