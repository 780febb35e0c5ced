"""The engine without a loop, its thread, and the sharing of one file in a process."""

import copy
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import perdure
from perdure import ActivityContext, Registry, Status, SyncEngine, WorkflowContext
from perdure.base.errors import ConfigurationError, ShuttingDown
from perdure.hosting import threaded
from perdure.hosting.threaded import give_back, hosted
from tests.unit.hosting.programs import add_one, collect, echo, registry, waits

MINUTE_S = 60.0


@pytest.fixture
def threads() -> Callable[[], set[str]]:
    """Tells which threads of ours there are that were not there before the test."""
    before = set(threading.enumerate())

    def new() -> set[str]:
        there = set(threading.enumerate()) - before
        return {each.name for each in there if each.name.startswith("perdure")}

    return new


def test_the_same_calls_without_a_loop(tmp_path: Path, threads: Callable[[], set[str]]) -> None:
    with SyncEngine(tmp_path / "orders.db", registry=registry()) as engine:
        handle = engine.start(add_one, 41, id="a", tags={"n": "1"})
        result: int = handle.result(MINUTE_S)
        assert result == 42
        other = engine.start(collect, 1)
        other.wait_for_start(MINUTE_S)
        other.suspend("for lunch")
        found = other.get()
        assert found is not None
        assert found.status is Status.SUSPENDED
        other.resume()
        other.raise_event("item", {"n": 1})
        assert other.wait(timedelta(minutes=1)).output == [{"n": 1}]
        assert other.history()
        assert [each.id for each in engine.instances(tags={"n": "1"})] == ["a"]
        third = engine.start(waits, id="w")
        third.terminate("over")
        assert engine.wait("w", timeout=MINUTE_S).output == "over"
        with pytest.raises(perdure.InstanceFinished):
            engine.raise_event("w", "go")
        assert engine.purge("w") == 1
        assert engine.get("w") is None
        assert engine.rerun("a", 1, input=1).result(MINUTE_S) == 2
    assert not threads()
    with pytest.raises(ShuttingDown, match="with SyncEngine"):
        engine.get("a")


