"""What a start is given: what can be none is refused in words, and nothing is started."""

import asyncio
import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from perdure import Engine, WorkflowContext, WorkflowFailed
from perdure.authoring.failures import FailureDetails, TaskFailedError
from perdure.core.requests import Reason
from perdure.hosting.checking import checked_id, checked_moment_us, checked_name, checked_pairs
from perdure.hosting.refusals import InstanceExists


@pytest.mark.parametrize(
    ("check", "value", "kind", "text"),
    [
        (checked_id, 5, TypeError, r"not int \(5\)"),
        (checked_id, "", ValueError, "at least one character"),
        (checked_id, "x" * 1_025, ValueError, "at most 1024 bytes"),
        (checked_id, "a\0b", ValueError, "printed"),
        (checked_id, "\ud800", ValueError, "printed"),
        (checked_name, None, TypeError, "its function or its name, not NoneType"),
        (checked_name, "", ValueError, "1 to"),
        (checked_name, lambda: None, ValueError, "lambda"),
        (checked_moment_us, "soon", TypeError, r"not str \('soon'\)"),
        (checked_pairs, {"a": 1}, TypeError, "tags are text: 'a' is str"),
        (checked_pairs, {"": "x"}, ValueError, "tags: a pair has no key"),
        (checked_pairs, {"a": "x" * 1_025}, ValueError, "longer than 1024 characters"),
        (checked_pairs, {f"k{n}": "" for n in range(65)}, ValueError, "more than 64 pairs"),
    ],
)
def test_what_can_be_none_is_refused(
    check: Callable[[Any], object], value: object, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        check(value)


def test_what_can_be_one_is_taken_as_it_is() -> None:
    assert checked_id("a/b:é") == "a/b:é"
    assert checked_name("flow") == checked_name(flow) == "flow"
    assert checked_moment_us(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000
    assert checked_pairs({"b": "2", "a": ""}) == (("a", ""), ("b", "2"))


async def test_nothing_is_started_by_what_is_refused() -> None:
    async with Engine(":memory:") as engine:
        for wrong in ({"id": ""}, {"tags": {"": "x"}}, {"at": "soon"}):
            with pytest.raises((TypeError, ValueError)):
                await engine.start("flow", **wrong)
        assert [one async for one in engine.instances()] == []


def test_exceptions_go_to_other_processes_and_come_back_whole() -> None:
    # A copy is made as an exception that comes out of another process is.
    taken = copy.copy(InstanceExists(Reason.ALREADY_EXISTS, "taken"))
    assert (type(taken), taken.reason, str(taken)) == (
        *(InstanceExists, Reason.ALREADY_EXISTS, "taken"),
    )
    failed = copy.copy(TaskFailedError("no", FailureDetails("m", "T", None)))
    assert (str(failed), failed.details.message) == ("no", "m")


def flow() -> None:
    """Stands for a workflow."""


async def test_it_is_asked_on_its_own_loop_only(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(":memory:")

    @engine.workflow
    async def curious(_ctx: WorkflowContext) -> object:
        return await engine.get("nobody")

    async with engine:
        with pytest.raises(RuntimeError, match="the loop that opened it: elsewhere use a Sync"):
            await asyncio.to_thread(lambda: asyncio.run(engine.get("nobody")))
        with pytest.raises(RuntimeError, match="open already"):
            await engine.open()
        with pytest.raises(WorkflowFailed, match="in a workflow, ask it in an activity"):
            await (await engine.start(curious)).result()
        assert await engine.get("nobody") is None
    assert caplog.text == ""


def test_an_engine_whose_loop_has_ended_says_so() -> None:
    engine = Engine(":memory:")
    asyncio.run(engine.open())
    with pytest.raises(RuntimeError, match="the engine was left open"):
        asyncio.run(engine.open())
