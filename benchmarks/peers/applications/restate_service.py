"""The workloads on Restate: services that an ASGI server runs and the Restate server calls."""

from typing import Any

import restate

service = restate.Service("bench")
waiting = restate.Workflow("waiting")


async def echo(value: Any) -> Any:
    return value


@service.handler()
async def hello(ctx: restate.Context, value: str) -> str:
    return await ctx.run_typed("echo", echo, value=value)


@service.handler()
async def chain(ctx: restate.Context, count: int) -> int:
    for number in range(count):
        await ctx.run_typed("echo", echo, value=number)
    return count


@service.handler()
async def fanout(ctx: restate.Context, count: int) -> int:
    tasks = [ctx.run_typed("echo", echo, value=number) for number in range(count)]
    return len(await restate.gather(*tasks))


@waiting.main()
async def run(ctx: restate.WorkflowContext) -> str:
    return await ctx.promise("go", type_hint=str).value()


@waiting.handler()
async def go(ctx: restate.WorkflowSharedContext, value: str) -> None:
    await ctx.promise("go", type_hint=str).resolve(value)


app = restate.app([service, waiting])
