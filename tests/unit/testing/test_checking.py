"""Code is led through what other code has recorded, and what becomes of each instance is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.authoring.tasks import when_all
from perdure.core.status import Status
from perdure.testing import VirtualEngine
from perdure.testing.checking import Fate, Finding, check
from perdure.testing.histories import History
from perdure.wire.events import decode

Code = Callable[..., Any]


async def order(ctx: WorkflowContext, amount: int) -> list[Any]:
    receipt = await ctx.call_activity("charge", amount)
    yes = await ctx.wait_for_external_event("approved")
    return [receipt, yes]


async def with_a_step_before(ctx: WorkflowContext, amount: int) -> list[Any]:
    await ctx.call_activity("reserve", amount)
    return await order(ctx, amount)


async def with_another_step_beside(ctx: WorkflowContext, amount: int) -> list[Any]:
    receipt = await ctx.call_activity("charge", amount)
    _, yes = await when_all(
        [ctx.call_activity("log", receipt), ctx.wait_for_external_event("approved")]
    )
    return [receipt, yes]


async def with_a_step_after(ctx: WorkflowContext, amount: int) -> None:
    await order(ctx, amount)
    await ctx.call_activity("thank")


async def without_the_event(ctx: WorkflowContext, amount: int) -> Any:
    return await ctx.call_activity("charge", amount)


async def without_any_step(_ctx: WorkflowContext, _amount: int) -> None:
    return None


async def that_reads_otherwise(ctx: WorkflowContext, amount: int) -> Any:
    receipt = await ctx.call_activity("charge", amount)
    number = receipt["number"]
    return [number, await ctx.wait_for_external_event("approved")]


async def behind_a_patch(ctx: WorkflowContext, amount: int) -> list[Any]:
    if ctx.is_patched("reserve first"):
        await ctx.call_activity("reserve", amount)
    return await order(ctx, amount)


def registered(code: Code, **options: Any) -> Registry:
    registry = Registry()
    registry.add_workflow(code, name="order", **options)
    return registry


def recorded(registry: Registry, until: Callable[[VirtualEngine], object]) -> History:
    """Return the history of an instance that runs until something has been done to it."""
    with VirtualEngine(registry) as engine:
        engine.replace("charge", "receipt")
        engine.start("order", 3, id="o-1")
        until(engine)
        loaded = engine.world.store.load("o-1")
        assert loaded is not None
        events = tuple(decode(row.event) for row in loaded.history)
    return History("o-1", "order", events, "here")


def waiting(registry: Registry) -> History:
    return recorded(registry, lambda engine: engine.settle())


def found(history: History, code: Code | Registry) -> Finding:
    registry = code if isinstance(code, Registry) else registered(code)
    (finding,) = check([history], registry)
    return finding


@pytest.mark.parametrize(
    ("code", "fate", "reason"),
    [
        (order, Fate.CONTINUES, ""),
        (with_a_step_after, Fate.CONTINUES, ""),
        (behind_a_patch, Fate.CONTINUES, ""),
        (
            with_a_step_before,
            Fate.BREAKS,
            "step 1 was activity 'charge', and the code asks for activity 'reserve'",
        ),
        (
            without_any_step,
            Fate.BREAKS,
            "step 1 was activity 'charge', and the code asks for nothing more, for it has ended",
        ),
        (that_reads_otherwise, Fate.BREAKS, "it would fail: TypeError: string indices must be"),
        (with_another_step_beside, Fate.DIFFERS, "it would ask for activity 'log' before what"),
        (without_the_event, Fate.DIFFERS, "it was unfinished, and would be COMPLETED"),
    ],
)
def test_one_that_waits_for_an_event_under_other_code(code: Code, fate: Fate, reason: str) -> None:
    finding = found(waiting(registered(order)), code)
    assert (finding.fate, finding.instance_id) == (fate, "o-1")
    assert finding.reason.startswith(reason)
    if fate is Fate.BREAKS and finding.asked != "nothing more, for it has ended":
        assert finding.file == __file__
        assert finding.line > 0


def test_one_that_has_not_begun_goes_on_wherever_its_workflow_is() -> None:
    history = recorded(registered(order), lambda _: None)
    assert history.events == ()
    assert found(history, order).fate is Fate.CONTINUES
    assert found(history, Registry()).reason == "no workflow 'order' is registered"


def test_a_version_that_is_gone_is_missed() -> None:
    first = registered(order, version_name="1", is_latest=True)
    history = waiting(first)
    second = registered(with_a_step_before, version_name="2", is_latest=True)
    assert found(history, second).reason == "version '1' of workflow 'order' is not registered"
    second.add_workflow(order, name="order", version_name="1")
    assert found(history, second).fate is Fate.CONTINUES


def test_those_that_have_ended_come_to_the_same_end() -> None:
    def end(engine: VirtualEngine) -> None:
        engine.settle()
        engine.raise_event("o-1", "approved", "yes")
        engine.settle()

    history = recorded(registered(order), end)
    assert history.has_ended
    assert found(history, order).fate is Fate.CONTINUES
    assert found(history, with_a_step_before).fate is Fate.BREAKS
    later = found(history, with_a_step_after)
    assert (later.fate, later.reason) == (Fate.DIFFERS, "it was COMPLETED, and would go on")


def test_those_that_were_ended_are_not_asked_why() -> None:
    def end(engine: VirtualEngine) -> None:
        engine.settle()
        engine.instance("o-1").terminate("enough")
        engine.settle()
        assert engine.instance("o-1").status is Status.TERMINATED

    assert found(recorded(registered(order), end), order).fate is Fate.CONTINUES


def test_one_that_stalls_is_told_to_go_on_by_the_code_that_it_waits_for() -> None:
    def deploy(engine: VirtualEngine) -> None:
        engine.settle()
        del registry.workflows["order"]
        registry.add_workflow(with_a_step_before, name="order")
        engine.raise_event("o-1", "approved", "yes")
        engine.advance(timedelta(seconds=1))
        assert engine.instance("o-1").status is Status.STALLED

    registry = registered(order)
    history = recorded(registry, deploy)
    assert found(history, with_a_step_before).fate is Fate.BREAKS
    assert found(history, order).fate is Fate.CONTINUES


def test_a_finding_is_told_to_programs() -> None:
    data = found(waiting(registered(order)), with_a_step_before).as_data()
    assert data["fate"] == "breaks"
    assert (data["step"], data["recorded"]) == (1, "activity 'charge'")
    assert data["asked"] == "activity 'reserve'"
    assert found(waiting(registered(order)), order).as_data() == {
        "instanceID": "o-1",
        "workflowName": "order",
        "source": "here",
        "fate": "continues",
    }
