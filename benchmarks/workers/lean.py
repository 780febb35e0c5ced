"""A lean worker: it keeps each workflow's generator, and calls through our own transport.

What an engine costs shows best under a worker that costs little. It runs the same workloads as the
released SDK's worker, says "ready" and works until its standard input closes.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import uvloop

from perdure.transport.client.channel import Channel
from perdure.wire.generated import history_pb2 as history
from perdure.wire.generated import work_pb2 as pb

SERVICE = "/TaskHubSidecarService"
OPENING = b"\x22\x02\x03\x02"  # it keeps histories, and knows health pings
COMPLETED = 1

# What a workflow yields: the inputs of activities to run at once, or the name of an event.
Workflow = Generator[list[Any] | str, Any, Any]


def hello(value: Any) -> Workflow:
    results = yield [value]
    return results[0]


def chain(count: int) -> Workflow:
    for number in range(count):
        yield [number]
    return count


def fanout(count: int) -> Workflow:
    results = yield list(range(count))
    return len(results)


def wait(_value: Any) -> Workflow:
    return (yield "go")


WORKFLOWS: dict[str, Callable[[Any], Workflow]] = {
    "hello": hello,
    "chain": chain,
    "fanout": fanout,
    "wait": wait,
}


@dataclass(slots=True)
class Kept:
    """One workflow under way: its generator, and what it waits for."""

    code: Workflow
    next_id: int = 1
    wanted: dict[int, Any] = field(default_factory=dict)
    missing: int = 0
    event: str | None = None


class Turns:
    """Answers turns from what is kept."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._kept: dict[str, Kept] = {}

    def answer(self, data: bytes, token: str) -> bytes:
        """Return the answer to a turn."""
        request = pb.TurnRequest.FromString(data)
        answer = pb.TurnAnswer(instance_id=request.instance_id, token=token)
        if not request.HasField("cached"):
            self._kept.pop(request.instance_id, None)
            for event in request.past:
                self._take(request.instance_id, event, None)
        for event in request.new:
            self._take(request.instance_id, event, answer)
        return answer.SerializeToString()

    def _take(self, instance_id: str, data: bytes, answer: pb.TurnAnswer | None) -> None:
        event = history.HistoryEvent.FromString(data)
        kept = self._kept.get(instance_id)
        match event.WhichOneof("kind"):
            case "execution_started":
                started = event.execution_started
                code = WORKFLOWS[started.name](_value(started.input.value))
                kept = self._kept[instance_id] = Kept(code)
                self._go_on(instance_id, kept, None, answer)
            case "task_completed" if kept is not None:
                done = event.task_completed
                if done.task_id in kept.wanted:
                    kept.wanted[done.task_id] = _value(done.result.value)
                    kept.missing -= 1
                    if not kept.missing:
                        self._go_on(instance_id, kept, list(kept.wanted.values()), answer)
            case "event_raised" if kept is not None and kept.event == event.event_raised.name:
                self._go_on(instance_id, kept, _value(event.event_raised.input.value), answer)
            case _:
                pass

    def _go_on(
        self, instance_id: str, kept: Kept, value: Any, answer: pb.TurnAnswer | None
    ) -> None:
        kept.wanted.clear()
        kept.event = None
        try:
            asked = kept.code.send(value)
        except StopIteration as end:
            self._kept.pop(instance_id, None)
            if answer is not None:
                action = answer.actions.add(id=kept.next_id)
                action.complete.status = COMPLETED
                action.complete.result.value = json.dumps(end.value)
            return
        if isinstance(asked, str):
            kept.event = asked
            return
        for each in asked:
            task_id, kept.next_id = kept.next_id, kept.next_id + 1
            kept.wanted[task_id] = None
            kept.missing += 1
            if answer is not None:
                action = answer.actions.add(id=task_id)
                action.schedule_task.name = "echo"
                action.schedule_task.input.value = json.dumps(each)
                action.schedule_task.execution_id = str(uuid4()).encode()


def _value(text: str) -> Any:
    return json.loads(text) if text else None


def _activity_answer(data: bytes, token: str) -> bytes:
    request = pb.ActivityRequest.FromString(data)
    answer = pb.ActivityAnswer(
        instance_id=request.instance.instance_id, task_id=request.task_id, token=token
    )
    answer.result.value = request.input.value
    return answer.SerializeToString()


async def work(port: int) -> None:
    """Take work items until the stream ends."""
    channel = Channel("127.0.0.1", port)
    await channel.unary(f"{SERVICE}/Hello", b"")
    turns = Turns()
    calls: set[asyncio.Task[bytes]] = set()
    stream = channel.stream(f"{SERVICE}/GetWorkItems", OPENING)
    print("ready", flush=True)
    async for data in stream:
        item = pb.WorkItem.FromString(data)
        if item.HasField("turn"):
            path, answer = "CompleteWorkflowTask", turns.answer(item.turn, item.token)
        elif item.HasField("activity"):
            path, answer = "CompleteActivityTask", _activity_answer(item.activity, item.token)
        else:
            continue
        call = asyncio.create_task(channel.unary(f"{SERVICE}/{path}", answer))
        calls.add(call)
        call.add_done_callback(calls.discard)


async def main() -> None:
    """Work until standard input closes."""
    working = asyncio.create_task(work(int(os.environ["DAPR_GRPC_PORT"])))
    closed = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({working, closed}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        working.result()


if __name__ == "__main__":
    uvloop.run(main())
