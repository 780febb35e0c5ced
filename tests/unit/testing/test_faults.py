"""`faults` finds what breaks when something goes wrong, and tells the least that it takes."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from perdure.authoring.activities import ActivityContext
from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.authoring.tasks import when_all
from perdure.base.errors import ConfigurationError
from perdure.testing import BrokenByFaults, VirtualEngine, WorkflowWaits, faults
from perdure.testing.schedule import Kind

app = Registry()


async def takes(seconds: float) -> None:
    """Be at work for so long, by the clock of the engine."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


@app.workflow()
async def order(ctx: WorkflowContext, amount: int) -> list[Any]:
    receipt = await ctx.call_activity("charge", amount)
    yes = await ctx.wait_for_external_event("approved")
    both = await when_all([ctx.call_activity("pack", 1), ctx.call_activity("label", 2)])
    await ctx.create_timer(timedelta(days=1))
    return [receipt, yes, *both]


class Shop:
    """What activities change: it outlives the process that they run in."""

    def __init__(self, *, careful: bool) -> None:
        self.charges: list[int] = []
        self._careful = careful
        self._keys: set[str] = set()

    def charge(self, ctx: ActivityContext, amount: int) -> str:
        if not self._careful or ctx.idempotency_key not in self._keys:
            self._keys.add(ctx.idempotency_key)
            self.charges.append(amount)
        return "receipt"


async def pack(_ctx: ActivityContext, number: int) -> int:
    await takes(2)
    return number


def sold(engine: VirtualEngine, *, careful: bool) -> Shop:
    shop = Shop(careful=careful)
    engine.replace("charge", shop.charge)
    engine.replace("pack", pack)
    engine.replace("label", lambda _ctx, number: number)
    engine.always("nothing is charged that was not ordered", lambda: set(shop.charges) <= {3})
    instance = engine.start(order, 3)
    engine.settle()
    instance.raise_event("approved", "yes")
    assert instance.result() == ["receipt", "yes", 1, 2]
    return shop


def charged_once(careful: bool) -> Callable[[VirtualEngine], None]:
    def scenario(engine: VirtualEngine) -> None:
        assert len(sold(engine, careful=careful).charges) == 1, "charged twice"

    return scenario


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_fault_happens_and_the_engine_makes_up_for_it(kind: Kind) -> None:
    met: list[str] = []

    def scenario(engine: VirtualEngine) -> None:
        sold(engine, careful=True)
        met.extend(line.text for line in engine.world.story.lines if line.is_fault)

    late = "+1h" if kind in {Kind.RESULT_LATE, Kind.TURN_LATE} else ""
    nth = 1 if kind is Kind.CRASH_IN_RUN else 2
    faults(app=app, schedule=f"{kind}:{nth}{late}").check(scenario)
    assert len(met) == 1
    assert "order-1" in met[0]


def test_what_is_done_once_under_its_key_holds_against_everything() -> None:
    faults(app=app, trials=150).check(charged_once(careful=True))


def test_what_is_done_again_is_found_and_told_with_the_one_fault_that_it_takes() -> None:
    with pytest.raises(BrokenByFaults) as found:
        faults(7, app=app).check(charged_once(careful=False), name="test_order")
    text = str(found.value)
    assert "one fault breaks test_order (seed 7" in text
    assert 'schedule="crash-after-run:1"' in text
    assert "charge of 'order-1' has run, before its result is handed in" in text
    assert "charge(3) runs for the 2nd time in 'order-1' -> 'receipt'" in text
    assert "charged twice" in text
    assert isinstance(found.value.__cause__, AssertionError)


@pytest.mark.parametrize("how", ["fail", "raises"])
def test_a_test_that_fails_by_pytest_is_told_with_its_fault_as_well(how: str) -> None:
    """What pytest raises then is no Exception."""

    def scenario(engine: VirtualEngine) -> None:
        if len(sold(engine, careful=False).charges) == 1:
            return
        if how == "fail":
            pytest.fail("charged twice")
        with pytest.raises(LookupError):
            engine.instance("order-1").get()

    with pytest.raises(BrokenByFaults, match="crash-after-run:1"):
        faults(7, app=app).check(scenario)


def test_a_test_that_is_left_is_left_at_once() -> None:
    def scenario(_engine: VirtualEngine) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        faults(7, app=app).check(scenario)


def test_what_takes_two_faults_is_shrunk_to_two() -> None:
    def scenario(engine: VirtualEngine) -> None:
        sold(engine, careful=True)
        runs = Counter(run.name for run in engine.runs())
        assert runs["charge"] == 1 or runs["label"] == 1, "both ran again"

    with pytest.raises(BrokenByFaults) as found:
        faults(1, app=app, trials=600).check(scenario)
    text = str(found.value)
    assert "2 faults together break scenario" in text
    schedule = text.rpartition('schedule="')[2].removesuffix('")')
    with pytest.raises(BrokenByFaults, match="both ran again"):
        faults(app=app, schedule=schedule).check(scenario)
    for alone in schedule.split():
        faults(app=app, schedule=alone).check(scenario)


