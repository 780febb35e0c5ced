"""The workloads on perdure in a program's own process: workflows, activities and load share it.

`perdure_application.py FILE`.
"""

import sys
from typing import Any

import uvloop
from driving import serve

import perdure
from perdure.workflow import when_all

engine = perdure.Engine(sys.argv[1], app_id="bench")


@engine.activity
async def echo(ctx: Any, value: Any) -> Any:
    return value


@engine.workflow
async def hello(ctx: Any, value: Any) -> Any:
    return await ctx.call_activity(echo, input=value)


@engine.workflow
async def chain(ctx: Any, count: int) -> int:
    for number in range(count):
        await ctx.call_activity(echo, input=number)
    return count


@engine.workflow
async def fanout(ctx: Any, count: int) -> int:
    return len(await when_all([ctx.call_activity(echo, input=n) for n in range(count)]))


@engine.workflow
async def wait(ctx: Any, value: Any) -> Any:
    return await ctx.wait_for_external_event("go")


class Client:
    """Starts and awaits workflows in this process."""

    async def run(self, instance_id: str, workflow: str, value: Any) -> Any:
        handle = await engine.start(workflow, value, id=instance_id)
        return await handle.result()

    async def begin(self, instance_id: str) -> None:
        await engine.start("wait", id=instance_id)

    async def wake(self, instance_id: str) -> Any:
        handle = engine.handle(instance_id)
        await handle.raise_event("go", "gone")
        return await handle.result()


async def main() -> None:
    """Open the engine, which goes on with what a death has left, and serve."""
    async with engine:
        await serve(Client())


if __name__ == "__main__":
    uvloop.run(main())
