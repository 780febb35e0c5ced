"""Workflow code decides the same, whether it was kept, led through its history, or part of both.

Random programs of generators and coroutines are played against the real core with random outcomes
in a random order. Then every turn that was ever handed out is decided again by code that has never
seen the instance.
"""

import asyncio
from collections.abc import Generator
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.authoring.context import WorkflowContext
from perdure.authoring.failures import TaskFailedError
from perdure.authoring.joins import as_completed, gather, wait_for
from perdure.authoring.registry import Registry
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.tasks import Task, when_all, when_any
from perdure.base.time import is_never
from perdure.core import events as ev
from tests.kit.played import (
    Played,
    broken,
    decided_afresh,
    done,
    failure,
    raised,
    replayer_of,
    without_trace,
)

Steps = Generator[Task[Any], Any, Any]
POLICY = RetryPolicy(first_retry_interval=timedelta(seconds=2), max_number_of_attempts=2)
EVENTS = ("Go", "stop")
KINDS = (
    *("call", "retry", "all", "any", "sleep", "wait", "child"),
    *("draw", "side", "patch", "status", "anew"),
)

programs = st.lists(st.sampled_from(KINDS), max_size=6)
registry = Registry()


def _one(ctx: WorkflowContext, kind: str) -> Task[Any]:
    match kind:
        case "call" | "all" | "any":
            return ctx.call_activity(kind, input=str(ctx.uuid4()))
        case "retry":
            return ctx.call_activity(kind, retry_policy=POLICY)
        case "sleep":
            return ctx.create_timer(timedelta(seconds=3))
        case "wait":
            return ctx.wait_for_external_event("go", timeout=timedelta(seconds=9))
        case "child":
            return ctx.call_child_workflow("child", retry_policy=POLICY)
        case _:
            return ctx.call_activity(_at_once(ctx, kind))


def _at_once(ctx: WorkflowContext, kind: str) -> str:
    match kind:
        case "draw":
            return f"drew {ctx.random_int(0, 9)}"
        case "side":
            return f"side {ctx.side_effect(asyncio.Event().is_set)}"
        case "patch":
            return "new" if ctx.is_patched("better") else "old"
        case _:
            ctx.set_custom_status(f"at {ctx.now()}")
            return "status"


@registry.workflow()
def generator(ctx: WorkflowContext, kinds: list[str]) -> Steps:
    said: list[str] = []
    for kind in kinds:
        try:
            if kind == "anew":
                yield ctx.wait_for_external_event("stop")
                rest = kinds[kinds.index(kind) + 1 :]
                ctx.continue_as_new(rest, save_events=bool(len(rest) % 2))
                return said
            if kind == "all":
                said.append(str((yield when_all([_one(ctx, kind) for _ in range(3)]))))
            elif kind == "any":
                first = yield when_any([_one(ctx, kind), _one(ctx, "sleep")])
                said.append(str(first.get_result()))
            else:
                said.append(str((yield _one(ctx, kind))))
        except (TaskFailedError, TimeoutError) as error:
            said.append(str(error))
    return said


@registry.workflow()
async def coroutine(ctx: WorkflowContext, kinds: list[str]) -> list[str]:
    said: list[str] = []

    async def branch(kind: str) -> None:
        try:
            said.append(str(await _one(ctx, kind)))
            said.append(str(await wait_for(_one(ctx, "call"), 5)))
        except (TaskFailedError, TimeoutError) as error:
            said.append(str(error))

    half = len(kinds) // 2
    await gather(*(branch(kind) for kind in kinds[:half]))
    for one in as_completed([_one(ctx, kind) for kind in kinds[half:]], timeout=20):
        try:
            said.append(str(await one))
        except (TaskFailedError, TimeoutError) as error:
            said.append(str(error))
    return said


def _happenings(played: Played) -> list[ev.Event]:
    """Everything that may happen next, in a fixed order."""
    state, told = played.state, failure("ValueError", "no")
    found: list[ev.Event] = [raised(name, '"data"') for name in EVENTS]
    found += [ev.ExecutionSuspended(at_us=played.now_us), ev.ExecutionResumed(at_us=played.now_us)]
    for task_id in state.open_tasks:
        found += [done(task_id, f'"{task_id}"'), broken(task_id, told)]
    for task_id in state.open_children:
        found += [
            ev.ChildCompleted(at_us=played.now_us, task_id=task_id, result='"child"'),
            ev.ChildFailed(at_us=played.now_us, task_id=task_id, failure=told),
        ]
    found += [
        ev.TimerFired(at_us=played.now_us, timer_id=number, fire_at_us=timer.fire_at_us)
        for number, timer in state.open_timers.items()
        if not is_never(timer.fire_at_us)
    ]
    return found


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["generator", "coroutine"]),
    kinds=programs,
    kept_max=st.sampled_from([0, 1]),
    data=st.data(),
)
def test_every_turn_is_decided_the_same_again(
    name: str, kinds: list[str], kept_max: int, data: st.DataObject
) -> None:
    played = Played(replayer_of(registry, kept_max=kept_max), name, str(kinds).replace("'", '"'))
    for _ in range(40):
        played.turn()
        if played.state.finished:
            break
        likely = _happenings(played)
        picked = data.draw(st.lists(st.sampled_from(likely), min_size=1, max_size=3))
        # A generation that has just begun has its beginning in its inbox already.
        played.inbox += [event for n, event in enumerate(picked) if _is_new(event, picked[:n])]
        if data.draw(st.booleans()):
            played.replayer.forget(("one", played.state.generation))
    for (past, new), decision in zip(played.batches, played.decisions, strict=True):
        assert without_trace(decided_afresh(registry, past, new)) == without_trace(decision)


def _is_new(event: ev.Event, before: list[ev.Event]) -> bool:
    """Whether nothing before it in its batch was the outcome of the same."""
    if isinstance(event, ev.EventRaised | ev.ExecutionSuspended | ev.ExecutionResumed):
        return True
    return not any(_outcome(event) == _outcome(other) for other in before)


def _outcome(event: ev.Event) -> object:
    return getattr(event, "task_id", None) or getattr(event, "timer_id", None)