def test_the_same_seed_finds_the_same() -> None:
    def told() -> str:
        with pytest.raises(BrokenByFaults) as found:
            faults(3, app=app, kinds=["restart", Kind.RUN_TWICE]).check(charged_once(careful=False))
        return str(found.value).partition("AssertionError")[0]

    first = told()
    assert "run-twice:1" in first
    assert "charge(3) runs for the 2nd time" in first
    assert told() == first


def test_what_fails_without_any_fault_fails_as_it_is() -> None:
    def scenario(engine: VirtualEngine) -> None:
        engine.replace("charge", "receipt")
        engine.start(order, 3).result()

    with pytest.raises(WorkflowWaits, match="waits for: event"):
        faults(app=app).check(scenario)


def test_a_broken_invariant_is_found_where_nothing_else_is_asserted() -> None:
    def scenario(engine: VirtualEngine) -> None:
        runs = Counter[str]()

        def charge(ctx: ActivityContext, _amount: int) -> None:
            runs[ctx.idempotency_key] += 1

        engine.replace("charge", charge)
        engine.always("nothing is charged twice", lambda: max(runs.values(), default=0) <= 1)
        engine.start(order, 3)
        engine.settle()

    with pytest.raises(BrokenByFaults, match="InvariantBroken: nothing is charged twice"):
        faults(app=app).check(scenario)


def test_what_is_half_done_in_the_middle_of_a_run_is_found() -> None:
    def scenario(engine: VirtualEngine) -> None:
        held: list[str] = []

        async def charge(ctx: ActivityContext, _amount: int) -> str:
            held.append(ctx.idempotency_key)
            await takes(1)
            held.remove(ctx.idempotency_key)
            return "receipt"

        engine.replace("charge", charge)
        engine.start(order, 3)
        engine.settle()
        assert held == [], "something is held for ever"

    with pytest.raises(BrokenByFaults, match="in the middle of charge of 'order-1'"):
        faults(app=app, kinds=["crash-in-run", "turn-late"]).check(scenario)


@pytest.fixture
def amount() -> int:
    return 3


@faults(app=app, trials=5)
def test_as_a_decorator_it_makes_a_test_that_takes_fixtures(
    engine: VirtualEngine, amount: int
) -> None:
    assert sold(engine, careful=True).charges == [amount]


@faults(app=app, trials=5)
async def test_a_test_that_is_a_coroutine_is_tried_as_well(engine: VirtualEngine) -> None:
    engine.replace("charge", "receipt")
    instance = engine.start(order, 3)
    engine.settle()
    await asyncio.sleep(0)
    assert instance.waits_for == "event"


async def test_a_coroutine_may_ask_for_the_trials_of_another() -> None:
    async def scenario(engine: VirtualEngine) -> None:
        await asyncio.sleep(0)
        assert sold(engine, careful=True).charges == [3]

    faults(app=app, trials=5).check(scenario)
    await asyncio.sleep(0)


class TestOfAClass:
    """Methods are tests, too."""

    @faults(app=app, trials=5)
    def test_a_method_is_tried_as_well(self, engine: VirtualEngine) -> None:
        assert isinstance(self, TestOfAClass)
        assert sold(engine, careful=True).charges == [3]


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'sneeze' is no kind of fault"):
        faults(app=app, kinds=["sneeze"])


@pytest.mark.parametrize(
    ("given", "told"),
    [({"trials": 0}, "trials=0"), ({"faults_max": -1}, "faults_max=-1"), ({"kinds": []}, "kinds")],
)
def test_a_test_in_which_nothing_would_go_wrong_is_refused(
    given: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{told}: expected"):
        faults(app=app, **given)


def test_without_hypothesis_one_fault_at_a_time_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    faults(app=app, trials=20, faults_max=1).check(charged_once(careful=True))
    with pytest.raises(ConfigurationError, match=r"install perdure\[testing\]"):
        faults(app=app, trials=20).check(charged_once(careful=True))


def test_what_is_not_told_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[VirtualEngine] = []
    monkeypatch.setenv("PERDURE_TRIALS", "4")
    monkeypatch.setenv("PERDURE_SEED", "9")
    faults(app=app).check(tried.append)
    assert len(tried) == 1, "an engine that does nothing gives no occasion"
    monkeypatch.setenv("PERDURE_TRIALS", "many")
    with pytest.raises(ConfigurationError, match="PERDURE_TRIALS='many': expected a whole number"):
        faults(app=app)


def test_what_is_handed_out_again_after_a_pause_is_waited_for() -> None:
    def scenario(engine: VirtualEngine) -> None:
        engine.replace("charge", "receipt")
        instance = engine.start(order, 3)
        engine.settle()
        assert instance.waits_for == "event"
        assert len(engine.runs("charge")) == 4

    faults(app=app, schedule="run-twice:1 run-twice:2 run-twice:3").check(scenario)
