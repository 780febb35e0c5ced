"""A run of a workflow's code: whatever the code and its classes raise is its own failure."""

import asyncio
import decimal
import json
import sys
from collections.abc import AsyncGenerator, Generator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, model_serializer

from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.tasks import Task
from perdure.base.time import LATEST_US
from perdure.core import actions as act
from perdure.core.events import Failure
from tests.kit.played import Played, broken, raised, replayer_of

Steps = Generator[Task[Any], Any, Any]

registry = Registry()


class Stubborn(BaseModel):
    """A class of the author's that cannot be told."""

    @model_serializer
    def tell(self) -> object:
        raise OSError("not to be told")


@dataclass(frozen=True, slots=True)
class Choosy:
    """A class of the author's that is not made of everything."""

    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise LookupError("never below nothing")


class Wordless(Exception):
    """An exception of the author's that cannot be told."""

    def __str__(self) -> str:
        raise LookupError


@registry.workflow()
def returns_what_cannot_be_told(_ctx: WorkflowContext) -> object:
    return Stubborn()


@registry.workflow()
async def waits_for_a_choosy_one(ctx: WorkflowContext) -> str:
    try:
        await ctx.wait_for_external_event("number", data_type=Choosy)
    except LookupError as error:
        return f"caught: {error}"
    return "made"


@registry.workflow()
def leaves(_ctx: WorkflowContext) -> Steps:
    sys.exit(3)
    yield


@registry.workflow()
async def leaves_later(ctx: WorkflowContext) -> None:
    await ctx.wait_for_external_event("go on")
    sys.exit(3)


@registry.workflow()
def leaves_at_once(_ctx: WorkflowContext) -> None:
    sys.exit(3)


@registry.workflow()
def raises_without_words(_ctx: WorkflowContext) -> None:
    raise Wordless


@registry.workflow()
def is_patient(ctx: WorkflowContext) -> Steps:
    policy = RetryPolicy(
        first_retry_interval=timedelta(days=1),
        max_number_of_attempts=1_000,
        backoff_coefficient=1e12,
    )
    yield ctx.call_activity("fails", retry_policy=policy)


@pytest.mark.parametrize(
    ("name", "error_type", "part"),
    [
        ("returns_what_cannot_be_told", "PydanticSerializationError", "not to be told"),
        ("leaves", "SystemExit", "3"),
        ("leaves_at_once", "SystemExit", "3"),
        ("raises_without_words", "Wordless", "cannot be told: LookupError"),
    ],
)
def test_what_code_and_its_classes_raise_fails_the_workflow(
    name: str, error_type: str, part: str
) -> None:
    failure = Played(replayer_of(registry), name).to_the_end().failure
    assert failure.error_type == error_type
    assert part in failure.message


def test_an_exit_in_a_later_turn_fails_the_workflow_too() -> None:
    played = Played(replayer_of(registry), "leaves_later")
    played.turn()
    played.turn(raised("go on"))
    assert played.failure.error_type == "SystemExit"


@pytest.mark.parametrize(("number", "wanted"), [(-1, "caught: never below nothing"), (1, "made")])
def test_what_a_result_cannot_be_made_into_is_raised_where_it_is_waited_for(
    number: int, wanted: str
) -> None:
    played = Played(replayer_of(registry), "waits_for_a_choosy_one")
    played.turn()
    played.turn(raised("number", f'{{"number": {number}}}'))
    assert played.output == f'"{wanted}"'


def test_a_pause_that_would_be_longer_than_all_time_is_as_long_as_that() -> None:
    played = Played(replayer_of(registry), "is_patient")
    played.turn()
    failure = Failure("ValueError", "no", non_retriable=False)
    pauses = []
    for number in (1, 3):
        (action,) = played.turn(broken(number, failure)).actions
        assert isinstance(action, act.CreateTimer)
        pauses.append(action)
        if number == 1:
            played.inbox = played.next_events(None)
            played.turn()
    assert pauses[0].fire_at_us < LATEST_US
    assert pauses[1].fire_at_us == LATEST_US


# ---- surroundings

SETTING = ContextVar("setting", default="nothing")


class Unusual(BaseException):
    """Neither an Exception nor an exit."""


async def _settings(ctx: WorkflowContext) -> list[str]:
    seen = [SETTING.get()]
    token = SETTING.set("of a workflow")
    with decimal.localcontext() as precision:
        precision.prec = 5
        await ctx.call_activity("a", input=1)
        seen += [SETTING.get(), str(decimal.Decimal(1) / 3)]
    SETTING.reset(token)
    await ctx.call_activity("a", input=2)
    return [*seen, SETTING.get()]


@pytest.mark.parametrize("kept_max", [0, 100])
def test_context_variables_are_the_workflows_own(kept_max: int) -> None:
    registry = Registry()
    registry.workflow()(_settings)
    replayer = replayer_of(registry, kept_max=kept_max)
    token = SETTING.set("of who starts it")
    try:
        one, other = (Played(replayer, "_settings", instance_id=name) for name in ("one", "other"))
        one.turn()
        other.to_the_end()
        one.inbox = one.next_events(None)
        one.to_the_end()
        assert SETTING.get() == "of who starts it"
    finally:
        SETTING.reset(token)
    for played in (one, other):
        assert json.loads(played.output or "") == [
            *("nothing", "of a workflow", "0.33333", "nothing"),
        ]


@pytest.mark.parametrize("kind", [Unusual, GeneratorExit, SystemExit, BaseExceptionGroup])
def test_whatever_is_raised_fails_the_workflow(kind: type[BaseException]) -> None:
    error = kind("both", [Unusual("one")]) if kind is BaseExceptionGroup else kind("no more")

    async def raising(ctx: WorkflowContext) -> None:
        await ctx.call_activity("a", input=1)
        raise error

    registry = Registry()
    registry.workflow()(raising)
    played = Played(replayer_of(registry), "raising").to_the_end()
    assert played.failure.error_type == kind.__name__


@pytest.mark.parametrize(
    ("name", "told"), [(None, "by its name, which is text, not None"), ("", "'' is none")]
)
def test_a_wait_for_what_no_event_is_called_fails_the_workflow(name: Any, told: str) -> None:
    def waits(ctx: WorkflowContext) -> Steps:
        yield ctx.wait_for_external_event(name)

    registry = Registry()
    registry.workflow()(waits)
    assert told in Played(replayer_of(registry), "waits").to_the_end().failure.message


def test_ctrl_c_is_not_the_workflows() -> None:
    def interrupted(_ctx: WorkflowContext) -> None:
        raise KeyboardInterrupt

    registry = Registry()
    registry.workflow()(interrupted)
    with pytest.raises(KeyboardInterrupt):
        Played(replayer_of(registry), "interrupted").turn()


def test_a_generator_that_is_left_ends_there_and_then() -> None:
    ends = []

    async def numbers(ctx: WorkflowContext) -> AsyncGenerator[int, None]:
        try:
            for number in range(3):
                await ctx.call_activity("a", input=number)
                yield number
        finally:
            ends.append("ended")

    async def leaving(ctx: WorkflowContext) -> int:
        async for number in numbers(ctx):
            if number == 1:
                break
        return len(ends)

    registry = Registry()
    registry.workflow()(leaving)

    async def within_a_loop() -> Played:
        return Played(replayer_of(registry), "leaving").to_the_end()

    assert asyncio.run(within_a_loop()).output == "1"
