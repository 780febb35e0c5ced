"""What stands in for a clock, chance and the outside."""

import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import pytest

from perdure.authoring.chance import drawn_uuid, drawn_uuid_text, seeded
from perdure.authoring.context import WorkflowContext
from perdure.authoring.divergence import SIDE_EFFECT, Divergence
from perdure.authoring.registry import Registry
from perdure.authoring.tasks import Task
from perdure.base.time import is_never
from perdure.core import actions as act
from perdure.core import events as ev
from tests.kit.played import Played, done, replayer_of

Steps = Generator[Task[Any], Any, Any]
MOMENT = datetime(2026, 11, 24, 12, 30, 15, 250)  # noqa: DTZ001 - as the SDK has it


def play(body: Any, *, kept_max: int) -> Played:
    """An instance of the workflow."""
    registry = Registry()
    registry.add_workflow(body, name="wf")
    return Played(replayer_of(registry, kept_max=kept_max), "wf")


@pytest.fixture(params=[100, 0], ids=["kept", "replayed"])
def kept_max(request: pytest.FixtureRequest) -> int:
    kept: int = request.param
    return kept


@pytest.mark.parametrize("count", [0, 1, 17])
def test_ids_are_those_that_the_sdk_draws(count: int) -> None:
    namespace = UUID("9e952958-5e33-4daf-827f-2fa12937b875")
    wanted = uuid5(namespace, f"order-7_2026-11-24T12:30:15.000250_{count}")
    assert drawn_uuid("order-7", MOMENT, count) == wanted
    assert drawn_uuid_text("order-7", MOMENT, count) == str(wanted)


def test_numbers_follow_from_the_instance_and_the_second() -> None:
    first, second = seeded("a", MOMENT), seeded("a", MOMENT.replace(microsecond=9))
    assert first.random() == second.random()
    assert seeded("b", MOMENT).random() != seeded("a", MOMENT).random()


def test_all_of_it_is_the_same_in_a_replay(kept_max: int) -> None:
    seen: list[object] = []

    def body(ctx: WorkflowContext) -> Steps:
        drawn = [
            str(ctx.uuid4()),
            str(ctx.new_guid()),
            ctx.random().random(),
            ctx.random_string(5),
            ctx.random_string(3, alphabet="x"),
            ctx.random_int(1, 6),
            ctx.random_choice("abc"),
            str(ctx.now()),
            str(ctx.now_with_sequence()),
            str(ctx.current_utc_datetime_with_sequence()),
        ]
        seen.append(drawn)
        yield ctx.call_activity("a")
        return [drawn, str(ctx.current_utc_datetime) > str(drawn[7])]

    played = play(body, kept_max=kept_max)
    played.turn()
    played.turn(done(1))
    assert all(drawn == seen[0] for drawn in seen)
    assert played.output is not None
    assert played.output.endswith("true]")


def test_what_makes_no_sense_is_refused() -> None:
    def body(ctx: WorkflowContext) -> list[str]:
        calls: list[Callable[[], object]] = [
            lambda: ctx.random_string(-1),
            lambda: ctx.random_string(1, alphabet=""),
            lambda: ctx.random_int(2, 1),
            lambda: ctx.random_choice([]),
        ]
        said = []
        for call in calls:
            try:
                call()
            except (ValueError, IndexError) as error:
                said.append(str(error))
        return said

    output = play(body, kept_max=0).to_the_end().output
    assert output is not None
    assert output.count('", "') == 3


@dataclass
class Price:
    amount: float


def priced(amount: float) -> Price:
    return Price(amount)


def test_a_side_effect_happens_once(kept_max: int) -> None:
    calls: list[float] = []

    def body(ctx: WorkflowContext) -> Steps:
        first = ctx.side_effect(random.random)
        ctx.side_effect(lambda: calls.append(first))
        yield ctx.call_activity("a")
        price = ctx.side_effect(priced, 2.5)
        yield ctx.call_activity("b")
        return [first, price.amount]

    played = play(body, kept_max=kept_max)
    effect, _, _ = played.turn().actions
    assert isinstance(effect, act.CreateTimer)
    assert is_never(effect.fire_at_us)
    assert effect.name == f"{SIDE_EFFECT}{calls[0]}"
    played.turn(done(3))
    played.turn(done(5))
    assert played.output == f"[{calls[0]}, 2.5]"
    assert len(calls) == 1


def test_a_replay_goes_through_its_history_once_however_many_side_effects_it_has() -> None:
    class Counted(list[ev.Event]):
        times = 0

        def __iter__(self) -> Iterator[ev.Event]:
            Counted.times += 1
            return super().__iter__()

    def body(ctx: WorkflowContext) -> Steps:
        numbers = [ctx.side_effect(int, number) for number in range(200)]
        yield ctx.call_activity("a")
        return sum(numbers)

    played = play(body, kept_max=0)
    played.turn()
    past = Counted(played.history)
    new: list[ev.Event] = [ev.WorkflowStarted(at_us=played.now_us), done(201)]
    decision = played.replayer.decide("again", len(past), lambda: past, new)
    assert isinstance(decision, act.Decision)
    (end,) = decision.actions
    assert isinstance(end, act.Complete)
    assert end.result == str(sum(range(200)))
    assert Counted.times == 2  # to lead the code along, and to know the side effects


def test_a_side_effect_that_was_no_such_thing_diverges() -> None:
    def before(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("charge")

    def after(ctx: WorkflowContext) -> Steps:
        ctx.side_effect(random.random)
        yield ctx.call_activity("charge")

    played = play(before, kept_max=0)
    played.turn()
    changed = Registry()
    changed.add_workflow(after, name="wf")
    played.replayer = replayer_of(changed)
    found = played.decide(done(1))
    assert isinstance(found, Divergence)
    assert (found.recorded, found.asked) == ("activity 'charge'", "a side effect")
    assert (found.file, found.line) == (__file__, after.__code__.co_firstlineno + 1)


def test_code_that_catches_everything_does_not_hide_a_divergence() -> None:
    def before(ctx: WorkflowContext) -> Steps:
        yield ctx.call_activity("charge")

    def after(ctx: WorkflowContext) -> Steps:
        try:
            ctx.side_effect(random.random)
        except BaseException:  # noqa: BLE001 - what people write
            return "hidden"
        yield ctx.call_activity("charge")

    played = play(before, kept_max=0)
    played.turn()
    changed = Registry()
    changed.add_workflow(after, name="wf")
    played.replayer = replayer_of(changed)
    assert isinstance(played.decide(done(1)), Divergence)
