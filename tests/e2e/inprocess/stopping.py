"""A user's program that is stopped while an activity runs: async, or with the synchronous twin.

Run as `python -m tests.e2e.inprocess.stopping KIND STORE SECONDS STOP_TIMEOUT`. It prints one JSON
object a line.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Sequence

import perdure
from perdure import ActivityContext, Engine, Registry, SyncEngine, WorkflowContext
from tests.e2e.workers.kit import say

FOR_EVER = -1.0  # instead of seconds: one activity in a process that never ends

registry = Registry()


@registry.activity()
async def slow(_: ActivityContext, seconds: float) -> str:
    say(began="slow")
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=seconds)
    say(ended="slow")
    return "slow"


@registry.activity()
def blocking(_: ActivityContext, seconds: float) -> str:
    say(began="blocking")
    threading.Event().wait(seconds)
    say(ended="blocking")
    return "blocking"


@registry.activity(process=True)
def computing(_: ActivityContext, __: float) -> None:
    """Compute for ever, and look at nothing."""
    say(began="computing", process=os.getpid())
    while True:
        pass


@registry.workflow()
async def order(ctx: WorkflowContext, given: Sequence[object]) -> object:
    return await ctx.call_activity(str(given[0]), input=given[1])


async def run_async(store: str, seconds: float, stop_timeout: float) -> None:
    async with Engine(store, registry=registry, stop_timeout=stop_timeout) as engine:
        names = ("computing",) if seconds == FOR_EVER else ("slow", "blocking")
        handles = [await engine.start(order, [name, seconds], id=name) for name in names]
        for handle in handles:
            say(result=await handle.result())


def run_sync(store: str, seconds: float, stop_timeout: float) -> None:
    with SyncEngine(store, registry=registry, stop_timeout=stop_timeout) as engine:
        handles = [engine.start(order, [name, seconds], id=name) for name in ("slow", "blocking")]
        for handle in handles:
            say(result=handle.result())


def main(kind: str, store: str, seconds: str, stop_timeout: str) -> None:
    try:
        if kind == "async":
            asyncio.run(run_async(store, float(seconds), float(stop_timeout)))
        else:
            run_sync(store, float(seconds), float(stop_timeout))
    except perdure.StoreLocked as locked:
        say(locked=str(locked))
    finally:
        say(left="in good order")


if __name__ == "__main__":
    main(*sys.argv[1:])
