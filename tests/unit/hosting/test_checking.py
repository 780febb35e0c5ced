"""What a start is given: what can be none is refused in words, and nothing is started."""

import asyncio
import copy
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from perdure import Engine, WorkflowContext, WorkflowFailed
from perdure.authoring.failures import FailureDetails, TaskFailedError
from perdure.base.errors import ConfigurationError
from perdure.core.requests import Reason
from perdure.hosting.checking import (
    checked_event,
    checked_id,
    checked_moment_us,
    checked_name,
    checked_pairs,
)
from perdure.hosting.refusals import InstanceExists, InstanceNotFound


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
        (checked_event, 5, TypeError, r"not int \(5\)"),
        (checked_event, "", ValueError, "1 to"),
        (checked_event, "n" * 100_000, ValueError, "1 to"),
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
    assert checked_event("paid") == "paid"
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


_LEFT_OPEN = """
import asyncio
from perdure import Engine
engine = Engine(":memory:")
asyncio.run(engine.open())
asyncio.run(engine.open())
"""


def test_an_engine_whose_loop_has_ended_says_so() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _LEFT_OPEN], capture_output=True, text=True, check=False
    )
    assert "the engine was left open" in ended.stderr


async def test_a_number_finds_nobody() -> None:
    async with Engine(":memory:") as engine:
        await engine.start("flow", id="one")
        for ask in (engine.get, engine.wait, engine.terminate, engine.purge, engine.history):
            with pytest.raises(TypeError, match="is a str, not int"):
                await ask(1)  # type: ignore[arg-type]  # what a checker refuses is tried
        with pytest.raises(ConfigurationError, match="Status, such as RUNNING"):
            [one async for one in engine.instances(status="RUNNING")]  # type: ignore[arg-type]  # what a checker refuses is tried


async def test_who_waits_is_told_that_it_was_purged() -> None:
    async with Engine(":memory:") as engine:
        handle = await engine.start("flow", id="one", at=datetime(2999, 1, 1, tzinfo=UTC))
        waiting = asyncio.ensure_future(handle.result())
        await asyncio.sleep(0)
        await handle.purge(force=True)
        with pytest.raises(InstanceNotFound, match="purged meanwhile"):
            await waiting
        with pytest.raises(TimeoutError, match="is not there within"):
            await handle.result(timeout=0.01)


_FORKED = """
import asyncio, os, sys
from perdure import Engine, StoreLocked

engine = Engine(sys.argv[1])

@engine.workflow
async def one(ctx):
    return 1

loop = asyncio.new_event_loop()
loop.run_until_complete(engine.open())
child = os.fork()
if child == 0:
    for own in (loop, asyncio.new_event_loop()):
        try:
            own.run_until_complete(engine.start(one))
        except RuntimeError as forked:
            print("forked:", forked, flush=True)
    own.run_until_complete(engine.close())
    try:
        own.run_until_complete(engine.open())
    except StoreLocked as locked:
        print("locked:", locked, flush=True)
    os._exit(0)
os.waitpid(child, 0)
handle = loop.run_until_complete(engine.start(one))
print("parent:", loop.run_until_complete(handle.result()), flush=True)
loop.run_until_complete(engine.close())
"""


def test_a_fork_of_a_process_with_an_engine_has_none(tmp_path: Path) -> None:
    """Neither hangs it, nor closes it what is its parent's."""
    done = subprocess.run(
        [sys.executable, "-c", _FORKED, str(tmp_path / "a.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        *("forked", "forked", "locked", "parent")
    ]
    assert "open an engine after forking" in done.stdout
    assert done.stderr.count("this process was forked from process") == 1, "told once"