def test_who_uses_one_file_shares_one_engine(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"
    theirs = Registry()

    @theirs.workflow()
    async def theirs_alone(ctx: WorkflowContext, value: int) -> int:
        return await ctx.call_activity(twice, value)

    @theirs.activity()
    def twice(_: ActivityContext, value: int) -> int:
        return 2 * value

    first = SyncEngine(file, registry=registry())
    second = SyncEngine(os.path.relpath(file), registry=theirs)
    with first:
        with second:
            assert second.start(add_one, 1).result(MINUTE_S) == 2
            assert first.start(theirs_alone, 4).result(MINUTE_S) == 8
        assert first.start(echo, 1).result(MINUTE_S) == 1
        with pytest.raises(perdure.WorkflowFailed, match="was not registered"):
            first.start(theirs_alone, 4).result(MINUTE_S)
    assert not threaded._open  # noqa: SLF001 - it has no other face


def test_one_file_has_one_set_of_settings(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"
    share = hosted(file, threads=3, stop_timeout=1)
    try:
        again = hosted(file, threads=3)
        assert again is share
        give_back(again)
        with pytest.raises(ConfigurationError, match="another threads"):
            hosted(file, threads=4)
    finally:
        give_back(share)


def test_a_handle_says_that_its_engine_is_closed_and_goes_nowhere_without_it(
    tmp_path: Path,
) -> None:
    with SyncEngine(tmp_path / "orders.db", registry=registry()) as engine:
        handle = engine.start(add_one, 41, id="a")
        for take_along in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"hand over the id, 'a', and ask there for `engin"):
                take_along(handle)
    with pytest.raises(ShuttingDown, match="the engine is closed: open it again"):
        handle.result(MINUTE_S)


def test_a_file_that_cannot_be_opened_leaves_nothing(
    tmp_path: Path, threads: Callable[[], set[str]]
) -> None:
    file = tmp_path / "orders.db"
    file.write_text("a letter")
    with pytest.raises(perdure.StoreError):
        SyncEngine(file).open()
    assert not threads()
    assert not threaded._open  # noqa: SLF001 - it has no other face


def test_a_call_that_would_wait_for_itself_is_refused(tmp_path: Path) -> None:
    with SyncEngine(tmp_path / "orders.db") as engine:

        @engine.activity
        async def asks(_: ActivityContext) -> None:
            engine.get("a")

        @engine.activity
        def asks_well(_: ActivityContext) -> bool:
            return engine.get("nobody") is None

        @engine.workflow
        async def uses(ctx: WorkflowContext) -> bool:
            return bool(await ctx.call_activity("asks_well"))

        @engine.workflow
        async def uses_badly(ctx: WorkflowContext) -> None:
            await ctx.call_activity("asks")

        assert engine.start(uses).result(MINUTE_S) is True
        with pytest.raises(perdure.WorkflowFailed, match="would wait for itself"):
            engine.start(uses_badly).result(MINUTE_S)


def test_a_store_that_closes_keeps_nobody_from_another(tmp_path: Path) -> None:
    """While what runs in one comes to its end, the others can be opened, shared and closed."""
    runs, go = threading.Event(), threading.Event()
    slow = SyncEngine(tmp_path / "slow.db", stop_timeout=MINUTE_S)

    @slow.activity
    def works(_: ActivityContext) -> str:
        runs.set()
        assert go.wait(MINUTE_S)
        return "done"

    @slow.workflow
    async def calls(ctx: WorkflowContext) -> str:
        return await ctx.call_activity(works)

    slow.open()
    handle = slow.start(calls, id="a")
    assert runs.wait(MINUTE_S)
    closing = threading.Thread(target=slow.close)
    closing.start()
    other = SyncEngine(tmp_path / "other.db", registry=registry())
    opening = threading.Thread(target=other.open, daemon=True)
    opening.start()
    opening.join(MINUTE_S / 6)
    opened = not opening.is_alive()
    assert closing.is_alive(), "it waits for its activity"
    # Whoever wants the one that closes has it once it is closed.
    again = threading.Thread(target=slow.open)
    again.start()
    go.set()
    for thread in (closing, again, opening):
        thread.join(MINUTE_S)
    assert opened
    assert other.start(add_one, 1).result(MINUTE_S) == 2
    assert handle.id == "a"
    assert slow.handle("a").result(MINUTE_S) == "done"
    other.close()
    slow.close()
    assert not threaded._open  # noqa: SLF001 - it has no other face


_FORGETFUL = """
import sys
from perdure import SyncEngine
from tests.unit.hosting.programs import registry

engine = SyncEngine(sys.argv[1], registry=registry())
engine.open()
print(engine.start("add_one", 1).result(60), flush=True)
"""


def test_who_forgets_to_close_it_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _FORGETFUL, str(tmp_path / "orders.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    with SyncEngine(tmp_path / "orders.db") as engine:
        assert [each.status for each in engine.instances()] == [Status.COMPLETED]


_FORKING = """
import os, sys
from perdure import StoreLocked, SyncEngine
from tests.unit.hosting.programs import registry

engine = SyncEngine(sys.argv[1], registry=registry())
engine.open()
child = os.fork()
if child == 0:
    try:
        engine.start("add_one", 2)
    except RuntimeError as forked:
        print(forked, flush=True)
    try:
        SyncEngine(sys.argv[1]).open()
    except StoreLocked as locked:
        print("locked:", locked, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(engine.start("add_one", 1).result(60), flush=True)
"""


def test_a_forked_process_is_another_process_and_is_told_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FORKING, str(tmp_path / "orders.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    forked, locked, result = done.stdout.splitlines()
    assert "open an engine after forking" in forked
    assert "orders.db" in forked
    assert "leave out --preload" in forked
    assert locked.startswith("locked: ")
    assert "in use by process" in locked
    assert result == "2"
