"""What replaces an activity is given what the activity is, and what ran is told as it was given."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from perdure import ActivityContext, Registry, WorkflowContext
from perdure.testing import VirtualEngine


@dataclass
class Order:
    item: str
    amount: int


@dataclass
class Line:
    item: str
    amount: int


app = Registry()


@app.activity()
async def charge(_: ActivityContext, order: Order) -> str:
    return f"receipt for {order.item}"


@app.workflow()
async def order(ctx: WorkflowContext, placed: Order) -> str:
    receipt = await ctx.call_activity(charge, placed)
    await ctx.create_timer(timedelta(days=30))
    return receipt


PLACED = Order("pen", 3)


def test_a_run_tells_what_the_activity_was_given() -> None:
    with VirtualEngine(app) as engine:
        engine.run(order, PLACED)
        assert [run.input for run in engine.runs(charge)] == [PLACED]


def test_a_run_of_what_replaces_it_tells_the_same() -> None:
    with VirtualEngine(app) as engine:
        engine.replace(charge, "receipt")
        engine.run(order, PLACED)
        assert [run.input for run in engine.runs(charge)] == [PLACED]


def test_a_function_that_does_not_say_what_it_takes_is_given_what_the_activity_takes() -> None:
    given: list[object] = []

    def charged(_ctx: ActivityContext, order):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - the point of it
        given.append(order)
        return "receipt"

    with VirtualEngine(app) as engine:
        engine.replace(charge, charged)
        engine.run(order, PLACED)
    assert given == [PLACED]


def test_a_function_that_says_what_it_takes_is_given_that() -> None:
    given: list[object] = []

    def charged(_ctx: ActivityContext, order: Line) -> str:
        given.append(order)
        return "receipt"

    with VirtualEngine(app) as engine:
        engine.replace(charge, charged)
        engine.run(order, PLACED)
    assert given == [Line("pen", 3)]


def test_the_time_that_passes_is_that_of_timers_to_the_millisecond() -> None:
    begun = datetime(2030, 5, 1, tzinfo=UTC)
    with VirtualEngine(app, now=begun) as engine:
        placed = engine.start(order, PLACED)
        engine.settle()
        assert placed.next_wake_at == begun + timedelta(days=30)
        placed.result()
        assert engine.now - begun == timedelta(days=30)
