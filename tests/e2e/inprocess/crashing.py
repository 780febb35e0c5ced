"""A user's program that is killed: an engine of its own, its workflows, and clients that tell.

Run as `python -m tests.e2e.inprocess.crashing STORE NAME SEED MODE`. Every line that it prints is
one JSON object, written with one call, so that no kill can tear it or lose what was before it:

- `ask` before a call and `told` after it, with the same number,
- `run` when the code of an activity begins,
- `listing` with every instance's status before anything is asked.

In the mode `load` its clients go on until it is killed. In the mode `end` it brings everything to
its end, says `ended`, and keeps an HTTP door open for whoever wants to look.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Coroutine
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any, Final

import uvloop

import perdure
from perdure import ActivityContext, Engine, Registry, Status, WorkflowContext
from perdure.authoring.joins import gather
from perdure.authoring.tasks import Task
from perdure.components.port import Done
from perdure.core.requests import Terminate

CLIENTS: Final = 12
EVENTS_PER_ROUND: Final = 4
LAST: Final = "last"

registry = Registry()
_numbers = count(1)


def tell(what: str, **fields: object) -> None:
    line = {"what": what, "at": time.monotonic(), **fields}
    os.write(sys.stdout.fileno(), (json.dumps(line) + "\n").encode())


# ---- what it runs


def _began(context: ActivityContext, key: str) -> str:
    run = f"{os.getpid()}-{next(_numbers)}"
    tell("run", instance=context.workflow_id, key=key, run=run)
    return run


@registry.activity()
async def step(context: ActivityContext, value: dict[str, Any]) -> dict[str, Any]:
    run = _began(context, value["key"])
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=value["seconds"])
    return {"key": value["key"], "run": run}


@registry.activity()
def blocking_step(context: ActivityContext, value: dict[str, Any]) -> dict[str, Any]:
    run = _began(context, value["key"])
    threading.Event().wait(value["seconds"])
    return {"key": value["key"], "run": run}


@registry.activity()
async def fail(context: ActivityContext, value: dict[str, Any]) -> None:
    _began(context, value["key"])
    raise ValueError(value["key"])


def _step(ctx: WorkflowContext, key: str, seconds: float = 0.0) -> Task[Any]:
    # Which of the two it is hangs on the key alone, so that a replay chooses the same.
    chosen = "step" if sum(key.encode()) % 2 else "blocking_step"
    return ctx.call_activity(chosen, input={"key": key, "seconds": seconds})


@registry.workflow()
async def chain(ctx: WorkflowContext, value: dict[str, Any]) -> list[Any]:
    return [
        await _step(ctx, f"chain/{number}", value["seconds"]) for number in range(value["steps"])
    ]


@registry.workflow()
async def fan(ctx: WorkflowContext, value: dict[str, Any]) -> Any:
    numbers = range(value["steps"])
    return await gather(*[_step(ctx, f"fan/{number}", value["seconds"]) for number in numbers])


@registry.workflow()
async def sleeper(ctx: WorkflowContext, value: dict[str, Any]) -> Any:
    await ctx.create_timer(timedelta(seconds=value["timer"]))
    return await _step(ctx, "slept", value["seconds"])


@registry.workflow()
async def stumbler(ctx: WorkflowContext, _: object) -> list[Any]:
    try:
        await ctx.call_activity("fail", input={"key": "fails"})
    except perdure.TaskFailedError:
        return [await _step(ctx, "caught")]
    return []


@registry.workflow()
async def looper(ctx: WorkflowContext, value: dict[str, Any]) -> Any:
    done = [*value["done"], await _step(ctx, f"round/{len(value['done'])}", value["seconds"])]
    if len(done) == value["rounds"]:
        return done
    ctx.continue_as_new({**value, "done": done}, save_events=True)
    return None


@registry.workflow()
async def collector(ctx: WorkflowContext, value: dict[str, Any]) -> Any:
    taken, steps = value["taken"], value["steps"]
    for _ in range(EVENTS_PER_ROUND):
        event = await ctx.wait_for_external_event("item")
        if event["sender"] == LAST:
            return {"taken": taken, "steps": steps}
        taken = [*taken, [event["sender"], event["number"]]]
    steps = [*steps, await _step(ctx, f"collect/{len(steps)}", value["seconds"])]
    ctx.continue_as_new({**value, "taken": taken, "steps": steps}, save_events=True)
    return None


@registry.workflow()
async def waiter(ctx: WorkflowContext, value: dict[str, Any]) -> Any:
    went = await ctx.wait_for_external_event("go")
    return {"went": went, "step": await _step(ctx, "waited", value["seconds"])}


@registry.workflow()
async def family(ctx: WorkflowContext, value: dict[str, Any]) -> Any:
    named = ctx.call_child_workflow(
        "chain", input=value["child"], instance_id=f"{ctx.instance_id}-named"
    )
    return await gather(named, ctx.call_child_workflow("chain", input=value["child"]))


@registry.workflow()
async def brood(ctx: WorkflowContext, value: dict[str, Any]) -> Any:
    names = [f"{ctx.instance_id}-{number}" for number in range(2)]
    return await gather(
        *[ctx.call_child_workflow("waiter", input=value, instance_id=name) for name in names]
    )


# ---- who asks


class Client:
    """Plays one little story after the other."""

    def __init__(self, engine: Engine, name: str, seed: str) -> None:
        self._engine = engine
        self._name = name
        self._random = Random(f"{seed}-{name}")
        self._count = count(1)

    async def play(self) -> None:
        stories = (self._plain, self._collecting, self._waiting, self._ending, self._purging)
        while True:
            [story] = self._random.choices(stories, weights=(50, 20, 14, 10, 6))
            await story()

    async def ask(self, what: str, call: Coroutine[Any, Any, Any], **fields: object) -> Any:
        number = next(_numbers)
        tell("ask", number=number, asked=what, fields=fields)
        try:
            answer = await call
        except perdure.Refused as refused:
            tell("told", number=number, outcome="refused", why=str(refused))
            return None
        extra = {"in_force": answer.in_force} if isinstance(answer, Done) else {}
        tell("told", number=number, outcome="acked", **extra)
        return answer

    async def begin(self, workflow: str, value: object) -> str:
        instance = f"{self._name}-{next(self._count)}"
        call = self._engine.start(workflow, value, id=instance)
        await self.ask("start", call, instance=instance, workflow=workflow, input=value)
        return instance

    async def look(self, instance: str) -> None:
        seen = await self._engine.wait(instance)
        tell("seen", instance=instance, status=seen.status.name, output=seen.output)

    async def event(self, instance: str, sender: str, number: int) -> None:
        event = {"sender": sender, "number": number}
        call = self._engine.raise_event(instance, "item", event)
        await self.ask("event", call, instance=instance, **event)

    async def go(self, instance: str) -> None:
        data = self._random.random()
        call = self._engine.raise_event(instance, "go", data)
        await self.ask("go", call, instance=instance, data=data)

    async def resume(self, instance: str) -> None:
        await self.ask("resume", self._engine.resume(instance), instance=instance)

    async def terminate(self, instance: str) -> None:
        output = {"ended": self._random.random()}
        request = Terminate(instance_id=instance, output=json.dumps(output))
        call = self._engine.component.terminate(request)
        await self.ask("terminate", call, instance=instance, output=output)

    async def _plain(self) -> None:
        seconds = self._random.choice((0, 0.01, 0.05))
        steps = {"steps": self._random.randint(1, 5), "seconds": seconds}
        inputs: dict[str, Any] = {
            "chain": steps,
            "fan": steps,
            "sleeper": {"timer": self._random.uniform(0.05, 1), "seconds": seconds},
            "stumbler": None,
            "looper": {"rounds": self._random.randint(2, 5), "done": [], "seconds": seconds},
            "family": {"child": steps},
        }
        workflow = self._random.choice(sorted(inputs))
        instance = await self.begin(workflow, inputs[workflow])
        if self._random.random() < 0.7:
            await self.look(instance)

    async def _collecting(self) -> None:
        value: dict[str, Any] = {
            "taken": [],
            "steps": [],
            "seconds": self._random.choice((0, 0.02)),
        }
        instance = await self.begin("collector", value)
        numbers = {"a": 0, "b": 0}
        for _ in range(self._random.randint(4, 16)):
            sender = self._random.choice("ab")
            numbers[sender] += 1
            await self.event(instance, sender, numbers[sender])
        await self.event(instance, LAST, 0)
        await self.look(instance)

    async def _waiting(self) -> None:
        instance = await self.begin("waiter", {"seconds": self._random.choice((0, 0.02))})
        if self._random.random() < 0.7:
            await self.ask("suspend", self._engine.suspend(instance), instance=instance)
            await self.go(instance)
            if self._random.random() < 0.4:
                return  # and it is to stay suspended until the end
            await self.resume(instance)
        else:
            await self.go(instance)
        await self.look(instance)

    async def _ending(self) -> None:
        workflow = self._random.choice(("waiter", "brood"))
        instance = await self.begin(workflow, {"seconds": 0})
        await self.terminate(instance)

    async def _purging(self) -> None:
        instance = await self.begin("chain", {"steps": 1, "seconds": 0})
        await self.look(instance)
        await self.ask("purge", self._engine.purge(instance), instance=instance)


async def bring_to_an_end(client: Client, engine: Engine) -> None:
    """Let go on what waits for somebody, and return when nothing moves any more."""
    waiting = [
        instance
        async for instance in engine.instances(
            status=[Status.RUNNING, Status.PENDING, Status.SUSPENDED], page=1_000
        )
    ]
    for instance in waiting:
        if instance.status is Status.SUSPENDED:
            await client.resume(instance.id)
        match instance.workflow:
            case "collector":
                await client.event(instance.id, LAST, 1)
            case "waiter" if instance.parent_id is None:
                await client.go(instance.id)
            case "brood":
                await client.terminate(instance.id)
            case _:
                pass
    for instance in waiting:
        await engine.wait(instance.id)


async def main(store: str, name: str, seed: str, mode: str) -> None:
    async with Engine(store, registry=registry, http=0 if mode == "end" else None) as engine:
        statuses = {each.id: each.status.name async for each in engine.instances(page=1_000)}
        tell("listing", statuses=statuses)
        if mode == "load":
            clients = [Client(engine, f"{name}-c{number}", seed) for number in range(CLIENTS)]
            await asyncio.gather(*(client.play() for client in clients))
        else:
            await bring_to_an_end(Client(engine, name, seed), engine)
            tell("ended", port=engine.http_port)
            await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
